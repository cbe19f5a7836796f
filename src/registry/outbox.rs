//! The outbox: what happened and is to be told, in the transaction in which it happened.
//!
//! Every channel has a row of its own, so that one that fails holds up no other.

mod delivery;
mod instead;

pub use delivery::{Delivery, Notice};
pub(super) use instead::note_instead;

use rusqlite::Connection;

use super::{Durable, HostId, Registry, RegistryError};
use crate::event::{Channel, Event, Events, Wanted};
use crate::ip::{Addresses, Family};
use crate::span::Span;
use crate::time::Timestamp;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// What.
    pub event: Event,
    /// The addresses before.
    pub old: Addresses,
    /// The addresses now.
    pub new: Addresses,
    /// Why, or what exactly.
    pub reason: Option<String>,
}

impl Happening {
    /// What happened to a host whose addresses stay as they are.
    pub const fn at(event: Event, addresses: Addresses, reason: String) -> Self {
        Happening {
            event,
            old: addresses,
            new: addresses,
            reason: Some(reason),
        }
    }
}

impl Registry {
    /// From now on, events in this registry are put into the outbox as `wanted` says.
    #[must_use]
    pub fn tell(mut self, wanted: Wanted) -> Self {
        self.wanted = wanted;
        self
    }

    /// Puts what is about no host into the outbox, unless the same was told less than `pause`
    /// ago, be it with other numbers.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn note_upkeep(
        &mut self,
        reason: &str,
        pause: Span,
        now: Timestamp,
    ) -> Result<(), RegistryError> {
        let wanted = self.wanted;
        if wanted == Wanted::NOTHING {
            return Ok(());
        }
        let tx = self.write(Durable::Now)?;
        let of_late = (
            Event::Upkeep.as_str(),
            now.minus(pause).seconds(),
            now.seconds(),
        );
        let told: Vec<String> = tx
            .prepare_cached(
                "SELECT reason FROM outbox WHERE host IS NULL AND event = ?1
                      AND at > ?2 AND at <= ?3",
            )?
            .query_map(of_late, |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let told = told.iter().any(|told| is_same(told, reason));
        for (channel, events) in wanted.iter().filter(|_| !told) {
            if events.contains(Event::Upkeep) && (channel != Channel::Mail || wanted.operator) {
                let what = Happening::at(Event::Upkeep, Addresses::NONE, reason.to_owned());
                insert(&tx, None, channel, &what, now)?;
            }
        }
        Ok(tx.commit()?)
    }
}

/// Whether two reasons differ in numbers only: how many, and for how long.
fn is_same(one: &str, other: &str) -> bool {
    fn words(text: &str) -> impl Iterator<Item = &str> {
        let words = text.split_whitespace();
        words.filter(|word| !word.starts_with(|c: char| c.is_ascii_digit()))
    }
    words(one).eq(words(other))
}

/// Puts what happened to a host into the outbox, for each channel that wants it.
///
/// A host's own choice counts before its owner's, and that before what is configured. Mail
/// that nobody would get is not written. `asked`: what the visit itself wants.
pub(super) fn note(
    tx: &Connection,
    wanted: Wanted,
    host: HostId,
    what: &Happening,
    asked: Option<bool>,
    now: Timestamp,
) -> Result<(), RegistryError> {
    for channel in channels(tx, wanted, host, what.event, asked)? {
        insert(tx, Some(host), channel, what, now)?;
    }
    Ok(())
}

/// The channels that want an event of a host.
fn channels(
    tx: &Connection,
    wanted: Wanted,
    host: HostId,
    event: Event,
    asked: Option<bool>,
) -> Result<Vec<Channel>, RegistryError> {
    if wanted == Wanted::NOTHING || asked == Some(false) {
        return Ok(Vec::new());
    }
    let mut found = tx.prepare_cached(
        "SELECT coalesce(host.notify, owner.notify) AS notify,
         coalesce(host.mail, owner.mail) IS NOT NULL AS has_mail
         FROM host LEFT JOIN owner ON owner.id = host.owner
         WHERE host.id = ?1 AND host.state <> 'removing'",
    )?;
    let mut rows = found.query([host.0])?;
    // One that was removed meanwhile is told of no more.
    let Some(row) = rows.next()? else {
        return Ok(Vec::new());
    };
    let own = events(row.get("notify")?)?;
    let has_mail: bool = row.get("has_mail")?;
    let wants = |(channel, events): &(Channel, Events)| {
        let is_wanted = asked == Some(true) || own.unwrap_or(*events).contains(event);
        let is_heard = *channel != Channel::Mail || has_mail || wanted.operator;
        is_wanted && is_heard
    };
    Ok((wanted.iter().filter(wants))
        .map(|(channel, _)| channel)
        .collect())
}

fn insert(
    tx: &Connection,
    host: Option<HostId>,
    channel: Channel,
    what: &Happening,
    now: Timestamp,
) -> Result<(), RegistryError> {
    let text = |addresses: Addresses, family| addresses.get(family).map(|ip| ip.to_string());
    tx.prepare_cached(
        "INSERT INTO outbox (host, at, event, channel, old_ipv4, old_ipv6, new_ipv4, new_ipv6,
         reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute((
        host.map(HostId::number),
        now.seconds(),
        what.event.as_str(),
        channel.as_str(),
        text(what.old, Family::Ipv4),
        text(what.old, Family::Ipv6),
        text(what.new, Family::Ipv4),
        text(what.new, Family::Ipv6),
        &what.reason,
    ))?;
    Ok(())
}

/// The kinds of events chosen for a host or an owner, from the column `notify`.
pub(super) fn events(text: Option<String>) -> Result<Option<Events>, RegistryError> {
    text.map(|text| text.parse().map_err(|_| RegistryError::Damaged(text)))
        .transpose()
}
