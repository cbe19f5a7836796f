//! What a check of the registry looks at: its structure, its version, its key; and which
//! of some digests are those of tokens in force.

use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{Registry, RegistryError, VERSION, connect, missing, version};
use crate::time::Timestamp;
use crate::token::{Digest, LookupKey};

/// So many defects are told; more say no more.
const DEFECTS: usize = 3;

/// What was found in a registry's file, which is not changed.
#[derive(Debug)]
pub struct Inspection {
    /// The schema's version; 0: it is another program's file, or cannot be read.
    pub version: i64,
    /// The version that this executable makes.
    pub current: i64,
    /// What SQLite finds wrong; empty: nothing.
    pub defects: Vec<String>,
    /// Whether it was made with this lookup key; `None`: nobody can tell.
    pub key_fits: Option<bool>,
}

/// Looks into the file without bringing it to this version.
///
/// # Errors
/// When there is none, or SQLite cannot read it at all.
pub fn inspect(file: &Path, key: Option<&LookupKey>) -> Result<Inspection, RegistryError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = connect(file, flags).map_err(|error| missing(file, error))?;
    let (version, unreadable) = match version(&db) {
        Ok(version) => (version, None),
        Err(error) => (0, Some(damage(error)?)),
    };
    let check = || -> Result<Vec<u8>, rusqlite::Error> {
        db.query_row("SELECT lookup_check FROM meta", [], |row| row.get(0))
    };
    Ok(Inspection {
        version,
        current: VERSION,
        defects: match unreadable {
            Some(damage) => vec![damage],
            // So much may be wrong that not even this can be found out.
            None => defects(&db).or_else(|error| Ok::<_, rusqlite::Error>(vec![damage(error)?]))?,
        },
        key_fits: key.and_then(|key| Some(key.check().matches(&check().ok()?))),
    })
}

/// What SQLite says of a file that is damaged; any other error is none about its contents.
fn damage(error: rusqlite::Error) -> Result<String, rusqlite::Error> {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Ok(error.to_string()),
        _ => Err(error),
    }
}

/// Pages, indices and references that are not as they should be.
fn defects(db: &Connection) -> Result<Vec<String>, rusqlite::Error> {
    let mut defects = Vec::new();
    let mut check = db.prepare("PRAGMA integrity_check(4)")?;
    let mut rows = check.query([])?;
    while let Some(row) = rows.next()? {
        let line: String = row.get(0)?;
        if line != "ok" {
            defects.push(line.replace('\n', " "));
        }
    }
    let mut check = db.prepare("PRAGMA foreign_key_check")?;
    let mut rows = check.query([])?;
    while let Some(row) = rows.next()? {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        defects.push(format!("a {table} belongs to no {parent}"));
    }
    defects.truncate(DEFECTS);
    Ok(defects)
}

impl Registry {
    /// Whether each of these is the digest of a token in force.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn in_force(&self, digests: &[Digest], now: Timestamp) -> Result<Vec<bool>, RegistryError> {
        let mut found = self
            .db
            .prepare("SELECT 1 FROM token WHERE digest = ?1 AND (until IS NULL OR until > ?2)")?;
        let mut live = Vec::with_capacity(digests.len());
        for digest in digests {
            live.push(found.exists((digest.as_bytes(), now.seconds()))?);
        }
        Ok(live)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use std::fs;

    use super::*;

    #[test]
    fn whatever_page_is_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("bowline.db");
        let key = LookupKey::random().unwrap();
        drop(Registry::create(&file, key.clone()).unwrap());
        // All of it in the file itself, without its log.
        let db = Connection::open(&file).unwrap();
        db.pragma_update(None, "journal_mode", "delete").unwrap();
        drop(db);
        assert_eq!(inspect(&file, Some(&key)).unwrap().defects, [""; 0]);
        let whole = fs::read(&file).unwrap();
        for (n, page) in (0..whole.len()).step_by(4096).enumerate() {
            for octet in [0, 0x55] {
                let mut octets = whole.clone();
                octets[page..page + 4096].fill(octet);
                fs::write(&file, octets).unwrap();
                let found = inspect(&file, Some(&key)).unwrap();
                assert_ne!(found.defects, [""; 0], "page {n}, {octet}");
                assert_ne!(found.key_fits, Some(false), "page {n}, {octet}");
            }
        }
    }
}
