//! Whether a DS record at the parent is that of a key in the zone (RFC 4034 5.1.4).

use domain::base::Rtype;
use sha2::{Digest as _, Sha256, Sha384};

use super::message;
use super::question::Record;
use crate::name::ZoneName;

/// Digest types (RFC 4509, RFC 6605).
const SHA256: u8 = 2;
const SHA384: u8 = 4;

/// Whether `ds` is made from `key`; `None`: by a hash that is not known here.
pub fn matches(zone: &ZoneName, ds: &Record, key: &Record) -> Option<bool> {
    if (ds.rtype, key.rtype) != (Rtype::DS, Rtype::DNSKEY) {
        return Some(false);
    }
    // Key tag, algorithm, digest type; then the digest.
    let (head, digest) = ds.octets.split_at_checked(4)?;
    let owner = message::wire(&zone.as_str().to_ascii_lowercase()).ok()?;
    let hashed = [owner.as_octets().as_slice(), &key.octets].concat();
    let made = match *head.last()? {
        SHA256 => Sha256::digest(hashed).to_vec(),
        SHA384 => Sha384::digest(hashed).to_vec(),
        _ => return None,
    };
    Some(made == digest)
}
