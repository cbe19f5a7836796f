//! The empty registry of a new set-up.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, fchown};

use super::error::SetupError;
use super::files::File;
use super::place::Place;
use super::users::Owners;
use crate::registry::Registry;
use crate::token::LookupKey;

/// Makes the registry `file`, owned by the user that runs bowline.
///
/// Root makes it in the configuration directory and copies it into a file that is new for
/// certain: in the state directory somebody else could have laid a link.
///
/// # Errors
/// When it cannot be written, or is there.
pub(super) fn make(file: &File, place: &Place, owners: &Owners) -> Result<(), SetupError> {
    let key = LookupKey::load(&place.lookup_key())?;
    if !owners.settable {
        Registry::create(&file.path, key)?;
        return Ok(());
    }
    let draft = place.config_dir().join("registry.bowline-new");
    let failed = |error| SetupError::io("write", &file.path, error);
    let _ = fs::remove_file(&draft);
    // Closed before it is copied: the write-ahead log is part of it until then.
    drop(Registry::create(&draft, key)?);
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
        .and_then(|()| fchown(&open, Some(file.owner.uid), Some(file.owner.gid)))
        .map_err(failed)
}
