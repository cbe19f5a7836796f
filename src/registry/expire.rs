//! Hosts that were not heard for too long, or not with an address of one family: that one may be
//! somebody else's by now.

use super::outbox::{self, Happening};
use super::row::by_id;
use super::wish::write_wish;
use super::{Durable, Host, HostId, Registry, RegistryError, Source, State};
use crate::event::Event;
use crate::ip::{Addresses, Family};
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

    /// The addresses that it keeps: none when its client was not heard for as long as it may be
    /// silent, and none of a family that its client has not told for as long before it told the
    /// other. An address that never came from its client stays as long as the host is not silent.
    /// `zone` is the zone's expiry, for a host without its own.
    pub fn unexpired(&self, zone: Span, now: Timestamp) -> Addresses {
        let (expire, mut addresses) = (self.expire(zone), self.wish.records.addresses);
        if expire == Span::ZERO || self.state != State::Active {
            return addresses;
        }
        if self.silence(now) >= expire {
            return Addresses::NONE;
        }
        for family in Family::BOTH {
            // The clock may have been ahead when it was heard.
            let other = self.heard.get(family.other()).map(|heard| heard.min(now));
            if other.is_some_and(|other| self.is_left_out(family, expire, other)) {
                addresses.clear(family);
            }
        }
        addresses
    }

    /// Whether some of its addresses may go by then, whatever its client tells meanwhile.
    pub fn may_expire(&self, zone: Span, by: Timestamp) -> bool {
        let expire = self.expire(zone);
        let mut addresses = self.wish.records.addresses.iter();
        expire != Span::ZERO
            && self.state == State::Active
            && addresses.any(|address| {
                self.silence(by) >= expire || self.is_left_out(Family::of(address), expire, by)
            })
    }

    /// Whether its client had told no address of that family for so long by then.
    fn is_left_out(&self, family: Family, expire: Span, by: Timestamp) -> bool {
        let heard = self.heard.get(family);
        heard.is_some_and(|heard| by.since(heard) >= expire)
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
                "{may_expire} AND zone = ?1 AND (coalesce(wish_ipv4, wish_ipv6) IS NOT NULL
                     AND coalesce(last_seen, created) + coalesce(expire, ?2) <= ?3
                 OR wish_ipv4 IS NOT NULL AND heard_ipv4 + coalesce(expire, ?2) <= heard_ipv6
                 OR wish_ipv6 IS NOT NULL AND heard_ipv6 + coalesce(expire, ?2) <= heard_ipv4)"
            ),
            (zone.as_str(), expire.seconds().cast_signed(), now.seconds()),
        )?;
        let expires = |host: &Host| host.unexpired(expire, now) != host.wish.records.addresses;
        Ok(candidates.into_iter().filter(expires).collect())
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
            "{} AND zone = ?1
             AND (last_seen > ?2 OR last_change > ?2 OR heard_ipv4 > ?2 OR heard_ipv6 > ?2)",
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
            let set = "last_seen = min(last_seen, ?2), last_change = min(last_change, ?2),
                 heard_ipv4 = min(heard_ipv4, ?2), heard_ipv6 = min(heard_ipv6, ?2)";
            tx.execute(&format!("UPDATE host SET {set} WHERE {ahead}"), values)?;
            tx.commit()?;
        }
        Ok(())
    }

    /// Takes the addresses of a host away that it is not to keep, unless it was heard just now.
    /// Says why, if it did.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn expire(
        &mut self,
        id: HostId,
        expire: Span,
        now: Timestamp,
    ) -> Result<Option<String>, RegistryError> {
        let wanted = self.wanted;
        // One that a power cut takes away comes again: it is as silent as before.
        let tx = self.write(Durable::Soon)?;
        let Some(host) = by_id(&tx, id)? else {
            return Ok(None);
        };
        let (old, new) = (host.wish.records.addresses, host.unexpired(expire, now));
        if old == new {
            return Ok(None);
        }
        write_wish(&tx, &host, new, host.wish.records.ttl, now, EXPIRY)?;
        let reason = why(&host, new);
        let what = Happening {
            event: Event::Expired,
            old,
            new,
            reason: Some(reason.clone()),
        };
        outbox::note(&tx, wanted, host.id, &what, None, now)?;
        tx.commit()?;
        Ok(Some(reason))
    }
}

/// Why a host keeps no more than these addresses.
fn why(host: &Host, kept: Addresses) -> String {
    let Some(last) = host.last_seen else {
        return "never heard".to_owned();
    };
    let mut gone = Family::BOTH.into_iter().filter(|family| {
        host.wish.records.addresses.get(*family).is_some() && kept.get(*family).is_none()
    });
    let left_out = gone.next().filter(|_| !kept.is_empty());
    match left_out.and_then(|family| Some((family.name(), host.heard.get(family)?))) {
        Some((family, since)) => without(last, family, since),
        None => format!("not heard since {last}"),
    }
}

/// That a host was heard, but without an address of that family.
pub(super) fn without(last: Timestamp, family: &str, since: Timestamp) -> String {
    format!("heard at {last}, but with no {family} address since {since}")
}

/// The condition that a host of a zone may expire; `zone` is the zone's expiry.
fn may_expire(zone: Span) -> &'static str {
    match zone {
        Span::ZERO => "expire > 0",
        _ => "coalesce(expire, 1) > 0",
    }
}
