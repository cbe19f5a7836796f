//! What the parent says about a zone: whether its DS may be entered (RFC 7344), and
//! whether NS and DS are gone before the zone goes.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::error::SetupError;
use super::records::{self, Record};
use crate::config::Zone;
use crate::dns::apex::{Reply, ask};
use crate::dns::{self, Rtype};
use crate::name::ZoneName;

/// How long a name server or resolver may take to answer.
pub(super) const WAIT: Duration = Duration::from_secs(2);

/// The DS among the types that are asked for.
const DS: (Rtype, &str) = (Rtype::DS, "DS");

/// What there is to say about the DS of a zone.
#[derive(Debug, PartialEq, Eq)]
pub enum Ds {
    /// The zone is not signed, or soon no more: there must be none.
    Unsigned,
    /// Not yet, and why.
    NotYet(String),
    /// These.
    Enter(Vec<Record>),
    /// These, which the parent has.
    Entered(Vec<Record>),
}

/// The DS records, once the zone is signed and its parent answers the NS; earlier the zone
/// would be bogus.
pub fn ds(zone: &Zone, signed: bool, resolver: Option<SocketAddr>) -> Ds {
    // Knot leaves what it has signed in the zone.
    if !signed {
        return Ds::Unsigned;
    }
    let cds: Vec<String> = match ask(zone.server, &zone.name, Rtype::CDS, WAIT) {
        // It asks the parent to forget the DS (RFC 8078 4): the zone is about to be unsigned.
        Reply::Data(cds) if cds.iter().any(|record| is_deletion(&record.data)) => {
            return Ds::Unsigned;
        }
        Reply::Data(cds) => cds.into_iter().map(|record| record.data).collect(),
        Reply::Silence => return silent(zone),
        // BIND proposes a DS only when every answer from before it signed has expired, which
        // for a new zone nobody has.
        Reply::No => match ask(zone.server, &zone.name, Rtype::DNSKEY, WAIT) {
            Reply::Data(keys) => keys
                .iter()
                .filter_map(|key| dns::ds::of(&zone.name, key))
                .collect(),
            Reply::No => {
                return Ds::NotYet(
                    "the zone has no keys yet; the name server signs it first".to_owned(),
                );
            }
            Reply::Silence => return silent(zone),
        },
    };
    let Some(resolver) = resolver else {
        return Ds::NotYet("there is no resolver in /etc/resolv.conf to ask for the NS".to_owned());
    };
    match ask(resolver, &zone.name, Rtype::NS, WAIT) {
        Reply::Data(_) => {
            let there = match ask(resolver, &zone.name, Rtype::DS, WAIT) {
                Reply::Data(there) => there.into_iter().map(|record| record.data).collect(),
                Reply::No | Reply::Silence => Vec::new(),
            };
            let is_there = is_entered(&cds, &there);
            let records = records::ds(&zone.name, cds);
            match is_there {
                true => Ds::Entered(records),
                false => Ds::Enter(records),
            }
        }
        Reply::No => Ds::NotYet(format!(
            "the parent {} does not answer the NS yet, as {} sees it",
            zone.name.parent(),
            resolver.ip()
        )),
        Reply::Silence => Ds::NotYet(format!("the resolver {} has no answer", resolver.ip())),
    }
}

/// Whether of every key in `cds` the parent has a DS; one is enough where several hashes are
/// proposed.
fn is_entered(cds: &[String], there: &[String]) -> bool {
    let tag = |data: &str| data.split_ascii_whitespace().next().map(str::to_owned);
    // Blanks may stand anywhere in the hash.
    let plain = |data: &String| data.replace(' ', "").to_ascii_uppercase();
    let there: Vec<String> = there.iter().map(plain).collect();
    let has = |one: &String| {
        let mut same = cds.iter().filter(|other| tag(other) == tag(one));
        same.any(|other| there.contains(&plain(other)))
    };
    !cds.is_empty() && cds.iter().all(has)
}

/// Whether the data of a CDS are `0 0 0 00`.
fn is_deletion(cds: &str) -> bool {
    cds.split_ascii_whitespace().nth(1) == Some("0")
}

