//! Adopting: where registry and zone differ, the zone's word is taken.

use std::net::IpAddr;

use super::look::Differing;
use crate::config::{LogLevel, Zone};
use crate::ip::{Addresses, Family, PublicAddress};
use crate::log::{Line, Logger};
use crate::publish::Shown;
use crate::registry::{Host, Registry, RegistryError};
use crate::time::Timestamp;

/// How many hosts took the zone's word, and how many cannot.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) adopted: usize,
    pub(super) left: usize,
}

/// Those of which the zone says no more than the registry, and the others: it has nothing at the
/// host's own name, or what is wished there, and another name is to be put right. One that is
/// switched off is to have nothing, whatever the zone says.
pub(super) fn split(differing: Vec<Differing>) -> (Vec<Differing>, Vec<Differing>) {
    differing.into_iter().partition(|(host, shown)| {
        let nothing_new = [Addresses::NONE, host.wish.records.addresses];
        let says_no_more = |shown| nothing_new.contains(&shown);
        !host.is_on() || shown.addresses().is_some_and(says_no_more)
    })
}

/// Whether the zone has something of a host that is neither what was confirmed nor what waits.
/// Where it has nothing, what waits is all there is.
pub(super) fn is_news(host: &Host, shown: &Shown) -> bool {
    let nothing_new = [
        host.wish.records.addresses,
        host.fact.addresses,
        Addresses::NONE,
    ];
    (shown.addresses()).is_some_and(|shown| !nothing_new.contains(&shown))
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
        let reason = format!("the name server has {shown}");
        if take(zone, registry, &host, &shown)? {
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

/// Takes over what the zone has of one host, unless it may not have that or has changed meanwhile.
/// Says whether it did.
pub(super) fn take(
    zone: &Zone,
    registry: &mut Registry,
    host: &Host,
    shown: &Shown,
) -> Result<bool, RegistryError> {
    let policy = host.policy(zone.policy());
    let may_have = |address: IpAddr| {
        let only = host.settings.only;
        only.is_none_or(|only| only == Family::of(address))
            && PublicAddress::new(address, policy).is_ok()
    };
    let addresses = shown
        .addresses()
        .filter(|addresses| host.settings.fixed.is_none() && addresses.iter().all(may_have));
    match addresses {
        Some(addresses) => {
            let number = host.wish.number;
            registry.adopt(host.id, number, addresses, zone.ttl, Timestamp::now())
        }
        None => Ok(false),
    }
}
