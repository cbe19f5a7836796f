//! Hosts that were not heard for too long.

use super::outbox::{self, Happening};
use super::row::by_id;
use super::wish::write_wish;
use super::{Durable, Host, HostId, Registry, RegistryError, Source, State};
use crate::event::Event;
use crate::ip::Addresses;
use crate::name::ZoneName;
use crate::span::Span;
use crate::time::Timestamp;

/// A change that nobody asked for.
const EXPIRY: Source<'static> = Source {
    client: None,
    dialect: "expire",
};

impl Host {
    /// After how much silence its records go; zero: never. A static host has no client that
    /// could be silent. `zone` is the zone's expiry, for a host without its own.
    pub fn expire(&self, zone: Span) -> Span {
        match self.settings.fixed {
            Some(_) => Span::ZERO,
            None => self.settings.expire.unwrap_or(zone),
        }
    }

    /// For how long its client was silent: since it was heard, or its addresses were set. That
    /// they went is no sign of life: a host that has expired is as silent as it was before.
    pub fn silence(&self, now: Timestamp) -> Span {
        let heard = self.last_seen.unwrap_or(self.created);
        let set = (self.last_change).filter(|_| !self.wish.records.addresses.is_empty());
        now.since(set.map_or(heard, |set| set.max(heard)))
    }

    /// Whether its client was not heard for as long as it may be silent; `zone` is the zone's
    /// expiry, for a host without its own.
    pub fn is_silent(&self, zone: Span, now: Timestamp) -> bool {
        let expire = self.expire(zone);
        expire != Span::ZERO
            && self.state == State::Active
            && !self.wish.records.addresses.is_empty()
            && self.silence(now) >= expire
    }

    /// Whether it has no addresses any more, since its client was not heard for so long.
    pub fn has_expired(&self, zone: Span, now: Timestamp) -> bool {
        let expire = self.expire(zone);
        expire != Span::ZERO
            && self.wish.number != 0
            && self.wish.records.addresses.is_empty()
            && self.silence(now) >= expire
    }
}

impl Registry {
    /// The hosts of a zone that are to expire; `expire` is the zone's.
    ///
    /// Only a zone that expires its hosts is read through; else those that have an expiry
    /// of their own. The few that may have expired are looked at more closely: all hosts of a
    /// provider at once would take more room than there may be.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn silent(
        &self,
        zone: &ZoneName,
        expire: Span,
        now: Timestamp,
    ) -> Result<Vec<Host>, RegistryError> {
        let may_expire = may_expire(expire);
        let candidates = self.whole_hosts_where(
            &format!(
                "{may_expire} AND zone = ?1 AND coalesce(wish_ipv4, wish_ipv6) IS NOT NULL
                 AND coalesce(last_seen, created) + coalesce(expire, ?2) <= ?3"
            ),
            (zone.as_str(), expire.seconds().cast_signed(), now.seconds()),
        )?;
        let is_silent = |host: &Host| host.is_silent(expire, now);
        Ok(candidates.into_iter().filter(is_silent).collect())
    }

    /// Who was heard in a time to come, while the clock was ahead, was heard now: for a host of a
    /// zone that may expire, which never would until then; `expire` is the zone's.
    ///
    /// # Errors
    /// When the registry cannot be read or written.
    pub fn heard_by(
        &mut self,
        zone: &ZoneName,
        expire: Span,
        now: Timestamp,
    ) -> Result<(), RegistryError> {
        let ahead = format!(
            "{} AND zone = ?1 AND (last_seen > ?2 OR last_change > ?2)",
            may_expire(expire)
        );
        let values = (zone.as_str(), now.seconds());
        let is_some = self
            .db
            .prepare(&format!("SELECT 1 FROM host WHERE {ahead}"))?
            .exists(values)?;
        // A writer would hold up visits, also one that finds nothing.
        if is_some {
            let tx = self.write(Durable::Soon)?;
            let set = "last_seen = min(last_seen, ?2), last_change = min(last_change, ?2)";
            tx.execute(&format!("UPDATE host SET {set} WHERE {ahead}"), values)?;
            tx.commit()?;
        }
        Ok(())
    }

    /// Ends a host's records, unless it was heard just now; says whether it did.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn expire(
        &mut self,
        id: HostId,
        expire: Span,
        now: Timestamp,
    ) -> Result<bool, RegistryError> {
        let wanted = self.wanted;
        // One that a power cut takes away comes again: it is as silent as before.
        let tx = self.write(Durable::Soon)?;
        let Some(host) = by_id(&tx, id)?.filter(|host| host.is_silent(expire, now)) else {
            return Ok(false);
        };
        write_wish(
            &tx,
            &host,
            Addresses::NONE,
            host.wish.records.ttl,
            now,
            EXPIRY,
        )?;
        let what = Happening {
            event: Event::Expired,
            old: host.wish.records.addresses,
            new: Addresses::NONE,
            reason: host.last_seen.map(|last| format!("not heard since {last}")),
        };
        outbox::note(&tx, wanted, host.id, &what, None, now)?;
        tx.commit()?;
        Ok(true)
    }
}

/// The condition that a host of a zone may expire; `zone` is the zone's expiry.
fn may_expire(zone: Span) -> &'static str {
    match zone {
        Span::ZERO => "expire > 0",
        _ => "coalesce(expire, 1) > 0",
    }
}
