//! Which zone is compared first, and whether one is compared in this round.

use crate::config::{Config, Zone};
use crate::publish::PublishError;
use crate::registry::{Registry, ZoneState};
use crate::span::Span;
use crate::time::Timestamp;

/// The pause after a comparison of a second or more, in times what it took.
const REST: u64 = 100;
/// A zone is compared no more rarely than this.
const DAY: Span = Span::from_days(1);

/// The zones in the order in which they were compared.
pub(super) fn in_turn<'c>(
    config: &'c Config,
    registry: &Registry,
) -> Result<Vec<&'c Zone>, PublishError> {
    let mut zones = Vec::with_capacity(config.zones.len());
    for zone in &config.zones {
        zones.push((registry.zone_state(&zone.name)?.compared_at, zone));
    }
    zones.sort_by_key(|(at, _)| *at);
    Ok(zones.into_iter().map(|(_, zone)| zone).collect())
}

/// Whether something may have changed, and the last comparison is long enough ago. A zone may be
/// another one with the same serial, so once a day each is compared.
pub(super) fn is_due(state: &ZoneState, serial: u32, now: Timestamp) -> bool {
    let pause = Span::from_seconds(u64::from(state.took) / 1000 * REST);
    let rested = |at| at > now || now.since(at) >= pause;
    let changed = state.compared_serial != Some(serial);
    let forgotten = |at| at > now || now.since(at) >= DAY;
    let is_due = match changed {
        true => state.compared_at.is_none_or(rested),
        false => state.compared_at.is_none_or(forgotten),
    };
    state.cursor.is_some() || is_due
}
