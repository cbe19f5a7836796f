//! What waits in the outbox, and what became of it.
//!
//! A notice is claimed, durably, just before its message is sent. When its sender dies
//! meanwhile it is given up, for nobody can tell whether it arrived: no message goes twice
//! after a crash. What was delivered stays as long as the history does.

use rusqlite::Row;

use super::super::past::whose;
use super::super::values::Values;
use super::super::{Durable, HostId, Registry, RegistryError};
use super::Happening;
use crate::event::{Channel, Event};
use crate::ip::Family;
use crate::name::HostName;
use crate::time::Timestamp;

/// The first pause after a delivery that failed; each further one is twice as long.
const PAUSE: i64 = 60;
/// The longest pause.
const LONGEST_PAUSE: i64 = 3600;
/// So often a message is sent without a word back.
const MOST_DOUBTS: u32 = 3;
/// What is said of one whose sender died.
const INTERRUPTED: &str =
    "interrupted while it was sent: it may have arrived, and is not sent again";

/// Something that is to be told, or was, on one channel.
#[derive(Debug, Clone)]
pub struct Notice {
    /// Its number.
    pub id: i64,
    /// The host it is about.
    pub host: Option<HostId>,
    /// That host's name today.
    pub name: Option<HostName>,
    /// When it happened.
    pub at: Timestamp,
    /// Where it is told.
    pub channel: Channel,
    /// What happened.
    pub what: Happening,
    /// The message it is part of.
    pub message: Option<String>,
    /// To whom its mail goes: to the host's person, else its owner; `None`: to the operator.
    pub to: Option<String>,
    /// How often its delivery has failed.
    pub failures: u32,
    /// When it is tried again.
    pub retry_at: Option<Timestamp>,
    /// Why it failed last.
    pub trouble: Option<String>,
    /// When it was delivered or given up.
    pub done: Option<Timestamp>,
    /// Whether it was given up.
    pub given_up: bool,
}

/// How a delivery ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// It was taken.
    Done,
    /// It was surely not taken, and is tried again, in whatever message then; as the same one where
    /// nothing was heard of it before.
    Refused(String),
    /// It was sent and nothing was heard: it goes again as the same message, a few times.
    Unanswered(String),
    /// It was not taken, and is not tried again.
    GivenUp(String),
}

/// The columns that [`read`] takes, in its order.
const COLUMNS: &str = "outbox.id, outbox.host, host.name, host.zone, at, event, channel, \
    old_ipv4, old_ipv6, new_ipv4, new_ipv6, reason, message, \
    coalesce(host.mail, owner.mail), outbox.failures, outbox.retry_at, outbox.trouble, \
    done, given_up \
    FROM outbox LEFT JOIN host ON host.id = outbox.host LEFT JOIN owner ON owner.id = host.owner";

impl Notice {
    /// What kind of event it is about.
    pub const fn event(&self) -> Event {
        self.what.event
    }

    /// Whether it is tried again later. Where that is later than any pause, a clock was ahead.
    pub fn rests(&self, now: Timestamp) -> bool {
        self.retry_at
            .is_some_and(|at| at > now && at.seconds() <= now.seconds() + LONGEST_PAUSE)
    }
}

