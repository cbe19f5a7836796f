//! Settling: every wish that is not a fact is published, oldest first.

use std::collections::BTreeSet;
use std::fmt::Display;

use crate::config::LogLevel;
use crate::deadline::Deadline;
use crate::log::{Line, Logger};
use crate::name::ZoneName;
use crate::publish::{PublishError, Published, Publisher};
use crate::registry::Registry;
use crate::time::Timestamp;

/// How many wishes came to what.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Facts now.
    pub confirmed: usize,
    /// Tried in vain, or not tried because their name server does not answer.
    pub pending: usize,
}

/// Publishes what is pending. A name server that does not answer is asked once a round,
/// and a host that a visit is just settling is left to the visit.
pub(super) fn run(
    registry: &mut Registry,
    publisher: &Publisher,
    logger: &Logger,
) -> Result<Settled, PublishError> {
    let mut settled = Settled::default();
    let mut silent: BTreeSet<ZoneName> = BTreeSet::new();
    let mut hosts = registry.pending()?;
    hosts.extend(registry.unsettled(Timestamp::now())?);
    for host in hosts {
        let zone = host.name.zone();
        if silent.contains(&zone) {
            settled.pending += 1;
            continue;
        }
        let line = |level| Line::new(level, "upkeep").field("host", &host.name);
        let complain = |word, reason: &dyn Display, hint: Option<String>| {
            let line = line(LogLevel::Warning)
                .field("result", word)
                .words("reason", reason);
            logger.write(&match hint {
                Some(hint) => line.words("hint", hint),
                None => line,
            });
        };
        match publisher.try_publish(registry, host.id, Deadline::after(Deadline::REQUEST)) {
            Ok(Published::Confirmed | Published::Off(_) | Published::Gone) => {
                if host.is_pending() {
                    settled.confirmed += 1;
                    logger.write(&line(LogLevel::Notice).field("result", "good"));
                }
            }
            Ok(Published::Refused(trouble)) => {
                settled.pending += 1;
                complain("dnserr", &trouble, trouble.hint());
            }
            Ok(Published::Unconfirmed(trouble)) => {
                settled.pending += 1;
                if trouble.is_server() {
                    silent.insert(zone);
                    complain("dnserr", &trouble, trouble.hint());
                }
            }
            // A host whose zone left the configuration must not stop the others.
            Err(error @ PublishError::NoZone(_)) => {
                settled.pending += 1;
                complain("911", &error, error.hint());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(settled)
}
