//! Whose turn it is: one round at a time on a machine, and how regularly they come.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use crate::config::Config;
use crate::lock::{self, LockError};
use crate::span::Span;
use crate::time::Timestamp;

/// Rounds further apart than this have a gap between them.
const GAP: Span = Span::from_seconds(600);
/// A gap that is longer may be a clock that is ahead, as at boot.
const DOUBTFUL: Span = Span::from_days(1);
/// A clock that has not gone back for so long is right after all.
const TRUSTED: Span = Span::from_seconds(3600);

/// The turn of this process; it ends with it.
pub(super) struct Turn {
    /// Locked; written at the end of a round, with the times below.
    lock: File,
    path: PathBuf,
    /// Since when rounds have come without a gap.
    pub(super) steady: Timestamp,
    /// How long there was none, where that was too long.
    pub(super) gap: Option<Span>,
    /// What had its time by then may be forgotten for good; now, unless the clock may be ahead.
    pub(super) sure: Timestamp,
}

/// A round that another process is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Running {
    /// The process.
    pub process: u32,
    /// When it began.
    pub since: Timestamp,
}

impl Turn {
    /// Takes the turn, unless another process has it.
    pub(super) fn take(
        config: &Config,
        now: Timestamp,
    ) -> Result<Result<Self, Running>, LockError> {
        let path = file(config, "upkeep");
        let running = file(config, "upkeep-running");
        let mut lock = lock::open(&path)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Err(Running::read(&running, now))),
            Err(TryLockError::Error(error)) => return Err(LockError::File(path, error)),
        }
        let text = format!("{} {}\n", std::process::id(), now.seconds());
        // A note for others, which a full disk need not take.
        let _ = rewrite(&mut lock::open(&running)?, &text);
        let last = last(config);
        let gap = last.map(|last| now.since(last));
        let (steady, sure) = match last.filter(|last| *last <= now) {
            Some(last) => since(last, Noted::read(&mut lock, last), now),
            None => (now, now),
        };
        Ok(Ok(Turn {
            lock,
            path,
            steady,
            gap: gap.filter(|gap| *gap >= GAP),
            sure,
        }))
    }

    /// Notes that the round was a whole one.
    pub(super) fn end(mut self) -> Result<(), LockError> {
        let text = format!("{} {}\n", self.steady.seconds(), self.sure.seconds());
        rewrite(&mut self.lock, &text).map_err(|error| LockError::File(self.path, error))
    }
}

impl Running {
    /// What the other process has written of itself.
    fn read(path: &PathBuf, now: Timestamp) -> Self {
        let text = fs::read_to_string(path).unwrap_or_default();
        let mut words = text.split_whitespace();
        Running {
            process: words.next().and_then(|word| word.parse().ok()).unwrap_or(0),
            since: words
                .next()
                .and_then(|word| word.parse().ok())
                .map_or(now, Timestamp::from_seconds),
        }
    }
}

/// When the last whole round was; `None`: there was none yet.
pub fn last(config: &Config) -> Option<Timestamp> {
    let file = fs::metadata(file(config, "upkeep")).ok()?;
    // While a round writes its end, and before the first has, there is nothing in it.
    (file.len() > 0).then(|| Timestamp::from_seconds(file.mtime()))
}

/// What the last round has noted.
struct Noted {
    steady: Timestamp,
    sure: Timestamp,
}

impl Noted {
    /// What is in the file; what is not there was so at the `last` round.
    fn read(lock: &mut File, last: Timestamp) -> Self {
        let mut text = String::new();
        let _ = lock.read_to_string(&mut text);
        let mut times = (text.split_whitespace())
            .map_while(|word| word.parse().ok())
            .map(Timestamp::from_seconds);
        Noted {
            steady: times.next().unwrap_or(last),
            sure: times.next().unwrap_or(last),
        }
    }
}

/// Since when rounds have come without a gap, and until when the clock was surely right.
fn since(last: Timestamp, noted: Noted, now: Timestamp) -> (Timestamp, Timestamp) {
    let is_regular = now.since(last) < GAP && noted.steady <= now;
    let steady = if is_regular { noted.steady } else { now };
    let sure = if now.since(noted.sure) <= DOUBTFUL || now.since(steady) >= TRUSTED {
        now
    } else if now.since(last) >= TRUSTED {
        // Later than the last round still, and not by a moment.
        last
    } else {
        noted.sure
    };
    (steady, sure)
}

fn rewrite(file: &mut File, text: &str) -> std::io::Result<()> {
    file.rewind()?;
    file.set_len(0)?;
    file.write_all(text.as_bytes())
}

fn file(config: &Config, name: &str) -> PathBuf {
    config.state_directory().join("locks").join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `now`, `last`, and what was noted, in hours; what follows from them.
    fn hours(now: f64, last: f64, steady: f64, sure: f64) -> (f64, f64) {
        let at = |hours: f64| Timestamp::from_seconds((hours * 3600.0) as i64);
        let noted = Noted {
            steady: at(steady),
            sure: at(sure),
        };
        let (steady, sure) = since(at(last), noted, at(now));
        let hours = |at: Timestamp| at.seconds() as f64 / 3600.0;
        (hours(steady), hours(sure))
    }

    #[test]
    fn a_clock_that_may_be_ahead_is_not_believed_at_once() {
        // Regularly, by hand now and then, and once a day.
        assert_eq!(hours(100.1, 100.0, 50.0, 100.0), (50.0, 100.1));
        assert_eq!(hours(100.5, 100.0, 50.0, 100.0), (100.5, 100.5));
        assert_eq!(hours(124.0, 100.0, 100.0, 100.0), (124.0, 124.0));
        // After a long gap not before rounds were regular for an hour,
        assert_eq!(hours(200.0, 100.0, 50.0, 100.0), (200.0, 100.0));
        assert_eq!(hours(200.1, 200.0, 200.0, 100.0), (200.0, 100.0));
        assert_eq!(hours(201.0, 200.9, 200.0, 100.0), (200.0, 201.0));
        // or what had its time at the last round, an hour later.
        assert_eq!(hours(201.0, 200.0, 200.0, 100.0), (201.0, 200.0));
        // It was ahead, and is no more: a day is what it may end too early.
        assert_eq!(hours(101.0, 100.5, 200.0, 100.0), (101.0, 101.0));
        assert_eq!(hours(101.0, 100.9, 200.0, 100.0), (101.0, 101.0));
    }
}
