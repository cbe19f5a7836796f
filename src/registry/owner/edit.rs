//! Changes of an owner: address, events and token.

use rusqlite::Connection;

use super::OwnerId;
use crate::event::Events;
use crate::registry::kept_token::write_token_of;
use crate::registry::{Durable, Registry, RegistryError};
use crate::span::Span;
use crate::time::Timestamp;
use crate::token::Digest;

/// What is to change of an owner; `None`: as it is.
#[derive(Debug, Clone, Default)]
pub struct OwnerEdit<'a> {
    /// Another token in the place of all there are.
    pub token: Option<&'a Digest>,
    /// Where the person is reached, if at all.
    pub mail: Option<Option<&'a str>>,
    /// What is told of the hosts; inside: as configured.
    pub notify: Option<Option<Events>>,
}

impl Registry {
    /// Changes an owner: all of it, or nothing.
    ///
    /// # Errors
    /// When the token is in use, or the registry cannot be written.
    pub fn set_owner(
        &mut self,
        id: OwnerId,
        edit: &OwnerEdit<'_>,
        now: Timestamp,
    ) -> Result<(), RegistryError> {
        let tx = self.write(Durable::Now)?;
        if let Some(token) = edit.token {
            rotate(&tx, id, token, Span::ZERO, now)?;
        }
        if let Some(mail) = edit.mail {
            tx.execute("UPDATE owner SET mail = ?2 WHERE id = ?1", (id.0, mail))?;
        }
        if let Some(notify) = edit.notify {
            let notify = notify.map(|events| events.to_string());
            tx.execute("UPDATE owner SET notify = ?2 WHERE id = ?1", (id.0, notify))?;
        }
        Ok(tx.commit()?)
    }

    /// Gives an owner a new token; the old ones live on for `keep`.
    ///
    /// # Errors
    /// When the token is in use, or the registry cannot be written.
    pub fn rotate_owner(
        &mut self,
        id: OwnerId,
        token: &Digest,
        keep: Span,
        now: Timestamp,
    ) -> Result<(), RegistryError> {
        let tx = self.write(Durable::Now)?;
        rotate(&tx, id, token, keep, now)?;
        Ok(tx.commit()?)
    }
}

fn rotate(
    tx: &Connection,
    id: OwnerId,
    token: &Digest,
    keep: Span,
    now: Timestamp,
) -> Result<(), RegistryError> {
    match keep {
        Span::ZERO => tx.execute("DELETE FROM token WHERE owner = ?1", [id.0])?,
        keep => tx.execute(
            "UPDATE token SET until = ?2 WHERE owner = ?1 AND until IS NULL",
            (id.0, now.plus(keep).seconds()),
        )?,
    };
    write_token_of(tx, "owner", id.0, token)
}
