//! What the parent says about a zone: whether its DS may be entered (RFC 7344), and
//! whether NS and DS are gone before the zone goes.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr as _;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use domain::base::Name;
use sha2::{Digest as _, Sha256};

use super::records::{self, Record};
use crate::config::Zone;
use crate::dns::plain::{Kind, Reply, ask};
use crate::name::ZoneName;

/// How long a name server or resolver may take to answer.
pub(super) const WAIT: Duration = Duration::from_secs(2);

/// The flag of a key that the parent vouches for (RFC 4034 2.1.1).
const SEP: u16 = 1;

/// What there is to say about the DS of a zone.
#[derive(Debug, PartialEq, Eq)]
pub enum Ds {
    /// The zone is not signed: there must be none.
    Unsigned,
    /// Not yet, and why.
    NotYet(String),
    /// These.
    Enter(Vec<Record>),
}

/// The DS records, once the zone is signed and its parent answers the NS; earlier the zone
/// would be bogus.
pub fn ds(zone: &Zone, signed: bool, resolver: Option<std::net::SocketAddr>) -> Ds {
    let cds = match ask(zone.server, &zone.name, Kind::Cds, WAIT) {
        Reply::Data(cds) => cds,
        Reply::Silence => {
            return Ds::NotYet(format!(
                "the name server at {} does not answer",
                zone.server
            ));
        }
        // BIND proposes a DS only when every answer from before it signed has expired, which
        // for a new zone nobody has.
        Reply::No if signed => match ask(zone.server, &zone.name, Kind::Dnskey, WAIT) {
            Reply::Data(keys) => keys
                .iter()
                .filter_map(|key| ds_of(&zone.name, key))
                .collect(),
            _ => {
                return Ds::NotYet(
                    "the zone has no keys yet; the name server signs it first".to_owned(),
                );
            }
        },
        Reply::No => return Ds::Unsigned,
    };
    let Some(resolver) = resolver else {
        return Ds::NotYet("there is no resolver in /etc/resolv.conf to ask for the NS".to_owned());
    };
    match ask(resolver, &zone.name, Kind::Ns, WAIT) {
        Reply::Data(_) => Ds::Enter(records::ds(&zone.name, cds)),
        Reply::No => Ds::NotYet(format!(
            "the parent {} does not answer the NS yet, as {} sees it",
            zone.name.parent(),
            resolver.ip()
        )),
        Reply::Silence => Ds::NotYet(format!("the resolver {} has no answer", resolver.ip())),
    }
}

/// The DS with SHA-256 of a DNSKEY in presentation form, where it is one for the parent
/// (RFC 4034 5.1.4, RFC 4509).
fn ds_of(zone: &ZoneName, dnskey: &str) -> Option<String> {
    let mut fields = dnskey.splitn(4, ' ');
    let flags: u16 = fields.next()?.parse().ok()?;
    let protocol: u8 = fields.next()?.parse().ok()?;
    let algorithm: u8 = fields.next()?.parse().ok()?;
    let base64: String = fields.next()?.split_whitespace().collect();
    let key = BASE64_STANDARD.decode(base64).ok()?;
    if flags & SEP == 0 {
        return None;
    }
    let [high, low] = flags.to_be_bytes();
    let rdata = [&[high, low, protocol, algorithm], key.as_slice()].concat();
    let owner = Name::<Vec<u8>>::from_str(zone.as_str()).ok()?;
    let digest = Sha256::new()
        .chain_update(owner.as_slice())
        .chain_update(&rdata)
        .finalize();
    let digest: String = digest.iter().map(|octet| format!("{octet:02X}")).collect();
    Some(format!("{} {algorithm} 2 {digest}", key_tag(&rdata)))
}

/// The short name of a key (RFC 4034 appendix B).
fn key_tag(rdata: &[u8]) -> u16 {
    let sum: u32 = rdata
        .chunks(2)
        .map(|pair| match *pair {
            [high, low] => u32::from(u16::from_be_bytes([high, low])),
            [high] => u32::from(high) << 8,
            _ => 0,
        })
        .sum();
    let [_, _, high, low] = (sum + (sum >> 16)).to_be_bytes();
    u16::from_be_bytes([high, low])
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
    let Some(resolver) = resolver else {
        return Parent::Unknown("there is no resolver in /etc/resolv.conf".to_owned());
    };
    for (kind, name) in [(Kind::Ns, "NS"), (Kind::Ds, "DS")] {
        match ask(resolver, zone, kind, WAIT) {
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
    fn a_ds_of_a_key() {
        // As dnssec-dsfromkey makes it.
        let key = "257 3 13 1oIfvGEwxyL+tpOMXtQ50BOCFEusyD0mkjP9V7ISh+BVpWYFm6JDMuJi \
                   GH9oM2ZwTqa0Kf26+U4JWt4AW8evrg==";
        let zone = "dyn.example.org".parse().unwrap();
        assert_eq!(
            ds_of(&zone, key).unwrap(),
            "31091 13 2 17C01F02F1CA7BE647542A1B3390692DAF0BFA450203D2AEAA5AF5BDC6428680"
        );
        assert_eq!(ds_of(&zone, &key.replace("257", "256")), None);
    }
}
