//! Modes and groups of secrets: what is too open, and closing it without following a link.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::Path;

use rustix::fs::OFlags;

use crate::setup::users::{group_name, user_name};

/// Nobody but owner and group has anything to do with it, and the group only reads.
const OPEN: u32 = 0o027;
/// The group may read it.
const GROUP_READS: u32 = 0o040;
/// Only the owner of a file in such a directory may put another in its place.
const STICKY: u32 = 0o1000;

/// Who may own and read a secret.
#[derive(Debug, Clone)]
pub(super) struct Allowed {
    /// Users that may own it.
    pub(super) uids: Vec<u32>,
    /// Groups that may read it; the first one should.
    pub(super) gids: Vec<u32>,
    /// Bits of the mode that the owner needs, besides those that everybody here takes away.
    pub(super) needs: u32,
}

impl Allowed {
    /// Root and this process, and those who own `found`.
    pub(super) fn beside(found: Option<&Metadata>) -> Self {
        let me = rustix::process::geteuid().as_raw();
        let mine = rustix::process::getegid().as_raw();
        let (uid, gid) = found.map_or((me, mine), |found| (found.uid(), found.gid()));
        Allowed {
            uids: vec![uid, 0, me],
            gids: vec![gid, 0, mine],
            needs: 0,
        }
    }

    /// What is too open, somebody else's, or closed to its owner; nothing when all is well.
    pub(super) fn wrong(&self, is: &Metadata) -> Option<String> {
        let mode = is.mode() & 0o7777;
        let group = group_name(is.gid());
        if !self.uids.contains(&is.uid()) {
            Some(format!("belongs to {}", user_name(is.uid())))
        } else if mode & 0o007 != 0 {
            Some(format!(
                "is open to everybody on this machine (mode {mode:04o})"
            ))
        } else if mode & 0o020 != 0 {
            Some(format!("can be changed by group {group} (mode {mode:04o})"))
        } else if mode & GROUP_READS != 0 && !self.gids.contains(&is.gid()) {
            Some(format!("can be read by group {group}"))
        } else if mode & self.needs != self.needs {
            Some(format!("cannot be changed by its owner (mode {mode:04o})"))
        } else {
            None
        }
    }

    /// Closes a file or directory to all but its owner and the group that should read it, and
    /// opens it to its owner; what was changed, in words.
    ///
    /// # Errors
    /// Where somebody else could have laid a link, or the system refuses.
    pub(super) fn close(&self, path: &Path) -> io::Result<String> {
        let open = open(path)?;
        let is = open.metadata()?;
        let refused = |why: &str| Err(io::Error::other(why.to_owned()));
        if is.is_file() && is.nlink() != 1 {
            return refused("it has another name too");
        }
        let parent = path.parent().unwrap_or(Path::new("/"));
        if !self.is_ours(parent) {
            return refused("somebody else may change its directory");
        }
        let mode = is.mode() & 0o7777;
        let mut changes = Vec::new();
        let wanted = self.gids.first().copied().unwrap_or(is.gid());
        let mut closed = mode & !OPEN | self.needs;
        if !self.gids.contains(&is.gid()) {
            match rustix::process::geteuid().is_root() {
                true => {
                    fchown(&open, None, Some(wanted))?;
                    changes.push(format!("group {}", group_name(wanted)));
                }
                false => closed &= !0o070,
            }
        }
        // A directory that its group may search stays so.
        if is.is_dir() {
            closed |= mode & 0o010;
        }
        if !self.uids.contains(&is.uid()) {
            let owner = self.uids.first().copied();
            fchown(&open, owner, None)?;
            changes.push(format!("owner {}", user_name(owner.unwrap_or(0))));
        }
        if closed != mode {
            open.set_permissions(Permissions::from_mode(closed))?;
            changes.push(format!("mode {closed:04o} instead of {mode:04o}"));
        }
        Ok(format!("{}: {}", path.display(), changes.join(", ")))
    }

    /// Whether only we and root may put another file into a directory, or another
    /// directory in its place.
    fn is_ours(&self, directory: &Path) -> bool {
        let Ok(directory) = std::path::absolute(directory) else {
            return false;
        };
        let me = rustix::process::geteuid().as_raw();
        directory.ancestors().all(|directory| {
            let Ok(is) = std::fs::symlink_metadata(directory) else {
                return false;
            };
            let (mode, group) = (is.mode(), self.gids.contains(&is.gid()));
            let closed = mode & 0o002 == 0 && (mode & 0o020 == 0 || group);
            is.is_dir() && [0, me].contains(&is.uid()) && (closed || mode & STICKY != 0)
        })
    }
}

/// Opens a file or directory that is no link.
pub(super) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
        .open(path)
}
