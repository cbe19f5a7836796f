//! The DS of a key: the one that the parent should have, and whether the one it has is that
//! of a key in the zone (RFC 4034 5.1.4).

use domain::base::Rtype;
use sha2::{Digest as _, Sha256, Sha384};

use super::message;
use super::question::Record;
use crate::name::ZoneName;

/// Digest types (RFC 4509, RFC 6605).
const SHA256: u8 = 2;
const SHA384: u8 = 4;

/// The flag of a key that the parent vouches for (RFC 4034 2.1.1).
const SEP: u16 = 1;

/// Whether `ds` is made from `key`; `None`: by a hash that is not known here.
pub fn matches(zone: &ZoneName, ds: &Record, key: &Record) -> Option<bool> {
    if (ds.rtype, key.rtype) != (Rtype::DS, Rtype::DNSKEY) {
        return Some(false);
    }
    // Key tag, algorithm, digest type; then the digest.
    let (head, found) = ds.octets.split_at_checked(4)?;
    Some(digest(*head.last()?, zone, key)? == found)
}

/// The DS of `key` with SHA-256 (RFC 4509), in presentation form; nothing where it is no key
/// for the parent.
pub fn of(zone: &ZoneName, key: &Record) -> Option<String> {
    // Flags, protocol, algorithm; then the key (RFC 4034 2.1).
    let [high, low, _, algorithm, ..] = *key.octets.as_slice() else {
        return None;
    };
    if key.rtype != Rtype::DNSKEY || u16::from_be_bytes([high, low]) & SEP == 0 {
        return None;
    }
    let digest = digest(SHA256, zone, key)?;
    let digest: String = digest.iter().map(|octet| format!("{octet:02X}")).collect();
    let tag = tag(&key.octets);
    Some(format!("{tag} {algorithm} {SHA256} {digest}"))
}

/// The digest of a key; nothing for a type that is not known here.
fn digest(kind: u8, zone: &ZoneName, key: &Record) -> Option<Vec<u8>> {
    let owner = message::wire(&zone.as_str().to_ascii_lowercase()).ok()?;
    let hashed = [owner.as_octets().as_slice(), &key.octets].concat();
    match kind {
        SHA256 => Some(Sha256::digest(hashed).to_vec()),
        SHA384 => Some(Sha384::digest(hashed).to_vec()),
        _ => None,
    }
}

/// The short name of a key (RFC 4034 appendix B).
fn tag(rdata: &[u8]) -> u16 {
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

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;

    use super::*;

    fn key(flags: u16) -> Record {
        let key = "1oIfvGEwxyL+tpOMXtQ50BOCFEusyD0mkjP9V7ISh+BVpWYFm6JDMuJi\
                   GH9oM2ZwTqa0Kf26+U4JWt4AW8evrg==";
        let head = [&flags.to_be_bytes()[..], &[3, 13]].concat();
        Record {
            owner: "dyn.example.org".to_owned(),
            rtype: Rtype::DNSKEY,
            ttl: 60,
            data: format!("{flags} 3 13 {key}"),
            octets: [head, BASE64_STANDARD.decode(key).unwrap()].concat(),
        }
    }

    #[test]
    fn a_ds_of_a_key() {
        // As dnssec-dsfromkey makes it.
        let zone = "dyn.example.org".parse().unwrap();
        assert_eq!(
            of(&zone, &key(257)).unwrap(),
            "31091 13 2 17C01F02F1CA7BE647542A1B3390692DAF0BFA450203D2AEAA5AF5BDC6428680"
        );
        assert_eq!(of(&zone, &key(256)), None);
    }
}
