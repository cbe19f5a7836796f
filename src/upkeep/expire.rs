//! Expiring: a host whose client was not heard for long enough loses its records, and one that was
//! heard with addresses of one family alone those of the other.
//!
//! Its next visit brings them back. After a gap in upkeep (an outage, a clock that
//! jumped) nothing expires for a while: clients could not be heard either. As long is a clock
//! that went back not believed: one that is behind, as at boot, would make every host one that
//! was not heard for years. In a registry that was restored nobody is silent for longer than since
//! then.

use super::restored;
use crate::config::{Config, LogLevel};
use crate::log::{Line, Logger};
use crate::registry::{Registry, RegistryError};
use crate::span::Span;
use crate::time::Timestamp;

/// No host is given longer than this after a gap.
const LONGEST_GRACE: Span = Span::from_days(1);

/// Ends the addresses of hosts that were silent for too long, when rounds have come regularly since
/// `steady`; their records go with the next settling. Says how many.
pub(super) fn run(
    config: &Config,
    registry: &mut Registry,
    logger: &Logger,
    steady: Timestamp,
    now: Timestamp,
) -> Result<usize, RegistryError> {
    let mut expired = 0;
    let restored = restored::last(config).filter(|restored| *restored <= now);
    for zone in &config.zones {
        if now.since(steady) >= LONGEST_GRACE {
            registry.heard_by(&zone.name, zone.expire, now)?;
        }
        for host in registry.silent(&zone.name, zone.expire, now)? {
            let expire = host.expire(zone.expire);
            let is_restored = restored.is_some_and(|restored| now.since(restored) < expire);
            if is_restored || now.since(steady) < expire.min(LONGEST_GRACE) {
                continue;
            }
            if let Some(reason) = registry.expire(host.id, zone.expire, now)? {
                expired += 1;
                let line = Line::new(LogLevel::Notice, "upkeep").field("host", &host.name);
                logger.write(&line.field("result", "expired").words("reason", reason));
            }
        }
    }
    Ok(expired)
}
