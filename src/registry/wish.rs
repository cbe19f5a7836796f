//! Wishes and facts: what is accepted, and what has come of it.
//!
//! A wish is on disk before anybody hears of it. A fact need not be: one that a
//! power cut takes away is only published again.

use std::net::IpAddr;

use rusqlite::{Connection, OptionalExtension};

use super::host::{by_id, former_names, joined};
use super::{Durable, Host, HostId, Records, Registry, RegistryError, State};
use crate::ip::{Addresses, Family};
use crate::name::RecordName;
use crate::span::Span;
use crate::time::Timestamp;
use crate::token::Digest;
use crate::ttl::Ttl;

/// Last-seen times are exact to this.
const GRAIN: Span = Span::from_seconds(3600);

/// Where a change came from, for the history.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The client's address; `None` on the command line.
    pub client: Option<IpAddr>,
    /// The dialect it spoke, or `command`.
    pub dialect: &'a str,
}

impl Source<'static> {
    /// The operator, at the command line.
    pub const COMMAND: Source<'static> = Source {
        client: None,
        dialect: "command",
    };
}

/// What became of a visit's wish.
#[derive(Debug)]
pub enum Accepted {
    /// It is the host's wish now, under that number.
    Wish(i64),
    /// It was the host's wish already.
    Unchanged(Box<Host>),
    /// Meanwhile the token died or the host was switched off.
    Gone,
}

impl Host {
    /// The names its records are to stand at: its own, its wildcard, and former ones still kept.
    fn names(&self, former: impl IntoIterator<Item = super::FormerName>) -> Vec<RecordName> {
        std::iter::once(self.name.clone())
            .chain(former.into_iter().map(|former| former.name))
            .flat_map(|name| {
                let star = self
                    .settings
                    .wildcard
                    .then(|| RecordName::wildcard(name.clone()));
                std::iter::once(RecordName::exact(name)).chain(star)
            })
            .collect()
    }

    /// Whether its wish is for just these, so that nothing need be written.
    fn wishes(&self, records: &Records) -> bool {
        self.wish.records.addresses == records.addresses
            && self.wish.records.names == records.names
            && self.wish.number != 0
    }
}

impl Registry {
    /// Whether `addresses` at the names due now is already the host's wish.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn wishes_already(
        &self,
        host: &Host,
        addresses: Addresses,
        now: Timestamp,
    ) -> Result<bool, RegistryError> {
        Ok(host.wishes(&records(&self.db, host, addresses, Ttl::DEFAULT, now)?))
    }

    /// Makes what a visit asks for the host's wish, durably.
    ///
    /// Inside the transaction token and host are read again, and `addresses` is asked
    /// with the host as it is then. `ttl` is the zone's, for a host without its own.
    ///
    /// # Errors
    /// When the registry cannot be written; then nothing was accepted.
    pub fn accept(
        &mut self,
        id: HostId,
        token: &Digest,
        ttl: Ttl,
        now: Timestamp,
        source: Source<'_>,
        addresses: impl FnOnce(&Host) -> Addresses,
    ) -> Result<Accepted, RegistryError> {
        let tx = self.write(Durable::Now)?;
        let host = by_id(&tx, id)?.filter(|host| host.state == State::Active);
        let (Some(host), true) = (host, use_token(&tx, id, token, now)?) else {
            return Ok(Accepted::Gone);
        };
        tx.prepare_cached("UPDATE host SET last_seen = ?2 WHERE id = ?1")?
            .execute((id.0, now.seconds()))?;
        let addresses = addresses(&host);
        let accepted = match write_wish(&tx, &host, addresses, ttl, now, source)? {
            Some(number) => Accepted::Wish(number),
            None => Accepted::Unchanged(Box::new(host)),
        };
        tx.commit()?;
        Ok(accepted)
    }

    /// Notes that the host's client was heard, when the last note is old enough.
    ///
    /// A host that expires is noted more often, so that a living one never expires.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn seen(&mut self, host: &Host, expire: Span, now: Timestamp) -> Result<(), RegistryError> {
        let grain = match expire {
            Span::ZERO => GRAIN,
            expire => GRAIN.min(Span::from_seconds(expire.seconds() / 4)),
        };
        if host
            .last_seen
            .is_some_and(|last| now.since(last) < grain && last <= now)
        {
            return Ok(());
        }
        let tx = self.write(Durable::Soon)?;
        tx.prepare_cached("UPDATE host SET last_seen = ?2 WHERE id = ?1")?
            .execute((host.id.0, now.seconds()))?;
        Ok(tx.commit()?)
    }

    /// Notes what the name server confirmed: that wish's records, in the zone of that serial.
    ///
    /// A host that was being removed, and now has no records, is forgotten; not while an
    /// older UPDATE may still be applied, though: then somebody has to look again.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn confirm(
        &mut self,
        id: HostId,
        number: i64,
        records: &Records,
        serial: Option<u32>,
        now: Timestamp,
    ) -> Result<(), RegistryError> {
        let tx = self.write(Durable::Soon)?;
        let Some(host) = by_id(&tx, id)? else {
            return Ok(());
        };
        let confirmed: &[RecordName] = match records.addresses.is_empty() {
            true => &[],
            false => &records.names,
        };
        let settled = host.wish.number == number && !host.is_unsettled(now);
        let mut held = confirmed.to_vec();
        if !settled {
            held.extend(host.held.iter().cloned());
            held.sort();
            held.dedup();
        }
        tx.prepare_cached(
            "UPDATE host SET fact = ?2, fact_names = ?3, fact_ipv4 = ?4, fact_ipv6 = ?5,
             fact_serial = ?6, fact_at = ?7, held_names = ?8 WHERE id = ?1",
        )?
        .execute((
            id.0,
            number,
            joined(confirmed),
            records.addresses.ipv4.map(|ipv4| ipv4.to_string()),
            records.addresses.ipv6.map(|ipv6| ipv6.to_string()),
            serial,
            now.seconds(),
            joined(&held),
        ))?;
        if host.state == State::Removing && settled {
            forget(&tx, &host, now)?;
        }
        Ok(tx.commit()?)
    }

    /// Notes that an exchange for the host ended without a verified answer.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn unconfirmed(&mut self, id: HostId, now: Timestamp) -> Result<(), RegistryError> {
        let tx = self.write(Durable::Soon)?;
        tx.prepare_cached("UPDATE host SET unconfirmed = ?2 WHERE id = ?1")?
            .execute((id.0, now.seconds()))?;
        Ok(tx.commit()?)
    }
}

