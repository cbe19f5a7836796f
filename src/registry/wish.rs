//! Wishes: what is accepted. One is on disk before anybody hears of it.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};

use super::heard::{forget_heard, note_heard};
use super::history::{self, Over};
use super::outbox::{self, Happening};
use super::row::{by_id, former_names, joined};
use super::{Durable, Host, HostId, Records, Registry, RegistryError, State};
use crate::event::{Event, Wanted};
use crate::ip::{Addresses, Family};
use crate::name::RecordName;
use crate::time::Timestamp;
use crate::token::Digest;
use crate::ttl::Ttl;

/// Why a wish waits that must not be published yet; then follows how many wishes do, or did until
/// they were replaced, since the last one that did not have to.
const TOO_MANY: &str = "too many changes: ";

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

/// What a visit asks for one host.
#[derive(Clone)]
pub struct Ask {
    /// The host.
    pub host: HostId,
    /// The token it came with: the host's, or its owner's.
    pub token: Digest,
    /// The host that it is behind, where the token is good for that one.
    pub site: Option<HostId>,
    /// The zone's TTL, for a host without its own.
    pub ttl: Ttl,
    /// The client's address.
    pub client: Option<IpAddr>,
    /// The dialect it spoke.
    pub dialect: String,
    /// The time of the visit.
    pub now: Timestamp,
    /// Whether the change is to be told; `None`: as configured.
    pub notify: Option<bool>,
    /// Not to be published before then.
    pub not_before: Option<Timestamp>,
    /// The families that it says something of.
    pub families: Vec<Family>,
    /// The addresses that the host is to have, given the host as it is then.
    pub addresses: Arc<dyn Fn(&Host) -> Addresses + Send + Sync>,
}

/// What became of a visit's wish.
#[derive(Debug, Clone)]
pub enum Accepted {
    /// It is the host's wish now, under that number.
    Wish(i64),
    /// It was the host's wish already.
    Unchanged(Box<Host>),
    /// Meanwhile it, or its owner, was switched off.
    Off,
    /// Meanwhile the token died, or the host went.
    Gone,
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ask")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
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
        self.wishes_addresses(records.addresses) && self.wish.records.names == records.names
    }

    /// Whether its wish is for these addresses, wherever.
    fn wishes_addresses(&self, addresses: Addresses) -> bool {
        self.wish.number != 0 && self.wish.records.addresses == addresses
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
        if !host.wishes_addresses(addresses) {
            return Ok(false);
        }
        // A former name is part of the wish as soon as it is one: where the wish has none,
        // there is none to look for.
        let names = &host.wish.records.names;
        Ok(*names == host.names([]) || *names == host.names(former_names(&self.db, host, now)?))
    }

    /// Makes what visits ask for the hosts' wishes, durably and all in one transaction.
    ///
    /// Inside it token and host are read again. Says what became of each.
    ///
    /// # Errors
    /// When the registry cannot be written; then nothing was accepted.
    pub fn accept(&mut self, asks: &[Ask]) -> Result<Vec<Accepted>, RegistryError> {
        let wanted = self.wanted;
        let tx = self.write(Durable::Now)?;
        let accepted = asks
            .iter()
            .map(|ask| accept_one(&tx, ask, wanted))
            .collect::<Result<_, _>>()?;
        tx.commit()?;
        Ok(accepted)
    }
}

fn accept_one(tx: &Connection, ask: &Ask, wanted: Wanted) -> Result<Accepted, RegistryError> {
    let stays = |host: &Host| host.state != State::Removing && host.settings.fixed.is_none();
    let host = by_id(tx, ask.host)?.filter(stays);
    let by = ask.site.unwrap_or(ask.host);
    let (Some(host), true) = (
        host,
        is_there(tx, ask)? && use_token(tx, wanted, &ask.token, by, ask.now)?,
    ) else {
        return Ok(Accepted::Gone);
    };
    if !host.is_on() {
        return Ok(Accepted::Off);
    }
    note_heard(tx, host.id, &ask.families, ask.now)?;
    let source = Source {
        client: ask.client,
        dialect: &ask.dialect,
    };
    let addresses = (ask.addresses)(&host);
    let waited = waited(tx, &host, ask.now)?;
    // The last one that did not have to wait is a fact: whoever published it is through with it,
    // and has not taken a later one instead. Nobody sees what waits, so it may be replaced.
    let unseen = waited > 0 && host.fact.number >= host.wish.number - waited;
    let waits_or_back = ask.not_before.is_some() || addresses == host.fact.addresses;
    let over = match unseen && waits_or_back {
        true => Over::Unseen,
        false => Over::Any,
    };
    let Some(number) = write_wish_over(tx, &host, addresses, ask.ttl, ask.now, source, over)?
    else {
        return Ok(Accepted::Unchanged(Box::new(host)));
    };
    let old = host.wish.records.addresses;
    if old != addresses {
        let what = Happening {
            event: Event::Changed,
            old,
            new: addresses,
            reason: None,
        };
        match over {
            Over::Unseen => {
                outbox::note_instead(tx, wanted, host.id, &what, ask.notify, ask.now)?;
            }
            Over::Any => outbox::note(tx, wanted, host.id, &what, ask.notify, ask.now)?,
        }
    }
    if let Some(time) = ask.not_before {
        let trouble = format!("{TOO_MANY}{} beyond the limit", waited + 1);
        tx.prepare_cached("UPDATE host SET retry_at = ?2, trouble = ?3 WHERE id = ?1")?
            .execute((ask.host.0, time.seconds(), trouble))?;
    }
    Ok(Accepted::Wish(number))
}

