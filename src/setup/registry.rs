//! The empty registry of a new set-up.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, fchown};

use rusqlite::Connection;

use super::error::SetupError;
use super::files::File;
use super::place::Place;
use super::users::Owners;
use crate::registry::{Registry, RegistryError};
use crate::token::LookupKey;

/// Makes the registry `file`, owned by the user that runs bowline.
///
/// It is made in the configuration directory and copied into a file that is new for
/// certain: in the state directory another than root could have laid a link.
///
/// # Errors
/// When it cannot be written, or is there.
pub(super) fn make(file: &File, place: &Place, owners: &Owners) -> Result<(), SetupError> {
    let key = LookupKey::load(&place.lookup_key())?;
    let draft = place.config_dir().join("registry.bowline-new");
    let failed = |error| SetupError::io("write", &file.path, error);
    let log = place.config_dir().join("registry.bowline-new-wal");
    for left_over in [&draft, &log] {
        match fs::remove_file(left_over) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    drop(Registry::create(&draft, key)?);
    // The registry leaves its log beside it; here the file alone must be all of it.
    let whole = Connection::open(&draft)
        .and_then(|draft| draft.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)"));
    whole.map_err(RegistryError::Sqlite)?;
    let octets = fs::read(&draft).map_err(failed)?;
    fs::remove_file(&draft).map_err(failed)?;
    let mut options = OpenOptions::new();
    let mut open = options
        .write(true)
        .create_new(true)
        .mode(file.mode)
        .open(&file.path)
        .map_err(failed)?;
    open.write_all(&octets)
        .and_then(|()| open.sync_all())
        .and_then(|()| match owners.settable {
            true => fchown(&open, Some(file.owner.uid), Some(file.owner.gid)),
            false => Ok(()),
        })
        .map_err(failed)
}
