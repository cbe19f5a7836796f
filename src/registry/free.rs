//! Whether a name can be given out: nobody has it, means it, or has records there.

use rusqlite::{Connection, OptionalExtension};

use super::{HostId, Registry, RegistryError};
use crate::name::{HostName, ZoneName};
use crate::span::Span;
use crate::time::Timestamp;

impl Registry {
    /// Names in `zone` whose hosts were removed and that rest since then, `most` at most: those
    /// removed last.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn resting(&self, zone: &ZoneName, most: u32) -> Result<Vec<HostName>, RegistryError> {
        let below = format!(".{zone}");
        let mut query = self.db.prepare_cached(
            "SELECT name FROM removed_name WHERE substr(name, -length(?1)) = ?1
             AND name NOT IN (SELECT name FROM host) AND name NOT IN (SELECT name FROM former_name)
             ORDER BY at DESC LIMIT ?2",
        )?;
        let names = query.query_map((&below, most), |row| row.get::<_, String>(0))?;
        let mut resting = Vec::new();
        for name in names {
            let name = name?;
            resting.extend(
                zone.relative(&name)
                    .and_then(|name| HostName::new(name, zone).ok()),
            );
        }
        Ok(resting)
    }
}

/// Whether `name` can be given to the host `id`, or to a new one.
///
/// # Errors
/// When it still means another host, records of another host may stand there, or it was
/// removed less than `reuse` ago; with a `reuse` of zero it was removed long enough ago, also
/// where the clock was ahead then.
pub(super) fn check_free(
    tx: &Connection,
    name: &HostName,
    id: Option<HostId>,
    reuse: Span,
    now: Timestamp,
) -> Result<(), RegistryError> {
    let time = |sql: &str| -> Result<Option<Timestamp>, RegistryError> {
        let found: Option<i64> = tx
            .prepare_cached(sql)?
            .query_row([name.as_str()], |row| row.get(0))
            .optional()?;
        Ok(found.map(Timestamp::from_seconds))
    };
    let until = time("SELECT until FROM former_name WHERE name = ?1")?;
    if let Some(until) = until.filter(|until| *until > now) {
        return Err(RegistryError::Former {
            name: name.clone(),
            until,
        });
    }
    if let Some(holder) = holder(tx, name, id)?.or(challenger(tx, name, id)?) {
        return Err(RegistryError::Held {
            name: name.clone(),
            holder,
        });
    }
    if reuse == Span::ZERO {
        return Ok(());
    }
    let removed = time("SELECT at FROM removed_name WHERE name = ?1")?;
    if let Some(free) = removed.map(|at| at.plus(reuse)).filter(|free| *free > now) {
        return Err(RegistryError::Removed {
            name: name.clone(),
            free,
        });
    }
    Ok(())
}

/// Another host that may have records at `name`: to settle that one would take a newcomer's.
///
/// The first two conditions are those of the index, so that few hosts are looked at.
fn holder(
    tx: &Connection,
    name: &HostName,
    id: Option<HostId>,
) -> Result<Option<String>, RegistryError> {
    let holder = tx
        .prepare_cached(
            "SELECT name FROM host WHERE held_names <> '' AND held_names <> name
             AND instr(' ' || held_names || ' ', ' ' || ?1 || ' ') AND id IS NOT ?2",
        )?
        .query_row((name.as_str(), id.map(HostId::number)), |row| row.get(0))
        .optional()?;
    Ok(holder)
}

/// Another host that may have challenges at `name`: they would prove the newcomer's name.
fn challenger(
    tx: &Connection,
    name: &HostName,
    id: Option<HostId>,
) -> Result<Option<String>, RegistryError> {
    let challenger = tx
        .prepare_cached("SELECT 1 FROM challenge WHERE name = ?1 AND host IS NOT ?2 LIMIT 1")?
        .query_row((name.as_str(), id.map(HostId::number)), |_| Ok(()))
        .optional()?;
    Ok(challenger.map(|()| "its former host".to_owned()))
}
