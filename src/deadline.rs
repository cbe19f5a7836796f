//! The one deadline that a request has for everything it waits for.

use std::time::{Duration, Instant};

/// A moment after which nothing is waited for any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// That of a request: routers give up after ten seconds, so every answer comes within eight,
    /// and what is waited for ends a little before.
    pub const REQUEST: Duration = Duration::from_millis(7_500);

    /// The moment `wait` from now.
    pub fn after(wait: Duration) -> Self {
        Deadline(Instant::now() + wait)
    }

    /// What is left; zero when it has passed.
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Whether it has passed.
    pub fn passed(self) -> bool {
        self.left().is_zero()
    }

    /// This deadline, or the moment `wait` from now when that is sooner.
    pub fn at_most(self, wait: Duration) -> Self {
        Deadline(self.0.min(Instant::now() + wait))
    }

    /// The deadline brought forward by `reserve`, for what must still be done afterwards.
    pub fn less(self, reserve: Duration) -> Self {
        Deadline(self.0.checked_sub(reserve).unwrap_or(self.0))
    }
}
