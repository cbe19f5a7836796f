//! How long something took, with and without its waiting for a processor.
//!
//! The kernel counts for how long a thread could have run while others did. On a busy machine
//! that is most of the time, and nothing we could promise anything about. So what must be fast is
//! asked for [`Took::own`], and what must have waited for [`Took::all`].

use std::fmt;
use std::fs;
use std::time::{Duration, Instant};

/// How long something took.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Took {
    /// By the clock.
    pub all: Duration,
    /// Without what it waited for a processor.
    pub own: Duration,
}

impl Took {
    /// What took so long by the clock, and waited so long for a processor.
    pub fn new(all: Duration, held_up: Duration) -> Self {
        let own = all.saturating_sub(held_up);
        Took { all, own }
    }
}

impl fmt::Debug for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, {:?} by the clock", self.own, self.all)
    }
}

/// Times what this thread does itself.
pub struct Stopwatch {
    began: Instant,
    held_up: Duration,
}

impl Stopwatch {
    /// Begins.
    pub fn start() -> Self {
        Stopwatch {
            began: Instant::now(),
            held_up: held_up("thread-self"),
        }
    }

    /// Until now.
    pub fn took(&self) -> Took {
        let held_up = held_up("thread-self").saturating_sub(self.held_up);
        Took::new(self.began.elapsed(), held_up)
    }
}

/// How long a task of `/proc` has waited for a processor; nothing where the kernel does not count.
pub fn held_up(task: &str) -> Duration {
    let counted = fs::read_to_string(format!("/proc/{task}/schedstat")).unwrap_or_default();
    let nanoseconds = counted.split_whitespace().nth(1);
    let nanoseconds = nanoseconds.and_then(|number| number.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}
