//! What has happened, in the history and the outbox alike: of one host or of any, and forgotten
//! in time.

use std::thread::sleep;
use std::time::Duration;

use super::{Durable, HostId, Registry, RegistryError};
use crate::time::Timestamp;

/// So many rows are forgotten in one transaction.
const PART: u16 = 10_000;
/// The pause between two: who waits to write asks every millisecond.
const PAUSE: Duration = Duration::from_millis(5);

impl Registry {
    /// Forgets the rows of a table whose time is before `before`, a part at a time: after a long
    /// gap there are millions, and visits that have something to write wait meanwhile.
    pub(super) fn forget(
        &mut self,
        table: &str,
        time: &str,
        before: Timestamp,
    ) -> Result<usize, RegistryError> {
        let part = format!(
            "DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE {time} < ?1 LIMIT ?2)"
        );
        let mut all = 0;
        loop {
            let tx = self.write(Durable::Soon)?;
            let gone = tx.execute(&part, (before.seconds(), PART))?;
            tx.commit()?;
            all += gone;
            if gone < usize::from(PART) {
                return Ok(all);
            }
            sleep(PAUSE);
        }
    }
}

/// The condition, in a statement, that something is of that host, `?2`, or of any. One for both
/// would go through what there is of all, also for one of them.
pub(super) fn whose(column: &str, host: Option<HostId>) -> String {
    match host {
        Some(_) => format!("{column} = ?2"),
        None => "?2 IS NULL".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;

    use rusqlite::StatementStatus;

    use super::*;
    use crate::token::LookupKey;

    /// A registry whose hosts have each a change and a message of it, all at once.
    fn registry(directory: &Path, hosts: i64) -> Registry {
        let file = directory.join("bowline.db");
        let mut registry = Registry::create(&file, LookupKey::random().unwrap()).unwrap();
        let host = "INSERT INTO host (id, zone, name, created, wish_ttl, wish_at)
                    VALUES (?1, 'z', ?1, 0, 60, 0)";
        let change = "INSERT INTO history (host, at, family, dialect) VALUES (?1, 1, 'ipv4', '')";
        let told = "INSERT INTO outbox (host, at, event, channel, done)
                    VALUES (?1, 1, 'changed', 'mail', 1)";
        let tx = registry.write(Durable::Soon).unwrap();
        for insert in [host, change, told] {
            let mut insert = tx.prepare(insert).unwrap();
            for id in 1..=hosts {
                insert.execute([id]).unwrap();
            }
        }
        tx.commit().unwrap();
        registry
    }

    /// How many steps it takes to read what is of host 1, where there are so many.
    fn steps(hosts: i64, select: &str) -> i32 {
        let directory = tempfile::tempdir().unwrap();
        let registry = registry(directory.path(), hosts);
        let mut statement = registry.db.prepare(select).unwrap();
        let mut rows = statement.query((0, Some(1))).unwrap();
        assert!(rows.next().unwrap().is_some() && rows.next().unwrap().is_none());
        drop(rows);
        statement.get_status(StatementStatus::VmStep)
    }

    #[test]
    fn what_is_of_one_host_is_found_without_reading_the_others() {
        let of_one = whose("host", Some(HostId(1)));
        for (table, time) in [("history", "at"), ("outbox", "done")] {
            let select = format!(
                "SELECT * FROM {table} WHERE {of_one} AND {time} >= ?1 ORDER BY {time}, id"
            );
            assert_eq!(steps(10, &select), steps(200, &select), "{table}");
        }
    }

    #[test]
    fn many_changes_are_forgotten_in_parts() {
        let directory = tempfile::tempdir().unwrap();
        let part = usize::from(PART);
        let mut registry = registry(directory.path(), 2 * i64::from(PART) + 1);
        let stop = format!(
            "CREATE TRIGGER stop BEFORE DELETE ON history WHEN old.host = {}
             BEGIN SELECT raise(ABORT, 'here'); END",
            2 * part
        );
        registry.db.execute_batch(&stop).unwrap();
        let then = Timestamp::from_seconds(2);
        assert!(registry.prune_history(then).is_err());
        let left = |registry: &Registry| -> i64 {
            let count = "SELECT count(*) FROM history";
            registry.db.query_row(count, [], |row| row.get(0)).unwrap()
        };
        assert_eq!(left(&registry), i64::from(PART) + 1, "a part is gone");
        registry.db.execute_batch("DROP TRIGGER stop").unwrap();
        assert_eq!(registry.prune_history(then).unwrap(), part + 1);
        assert_eq!(registry.prune_outbox(then).unwrap(), 2 * part + 1);
        assert_eq!(left(&registry), 0);
    }
}
