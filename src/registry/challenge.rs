//! Challenges for certificates: what is to stand at `_acme-challenge` of a host, and for how long.
//!
//! As with addresses, what is accepted is on disk before anybody hears of it, and stays there
//! until the name server shows it. A challenge may outlive its host.

use rusqlite::{Connection, OptionalExtension, Row};

use super::due::LONGEST_PAUSE;
use super::row::by_id;
use super::wish::use_token;
use super::{Durable, Host, HostId, Registry, RegistryError, UNSETTLED};
use crate::challenge::ChallengeValue;
use crate::name::{HostName, ZoneName};
use crate::span::Span;
use crate::time::Timestamp;
use crate::token::Digest;

/// So many challenges of a host are known at once, those that are to be gone too: what waits for
/// a name server has to go into one UPDATE.
const MOST: i64 = 32;
/// So often, within a day, a name server refuses to remove one before that is left to people.
const REFUSED: i64 = 30;

/// One challenge of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The name that the certificate is for.
    pub name: HostName,
    /// What is to stand there, or to be gone.
    pub value: ChallengeValue,
    /// Which of the two.
    pub wanted: bool,
    /// Which asking that was.
    id: i64,
}

/// What a visit asks about challenges.
#[derive(Debug, Clone)]
pub struct ChallengeAsk<'a> {
    /// The host.
    pub host: HostId,
    /// The token it came with: the host's, or its owner's.
    pub token: Digest,
    /// The host's name, or a former one.
    pub name: &'a HostName,
    /// What to do there.
    pub edit: &'a ChallengeEdit,
    /// The dialect it spoke.
    pub dialect: &'a str,
    /// The time of the visit.
    pub now: Timestamp,
}

/// What is to be done with challenges at a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChallengeEdit {
    /// It is to stand there, and so many newest ones of the dialect in all.
    Add(ChallengeValue, usize),
    /// It is to be gone.
    Remove(ChallengeValue),
    /// All of the dialect are to be gone.
    Clear,
}

/// How many challenges there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChallengeCount {
    /// Those that the name server shows.
    pub standing: u32,
    /// Those that it has still to set or remove.
    pub pending: u32,
    /// Since when the oldest of these waits.
    pub since: Option<Timestamp>,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChallengeAccepted {
    /// It is on disk.
    Yes,
    /// Meanwhile the token died or the host was switched off.
    Gone,
    /// So many wait for the name server already.
    TooMany(i64),
}

impl Registry {
    /// Accepts what a visit asks, durably, if token and host are still good then.
    ///
    /// # Errors
    /// When the registry cannot be written; then nothing was accepted.
    pub fn accept_challenge(
        &mut self,
        ask: &ChallengeAsk<'_>,
    ) -> Result<ChallengeAccepted, RegistryError> {
        let wanted = self.wanted;
        let tx = self.write(Durable::Now)?;
        let host = by_id(&tx, ask.host)?.filter(Host::is_on);
        if host.is_none() || !use_token(&tx, wanted, &ask.token, ask.host, ask.now)? {
            return Ok(ChallengeAccepted::Gone);
        }
        if let ChallengeEdit::Add(value, _) | ChallengeEdit::Remove(value) = ask.edit
            && others(&tx, ask, value)? >= MOST
        {
            return Ok(ChallengeAccepted::TooMany(MOST));
        }
        match ask.edit {
            ChallengeEdit::Add(value, most) => {
                write(&tx, ask, value, true)?;
                keep(&tx, ask, *most)?;
            }
            ChallengeEdit::Remove(value) => write(&tx, ask, value, false)?,
            ChallengeEdit::Clear => keep(&tx, ask, 0)?,
        }
        tx.commit()?;
        Ok(ChallengeAccepted::Yes)
    }