fn silent(zone: &Zone) -> Ds {
    Ds::NotYet(format!(
        "the name server at {} does not answer",
        zone.server
    ))
}

/// [`ds`] as this system's resolver sees the parent.
pub fn ds_here(zone: &Zone, signed: bool) -> Ds {
    ds(zone, signed, system_resolver())
}

/// What the parent still says about a zone, as a resolver sees it.
#[derive(Debug, PartialEq, Eq)]
pub enum Parent {
    /// It has records of that type.
    Has(&'static str),
    /// It has neither NS nor DS.
    Gone,
    /// That cannot be told, and why.
    Unknown(String),
}

/// Whether the parent still has the NS or the DS of `zone`.
pub fn parent(zone: &ZoneName, resolver: Option<SocketAddr>) -> Parent {
    says(zone, &[(Rtype::NS, "NS"), DS], resolver)
}

/// Whether `zone`, which is signed, may be so no more: with a DS at the parent it would be bogus
/// (RFC 4035 5.2).
///
/// # Errors
/// When that is there, or nobody can tell.
pub fn check_no_ds(zone: &ZoneName, resolver: Option<SocketAddr>) -> Result<(), SetupError> {
    match says(zone, &[DS], resolver) {
        Parent::Gone => Ok(()),
        Parent::Has(_) => Err(SetupError::DsThere(zone.clone())),
        Parent::Unknown(why) => Err(SetupError::DsUnknown(zone.clone(), why)),
    }
}

/// [`check_no_ds`] as this system's resolver sees the parent.
///
/// # Errors
/// As [`check_no_ds`].
pub fn check_no_ds_here(zone: &ZoneName) -> Result<(), SetupError> {
    check_no_ds(zone, system_resolver())
}

fn says(zone: &ZoneName, types: &[(Rtype, &'static str)], resolver: Option<SocketAddr>) -> Parent {
    let Some(resolver) = resolver else {
        return Parent::Unknown("there is no resolver in /etc/resolv.conf".to_owned());
    };
    for (rtype, name) in types.iter().copied() {
        match ask(resolver, zone, rtype, WAIT) {
            Reply::Data(_) => return Parent::Has(name),
            Reply::No => {}
            Reply::Silence => {
                return Parent::Unknown(format!(
                    "the resolver {} has no answer about the {name} of {zone}",
                    resolver.ip()
                ));
            }
        }
    }
    Parent::Gone
}

/// [`parent`] as this system's resolver sees it.
pub fn parent_here(zone: &ZoneName) -> Parent {
    parent(zone, system_resolver())
}

/// The resolver of this system, from `/etc/resolv.conf`.
pub(super) fn system_resolver() -> Option<SocketAddr> {
    let text = fs::read_to_string("/etc/resolv.conf").ok()?;
    text.lines()
        .filter_map(|line| line.strip_prefix("nameserver"))
        .find_map(|address| address.trim().parse::<IpAddr>().ok())
        .map(|address| SocketAddr::new(address, 53))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ds_that_the_parent_has() {
        let all =
            |data: &[&str]| -> Vec<String> { data.iter().map(|one| (*one).to_owned()).collect() };
        for (cds, there, expected) in [
            (&["1 13 2 ABCD"][..], &["1 13 2 abcd"][..], true),
            (&["1 13 2 ABCD"], &["9 13 2 EF01", "1 13 2 AB CD"], true),
            // Either hash will do, but every key has to be there.
            (&["1 13 2 ABCD", "1 13 4 EF01"], &["1 13 2 ABCD"], true),
            (&["1 13 2 ABCD", "2 13 2 EF01"], &["1 13 2 ABCD"], false),
            (&["1 13 2 ABCD"], &["1 13 2 ABCE"], false),
            (&["1 13 2 ABCD"], &[], false),
            (&[], &["1 13 2 ABCD"], false),
        ] {
            assert_eq!(
                is_entered(&all(cds), &all(there)),
                expected,
                "{cds:?} {there:?}"
            );
        }
    }
}
