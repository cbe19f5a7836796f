//! Whose hosts a host stands below, and whose stand below it: whoever has the upper one can
//! obtain certificates for the lower, and answer for it.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use super::row::by_name;
use super::{Host, Registry, RegistryError, State};
use crate::name::{HostName, ZoneName};
use crate::owner_name::OwnerName;

/// The hosts below others, or below the name that ends in `?2`, and their owners. Most names
/// have one label in front of their zone: those are below nothing and pass by.
const BELOW: &str =
    "SELECT host.name, owner.name FROM host LEFT JOIN owner ON owner.id = host.owner
     WHERE host.zone = ?1 AND instr(substr(host.name, 1, length(host.name) - length(?1) - 1), '.')
     AND (?2 IS NULL OR substr(host.name, -length(?2)) = ?2) AND host.state <> 'removing'
     ORDER BY host.name";

impl Registry {
    /// Whether the host stands below one of another owner's.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn is_below_another(&self, host: &Host) -> Result<bool, RegistryError> {
        Ok(another(&self.db, &host.name, host.settings.owner.as_ref())?.is_some())
    }
}

/// Whether a host of that owner may have that name.
///
/// # Errors
/// When it would stand below a host of another owner, or above one.
pub(super) fn check_around(
    tx: &Connection,
    name: &HostName,
    owner: Option<&OwnerName>,
) -> Result<(), RegistryError> {
    check_above(tx, name, owner)?;
    let suffix = format!(".{name}");
    each_below(tx, &name.zone(), Some(&suffix), |lower, its| {
        differ(name, owner, lower, its)
    })
}

/// The same for many hosts at once, in one look at those below others: one of these may be
/// above a host that is among `agreed`.
///
/// # Errors
/// When one of them would stand below a host of another owner, or above one.
pub(super) fn check_all_around(
    tx: &Connection,
    hosts: &BTreeMap<HostName, Option<OwnerName>>,
    agreed: &BTreeSet<HostName>,
) -> Result<(), RegistryError> {
    for (name, owner) in hosts {
        check_above(tx, name, owner.as_ref())?;
    }
    let zones: BTreeSet<ZoneName> = hosts.keys().map(HostName::zone).collect();
    for zone in zones {
        each_below(tx, &zone, None, |lower, its| {
            if agreed.contains(&lower) {
                return Ok(());
            }
            for upper in lower.above() {
                if let Some(owner) = hosts.get(&upper) {
                    differ(&upper, owner.as_ref(), lower.clone(), its.clone())?;
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn check_above(
    tx: &Connection,
    name: &HostName,
    owner: Option<&OwnerName>,
) -> Result<(), RegistryError> {
    match another(tx, name, owner)? {
        Some(upper) => Err(RegistryError::Below {
            name: name.clone(),
            upper,
        }),
        None => Ok(()),
    }
}

/// The nearest host above `name` that is another owner's.
fn another(
    db: &Connection,
    name: &HostName,
    owner: Option<&OwnerName>,
) -> Result<Option<HostName>, RegistryError> {
    for upper in name.above() {
        if let Some(host) = by_name(db, &upper)?
            && host.state != State::Removing
            && host.settings.owner.as_ref() != owner
        {
            return Ok(Some(upper));
        }
    }
    Ok(None)
}

/// Calls `each` with the hosts of a zone that are below others, or below the name that ends in
/// `suffix`, and with their owners.
fn each_below(
    tx: &Connection,
    zone: &ZoneName,
    suffix: Option<&str>,
    mut each: impl FnMut(HostName, Option<OwnerName>) -> Result<(), RegistryError>,
) -> Result<(), RegistryError> {
    let mut statement = tx.prepare_cached(BELOW)?;
    let mut rows = statement.query((zone.as_str(), suffix))?;
    while let Some(row) = rows.next()? {
        let (name, owner): (String, Option<String>) = (row.get(0)?, row.get(1)?);
        let owner = owner.map(|owner| owner.parse().map_err(|_| RegistryError::Damaged(owner)));
        each(HostName::new(&name, zone)?, owner.transpose()?)?;
    }
    Ok(())
}

/// An error where the lower host is another owner's than the upper.
fn differ(
    upper: &HostName,
    owner: Option<&OwnerName>,
    lower: HostName,
    its: Option<OwnerName>,
) -> Result<(), RegistryError> {
    match its.as_ref() == owner {
        true => Ok(()),
        false => Err(RegistryError::Above {
            name: upper.clone(),
            lower,
            owner: its,
        }),
    }
}
