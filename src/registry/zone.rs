//! Zones as a whole: which serial was seen, and when all hosts were last compared.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row};

use super::row::by_id;
use super::wish::write_wish;
use super::{Durable, Host, HostId, Registry, RegistryError, Source};
use crate::ip::Addresses;
use crate::name::{HostName, ZoneName};
use crate::time::Timestamp;
use crate::ttl::Ttl;

/// A change that takes the zone's word.
const ADOPTED: Source<'static> = Source {
    client: None,
    dialect: "adopt",
};

/// What is known of a zone as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ZoneState {
    /// The newest serial seen; `None`: none yet.
    pub serial: Option<u32>,
    /// When an older one was seen after that.
    pub went_back: Option<Timestamp>,
    /// The serial before the last whole comparison.
    pub compared_serial: Option<u32>,
    /// When that comparison ended.
    pub compared_at: Option<Timestamp>,
    /// How long it took, in milliseconds.
    pub took: u32,
    /// Behind which host one that is not through yet goes on.
    pub cursor: Option<HostName>,
    /// How many hosts differed and were left so until the operator decides.
    pub unmended: u32,
}

impl ZoneState {
    /// Whether `serial` is older than one seen before (RFC 1982 3.2).
    pub fn is_behind(&self, serial: u32) -> bool {
        self.serial.is_some_and(|seen| is_older(serial, seen))
    }
}

impl Registry {
    /// How many hosts there are in each zone that is none of `zones`: nobody answers for them.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn hosts_outside(
        &self,
        zones: &[&ZoneName],
    ) -> Result<BTreeMap<String, usize>, RegistryError> {
        let mut outside = BTreeMap::new();
        self.each_host(|host| {
            let zone = host.name.zone();
            if !zones.contains(&&zone) {
                *outside.entry(zone.to_string()).or_default() += 1;
            }
            Ok::<(), RegistryError>(())
        })?;
        Ok(outside)
    }

    /// What is known of a zone.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn zone_state(&self, zone: &ZoneName) -> Result<ZoneState, RegistryError> {
        let mut statement = self.db.prepare_cached(
            "SELECT serial, went_back, compared_serial, compared_at, took, cursor, unmended
             FROM zone WHERE name = ?1",
        )?;
        let mut rows = statement.query([zone.as_str()])?;
        let Some(row) = rows.next()? else {
            return Ok(ZoneState::default());
        };
        match read(row, zone) {
            // All that it costs is one more comparison.
            Err(error) if error.damage().is_some() => Ok(ZoneState::default()),
            state => state,
        }
    }

    /// The newest serial of a zone that was seen; `None`: none yet.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn serial(&self, zone: &ZoneName) -> Result<Option<u32>, RegistryError> {
        let mut statement = self
            .db
            .prepare_cached("SELECT serial FROM zone WHERE name = ?1")?;
        let mut rows = statement.query([zone.as_str()])?;
        // A damaged one is none.
        Ok(rows.next()?.and_then(|row| row.get(0).ok()))
    }

    /// Notes the serial that a zone has, after the one that was `known` before it was asked for.
    /// One that is older is a sign that the zone was replaced by an older copy.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn see(
        &mut self,
        zone: &ZoneName,
        known: Option<u32>,
        serial: u32,
        now: Timestamp,
    ) -> Result<(), RegistryError> {
        if known == Some(serial) {
            return Ok(());
        }
        let serials: Vec<u32> = known.into_iter().chain([serial]).collect();
        let tx = self.write(Durable::Soon)?;
        see(&tx, zone, &serials, now)?;
        Ok(tx.commit()?)
    }

    /// Notes how far a comparison has come since `began`; its serial is the newest one from now
    /// on. That a visit has seen the zone go back meanwhile stays noted.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn compared(
        &mut self,
        zone: &ZoneName,
        state: &ZoneState,
        began: Timestamp,
    ) -> Result<(), RegistryError> {
        let tx = self.write(Durable::Soon)?;
        tx.execute(
            "INSERT OR REPLACE INTO zone (name, serial, went_back, compared_serial, compared_at,
             took, cursor, unmended) VALUES (?1, ?2,
             coalesce((SELECT went_back FROM zone
                       WHERE name = ?1 AND went_back > ?9 AND went_back <= ?10), ?3),
             ?4, ?5, ?6, ?7, ?8)",
            (
                zone.as_str(),
                state.serial,
                state.went_back.map(Timestamp::seconds),
                state.compared_serial,
                state.compared_at.map(Timestamp::seconds),
                state.took,
                state.cursor.as_ref().map(HostName::as_str),
                state.unmended,
                began.seconds(),
                Timestamp::now().seconds(),
            ),
        )?;
        Ok(tx.commit()?)
    }

    /// Hosts of a zone whose wish is a fact, in the order of their names, behind one of them.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn settled(
        &self,
        zone: &ZoneName,
        behind: Option<&HostName>,
        most: usize,
    ) -> Result<Vec<Host>, RegistryError> {
        self.whole_hosts_where(
            "zone = ?1 AND name > ?2 AND wish = fact AND wish <> 0 ORDER BY name LIMIT ?3",
            (
                zone.as_str(),
                behind.map_or("", HostName::as_str),
                i64::try_from(most).unwrap_or(i64::MAX),
            ),
        )
    }

    /// Makes what the zone has a host's wish, unless that has changed since wish `number`.
    ///
    /// `ttl` is the zone's. Says whether it did.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn adopt(
        &mut self,
        id: HostId,
        number: i64,
        addresses: Addresses,
        ttl: Ttl,
        now: Timestamp,
    ) -> Result<bool, RegistryError> {
        let tx = self.write(Durable::Now)?;
        let same = |host: &Host| host.is_on() && host.wish.number == number;
        let Some(host) = by_id(&tx, id)?.filter(same) else {
            return Ok(false);
        };
        write_wish(&tx, &host, addresses, ttl, now, ADOPTED)?;
        tx.execute("UPDATE host SET differs = NULL WHERE id = ?1", [id.0])?;
        tx.commit()?;
        Ok(true)
    }
}

