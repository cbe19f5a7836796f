//! The tokens of hosts and owners, each as a digest.

use rusqlite::Connection;

use super::{HostId, Registry, RegistryError};
use crate::time::Timestamp;
use crate::token::Digest;

/// A token as the registry keeps it.
#[derive(Debug, Clone)]
pub struct KeptToken {
    /// Its digest.
    pub digest: Digest,
    /// When it dies; `None`: it is the one in force.
    pub until: Option<Timestamp>,
    /// When it was last used, of an old one.
    pub used: Option<Timestamp>,
}

impl Registry {
    /// The tokens of a host, the one in force first.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn tokens(&self, id: HostId) -> Result<Vec<KeptToken>, RegistryError> {
        kept_tokens(&self.db, id)
    }
}

/// The tokens of a host, inside or outside a transaction.
pub(super) fn kept_tokens(db: &Connection, id: HostId) -> Result<Vec<KeptToken>, RegistryError> {
    kept_tokens_of(db, "host", id.0)
}

/// The tokens of a `host` or `owner`, the one in force first.
pub(super) fn kept_tokens_of(
    db: &Connection,
    holder: &str,
    id: i64,
) -> Result<Vec<KeptToken>, RegistryError> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT digest, until, used FROM token WHERE {holder} = ?1 ORDER BY until"
    ))?;
    let mut rows = statement.query([id])?;
    let mut tokens = Vec::new();
    while let Some(row) = rows.next()? {
        let time = |column| -> Result<_, rusqlite::Error> {
            Ok(row
                .get::<_, Option<i64>>(column)?
                .map(Timestamp::from_seconds))
        };
        tokens.push(KeptToken {
            digest: Digest::from_bytes(row.get(0)?),
            until: time(1)?,
            used: time(2)?,
        });
    }
    Ok(tokens)
}

pub(super) fn write_token(
    tx: &Connection,
    id: HostId,
    token: &Digest,
) -> Result<(), RegistryError> {
    write_token_of(tx, "host", id.0, token)
}

/// A token for a `host` or `owner`.
pub(super) fn write_token_of(
    tx: &Connection,
    holder: &str,
    id: i64,
    token: &Digest,
) -> Result<(), RegistryError> {
    let written = tx
        .prepare_cached(&format!(
            "INSERT OR IGNORE INTO token (digest, {holder}) VALUES (?1, ?2)"
        ))?
        .execute((token.as_bytes(), id))?;
    match written {
        0 => Err(RegistryError::TokenTaken),
        _ => Ok(()),
    }
}
