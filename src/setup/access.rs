//! Whether a user may read a file, by owners and modes, and what would let them.

use std::fs::{Metadata, metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::users::group_name;

/// Reading, and searching a directory, as they stand in a mode for its owner, its group and others.
const READ: u32 = 0o444;
const SEARCH: u32 = 0o111;

/// Who wants to read: a user by number, with one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reader {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

impl Reader {
    /// This process.
    pub fn me() -> Self {
        Reader {
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
        }
    }

    /// The first directory above a file, or the file itself, that is closed to them; nothing
    /// where all is open, or is not there.
    pub fn stopped_at(self, file: &Path) -> Option<PathBuf> {
        let file = std::path::absolute(file).ok()?;
        let mut way: Vec<&Path> = file.ancestors().collect();
        way.reverse();
        let closed = way.into_iter().find(|part| {
            let wanted = if *part == file { READ } else { SEARCH };
            metadata(part).is_ok_and(|is| !self.may(&is, is.mode(), wanted))
        });
        closed.map(Path::to_owned)
    }

    /// Whether they may read a file or all of a directory, of that owner and group, were its
    /// mode as given.
    pub fn may_read(self, is: &Metadata, mode: u32) -> bool {
        self.may(is, mode, READ) && (!is.is_dir() || self.may(is, mode, SEARCH))
    }

    /// The command that opens to them what is closed.
    pub fn way(self, closed: &Path) -> String {
        let is = metadata(closed).ok();
        let path = closed.display();
        let directory = is.as_ref().is_some_and(Metadata::is_dir);
        match is.is_some_and(|is| is.uid() == self.uid) {
            true if directory => format!("`chmod u+rwx {path}`"),
            true => format!("`chmod u+r {path}`"),
            false => {
                let what = if directory { "x" } else { "r" };
                let group = group_name(self.gid);
                format!("`chgrp {group} {path} && chmod g+{what} {path}`")
            }
        }
    }

    fn may(self, is: &Metadata, mode: u32, wanted: u32) -> bool {
        let share = match () {
            () if self.uid == 0 => 0o777,
            () if self.uid == is.uid() => 0o700,
            () if self.gid == is.gid() => 0o070,
            () => 0o007,
        };
        self.uid == 0 || mode & wanted & share != 0
    }
}
