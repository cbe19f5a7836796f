//! The empty registry of a new set-up, and one that became root's.

use std::fs::{self, File as Open, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, OFlags, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::error::SetupError;
use super::files::{Content, File, State};
use super::place::Place;
use super::users::{Owner, Owners};
use crate::registry::Registry;
use crate::token::LookupKey;

/// Makes the registry `file`, owned by the user that runs bowline.
///
/// It has its name when it is whole and theirs: of a run that was interrupted nothing stays that
/// would be taken for a registry. Root writes into a file that is new for certain and gives it
/// away by its handle: in the state directory somebody else could have laid a link.
///
/// # Errors
/// When it cannot be written, or is there.
pub(super) fn make(file: &File, place: &Place, owners: &Owners) -> Result<(), SetupError> {
    let blank = Registry::blank(&LookupKey::load(&place.lookup_key())?)?;
    let mut name = file.path.file_name().unwrap_or_default().to_owned();
    name.push(".bowline-new");
    let beside = file.path.with_file_name(name);
    let fill = || {
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut open = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(file.mode)
            .open(&beside)?;
        open.write_all(&blank)?;
        open.sync_all()?;
        if owners.settable {
            fchown(&open, Some(file.owner.uid), Some(file.owner.gid))?;
        }
        match renameat_with(CWD, &beside, CWD, &file.path, RenameFlags::NOREPLACE) {
            // ZFS before 2.2 and some others always replace.
            Err(Errno::INVAL) => {
                fs::hard_link(&beside, &file.path)?;
                fs::remove_file(&beside)
            }
            renamed => Ok(renamed?),
        }
    };
    fill().map_err(|error| {
        let _ = fs::remove_file(&beside);
        SetupError::io("write", &file.path, error)
    })
}

/// A registry of root's in the directory of the user that runs bowline is theirs again when
/// the plan is written: bowline could not write it.
pub(super) fn look((mut file, state): (File, State), owners: &Owners) -> (File, State) {
    let State::Unfit(differs) = &state else {
        return (file, state);
    };
    let registry = matches!(file.content, Content::Registry);
    if !owners.settable || !registry || !is_lost(&file.path, &owners.state) {
        return (file, state);
    }
    file.owner = owners.state.clone();
    let whose = |differs: &&String| differs.starts_with("owner ");
    let differs = differs.iter().filter(whose).cloned().collect();
    (file, State::Reset(differs))
}

/// Whether that file is root's, in the directory of `owner`, who is not.
pub(super) fn is_lost(path: &Path, owner: &Owner) -> bool {
    let directory = path.parent().and_then(|parent| fs::metadata(parent).ok());
    let theirs = directory.is_some_and(|is| is.uid() == owner.uid);
    let roots = fs::symlink_metadata(path).is_ok_and(|is| is.is_file() && is.uid() == 0);
    owner.uid != 0 && theirs && roots
}

/// Gives back what is root's of the registry and of what SQLite keeps beside it.
///
/// # Errors
/// A file that is not root's alone: it may be a link to one of root's.
pub(super) fn give_back(registry: &Path, owner: &Owner) -> io::Result<()> {
    let beside = ["-wal", "-shm"].map(|end| PathBuf::from(format!("{}{end}", registry.display())));
    for path in [registry]
        .into_iter()
        .chain(beside.iter().map(PathBuf::as_path))
    {
        if is_lost(path, owner) {
            give(path, owner)?;
        }
    }
    Ok(())
}

/// By the open file: whoever owns the directory may lay something else in its place.
fn give(path: &Path, owner: &Owner) -> io::Result<()> {
    let open: Open = OpenOptions::new()
        .read(true)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
        .open(path)?;
    let is = open.metadata()?;
    if !is.is_file() || is.uid() != 0 || is.nlink() != 1 {
        let why = format!("{} has another name too", path.display());
        return Err(io::Error::other(why));
    }
    fchown(&open, Some(owner.uid), Some(owner.gid))
}