    /// The challenges of a host, those that are to be gone too, by name.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn challenges(&self, host: HostId) -> Result<Vec<Challenge>, RegistryError> {
        let mut statement = self.db.prepare_cached(
            "SELECT id, zone, name, value, wanted FROM challenge WHERE host = ?1 ORDER BY name, id",
        )?;
        let mut rows = statement.query([host.0])?;
        let mut challenges = Vec::new();
        while let Some(row) = rows.next()? {
            challenges.push(read(row)?);
        }
        Ok(challenges)
    }

    /// Ends challenges that are older than `keep`, their clients having forgotten them, or whose
    /// host is gone, switched off by itself or with its owner, or has that name no more; they go
    /// with the next settling. Says how many.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn end_challenges(&mut self, keep: Span, now: Timestamp) -> Result<usize, RegistryError> {
        // A clock that went back must not keep one for ever either.
        let over = "wanted AND (at NOT BETWEEN ?1 - ?2 AND ?1 + ?2 OR NOT EXISTS
            (SELECT 1 FROM host LEFT JOIN owner ON owner.id = host.owner
             WHERE host.id = challenge.host AND host.state = 'active'
             AND (owner.id IS NULL OR owner.state = 'active')
             AND (host.name = challenge.name OR EXISTS
                  (SELECT 1 FROM former_name AS former WHERE former.name = challenge.name
                   AND former.host = host.id AND former.until > ?1))))";
        let values = (now.seconds(), keep.seconds().cast_signed());
        let any = format!("SELECT EXISTS (SELECT 1 FROM challenge WHERE {over})");
        if !self.db.query_row(&any, values, |row| row.get(0))? {
            return Ok(0);
        }
        let tx = self.write(Durable::Now)?;
        let ended = tx.execute(&format!("UPDATE challenge SET {END} WHERE {over}"), values)?;
        tx.commit()?;
        Ok(ended)
    }

    /// How many challenges there are.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn count_challenges(&self) -> Result<ChallengeCount, RegistryError> {
        let count = self.db.query_row(
            "SELECT count(*) FILTER (WHERE wanted AND confirmed),
             count(*) FILTER (WHERE NOT confirmed),
             min(at) FILTER (WHERE NOT confirmed) FROM challenge",
            [],
            |row| {
                let since: Option<i64> = row.get(2)?;
                Ok(ChallengeCount {
                    standing: row.get(0)?,
                    pending: row.get(1)?,
                    since: since.map(Timestamp::from_seconds),
                })
            },
        )?;
        Ok(count)
    }

    /// The hosts whose challenges are to be settled, and their zones: what is not confirmed,
    /// and what an unanswered UPDATE may still change.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn due_challenges(&self, now: Timestamp) -> Result<Vec<(HostId, ZoneName)>, RegistryError> {
        let mut statement = self.db.prepare_cached(
            "SELECT DISTINCT host, zone FROM challenge
             WHERE (NOT confirmed OR unconfirmed IS NOT NULL)
             AND (retry_at IS NULL OR retry_at <= ?1 OR retry_at > ?2) ORDER BY zone, host",
        )?;
        let latest = now.plus(LONGEST_PAUSE);
        let mut rows = statement.query((now.seconds(), latest.seconds()))?;
        let mut due = Vec::new();
        while let Some(row) = rows.next()? {
            due.push((HostId(row.get(0)?), row.get::<_, String>(1)?.parse()?));
        }
        Ok(due)
    }

    /// Forgets the challenges of a host that is gone from a zone that is gone too: nobody can be
    /// asked to remove them. Whether there were any.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn forget_challenges(
        &mut self,
        host: HostId,
        zone: &ZoneName,
    ) -> Result<bool, RegistryError> {
        let tx = self.write(Durable::Soon)?;
        let forgotten = tx.execute(
            "DELETE FROM challenge WHERE host = ?1 AND zone = ?2
             AND NOT EXISTS (SELECT 1 FROM host WHERE id = ?1)",
            (host.0, zone.as_str()),
        )?;
        tx.commit()?;
        Ok(forgotten > 0)
    }

    /// Notes that the name server shows challenges as they are to be. Those that are gone are
    /// forgotten, but not while an older UPDATE may still bring them back.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn confirm_challenges(
        &mut self,
        challenges: &[Challenge],
        now: Timestamp,
    ) -> Result<(), RegistryError> {
        let tx = self.write(Durable::Soon)?;
        let (settled, ahead) = (now.minus(UNSETTLED), now.plus(UNSETTLED));
        for Challenge { id, wanted, .. } in challenges {
            tx.prepare_cached(
                "UPDATE challenge SET confirmed = 1, failures = 0, retry_at = NULL,
                 unconfirmed = CASE WHEN unconfirmed > ?3 AND unconfirmed < ?4 THEN unconfirmed END
                 WHERE id = ?1 AND wanted = ?2",
            )?
            .execute((id, wanted, settled.seconds(), ahead.seconds()))?;
        }
        tx.execute(
            "DELETE FROM challenge WHERE NOT wanted AND confirmed AND unconfirmed IS NULL",
            [],
        )?;
        Ok(tx.commit()?)
    }

    /// Notes that challenges of a host could not be settled: whether that may have been done
    /// all the same, and whether the name server refuses it, which is tried more and more rarely.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn fail_challenges(
        &mut self,
        host: HostId,
        challenges: &[Challenge],
        may_be_applied: bool,
        refused: bool,
        now: Timestamp,
    ) -> Result<(), RegistryError> {
        let tx = self.write(Durable::Soon)?;
        for Challenge { name, value, .. } in challenges {
            // Whoever asked again meanwhile has to know of it too.
            tx.prepare_cached(
                "UPDATE challenge SET confirmed = 0, failures = failures + ?4,
                 unconfirmed = CASE WHEN ?5 THEN ?6 ELSE unconfirmed END,
                 retry_at = CASE WHEN ?4 THEN ?6 + min(?7, 60 << min(failures, 8)) END
                 WHERE host = ?1 AND name = ?2 AND value = ?3",
            )?
            .execute((
                host.0,
                name.as_str(),
                value.as_str(),
                refused,
                may_be_applied,
                now.seconds(),
                LONGEST_PAUSE.seconds().cast_signed(),
            ))?;
        }
        // Who refuses for a day will not take it any more: the operator has seen why.
        tx.execute(
            "DELETE FROM challenge WHERE NOT wanted AND failures > ?1",
            [REFUSED],
        )?;
        Ok(tx.commit()?)
    }
}