impl Registry {
    /// What waits on a channel, oldest first, `most` at most; what is tried again later comes
    /// last. A command acts on what it hears of a host, the newest last: what is newer than
    /// something that is tried again later is left out there.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn waiting(
        &self,
        channel: Channel,
        most: u32,
        now: Timestamp,
    ) -> Result<Vec<Notice>, RegistryError> {
        // By what there is of the host: all that waits would be gone through for each.
        self.notices(
            "WHERE done IS NULL AND channel = ?1 AND NOT (channel = 'command' AND EXISTS (
                 SELECT 1 FROM outbox AS older INDEXED BY outbox_host WHERE older.host IS outbox.host
                 AND older.id < outbox.id AND older.channel = outbox.channel AND older.done IS NULL
                 AND older.retry_at > ?2 AND older.retry_at <= ?2 + ?4))
             ORDER BY coalesce(outbox.retry_at > ?2 AND outbox.retry_at <= ?2 + ?4, 0),
             outbox.id LIMIT ?3",
            (channel.as_str(), now.seconds(), most, LONGEST_PAUSE),
        )
    }

    /// What was told, or given up, since `since`, oldest first; of one host or of all.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn told(
        &self,
        host: Option<HostId>,
        since: Timestamp,
    ) -> Result<Vec<Notice>, RegistryError> {
        let whose = whose("outbox.host", host);
        self.notices(
            &format!("WHERE {whose} AND done >= ?1 ORDER BY done, outbox.id"),
            (since.seconds(), host.map(HostId::number)),
        )
    }

    /// What waits, or was given up since `since`.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn undelivered(&self, since: Timestamp) -> Result<Vec<Notice>, RegistryError> {
        self.notices(
            "WHERE done IS NULL OR (given_up AND done >= ?1) ORDER BY outbox.id",
            [since.seconds()],
        )
    }

    /// Gives up what was being sent when its sender died, and says how much; to be called
    /// while nobody else is sending.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn give_up_interrupted(&mut self, now: Timestamp) -> Result<usize, RegistryError> {
        let is_some = (self.db)
            .prepare_cached("SELECT 1 FROM outbox WHERE done IS NULL AND sending IS NOT NULL")?
            .exists(())?;
        if !is_some {
            return Ok(0);
        }
        let tx = self.write(Durable::Now)?;
        let count = tx.execute(
            "UPDATE outbox SET done = ?1, given_up = 1, trouble = ?2, sending = NULL
             WHERE done IS NULL AND sending IS NOT NULL",
            (now.seconds(), INTERRUPTED),
        )?;
        tx.commit()?;
        Ok(count)
    }

    /// Notes that notices are being sent, as that message.
    ///
    /// # Errors
    /// When the registry cannot be written: then they must not be sent.
    pub fn claim(
        &mut self,
        notices: &[i64],
        message: &str,
        now: Timestamp,
    ) -> Result<(), RegistryError> {
        let tx = self.write(Durable::Now)?;
        for id in notices {
            tx.prepare_cached("UPDATE outbox SET message = ?2, sending = ?3 WHERE id = ?1")?
                .execute((id, message, now.seconds()))?;
        }
        Ok(tx.commit()?)
    }

    /// Notes that they are not sent as that message after all.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn unclaim(&mut self, notices: &[i64]) -> Result<(), RegistryError> {
        let tx = self.write(Durable::Now)?;
        for id in notices {
            tx.prepare_cached("UPDATE outbox SET message = NULL, sending = NULL WHERE id = ?1")?
                .execute([id])?;
        }
        Ok(tx.commit()?)
    }

    /// Notes how the delivery of notices ended; what happened before `give_up` and still waits
    /// is given up. Says how many of them were, for whatever reason.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn delivered(
        &mut self,
        notices: &[i64],
        delivery: &Delivery,
        give_up: Timestamp,
        now: Timestamp,
    ) -> Result<usize, RegistryError> {
        let now = now.seconds();
        let (how, why) = match delivery {
            Delivery::Done => ("done = ?2, trouble = ?3, retry_at = NULL", None),
            Delivery::GivenUp(why) => (
                "done = ?2, given_up = 1, trouble = ?3, retry_at = NULL",
                Some(why),
            ),
            // That it is not taken now does not tell whether it was before.
            Delivery::Refused(why) => (
                "message = iif(doubts = 0, NULL, message), trouble = ?3, ?AGAIN",
                Some(why),
            ),
            Delivery::Unanswered(why) => ("trouble = ?3, doubts = doubts + 1, ?AGAIN", Some(why)),
        };
        let again = format!(
            "failures = failures + 1,
             retry_at = ?2 + min({LONGEST_PAUSE}, {PAUSE} << min(failures, 10))"
        );
        let how = how.replace("?AGAIN", &again);
        let mut given_up = match delivery {
            Delivery::GivenUp(_) => notices.len(),
            _ => 0,
        };
        let tx = self.write(Durable::Now)?;
        for id in notices {
            tx.prepare_cached(&format!(
                "UPDATE outbox SET sending = NULL, {how} WHERE id = ?1"
            ))?
            .execute((id, now, why))?;
            given_up += tx
                .prepare_cached(
                    "UPDATE outbox SET done = ?2, given_up = 1, retry_at = NULL
                     WHERE id = ?1 AND done IS NULL AND (at <= ?3 OR doubts >= ?4)",
                )?
                .execute((id, now, give_up.seconds(), MOST_DOUBTS))?;
        }
        tx.commit()?;
        Ok(given_up)
    }

    /// Lets what waits on a channel go that is not configured any more; says how much.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn drop_waiting(&mut self, channel: Channel) -> Result<usize, RegistryError> {
        let is_some = (self.db)
            .prepare_cached("SELECT 1 FROM outbox WHERE done IS NULL AND channel = ?1")?
            .exists([channel.as_str()])?;
        if !is_some {
            return Ok(0);
        }
        let tx = self.write(Durable::Soon)?;
        let gone = tx.execute(
            "DELETE FROM outbox WHERE done IS NULL AND channel = ?1",
            [channel.as_str()],
        )?;
        tx.commit()?;
        Ok(gone)
    }

    /// Where a host's person is reached, else its owner.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn mail_of(&self, host: HostId) -> Result<Option<String>, RegistryError> {
        Ok(self.db.query_row(
            "SELECT coalesce(host.mail, owner.mail)
             FROM host LEFT JOIN owner ON owner.id = host.owner WHERE host.id = ?1",
            [host.0],
            |row| row.get(0),
        )?)
    }

    /// When each address of a host last changed before `at`, as far as the history knows.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn last_changes(
        &self,
        host: HostId,
        at: Timestamp,
    ) -> Result<[Option<Timestamp>; 2], RegistryError> {
        let last = |family: Family| -> Result<Option<Timestamp>, RegistryError> {
            let seconds: Option<i64> = self
                .db
                .prepare_cached(
                    "SELECT max(at) FROM history WHERE host = ?1 AND family = ?2 AND at < ?3",
                )?
                .query_row((host.0, family.as_str(), at.seconds()), |row| row.get(0))?;
            Ok(seconds.map(Timestamp::from_seconds))
        };
        Ok([last(Family::Ipv4)?, last(Family::Ipv6)?])
    }

    /// Forgets notices that were done before `before`; says how many.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn prune_outbox(&mut self, before: Timestamp) -> Result<usize, RegistryError> {
        self.forget("outbox", "done", before)
    }

    fn notices(
        &self,
        condition: &str,
        values: impl rusqlite::Params,
    ) -> Result<Vec<Notice>, RegistryError> {
        let mut statement = self
            .db
            .prepare_cached(&format!("SELECT {COLUMNS} {condition}"))?;
        let mut rows = statement.query(values)?;
        let mut notices = Vec::new();
        while let Some(row) = rows.next()? {
            notices.extend(read(row)?);
        }
        Ok(notices)
    }
}

