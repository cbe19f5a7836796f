//! The empty registry of a new set-up.

use std::fs::OpenOptions;
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
/// Root writes into a file that is new for certain and gives it away by its handle: in
/// the state directory somebody else could have laid a link.
///
/// # Errors
/// When it cannot be written, or is there.
pub(super) fn make(file: &File, place: &Place, owners: &Owners) -> Result<(), SetupError> {
    let blank = Registry::blank(&LookupKey::load(&place.lookup_key())?)?;
    let failed = |error| SetupError::io("write", &file.path, error);
    let mut open = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(file.mode)
        .open(&file.path)
        .map_err(failed)?;
    open.write_all(&blank)
        .and_then(|()| open.sync_all())
        .map_err(failed)?;
    if owners.settable {
        fchown(&open, Some(file.owner.uid), Some(file.owner.gid)).map_err(failed)?;
    }
    Ok(())
}
