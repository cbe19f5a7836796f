//! What is told instead of changes that nobody has seen: of those beyond the limit, which only
//! the newest outlives.
//!
//! A round of delivery reads what waits some time before it claims it, and by then that may be
//! replaced. So what replaces it always has a number of its own, and is put in before the other
//! goes: SQLite gives the highest number out again once it is free, and the round would claim,
//! untold, what has it now. And there always is something to be told afterwards that ends at
//! the newest addresses.

use rusqlite::Connection;

use super::super::values::Values;
use super::super::{HostId, RegistryError};
use super::{Happening, channels, insert};
use crate::event::{Channel, Wanted};
use crate::ip::Addresses;
use crate::time::Timestamp;

/// A change that waits to be told, and was never sent.
struct Unsent {
    id: i64,
    at: Timestamp,
    old: Addresses,
    new: Addresses,
}

/// Puts a change of a host into the outbox, instead of the one before it where that was not
/// sent yet.
///
/// Whether that was to be told is decided: also a visit that does not want its own change told
/// only makes it true again.
pub(in super::super) fn note_instead(
    tx: &Connection,
    wanted: Wanted,
    host: HostId,
    what: &Happening,
    asked: Option<bool>,
    now: Timestamp,
) -> Result<(), RegistryError> {
    let wanting = channels(tx, wanted, host, what.event, asked)?;
    for (channel, _) in wanted.iter() {
        let unsent = unsent(tx, host, channel, what)?;
        let mut unsent = unsent.iter();
        let last = unsent.next().filter(|last| last.new == what.old);
        match (last, unsent.next()) {
            (Some(last), _) if last.old != what.new => again(tx, last, what.new, now)?,
            // It is back where it was, and to get there was to be told already.
            (Some(last), Some(before)) if before.new == what.new => {
                again(tx, before, before.new, before.at)?;
                remove(tx, last)?;
            }
            _ if wanting.contains(&channel) || last.is_some() => {
                insert(tx, Some(host), channel, what, now)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The last two such events of a host that wait on a channel, the newest first; none behind
/// one that is being sent, or was without an answer.
fn unsent(
    tx: &Connection,
    host: HostId,
    channel: Channel,
    what: &Happening,
) -> Result<Vec<Unsent>, RegistryError> {
    let mut statement = tx.prepare_cached(
        "SELECT id, at, old_ipv4, old_ipv6, new_ipv4, new_ipv6,
         message IS NULL AND sending IS NULL AS is_free
         FROM outbox INDEXED BY outbox_waiting
         WHERE done IS NULL AND channel = ?1 AND host = ?2 AND event = ?3
         ORDER BY id DESC LIMIT 2",
    )?;
    let mut rows = statement.query((channel.as_str(), host.0, what.event.as_str()))?;
    let mut unsent = Vec::new();
    while let Some(row) = rows.next()? {
        let row = Values::of(row);
        let one = Unsent {
            id: row.next()?,
            at: Timestamp::from_seconds(row.next()?),
            old: row.addresses()?,
            new: row.addresses()?,
        };
        if !row.next::<bool>()? {
            break;
        }
        unsent.push(one);
    }
    Ok(unsent)
}

/// Puts that one in again behind all others, as of `at` and to `new`; a receiver that takes
/// nothing still has its pause.
fn again(
    tx: &Connection,
    unsent: &Unsent,
    new: Addresses,
    at: Timestamp,
) -> Result<(), RegistryError> {
    tx.prepare_cached(
        "INSERT INTO outbox (host, at, event, channel, old_ipv4, old_ipv6, new_ipv4, new_ipv6,
         reason, failures, trouble, retry_at)
         SELECT host, ?2, event, channel, old_ipv4, old_ipv6, ?3, ?4,
         reason, failures, trouble, retry_at FROM outbox WHERE id = ?1",
    )?
    .execute((
        unsent.id,
        at.seconds(),
        new.ipv4.map(|ipv4| ipv4.to_string()),
        new.ipv6.map(|ipv6| ipv6.to_string()),
    ))?;
    remove(tx, unsent)
}

fn remove(tx: &Connection, unsent: &Unsent) -> Result<(), RegistryError> {
    tx.prepare_cached("DELETE FROM outbox WHERE id = ?1")?
        .execute([unsent.id])?;
    Ok(())
}
