//! What upkeep has to tell because nothing happened: silence, pending for too long, and what
//! the name server was found to show instead.

use rusqlite::Connection;

use super::due::pending_since;
use super::expire::without;
use super::outbox::{self, Happening};
use super::{Durable, Host, HostId, Registry, RegistryError};
use crate::event::{Event, Wanted};
use crate::ip::Family;
use crate::span::Span;
use crate::time::Timestamp;

/// What was learned on the first day is too little.
const LEARNING: i64 = 24 * 3600;

impl Registry {
    /// Tells of hosts that are silent for longer than `times` their longest pause of late, and
    /// `least`; once for each silence. Says which.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn note_silent(
        &mut self,
        times: u32,
        least: Span,
        now: Timestamp,
    ) -> Result<Vec<Host>, RegistryError> {
        let mut silent = self.whole_hosts_where(
            "state = 'active' AND static = 0 AND behind IS NULL AND usual IS NOT NULL
             AND coalesce(wish_ipv4, wish_ipv6) IS NOT NULL
             AND last_seen - created > ?1 AND last_seen + max(usual * ?2, ?3) < ?4
             AND (silent_told IS NULL OR silent_told <= last_seen OR silent_told > ?4)
             AND NOT EXISTS (SELECT 1 FROM owner
                 WHERE owner.id = host.owner AND owner.state <> 'active')",
            (
                LEARNING,
                times,
                least.seconds().cast_signed(),
                now.seconds(),
            ),
        )?;
        let reason = |host: &Host| {
            let last = host.last_seen.unwrap_or(now);
            format!("not heard since {last}")
        };
        self.note_all(&silent, Event::Silent, "silent_told", reason, now)?;
        for family in Family::BOTH {
            silent.extend(self.note_half_silent(family, times, least, now)?);
        }
        Ok(silent)
    }

    /// Likewise of hosts that have an address of one family, and were heard without it for so
    /// long: that address is perhaps not theirs any more.
    fn note_half_silent(
        &mut self,
        family: Family,
        times: u32,
        least: Span,
        now: Timestamp,
    ) -> Result<Vec<Host>, RegistryError> {
        let silent = self.whole_hosts_where(
            &format!(
                "state = 'active' AND static = 0 AND behind IS NULL AND usual_{family} IS NOT NULL
                 AND wish_{family} IS NOT NULL AND heard_{family} - created > ?1
                 AND heard_{family} + max(usual_{family} * ?2, ?3) < last_seen AND last_seen <= ?4
                 AND (silent_told IS NULL OR silent_told <= heard_{family} OR silent_told > ?4)
                 AND NOT EXISTS (SELECT 1 FROM owner
                     WHERE owner.id = host.owner AND owner.state <> 'active')"
            ),
            (
                LEARNING,
                times,
                least.seconds().cast_signed(),
                now.seconds(),
            ),
        )?;
        let reason = |host: &Host| {
            let (last, since) = (host.last_seen.unwrap_or(now), host.heard.get(family));
            without(last, family.name(), since.unwrap_or(now))
        };
        self.note_all(&silent, Event::Silent, "silent_told", reason, now)?;
        Ok(silent)
    }

    /// Tells of hosts that the name server has not confirmed for `span`, once until it does.
    /// Says which. A confirmation of a time to come says nothing: the clock was ahead.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn note_pending(&mut self, span: Span, now: Timestamp) -> Result<Vec<Host>, RegistryError> {
        let pending = self.whole_hosts_where(
            concat!(
                "wish <> fact AND state <> 'removing'
                 AND (pending_told IS NULL OR pending_told > ?3
                      OR pending_told < fact_at AND fact_at <= ?3) AND ",
                pending_since!(),
                " NOT BETWEEN ?1 + 1 AND ?2"
            ),
            (
                now.minus(span).seconds(),
                now.plus(span).seconds(),
                now.seconds(),
            ),
        )?;
        let reason = |host: &Host| {
            let trouble = host.trouble.clone();
            trouble.unwrap_or_else(|| "the name server was not asked yet".to_owned())
        };
        self.note_all(&pending, Event::Pending, "pending_told", reason, now)?;
        Ok(pending)
    }

    fn note_all(
        &mut self,
        hosts: &[Host],
        event: Event,
        column: &str,
        reason: impl Fn(&Host) -> String,
        now: Timestamp,
    ) -> Result<(), RegistryError> {
        if hosts.is_empty() {
            return Ok(());
        }
        let wanted = self.wanted;
        let tx = self.write(Durable::Now)?;
        for host in hosts {
            let told = tx
                .prepare_cached(&format!("UPDATE host SET {column} = ?2 WHERE id = ?1"))?
                .execute((host.id.0, now.seconds()))?;
            // One that was removed meanwhile is told of no more.
            if told > 0 {
                let what = Happening::at(event, host.wish.records.addresses, reason(host));
                outbox::note(&tx, wanted, host.id, &what, None, now)?;
            }
        }
        Ok(tx.commit()?)
    }

    /// Notes that the name server shows something else than a host's records, and what, until it
    /// is mended; that is told when it is.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn note_differing(&mut self, hosts: &[(HostId, String)]) -> Result<(), RegistryError> {
        if hosts.is_empty() {
            return Ok(());
        }
        let tx = self.write(Durable::Soon)?;
        for (host, shown) in hosts {
            tx.prepare_cached("UPDATE host SET differs = ?2 WHERE id = ?1 AND wish = fact")?
                .execute((host.0, shown))?;
        }
        Ok(tx.commit()?)
    }

    /// Notes that the name server shows hosts as it should again: somebody else has mended them.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn note_as_confirmed(&mut self, hosts: &[HostId]) -> Result<(), RegistryError> {
        if hosts.is_empty() {
            return Ok(());
        }
        let tx = self.write(Durable::Soon)?;
        for host in hosts {
            tx.prepare_cached(
                "UPDATE host SET differs = NULL, trouble = NULL WHERE id = ?1 AND wish = fact",
            )?
            .execute([host.0])?;
        }
        Ok(tx.commit()?)
    }
}

/// Tells that a host is mended, where it was found to differ. Where it was to have other records
/// since, these are what was published.
pub(super) fn note_mended(
    tx: &Connection,
    wanted: Wanted,
    host: &Host,
    now: Timestamp,
) -> Result<(), RegistryError> {
    let Some(shown) = host.shown_otherwise() else {
        return Ok(());
    };
    let reason = format!("the name server had {shown}");
    let what = Happening::at(Event::Mended, host.wish.records.addresses, reason);
    outbox::note(tx, wanted, host.id, &what, None, now)
}
