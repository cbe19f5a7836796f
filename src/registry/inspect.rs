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
    /// The schema's version; 0: it is another program's file.
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
    let version = version(&db)?;
    let check = || -> Result<Vec<u8>, rusqlite::Error> {
        db.query_row("SELECT lookup_check FROM meta", [], |row| row.get(0))
    };
    Ok(Inspection {
        version,
        current: VERSION,
        defects: match defects(&db) {
            // So much that not even this can be found out.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
                vec![error.to_string()]
            }
            found => found?,
        },
        key_fits: key.and_then(|key| Some(key.check().matches(&check().ok()?))),
    })
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
