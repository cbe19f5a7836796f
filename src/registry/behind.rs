//! Hosts behind another one, the site: its LAN prefix is the upper part of their IPv6
//! addresses.

use std::fmt;

use rusqlite::Connection;

use super::row::{by_id, by_name};
use super::values::Values;
use super::{Host, HostId, Registry, RegistryError, State};
use crate::interface_id::InterfaceId;
use crate::ip::Family;
use crate::name::HostName;

/// So many hosts may be behind a site: as many as one UPDATE has room for.
pub const MOST_BEHIND: u32 = 250;

/// Where a host is that has its IPv6 address below the LAN prefix of another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// The other one: whose visits tell the prefix.
    pub site: HostName,
    /// The part of its address that stays.
    pub id: InterfaceId,
}

impl Registry {
    /// The hosts behind a site, in the order of their names.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn hosts_behind(&self, site: HostId) -> Result<Vec<Host>, RegistryError> {
        self.hosts_where("behind = ?1 ORDER BY name", [site.0])
    }

    /// Whether there are any.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn is_site(&self, host: HostId) -> Result<bool, RegistryError> {
        is_site(&self.db, host)
    }
}

/// Where a host is, from the next two columns of its row.
pub(super) fn read(db: &Connection, row: &Values<'_>) -> Result<Option<Behind>, RegistryError> {
    let (site, id): (Option<i64>, Option<String>) = (row.next()?, row.next()?);
    let (Some(site), Some(id)) = (site, id) else {
        return Ok(None);
    };
    let (name, zone): (String, String) = db
        .prepare_cached("SELECT name, zone FROM host WHERE id = ?1")?
        .query_row([site], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Some(Behind {
        site: HostName::new(&name, &zone.parse()?)?,
        id: id.parse().map_err(|_| RegistryError::Damaged(id))?,
    }))
}

/// Puts a host behind another one, or away from there.
pub(super) fn write(
    tx: &Connection,
    id: HostId,
    behind: Option<&Behind>,
) -> Result<(), RegistryError> {
    let site = match behind {
        Some(Behind { site, .. }) => {
            let there = by_name(tx, site)?.filter(|site| site.state != State::Removing);
            Some(there.ok_or_else(|| RegistryError::NoHost(site.to_string()))?)
        }
        None => None,
    };
    tx.prepare_cached("UPDATE host SET behind = ?2, interface_id = ?3 WHERE id = ?1")?
        .execute((
            id.0,
            site.map(|site| site.id.0),
            behind.map(|behind| behind.id.to_string()),
        ))?;
    Ok(())
}

/// Takes all hosts away that are behind one that goes, and itself from where it was.
pub(super) fn release(tx: &Connection, id: HostId) -> Result<(), RegistryError> {
    tx.prepare_cached(
        "UPDATE host SET behind = NULL, interface_id = NULL WHERE behind = ?1 OR id = ?1",
    )?
    .execute([id.0])?;
    Ok(())
}

/// Whether a host may be behind the one it is behind, and others behind it.
///
/// # Errors
/// When one of them may not be where it is.
pub(super) fn check(tx: &Connection, id: HostId) -> Result<(), RegistryError> {
    let Some(host) = by_id(tx, id)? else {
        return Ok(());
    };
    check_one(tx, &host)?;
    let behind: Vec<i64> = tx
        .prepare_cached("SELECT id FROM host WHERE behind = ?1 ORDER BY name")?
        .query_map([id.0], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for id in behind {
        if let Some(host) = by_id(tx, HostId(id))? {
            check_one(tx, &host)?;
        }
    }
    Ok(())
}

fn check_one(tx: &Connection, host: &Host) -> Result<(), RegistryError> {
    let Some(behind) = &host.settings.behind else {
        return Ok(());
    };
    let site = by_name(tx, &behind.site)?;
    let site = site.ok_or_else(|| RegistryError::NoHost(behind.site.to_string()))?;
    let (own, its) = (&host.settings, &site.settings);
    let why = if site.id == host.id {
        NotBehind::Itself
    } else if its.behind.is_some() || is_site(tx, host.id)? {
        NotBehind::Chain
    } else if own.owner != its.owner {
        NotBehind::OtherOwner
    } else if own.fixed.is_some() || its.fixed.is_some() {
        NotBehind::Static
    } else if own.only == Some(Family::Ipv4) {
        NotBehind::Ipv4Only
    } else if count(tx, site.id)? > MOST_BEHIND {
        NotBehind::Crowded
    } else {
        return Ok(());
    };
    Err(RegistryError::NotBehind {
        name: host.name.clone(),
        site: site.name,
        why,
    })
}

fn is_site(db: &Connection, id: HostId) -> Result<bool, RegistryError> {
    let mut found = db.prepare_cached("SELECT 1 FROM host WHERE behind = ?1")?;
    Ok(found.exists([id.0])?)
}

fn count(tx: &Connection, site: HostId) -> Result<u32, RegistryError> {
    let mut count = tx.prepare_cached("SELECT count(*) FROM host WHERE behind = ?1")?;
    Ok(count.query_row([site.0], |row| row.get(0))?)
}

/// Why a host cannot be behind another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotBehind {
    /// They are the same.
    Itself,
    /// The other one is behind a third, or a third behind this one.
    Chain,
    /// One token does not move what is another owner's.
    OtherOwner,
    /// One of them is static: nobody tells its prefix, or nobody else its address.
    Static,
    /// It is to have no IPv6 address.
    Ipv4Only,
    /// There are too many behind that one.
    Crowded,
}

impl NotBehind {
    /// Whether other settings of one of them would change it.
    pub fn is_of_settings(self) -> bool {
        match self {
            NotBehind::OtherOwner | NotBehind::Static | NotBehind::Ipv4Only => true,
            NotBehind::Itself | NotBehind::Chain | NotBehind::Crowded => false,
        }
    }
}

impl fmt::Display for NotBehind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotBehind::Itself => f.write_str("they are the same host"),
            NotBehind::Chain => f.write_str("that would be a chain of three"),
            NotBehind::OtherOwner => f.write_str("they have different owners"),
            NotBehind::Static => f.write_str("one of them is static"),
            NotBehind::Ipv4Only => f.write_str("it has IPv4 only"),
            NotBehind::Crowded => write!(f, "{MOST_BEHIND} hosts are there already"),
        }
    }
}
