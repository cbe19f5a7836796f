//! Whose hosts a host stands below, and whose stand below it: whoever has the upper one can
//! obtain certificates for the lower, and answer for it.
//!
//! A former name counts like a name for as long as it means its host: its owner may set
//! challenges there too.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use super::row::{by_any_name, former_names};
use super::{Host, HostId, Registry, RegistryError, State};
use crate::name::{HostName, ZoneName};
use crate::owner_name::OwnerName;
use crate::time::Timestamp;

/// The names, former ones too, that are below others, or below the name that ends in `?2`; what
/// their hosts are called today, and their owners. Most names have one label in front of their
/// zone: those are below nothing and pass by.
const BELOW: &str = "SELECT named.name, host.id, host.name, owner.name FROM
     (SELECT name, id FROM host WHERE zone = ?1
      UNION ALL SELECT name, host FROM former_name WHERE until > ?3) AS named
     JOIN host ON host.id = named.id LEFT JOIN owner ON owner.id = host.owner
     WHERE instr(substr(named.name, 1, length(named.name) - length(?1) - 1), '.')
     AND (?2 IS NULL OR substr(named.name, -length(?2)) = ?2)
     AND host.zone = ?1 AND host.state <> 'removing' ORDER BY named.name";

/// A name below another one, and its host.
struct Lower {
    name: HostName,
    id: HostId,
    /// What the host is called today.
    today: HostName,
    owner: Option<OwnerName>,
}

impl Registry {
    /// Whether the host stands below one of another owner's.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn is_below_another(&self, host: &Host, now: Timestamp) -> Result<bool, RegistryError> {
        let owner = host.settings.owner.as_ref();
        Ok(another(&self.db, &host.name, owner, Some(host.id), now)?.is_some())
    }
}

/// Whether a host of that owner may have that name; `own` is its number, where it has one.
///
/// # Errors
/// When it would stand below a host of another owner, or above one.
pub(super) fn check_around(
    tx: &Connection,
    name: &HostName,
    owner: Option<&OwnerName>,
    own: Option<HostId>,
    now: Timestamp,
) -> Result<(), RegistryError> {
    check_above(tx, name, owner, own, now)?;
    let suffix = format!(".{name}");
    each_below(tx, &name.zone(), Some(&suffix), now, |lower| {
        match own == Some(lower.id) {
            true => Ok(()),
            false => lower.check(name, owner),
        }
    })
}

/// Whether a host may have all of its names, former ones too, where it is that owner's.
///
/// # Errors
/// As [`check_around`].
pub(super) fn check_host_around(
    tx: &Connection,
    host: &Host,
    owner: Option<&OwnerName>,
    now: Timestamp,
) -> Result<(), RegistryError> {
    names(tx, host, now)?
        .iter()
        .try_for_each(|name| check_around(tx, name, owner, Some(host.id), now))
}

/// The same for many names at once, in one look at those below others: one of these may be
/// above a host that is among `agreed`.
///
/// # Errors
/// When one of them would stand below a host of another owner, or above one.
pub(super) fn check_all_around(
    tx: &Connection,
    all: &BTreeMap<HostName, Option<OwnerName>>,
    agreed: &BTreeSet<HostName>,
    now: Timestamp,
) -> Result<(), RegistryError> {
    for (name, owner) in all {
        check_above(tx, name, owner.as_ref(), None, now)?;
    }
    let zones: BTreeSet<ZoneName> = all.keys().map(HostName::zone).collect();
    for zone in zones {
        each_below(tx, &zone, None, now, |lower| {
            if agreed.contains(&lower.today) {
                return Ok(());
            }
            for upper in lower.name.above() {
                if let Some(owner) = all.get(&upper) {
                    lower.check(&upper, owner.as_ref())?;
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// A host's name, and its former ones that still mean it.
pub(super) fn names(
    db: &Connection,
    host: &Host,
    now: Timestamp,
) -> Result<Vec<HostName>, RegistryError> {
    let former = former_names(db, host, now)?;
    let former = former.into_iter().map(|former| former.name);
    Ok([host.name.clone()].into_iter().chain(former).collect())
}

fn check_above(
    tx: &Connection,
    name: &HostName,
    owner: Option<&OwnerName>,
    own: Option<HostId>,
    now: Timestamp,
) -> Result<(), RegistryError> {
    match another(tx, name, owner, own, now)? {
        Some((upper, host)) => Err(RegistryError::Below {
            name: name.clone(),
            today: (host.name != upper).then(|| Box::new(host.name)),
            upper,
        }),
        None => Ok(()),
    }
}

/// The nearest name above `name` that is another owner's, and its host.
fn another(
    db: &Connection,
    name: &HostName,
    owner: Option<&OwnerName>,
    own: Option<HostId>,
    now: Timestamp,
) -> Result<Option<(HostName, Host)>, RegistryError> {
    for upper in name.above() {
        if let Some(host) = by_any_name(db, &upper, now)?
            && host.state != State::Removing
            && own != Some(host.id)
            && host.settings.owner.as_ref() != owner
        {
            return Ok(Some((upper, host)));
        }
    }
    Ok(None)
}

/// Calls `each` with the names of a zone that are below others, or below the name that ends in
/// `suffix`.
fn each_below(
    tx: &Connection,
    zone: &ZoneName,
    suffix: Option<&str>,
    now: Timestamp,
    mut each: impl FnMut(Lower) -> Result<(), RegistryError>,
) -> Result<(), RegistryError> {
    let mut statement = tx.prepare_cached(BELOW)?;
    let mut rows = statement.query((zone.as_str(), suffix, now.seconds()))?;
    while let Some(row) = rows.next()? {
        let name =
            |column| Ok::<_, RegistryError>(HostName::new(&row.get::<_, String>(column)?, zone)?);
        let owner: Option<String> = row.get(3)?;
        let owner = owner.map(|owner| owner.parse().map_err(|_| RegistryError::Damaged(owner)));
        each(Lower {
            name: name(0)?,
            id: HostId(row.get(1)?),
            today: name(2)?,
            owner: owner.transpose()?,
        })?;
    }
    Ok(())
}

impl Lower {
    /// An error where its host is another owner's than the upper.
    fn check(&self, upper: &HostName, owner: Option<&OwnerName>) -> Result<(), RegistryError> {
        match self.owner.as_ref() == owner {
            true => Ok(()),
            false => Err(RegistryError::Above {
                name: upper.clone(),
                today: (self.today != self.name).then(|| Box::new(self.today.clone())),
                lower: self.name.clone(),
                owner: self.owner.clone(),
            }),
        }
    }
}