/// Ends a challenge; an UPDATE that is not confirmed may still bring it back.
const END: &str = "wanted = 0, confirmed = 0, at = ?1, retry_at = NULL, \
    unconfirmed = CASE WHEN confirmed THEN unconfirmed ELSE ?1 END";

/// Ends all challenges of a host: whoever has its name next did not set them.
pub(super) fn end_all(tx: &Connection, host: HostId, now: Timestamp) -> Result<(), RegistryError> {
    tx.prepare_cached(&format!(
        "UPDATE challenge SET {END} WHERE host = ?2 AND wanted"
    ))?
    .execute((now.seconds(), host.0))?;
    Ok(())
}

/// How many challenges of the host are known besides that one.
fn others(
    tx: &Connection,
    ask: &ChallengeAsk<'_>,
    value: &ChallengeValue,
) -> Result<i64, RegistryError> {
    let count = tx
        .prepare_cached(
            "SELECT count(*) FROM challenge WHERE host = ?1 AND NOT (name = ?2 AND value = ?3)",
        )?
        .query_row((ask.host.0, ask.name.as_str(), value.as_str()), |row| {
            row.get(0)
        })?;
    Ok(count)
}

/// Makes it the host's wish that a value is there, or is gone.
fn write(
    tx: &Connection,
    ask: &ChallengeAsk<'_>,
    value: &ChallengeValue,
    wanted: bool,
) -> Result<(), RegistryError> {
    let unconfirmed: Option<Option<i64>> = tx
        .prepare_cached(
            "SELECT CASE WHEN confirmed THEN unconfirmed ELSE ?4 END FROM challenge
             WHERE host = ?1 AND name = ?2 AND value = ?3",
        )?
        .query_row(
            (
                ask.host.0,
                ask.name.as_str(),
                value.as_str(),
                ask.now.seconds(),
            ),
            |row| row.get(0),
        )
        .optional()?;
    tx.prepare_cached(
        "INSERT OR REPLACE INTO challenge (host, zone, name, value, dialect, at, wanted, unconfirmed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute((
        ask.host.0,
        ask.name.zone().as_str(),
        ask.name.as_str(),
        value.as_str(),
        ask.dialect,
        ask.now.seconds(),
        wanted,
        unconfirmed.flatten(),
    ))?;
    Ok(())
}

/// Ends all but the newest `most` that the dialect has set at the name.
fn keep(tx: &Connection, ask: &ChallengeAsk<'_>, most: usize) -> Result<(), RegistryError> {
    tx.prepare_cached(&format!(
        "UPDATE challenge SET {END} WHERE id IN (SELECT id FROM challenge
         WHERE host = ?2 AND name = ?3 AND dialect = ?4 AND wanted
         ORDER BY id DESC LIMIT -1 OFFSET ?5)"
    ))?
    .execute((
        ask.now.seconds(),
        ask.host.0,
        ask.name.as_str(),
        ask.dialect,
        i64::try_from(most).unwrap_or(i64::MAX),
    ))?;
    Ok(())
}

/// The columns of [`Registry::challenges`].
fn read(row: &Row<'_>) -> Result<Challenge, RegistryError> {
    let zone: ZoneName = row.get::<_, String>(1)?.parse()?;
    let value: String = row.get(3)?;
    Ok(Challenge {
        id: row.get(0)?,
        name: HostName::new(&row.get::<_, String>(2)?, &zone)?,
        value: value.parse().map_err(|_| RegistryError::Damaged(value))?,
        wanted: row.get(4)?,
    })
}