/// How many wishes, one after the other up to the newest, had to wait beyond the limit; none
/// when upkeep may publish that by now, or somebody has tried to.
fn waited(tx: &Connection, host: &Host, now: Timestamp) -> Result<i64, RegistryError> {
    let Some(trouble) = (host.trouble.as_deref()).and_then(|text| text.strip_prefix(TOO_MANY))
    else {
        return Ok(0);
    };
    let waits = tx
        .prepare_cached("SELECT 1 FROM host WHERE id = ?1 AND wish <> fact AND retry_at > ?2")?
        .exists((host.id.0, now.seconds()))?;
    let count = trouble
        .split(' ')
        .next()
        .and_then(|count| count.parse().ok());
    Ok(count.filter(|_| waits).unwrap_or(0))
}

/// Whether the host is still behind the site that speaks for it, and that is still on.
fn is_there(tx: &Connection, ask: &Ask) -> Result<bool, RegistryError> {
    let Some(site) = ask.site else {
        return Ok(true);
    };
    let is_behind = tx
        .prepare_cached("SELECT 1 FROM host WHERE id = ?1 AND behind = ?2")?
        .exists((ask.host.0, site.0))?;
    Ok(is_behind && by_id(tx, site)?.is_some_and(|site| site.is_on()))
}

/// Whether the token is still good for the host; of an old one the use is noted, and told
/// when it is the first.
pub(super) fn use_token(
    tx: &Connection,
    wanted: Wanted,
    token: &Digest,
    host: HostId,
    now: Timestamp,
) -> Result<bool, RegistryError> {
    let found: Option<(Option<i64>, bool)> = tx
        .prepare_cached(
            "SELECT until, used IS NULL FROM token WHERE digest = ?1
             AND (host = ?2 OR owner = (SELECT owner FROM host WHERE id = ?2))",
        )?
        .query_row((token.as_bytes(), host.0), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    if let Some((Some(until), first)) = found {
        tx.prepare_cached("UPDATE token SET used = ?2 WHERE digest = ?1")?
            .execute((token.as_bytes(), now.seconds()))?;
        if let (true, Some(host)) = (first, by_id(tx, host)?) {
            let reason = format!("it dies at {}", Timestamp::from_seconds(until));
            let what = Happening::at(Event::OldToken, host.wish.records.addresses, reason);
            outbox::note(tx, wanted, host.id, &what, None, now)?;
        }
    }
    Ok(found.is_some_and(|(until, _)| until.is_none_or(|until| until > now.seconds())))
}

/// Makes `addresses` the host's wish, though its client did not tell them; `None` when it is
/// already.
///
/// A wish on top of an unconfirmed one leaves a note of it, unless it is known how that one
/// ended: the older UPDATE may still be on its way.
pub(super) fn write_wish(
    tx: &Connection,
    host: &Host,
    addresses: Addresses,
    ttl: Ttl,
    now: Timestamp,
    source: Source<'_>,
) -> Result<Option<i64>, RegistryError> {
    for address in addresses.iter() {
        let family = Family::of(address);
        if host.wish.records.addresses.get(family) != Some(address) {
            forget_heard(tx, host.id, family)?;
        }
    }
    write_wish_over(tx, host, addresses, ttl, now, source, Over::Any)
}

/// The same, and says what the wishes since the fact were.
fn write_wish_over(
    tx: &Connection,
    host: &Host,
    addresses: Addresses,
    ttl: Ttl,
    now: Timestamp,
    source: Source<'_>,
    over: Over,
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
         wish_at = ?7, held_names = ?8, last_change = CASE WHEN ?9 THEN ?7 ELSE last_change END,
         trouble = NULL, failures = 0, retry_at = NULL,
         unconfirmed = CASE WHEN wish = fact OR trouble IS NOT NULL THEN unconfirmed
                       ELSE ?7 END WHERE id = ?1",
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
        addresses != host.wish.records.addresses,
    ))?;
    history::note(tx, host, addresses, over, now, source)?;
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
