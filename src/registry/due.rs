//! Which hosts wait for the name server.
//!
//! A clock may have been ahead for a while. What is due at a time farther off than anything is
//! ever put off is due now, and what happened in a time to come happened nobody knows when.

use super::{Host, HostId, Registry, RegistryError, UNSETTLED};
use crate::name::ZoneName;
use crate::span::Span;
use crate::time::Timestamp;

/// Longer than so many minutes nothing should wait for its name server, nor for upkeep.
pub const LATE_MINUTES: u64 = 5;
/// The same as a length of time.
pub const LATE: Span = Span::from_seconds(LATE_MINUTES * 60);

/// Nothing that is refused is put off for longer than this.
pub(super) const LONGEST_PAUSE: Span = Span::from_seconds(3600);

/// So the trouble begins of hosts that were refused among many, when it may be another one's.
pub const AMONG: &str = "among many hosts at once: ";

/// Whether what goes on since then goes on for too long; since a time to come: for nobody knows
/// how long.
pub fn is_late(since: Timestamp, now: Timestamp) -> bool {
    now.since(since) > LATE || since.since(now) > LATE
}

/// Since when the host of a row is pending, in a statement.
macro_rules! pending_since {
    () => {
        "min(wish_at, coalesce((SELECT min(at) FROM history WHERE history.host = host.id
         AND at > coalesce(fact_at, 0)), wish_at))"
    };
}
pub(super) use pending_since;

/// A host of which something is to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Its number.
    pub id: HostId,
    /// Its zone.
    pub zone: ZoneName,
    /// Whether it waits for a wish; else its records are looked at again.
    pub is_pending: bool,
}

impl Registry {
    /// Hosts whose wish is no fact, oldest wish first.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn pending(&self) -> Result<Vec<Due>, RegistryError> {
        self.due_where("wish <> fact ORDER BY wish_at", [])
    }

    /// Since when a host is pending: one that moves on and on, since the first change that was
    /// in vain.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn pending_since(&self, host: &Host) -> Result<Timestamp, RegistryError> {
        let mut statement = self.db.prepare_cached(concat!(
            "SELECT ",
            pending_since!(),
            " FROM host WHERE id = ?1"
        ))?;
        let mut rows = statement.query([host.id.0])?;
        let since = rows.next()?.map(|row| row.get(0)).transpose()?;
        Ok(since.map_or(host.wish.at, Timestamp::from_seconds))
    }

    /// Those of them that are due for another try; a limit holds none back for longer than
    /// `limit`. Those come last that are in trouble of their own: where many are refused, others
    /// have their turn.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn due(&self, limit: Span, now: Timestamp) -> Result<Vec<Due>, RegistryError> {
        let latest = now.plus(limit.max(LONGEST_PAUSE));
        self.due_where(
            "wish <> fact AND (retry_at IS NULL OR retry_at <= ?1 OR retry_at > ?2)
             ORDER BY trouble IS NOT NULL AND substr(trouble, 1, length(?3)) <> ?3, wish_at",
            (now.seconds(), latest.seconds(), AMONG),
        )
    }

    /// Hosts to look at again though they are not pending: an UPDATE that was never
    /// answered may still be applied, or their removal, or a name they gave up, waited for that.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn unsettled(&self, now: Timestamp) -> Result<Vec<Due>, RegistryError> {
        let (since, until) = (now.minus(UNSETTLED), now.plus(UNSETTLED));
        let times = (since.seconds(), until.seconds());
        let recently = "unconfirmed > ?1 AND unconfirmed < ?2 AND wish = fact";
        let mut hosts = self.due_where(recently, times)?;
        hosts.extend(self.due_where(
            "(state = 'removing' OR held_names <> fact_names) AND wish = fact
             AND (unconfirmed <= ?1 OR unconfirmed >= ?2)",
            times,
        )?);
        Ok(hosts)
    }

    fn due_where(
        &self,
        condition: &str,
        values: impl rusqlite::Params,
    ) -> Result<Vec<Due>, RegistryError> {
        let select = format!("SELECT id, zone, wish <> fact FROM host WHERE {condition}");
        let mut statement = self.db.prepare_cached(&select)?;
        let mut rows = statement.query(values)?;
        let mut hosts = Vec::new();
        while let Some(row) = rows.next()? {
            let (id, is_pending) = (HostId(row.get(0)?), row.get(2)?);
            let zone: Option<String> = row.get(1).ok();
            match zone.and_then(|zone| zone.parse().ok()) {
                Some(zone) => hosts.push(Due {
                    id,
                    zone,
                    is_pending,
                }),
                // It is damaged, and left out.
                None => drop(self.whole_hosts(&[id])?),
            }
        }
        Ok(hosts)
    }
}