fn read(row: &Row<'_>, zone: &ZoneName) -> Result<ZoneState, RegistryError> {
    let cursor: Option<String> = row.get("cursor")?;
    let time = |seconds: Option<i64>| seconds.map(Timestamp::from_seconds);
    Ok(ZoneState {
        serial: Some(row.get("serial")?),
        went_back: time(row.get("went_back")?),
        compared_serial: row.get("compared_serial")?,
        compared_at: time(row.get("compared_at")?),
        took: row.get("took")?,
        cursor: cursor
            .map(|cursor| HostName::new(&cursor, zone))
            .transpose()?,
        unmended: row.get("unmended")?,
    })
}

/// Notes serials of a zone, in the order in which they were seen, after the one that was
/// known before. One that is older than that before it is a sign that the zone was replaced
/// by an older copy. That others have seen a newer one meanwhile is none.
pub(super) fn see(
    tx: &Connection,
    zone: &ZoneName,
    serials: &[u32],
    now: Timestamp,
) -> Result<(), RegistryError> {
    let Some(last) = serials.last() else {
        return Ok(());
    };
    let newest: Option<Option<u32>> = tx
        .prepare_cached("SELECT serial FROM zone WHERE name = ?1")?
        .query_row([zone.as_str()], |row| Ok(row.get(0).ok()))
        .optional()?;
    if newest
        .flatten()
        .is_none_or(|newest| is_older(newest, *last))
    {
        tx.prepare_cached(
            "INSERT INTO zone (name, serial) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET serial = excluded.serial",
        )?
        .execute((zone.as_str(), last))?;
    }
    let pairs = serials.iter().zip(serials.iter().skip(1));
    if pairs
        .into_iter()
        .any(|(before, after)| is_older(*after, *before))
    {
        tx.prepare_cached("UPDATE zone SET went_back = ?2 WHERE name = ?1")?
            .execute((zone.as_str(), now.seconds()))?;
    }
    Ok(())
}

/// Whether a serial is older than another one (RFC 1982 3.2).
fn is_older(serial: u32, other: u32) -> bool {
    serial != other && other.wrapping_sub(serial) < 1 << 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_wrap() {
        for (serial, other, expected) in [
            (1, 2, true),
            (2, 1, false),
            (2, 2, false),
            (u32::MAX, 0, true),
            (0, u32::MAX, false),
            (1_800_000_000, 1_900_000_000, true),
        ] {
            assert_eq!(is_older(serial, other), expected, "{serial} {other}");
        }
    }
}