/// Ends a removal: the host is gone, and its name rests from now on.
pub(super) fn forget(tx: &Connection, host: &Host, now: Timestamp) -> Result<(), RegistryError> {
    tx.execute(
        "INSERT OR REPLACE INTO removed_name (name, at) VALUES (?1, ?2)",
        (host.name.as_str(), now.seconds()),
    )?;
    tx.execute("DELETE FROM host WHERE id = ?1", [host.id.0])?;
    Ok(())
}

/// Whether the token is still the host's; of an old one the use is noted.
fn use_token(
    tx: &Connection,
    id: HostId,
    token: &Digest,
    now: Timestamp,
) -> Result<bool, RegistryError> {
    let until: Option<Option<i64>> = tx
        .prepare_cached("SELECT until FROM token WHERE digest = ?1 AND host = ?2")?
        .query_row((token.as_bytes(), id.0), |row| row.get(0))
        .optional()?;
    if let Some(Some(_)) = until {
        tx.execute(
            "UPDATE token SET used = ?2 WHERE digest = ?1",
            (token.as_bytes(), now.seconds()),
        )?;
    }
    Ok(until.is_some_and(|until| until.is_none_or(|until| until > now.seconds())))
}

/// Makes `addresses` the host's wish; `None` when it is already.
///
/// A wish on top of an unconfirmed one leaves a note of it: the older UPDATE may
/// still be on its way.
pub(super) fn write_wish(
    tx: &Connection,
    host: &Host,
    addresses: Addresses,
    ttl: Ttl,
    now: Timestamp,
    source: Source<'_>,
) -> Result<Option<i64>, RegistryError> {
    let records = records(tx, host, addresses, ttl, now)?;
    if host.wishes(&records) {
        return Ok(None);
    }
    let mut held = host.held.clone();
    held.extend(records.names.iter().cloned());
    held.sort();
    held.dedup();
    let number = host.wish.number + 1;
    tx.prepare_cached(
        "UPDATE host SET wish = ?2, wish_names = ?3, wish_ipv4 = ?4, wish_ipv6 = ?5, wish_ttl = ?6,
         wish_at = ?7, held_names = ?8, last_change = ?7,
         unconfirmed = CASE WHEN wish = fact THEN unconfirmed ELSE ?7 END WHERE id = ?1",
    )?
    .execute((
        host.id.0,
        number,
        joined(&records.names),
        addresses.ipv4.map(|ipv4| ipv4.to_string()),
        addresses.ipv6.map(|ipv6| ipv6.to_string()),
        records.ttl.seconds(),
        now.seconds(),
        joined(&held),
    ))?;
    for family in Family::BOTH {
        let (old, new) = (
            host.wish.records.addresses.get(family),
            addresses.get(family),
        );
        if old != new {
            super::history::write(tx, host.id, family, old, new, now, source)?;
        }
    }
    Ok(Some(number))
}

fn records(
    db: &Connection,
    host: &Host,
    addresses: Addresses,
    ttl: Ttl,
    now: Timestamp,
) -> Result<Records, RegistryError> {
    Ok(Records {
        names: host.names(former_names(db, host, now)?),
        addresses,
        ttl: host.settings.ttl.unwrap_or(ttl),
    })
}
