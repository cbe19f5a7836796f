//! Upkeep: one round of what has to be done when nobody visits.
//!
//! Each duty is a file of its own. One round at a time runs on a machine; a second one
//! finds the lock taken and leaves the work to the first.

mod prune;
mod settle;

pub use prune::Pruned;
pub use settle::Settled;

use std::fs::TryLockError;

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
    let path = config.state_directory().join("locks").join("upkeep");
    let lock = lock::open(&path)?;
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
    Ok(Some(Round { settled, pruned }))
}
