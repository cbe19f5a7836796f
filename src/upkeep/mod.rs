//! Upkeep: one round of what has to be done when nobody visits.
//!
//! Each duty is a file of its own. One round at a time runs on a machine; a second one
//! finds the lock taken and leaves the work to the first.

mod expire;
mod prune;
mod settle;

pub use prune::Pruned;
pub use settle::Settled;

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use crate::config::Config;
use crate::lock;
use crate::log::Logger;
use crate::publish::{PublishError, Publisher};
use crate::registry::Registry;
use crate::span::Span;
use crate::time::Timestamp;

/// Rounds further apart than this have a gap between them.
const GAP: Span = Span::from_seconds(600);

/// What a round has done.
#[derive(Debug, Default)]
pub struct Round {
    /// Hosts that were silent for too long.
    pub expired: usize,
    /// Wishes made facts, or not.
    pub settled: Settled,
    /// What was forgotten.
    pub pruned: Pruned,
}

/// Runs one round; `None` when another one is running.
///
/// # Errors
/// When registry, locks or configuration cannot be used.
pub fn round(
    config: &Config,
    registry: &mut Registry,
    logger: &Logger,
) -> Result<Option<Round>, PublishError> {
    let path = lock_file(config);
    let mut lock = lock::open(&path)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(lock::LockError::File(path, error).into()),
    }
    let publisher = Publisher::new(config);
    let now = Timestamp::now();
    // Names that lapse become wishes, which are then settled with the others.
    let steady = steady(config, &mut lock, now);
    let pruned = prune::run(config, registry, now)?;
    let expired = expire::run(config, registry, logger, steady, now)?;
    let settled = settle::run(registry, &publisher, logger)?;
    let done = format!("{}\n", steady.seconds());
    lock.rewind()
        .and_then(|()| lock.set_len(0))
        .and_then(|()| lock.write_all(done.as_bytes()))
        .map_err(|error| lock::LockError::File(path, error))?;
    Ok(Some(Round {
        expired,
        settled,
        pruned,
    }))
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

/// When the last whole round was; `None`: there was none yet.
pub fn last(config: &Config) -> Option<Timestamp> {
    let file = fs::metadata(lock_file(config)).ok()?;
    // While a round writes its end, and before the first has, there is nothing in it.
    (file.len() > 0).then(|| Timestamp::from_seconds(file.mtime()))
}

/// Locked during a round; written at its end, with the time since when rounds are regular.
fn lock_file(config: &Config) -> PathBuf {
    config.state_directory().join("locks").join("upkeep")
}
