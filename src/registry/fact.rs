//! Facts: what came of a wish. One that a power cut takes away is only published again.

use rusqlite::Connection;

use super::row::{by_id, joined};
use super::worry::note_mended;
use super::zone::see;
use super::{Durable, Host, HostId, Records, Registry, RegistryError, State};
use crate::event::Wanted;
use crate::name::{HostName, RecordName, ZoneName};
use crate::span::Span;
use crate::time::Timestamp;

/// What is refused is put off for no longer than this.
const LONGEST_PUT_OFF: Span = Span::from_seconds(300);

/// How an exchange with the name server ended for one host.
#[derive(Debug)]
pub struct Conclusion<'a> {
    /// The host.
    pub host: HostId,
    /// What is known now.
    pub end: End<'a>,
}

/// What is known after an exchange.
#[derive(Debug)]
pub enum End<'a> {
    /// The name server shows the records of that wish.
    Confirmed {
        /// The wish's number.
        number: i64,
        /// Its records.
        records: &'a Records,
        /// The zone's serial, where it was asked for.
        serial: Option<u32>,
    },
    /// It does not, or has not said so.
    Failed {
        /// Why.
        reason: String,
        /// Whether an UPDATE may have been applied all the same, or may still be.
        may_be_applied: bool,
    },
}

impl Registry {
    /// Notes how an exchange ended for hosts of a zone, and the zone's serials: the one that
    /// was known before, then those seen in it, in their order; all in one transaction.
    ///
    /// A host that was being removed, and now has no records, is forgotten; not while an
    /// older UPDATE may still be applied, though: then somebody has to look again.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn conclude(
        &mut self,
        zone: &ZoneName,
        serials: &[u32],
        conclusions: &[Conclusion<'_>],
        now: Timestamp,
    ) -> Result<(), RegistryError> {
        let wanted = self.wanted;
        let tx = self.write(Durable::Soon)?;
        see(&tx, zone, serials, now)?;
        for Conclusion { host, end } in conclusions {
            match end {
                End::Confirmed {
                    number,
                    records,
                    serial,
                } => {
                    confirm(&tx, wanted, *host, *number, records, *serial, now)?;
                }
                End::Failed {
                    reason,
                    may_be_applied,
                } => {
                    // Records of one that is removed can only go once more.
                    tx.prepare_cached(
                        "UPDATE host SET trouble = ?2,
                         unconfirmed = CASE WHEN ?3 AND state <> 'removing' THEN ?4
                                       ELSE unconfirmed END WHERE id = ?1",
                    )?
                    .execute((
                        host.0,
                        reason,
                        may_be_applied,
                        now.seconds(),
                    ))?;
                }
            }
        }
        Ok(tx.commit()?)
    }

    /// Notes that upkeep has tried hosts in vain, since the name server refuses them: after
    /// the fourth time it pauses for two minutes, then for four, and never for more than five:
    /// who refuses may be mended at any time, and nobody tells.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn put_off(&mut self, hosts: &[HostId], now: Timestamp) -> Result<(), RegistryError> {
        let tx = self.write(Durable::Soon)?;
        for host in hosts {
            tx.prepare_cached(
                "UPDATE host SET failures = failures + 1, retry_at =
                 CASE WHEN failures < 3 THEN NULL
                 ELSE ?2 + min(?3, 120 << min(failures - 3, 8)) END WHERE id = ?1",
            )?
            .execute((
                host.0,
                now.seconds(),
                LONGEST_PUT_OFF.seconds().cast_signed(),
            ))?;
        }
        Ok(tx.commit()?)
    }
}

fn confirm(
    tx: &Connection,
    wanted: Wanted,
    id: HostId,
    number: i64,
    records: &Records,
    serial: Option<u32>,
    now: Timestamp,
) -> Result<(), RegistryError> {
    let Some(host) = by_id(tx, id)? else {
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
         fact_serial = ?6, fact_at = ?7, held_names = ?8, differs = NULL, pending_told = NULL,
         trouble = CASE WHEN wish <> ?2 THEN trouble END,
         failures = CASE WHEN wish <> ?2 THEN failures ELSE 0 END,
         retry_at = CASE WHEN wish <> ?2 THEN retry_at END WHERE id = ?1",
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
    note_mended(tx, wanted, &host, now)?;
    if host.state == State::Removing && settled {
        forget(tx, &host, now)?;
    }
    Ok(())
}

/// Ends a removal: the host is gone, and its name rests from now on, with every other one
/// that may have had its records until now.
pub(super) fn forget(tx: &Connection, host: &Host, now: Timestamp) -> Result<(), RegistryError> {
    rest(tx, &host.name, now)?;
    for held in &host.held {
        rest(tx, held.host(), now)?;
    }
    tx.execute("DELETE FROM host WHERE id = ?1", [host.id.0])?;
    Ok(())
}

/// From now on the name rests, so that nobody inherits a stranger's visitors.
pub(super) fn rest(tx: &Connection, name: &HostName, now: Timestamp) -> Result<(), RegistryError> {
    tx.prepare_cached("INSERT OR REPLACE INTO removed_name (name, at) VALUES (?1, ?2)")?
        .execute((name.as_str(), now.seconds()))?;
    Ok(())
}
