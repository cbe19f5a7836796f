//! Worrying: telling of what should have happened and did not.

use crate::config::Config;
use crate::registry::{Registry, RegistryError};
use crate::span::Span;
use crate::time::Timestamp;

/// A host is silent for longer than usual after so many times its longest pause of late.
const TIMES: u32 = 3;
/// And after no less than this.
const LEAST: Span = Span::from_seconds(6 * 3600);
/// What upkeep itself needs is told no more often than this.
const PAUSE: Span = Span::from_seconds(6 * 3600);

/// Puts hosts that are silent or pending for too long into the outbox.
///
/// After a gap in upkeep nobody is called silent for a while: clients could not be heard either.
pub(super) fn run(
    config: &Config,
    registry: &mut Registry,
    steady: Timestamp,
    now: Timestamp,
) -> Result<(), RegistryError> {
    if !config.notify.is_on() {
        return Ok(());
    }
    registry.note_pending(config.notify.pending, now)?;
    if now.since(steady) >= LEAST {
        registry.note_silent(TIMES, LEAST, now)?;
    }
    Ok(())
}

/// Puts what upkeep needs its operator for into the outbox.
pub(super) fn need(registry: &mut Registry, reason: &str) -> Result<(), RegistryError> {
    registry.note_upkeep(reason, PAUSE, Timestamp::now())
}
