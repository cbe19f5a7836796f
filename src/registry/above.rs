//! Whose hosts a host stands below: they can obtain certificates for it, and answer for it.

use rusqlite::Connection;

use super::host::by_name;
use super::{Host, Registry, RegistryError, State};
use crate::name::HostName;
use crate::owner_name::OwnerName;

impl Registry {
    /// Whether the host stands below one of another owner's.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn is_below_another(&self, host: &Host) -> Result<bool, RegistryError> {
        Ok(another(&self.db, &host.name, host.settings.owner.as_ref())?.is_some())
    }
}

/// Whether a host of that owner may have that name.
///
/// # Errors
/// When it would stand below a host of another owner.
pub(super) fn check_above(
    tx: &Connection,
    name: &HostName,
    owner: Option<&OwnerName>,
) -> Result<(), RegistryError> {
    match another(tx, name, owner)? {
        Some(upper) => Err(RegistryError::Below {
            name: name.clone(),
            upper,
        }),
        None => Ok(()),
    }
}

/// The nearest host above `name` that is another owner's.
fn another(
    db: &Connection,
    name: &HostName,
    owner: Option<&OwnerName>,
) -> Result<Option<HostName>, RegistryError> {
    for upper in name.above() {
        if let Some(host) = by_name(db, &upper)?
            && host.state != State::Removing
            && host.settings.owner.as_ref() != owner
        {
            return Ok(Some(upper));
        }
    }
    Ok(None)
}
