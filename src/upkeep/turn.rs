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

/// The turn of this process; it ends with it.
pub(super) struct Turn {
    /// Locked; written at the end of a round, with the time since when rounds are regular.
    lock: File,
    path: PathBuf,
    /// Since when rounds have come without a gap.
    pub(super) steady: Timestamp,
    /// How long there was none, where that was too long.
    pub(super) gap: Option<Span>,
    /// Whether there was none before.
    pub(super) is_first: bool,
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
        let steady = steady(config, &mut lock, now);
        Ok(Ok(Turn {
            lock,
            path,
            steady,
            gap: gap.filter(|gap| *gap >= GAP),
            is_first: last.is_none(),
        }))
    }

    /// Notes that the round was a whole one.
    pub(super) fn end(mut self) -> Result<(), LockError> {
        let text = format!("{}\n", self.steady.seconds());
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

/// Since when rounds have come without a gap.
fn steady(config: &Config, lock: &mut File, now: Timestamp) -> Timestamp {
    let mut text = String::new();
    let read = lock.read_to_string(&mut text).ok();
    let since = read
        .and_then(|_| text.trim().parse().ok())
        .map(Timestamp::from_seconds);
    let regular = last(config).is_some_and(|last| last <= now && now.since(last) < GAP);
    since
        .filter(|since| regular && *since <= now)
        .unwrap_or(now)
}

fn rewrite(file: &mut File, text: &str) -> std::io::Result<()> {
    file.rewind()?;
    file.set_len(0)?;
    file.write_all(text.as_bytes())
}

fn file(config: &Config, name: &str) -> PathBuf {
    config.state_directory().join("locks").join(name)
}