/// A notice; none where the name of its host is damaged: it waits until that is mended, and others
/// do not wait with it.
fn read(row: &Row<'_>) -> Result<Option<Notice>, RegistryError> {
    let row = Values::of(row);
    let id = row.next()?;
    let host = row.next::<Option<i64>>()?.map(HostId);
    let name: (Option<String>, Option<String>) = (row.next()?, row.next()?);
    let name = match name {
        (Some(name), Some(zone)) => match zone.parse().map(|zone| HostName::new(&name, &zone)) {
            Ok(Ok(name)) => Some(name),
            _ => return Ok(None),
        },
        _ => None,
    };
    let at = Timestamp::from_seconds(row.next()?);
    let (event, channel): (String, String) = (row.next()?, row.next()?);
    let event: Result<Event, _> = event.parse();
    Ok(Some(Notice {
        id,
        host,
        name,
        at,
        channel: Channel::ALL
            .into_iter()
            .find(|one| one.as_str() == channel)
            .ok_or(RegistryError::Damaged(channel))?,
        what: Happening {
            event: event.map_err(|error| RegistryError::Damaged(error.to_string()))?,
            old: row.addresses()?,
            new: row.addresses()?,
            reason: row.next()?,
        },
        message: row.next()?,
        to: row.next()?,
        failures: row.next()?,
        retry_at: row.time()?,
        trouble: row.next()?,
        done: row.time()?,
        given_up: row.next()?,
    }))
}
