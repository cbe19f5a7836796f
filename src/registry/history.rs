//! The history: every accepted change, with its time and source.
//!
//! Of changes beyond the limit only the newest is ever published. The others would let one token
//! fill the disk: of each address they are one change, from what was there before to the newest.

use std::net::IpAddr;

use rusqlite::{Connection, OptionalExtension};

use super::past::whose;
use super::{Host, HostId, Registry, RegistryError, Source};
use crate::ip::{Addresses, Family};
use crate::name::HostName;
use crate::time::Timestamp;

/// One change of one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When it was accepted; of several beyond the limit, when the first was.
    pub at: Timestamp,
    /// The host's name today.
    pub host: HostName,
    /// Which address.
    pub family: Family,
    /// What it was; `None`: there was none.
    pub old: Option<IpAddr>,
    /// What it became; `None`: it was removed.
    pub new: Option<IpAddr>,
    /// The client's address; `None`: the command line, or not known.
    pub source: Option<IpAddr>,
    /// The dialect in which it was asked for.
    pub dialect: String,
}

impl Registry {
    /// Changes since `since`, oldest first, of one host or of all.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn history(
        &self,
        host: Option<HostId>,
        since: Timestamp,
    ) -> Result<Vec<Change>, RegistryError> {
        let mut statement = self.db.prepare_cached(&format!(
            "SELECT at, host.name, host.zone, family, old, new, source, dialect
             FROM history JOIN host ON host.id = history.host
             WHERE {} AND at >= ?1 ORDER BY at, history.id",
            whose("history.host", host)
        ))?;
        let mut rows = statement.query((since.seconds(), host.map(HostId::number)))?;
        let mut changes = Vec::new();
        while let Some(row) = rows.next()? {
            changes.push(Change {
                at: Timestamp::from_seconds(row.get(0)?),
                host: HostName::new(
                    &row.get::<_, String>(1)?,
                    &row.get::<_, String>(2)?.parse()?,
                )?,
                family: match row.get::<_, String>(3)?.as_str() {
                    "ipv4" => Family::Ipv4,
                    _ => Family::Ipv6,
                },
                old: address(row.get(4)?)?,
                new: address(row.get(5)?)?,
                source: address(row.get(6)?)?,
                dialect: row.get(7)?,
            });
        }
        Ok(changes)
    }

    /// Forgets changes before `before`; says how many.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn prune_history(&mut self, before: Timestamp) -> Result<usize, RegistryError> {
        self.forget("history", "at", before)
    }
}

/// What the wishes since the fact are that another one is written over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// Whatever: somebody may see them.
    Any,
    /// All of them waited beyond the limit, and nobody has seen them.
    Unseen,
}

/// Adds to the history what changes in a host's addresses; what nobody has seen of the changes
/// before is part of it.
pub(super) fn note(
    tx: &Connection,
    host: &Host,
    addresses: Addresses,
    over: Over,
    now: Timestamp,
    source: Source<'_>,
) -> Result<(), RegistryError> {
    let mut changes = Vec::new();
    // Since when the host is pending is read here: it must not begin anew with each change, not
    // even when an address is back where it was and the other one changes instead.
    let mut since = now;
    for family in Family::BOTH {
        let (old, new) = (
            host.wish.records.addresses.get(family),
            addresses.get(family),
        );
        if old == new {
            continue;
        }
        let is_unseen = over == Over::Unseen && old != host.fact.addresses.get(family);
        let taken = match is_unseen {
            true => take(tx, host, family, old, now)?,
            false => None,
        };
        if let Some((before, at)) = taken
            && before == new
        {
            since = since.min(at);
        }
        changes.push((family, taken, old, new));
    }
    for (family, taken, old, new) in changes {
        let (old, at) = taken.unwrap_or((old, since));
        if old != new {
            write(tx, host.id, family, old, new, at, source)?;
        }
    }
    Ok(())
}

/// Takes the last change of an address, to `wished`, out of the history again: from what it was,
/// and since when the host waits with it.
fn take(
    tx: &Connection,
    host: &Host,
    family: Family,
    wished: Option<IpAddr>,
    now: Timestamp,
) -> Result<Option<(Option<IpAddr>, Timestamp)>, RegistryError> {
    let last: Option<(i64, i64, Option<String>, Option<String>)> = tx
        .prepare_cached(
            "SELECT id, at, old, new FROM history WHERE host = ?1 AND family = ?2 AND at <= ?3
             ORDER BY at DESC, id DESC LIMIT 1",
        )?
        .query_row((host.id.0, family.as_str(), now.seconds()), |row| {
            row.try_into()
        })
        .optional()?;
    let Some((id, at, old, new)) = last else {
        return Ok(None);
    };
    if address(new)? != wished {
        return Ok(None);
    }
    tx.prepare_cached("DELETE FROM history WHERE id = ?1")?
        .execute([id])?;
    // What was accepted before the fact was noted does not count as pending since then.
    let at = Timestamp::from_seconds(at);
    let counts = host.fact.at.is_none_or(|fact| at > fact);
    Ok(Some((address(old)?, if counts { at } else { now })))
}

fn address(text: Option<String>) -> Result<Option<IpAddr>, RegistryError> {
    text.map(|text| text.parse().map_err(|_| RegistryError::Damaged(text)))
        .transpose()
}

fn write(
    tx: &Connection,
    host: HostId,
    family: Family,
    old: Option<IpAddr>,
    new: Option<IpAddr>,
    at: Timestamp,
    source: Source<'_>,
) -> Result<(), RegistryError> {
    let text = |address: Option<IpAddr>| address.map(|address| address.to_string());
    tx.prepare_cached(
        "INSERT INTO history (host, at, family, old, new, source, dialect)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute((
        host.0,
        at.seconds(),
        family.as_str(),
        text(old),
        text(new),
        text(source.client),
        source.dialect,
    ))?;
    Ok(())
}
