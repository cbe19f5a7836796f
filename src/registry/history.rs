//! The history: every accepted change, with its time and source.

use std::net::IpAddr;

use rusqlite::Connection;

use super::{Durable, HostId, Registry, RegistryError, Source};
use crate::ip::Family;
use crate::name::HostName;
use crate::time::Timestamp;

/// One change of one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When it was accepted.
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
        let mut statement = self.db.prepare(
            "SELECT at, host.name, host.zone, family, old, new, source, dialect
             FROM history JOIN host ON host.id = history.host
             WHERE at >= ?1 AND (?2 IS NULL OR host = ?2) ORDER BY at, history.id",
        )?;
        let mut rows = statement.query((since.seconds(), host.map(HostId::number)))?;
        let mut changes = Vec::new();
        while let Some(row) = rows.next()? {
            let address = |column: usize| -> Result<Option<IpAddr>, RegistryError> {
                let text: Option<String> = row.get(column)?;
                text.map(|text| text.parse().map_err(|_| RegistryError::Damaged(text)))
                    .transpose()
            };
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
                old: address(4)?,
                new: address(5)?,
                source: address(6)?,
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
        let tx = self.write(Durable::Soon)?;
        let gone = tx.execute("DELETE FROM history WHERE at < ?1", [before.seconds()])?;
        tx.commit()?;
        Ok(gone)
    }
}

/// Adds a change to the history.
pub(super) fn write(
    tx: &Connection,
    host: HostId,
    family: Family,
    old: Option<IpAddr>,
    new: Option<IpAddr>,
    now: Timestamp,
    source: Source<'_>,
) -> Result<(), RegistryError> {
    let text = |address: Option<IpAddr>| address.map(|address| address.to_string());
    tx.prepare_cached(
        "INSERT INTO history (host, at, family, old, new, source, dialect)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute((
        host.0,
        now.seconds(),
        family.as_str(),
        text(old),
        text(new),
        text(source.client),
        source.dialect,
    ))?;
    Ok(())
}
