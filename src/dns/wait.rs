//! How long one exchange waits, and who has a say when the name server is silent.

use std::time::{Duration, Instant};

use crate::deadline::Deadline;

/// How long a server may take before it counts as silent. Knot pauses for up to a
/// second between two transactions.
const SILENT_AFTER: Duration = Duration::from_millis(1500);

/// The wait of one exchange.
pub struct Wait<'a> {
    deadline: Deadline,
    /// When it answered last, or the beginning.
    heard: Instant,
    /// Asked once, when nothing has come for a while: whether to go on waiting.
    goes_on: Option<&'a mut dyn FnMut() -> bool>,
    given_up: bool,
}

impl<'a> Wait<'a> {
    /// Until the deadline; when the server is silent for 1.5 s, only if `goes_on` says so.
    pub fn with(deadline: Deadline, goes_on: &'a mut dyn FnMut() -> bool) -> Self {
        Wait {
            deadline,
            heard: Instant::now(),
            goes_on: Some(goes_on),
            given_up: false,
        }
    }

    /// When everything has to be over.
    pub(super) fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Whether nothing is to be tried any more.
    pub(super) fn is_over(&self) -> bool {
        self.given_up || self.deadline.passed()
    }

    /// How long to listen before looking at the clock: until `until`, or until the
    /// server counts as silent.
    pub(super) fn step(&self, until: Deadline) -> Duration {
        match self.goes_on {
            None => until.left(),
            Some(_) => until
                .left()
                .min(SILENT_AFTER.saturating_sub(self.heard.elapsed())),
        }
    }

    /// Called when the server has answered, but not yet everything.
    pub(super) fn heard(&mut self) {
        self.heard = Instant::now();
    }

    /// Called when nothing came in a step: whether to go on listening.
    pub(super) fn goes_on(&mut self) -> bool {
        if self.heard.elapsed() >= SILENT_AFTER
            && let Some(goes_on) = self.goes_on.take()
        {
            self.given_up = !goes_on();
        }
        !self.given_up
    }
}

/// Until the deadline, whatever happens.
impl From<Deadline> for Wait<'_> {
    fn from(deadline: Deadline) -> Self {
        Wait {
            deadline,
            heard: Instant::now(),
            goes_on: None,
            given_up: false,
        }
    }
}
