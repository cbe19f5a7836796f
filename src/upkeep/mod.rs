//! Upkeep: one round of what has to be done when nobody visits.
//!
//! Each duty is a file of its own. One round at a time runs on a machine; a second one
//! finds the lock taken and leaves the work to the first.

mod prune;
mod settle;

pub use prune::Pruned;
pub use settle::Settled;

use std::fs::{self, TryLockError};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use crate::config::Config;
use crate::lock;
use crate::log::Logger;
use crate::publish::{PublishError, Publisher};
use crate::registry::Registry;
use crate::time::Timestamp;

/// What a round has done.
#[derive(Debug, Default)]
pub struct Round {
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
    let publisher = Publisher::new(config)?;
    let now = Timestamp::now();
    // Names that lapse become wishes, which are then settled with the others.
    let pruned = prune::run(config, registry, now)?;
    let settled = settle::run(registry, &publisher, logger)?;
    lock.set_len(0)
        .and_then(|()| writeln!(lock, "{now}"))
        .map_err(|error| lock::LockError::File(path, error))?;
    Ok(Some(Round { settled, pruned }))
}

/// When the last whole round was; `None`: there was none yet.
pub fn last(config: &Config) -> Option<Timestamp> {
    let file = fs::metadata(lock_file(config)).ok()?;
    // While a round writes its end, and before the first has, there is nothing in it.
    (file.len() > 0).then(|| Timestamp::from_seconds(file.mtime()))
}

/// Locked during a round; holds the time of the last one.
fn lock_file(config: &Config) -> PathBuf {
    config.state_directory().join("locks").join("upkeep")
}
