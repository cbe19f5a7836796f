//! Pruning: what has had its time is forgotten.

use crate::config::Config;
use crate::registry::{Registry, RegistryError};
use crate::time::Timestamp;
use crate::ttl::Ttl;

/// How much was forgotten.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Changes in the history.
    pub changes: usize,
    /// Former names, whose records go with the next settling.
    pub names: usize,
    /// Old tokens, long removed names, and messages.
    pub rest: usize,
}

/// Forgets old history and messages, dead tokens, former names that have lapsed, and names free
/// again.
pub(super) fn run(
    config: &Config,
    registry: &mut Registry,
    now: Timestamp,
) -> Result<Pruned, RegistryError> {
    let ttl = |zone: &_| config.zone(zone).map_or(Ttl::DEFAULT, |zone| zone.ttl);
    Ok(Pruned {
        changes: registry.prune_history(now.minus(config.keep.history))?,
        names: registry.lapse(ttl, now)?,
        rest: registry.prune_names_and_tokens(now, config.limits.reuse)?
            + registry.prune_outbox(now.minus(config.keep.history))?,
    })
}
