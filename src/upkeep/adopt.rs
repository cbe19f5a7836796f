//! Adopting: where registry and zone differ, the zone's word is taken.

use std::net::IpAddr;

use super::look::Differing;
use crate::config::{LogLevel, Zone};
use crate::ip::{Addresses, Family, PublicAddress};
use crate::log::{Line, Logger};
use crate::registry::{Registry, RegistryError};
use crate::time::Timestamp;

/// How many hosts took the zone's word, and how many cannot.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) adopted: usize,
    pub(super) left: usize,
}

/// Those of which the zone says no more than the registry, and the others: it has nothing at the
/// host's own name, or what is wished there, and another name is to be put right.
pub(super) fn split(differing: Vec<Differing>) -> (Vec<Differing>, Vec<Differing>) {
    differing.into_iter().partition(|(host, shown)| {
        let nothing_new = [Addresses::NONE, host.wish.records.addresses];
        (shown.addresses()).is_some_and(|shown| nothing_new.contains(&shown))
    })
}

/// Takes what the zone says; the next settling confirms it.
pub(super) fn run(
    zone: &Zone,
    registry: &mut Registry,
    logger: &Logger,
    differing: Vec<Differing>,
) -> Result<Taken, RegistryError> {
    let mut taken = Taken::default();
    for (host, shown) in differing {
        let line = |level| Line::new(level, "upkeep").field("host", &host.name);
        let policy = host.policy(zone.policy());
        let may_have = |address: IpAddr| {
            let only = host.settings.only;
            only.is_none_or(|only| only == Family::of(address))
                && PublicAddress::new(address, policy).is_ok()
        };
        let addresses = shown
            .addresses()
            .filter(|addresses| host.settings.fixed.is_none() && addresses.iter().all(may_have));
        let adopted = match addresses {
            Some(addresses) => registry.adopt(
                host.id,
                host.wish.number,
                addresses,
                zone.ttl,
                Timestamp::now(),
            )?,
            None => false,
        };
        let reason = format!("the name server has {shown}");
        if adopted {
            taken.adopted += 1;
            let line = line(LogLevel::Notice).field("result", "adopted");
            logger.write(&line.words("reason", reason));
        } else {
            taken.left += 1;
            registry.note_differing(&[(host.id, shown.to_string())])?;
            let line = line(LogLevel::Warning).field("result", "911");
            let hint = "set the host's addresses with `bowline host set`";
            logger.write(&line.words("reason", reason).words("hint", hint));
        }
    }
    Ok(taken)
}
