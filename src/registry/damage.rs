//! Damaged rows, with values that bowline never writes: what is wrong with one host must not
//! stop the others.

use super::fact::rest;
use super::{Durable, Host, Registry, RegistryError};
use crate::name::HostName;
use crate::time::Timestamp;

impl Registry {
    /// Whether no host was left out since this was asked last.
    ///
    /// # Errors
    /// When one was, whose row is damaged.
    pub fn nothing_left_out(&self) -> Result<(), RegistryError> {
        self.damaged.take().map_or(Ok(()), |error| Err(*error))
    }

    /// Takes a host out of which nobody can tell what records it has: its row is damaged, or its
    /// zone is no longer configured. Its name rests for a while, and so do former ones.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn remove_at_once(&mut self, name: &HostName, now: Timestamp) -> Result<(), RegistryError> {
        let tx = self.write(Durable::Now)?;
        tx.execute(
            "INSERT OR REPLACE INTO removed_name (name, at) SELECT former.name, ?2
             FROM former_name AS former JOIN host ON host.id = former.host WHERE host.name = ?1",
            (name.as_str(), now.seconds()),
        )?;
        tx.execute("DELETE FROM host WHERE name = ?1", [name.as_str()])?;
        rest(&tx, name, now)?;
        Ok(tx.commit()?)
    }

    /// What was read, unless that is a damaged row.
    pub(super) fn whole(
        &self,
        read: Result<Host, RegistryError>,
    ) -> Result<Option<Host>, RegistryError> {
        match read {
            Err(error @ RegistryError::DamagedHost { .. }) => {
                self.damaged.set(Some(Box::new(error)));
                Ok(None)
            }
            read => read.map(Some),
        }
    }
}
