//! Hosts out of a backup that are about to change: a visit may speak of one family alone, and
//! must not bring back what the backup has of the other.

use super::{adopt, restored};
use crate::config::{Config, Zone};
use crate::deadline::Deadline;
use crate::publish::{PublishError, Publisher};
use crate::registry::{Host, HostId, Lease};
use crate::time::Timestamp;

/// Takes over what the name server has of those `hosts` of a zone whose addresses came out of a
/// backup and have not been compared since; says which took something over.
///
/// Where the name server cannot be asked, or its zone is the older one, none does. That it is the
/// older one is noted, though there be no host: the UPDATE that follows gives it a newer serial.
///
/// # Errors
/// When registry, locks or configuration cannot be used.
pub fn catch_up(
    config: &Config,
    zone: &Zone,
    hosts: &[&Host],
    registry: &mut Lease<'_>,
    publisher: &Publisher,
    deadline: Deadline,
) -> Result<Vec<HostId>, PublishError> {
    let mut caught_up = Vec::new();
    let Some(restored) = restored::at(config, &zone.name) else {
        return Ok(caught_up);
    };
    let hosts: Vec<&Host> = (hosts.iter().copied())
        .filter(|host| restored.has(host))
        .collect();
    let known = registry.get()?.zone_state(&zone.name)?;
    registry.rest();
    let Ok(serial) = publisher.serial(&zone.name, deadline)? else {
        return Ok(caught_up);
    };
    let now = Timestamp::now();
    (registry.get()?).see(&zone.name, known.serial, serial, now)?;
    registry.rest();
    if hosts.is_empty() || known.went_back.is_some() || known.is_behind(serial) {
        return Ok(caught_up);
    }
    let seen = publisher.show_own(&zone.name, &hosts, deadline)?;
    for (host, seen) in hosts.into_iter().zip(seen) {
        if let Ok(shown) = seen
            && adopt::is_news(host, &shown)
            && adopt::take(zone, registry.get()?, host, &shown)?
        {
            caught_up.push(host.id);
        }
    }
    Ok(caught_up)
}
