//! The NS that a zone has itself, compared with those that its parent is told.
//!
//! First contents are given once, and a name server may be named later. Resolvers go by the
//! zone's own NS (RFC 2181 5.4.1): one that stands at the parent only is asked by nobody.

use super::delegation::Delegation;
use super::error::SetupError;
use super::files::{File, State};
use super::nameserver::{Program, WAIT};
use super::next::Step;
use super::ns::{APEX, Ns};
use super::place::Place;
use super::zone::NameServer;
use crate::dns::Rtype;
use crate::dns::apex::{Reply, ask};
use crate::name::ZoneName;
use crate::port::AddressPort;

/// The TTL where a zone has no NS that could tell it, as the scripts of first contents have it.
pub(super) const TTL: u32 = 3600;

/// How the NS of a zone differ from those that are wanted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Differs {
    /// Those that it lacks.
    pub(super) missing: Vec<NameServer>,
    /// Those that it has beyond them.
    pub(super) others: Vec<String>,
}

impl Differs {
    /// Compares the names that a zone has, in lower case without the final dot.
    pub(super) fn of(has: &[String], wanted: &[NameServer]) -> Self {
        let lacks = |server: &&NameServer| has.iter().all(|name| name != server.as_str());
        let other = |name: &&String| wanted.iter().all(|server| server.as_str() != *name);
        Differs {
            missing: wanted.iter().filter(lacks).cloned().collect(),
            others: has.iter().filter(other).cloned().collect(),
        }
    }
}

/// What is to be done about those that are missing; what is there beyond is told, and stays:
/// whoever put it there knows why.
///
/// # Errors
/// A script of first contents that cannot be read.
pub(super) fn steps(
    program: &dyn Program,
    place: &Place,
    files: &[(File, State)],
    update: AddressPort,
    zone: &ZoneName,
) -> Result<Vec<Step>, SetupError> {
    let script = program.first_contents(place, zone);
    let before = Delegation::load(place, zone)?.nameservers;
    let mut new = files.iter().filter(|(file, _)| file.path == script);
    let wanted = match new.next().and_then(|(file, _)| file.content.text()) {
        Some(text) => Delegation::parse(text).nameservers,
        None => before.clone(),
    };
    // A server that has the parent only would show the NS of the delegation.
    let is_served = matches!(ask(update.0, zone, Rtype::SOA, WAIT), Reply::Data(_));
    let (has, ttl) = match is_served.then(|| ask(update.0, zone, Rtype::NS, WAIT)) {
        Some(Reply::Data(records)) => {
            let ttl = records.first().map(|record| record.ttl);
            let names = records.iter().map(|record| plain(&record.data));
            (names.collect(), ttl)
        }
        Some(Reply::No) => (Vec::new(), Some(TTL)),
        Some(Reply::Silence) => return Ok(Vec::new()),
        // A zone that is new gets all of them with its first contents. One that its server
        // has, and does not answer for just now, has those it was given.
        None if before.is_empty() => return Ok(Vec::new()),
        None => {
            let names = before.iter().map(|server| server.as_str().to_owned());
            (names.collect(), None)
        }
    };
    let differs = Differs::of(&has, &wanted);
    let missing = differs.missing.iter();
    let mut steps: Vec<Step> = missing
        .map(|server| {
            let ns = Ns {
                below: APEX,
                server,
                ttl: ttl.unwrap_or(TTL),
            };
            program.add_ns(place, zone, &ns)
        })
        .collect();
    if ttl.is_some() && !wanted.is_empty() && !differs.others.is_empty() {
        let others = differs.others.join(", ");
        steps.push(Step::yours(
            "the zone has an NS that was not named, and keeps it",
            format!("# {}", advice(&others)),
        ));
    }
    Ok(steps)
}

/// What to do about an NS that was not named.
pub(super) fn advice(others: &str) -> String {
    format!("name {others} with --nameserver of `bowline init` too, or take it out of the zone")
}

/// A name in lower case without the final dot.
pub(super) fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_and_what_is_beyond() {
        let wanted = ["ns1.example.org", "NS2.example.org"];
        let wanted = wanted.map(|name| name.parse::<NameServer>().unwrap());
        for (has, missing, others) in [
            (&["ns1.example.org", "ns2.example.org"][..], 0, 0),
            (&["ns1.example.org"], 1, 0),
            (&["ns1.example.org", "ns9.example.net"], 1, 1),
            (&[], 2, 0),
        ] {
            let has: Vec<String> = has.iter().map(|name| (*name).to_owned()).collect();
            let differs = Differs::of(&has, &wanted);
            assert_eq!(
                (differs.missing.len(), differs.others.len()),
                (missing, others),
                "{has:?}"
            );
        }
    }
}
