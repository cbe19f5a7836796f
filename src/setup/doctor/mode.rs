//! Modes and groups of secrets: what is too open, and closing it without following a link.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::Path;

use rustix::fs::OFlags;

use crate::setup::access::Reader;
use crate::setup::runner::Runner;
use crate::setup::users::{Owner, group_name, user_name};

/// Nobody but owner and group has anything to do with it, and the group only reads.
const OPEN: u32 = 0o027;
/// Others may look, but change nothing.
const WRITABLE: u32 = 0o022;
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
    /// Bits of the mode that are taken away.
    closes: u32,
    /// Who has to be able to read it.
    reader: Option<Reader>,
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
            closes: OPEN,
            reader: None,
        }
    }

    /// The same in a name server's directory, and for the group of the user that it runs as,
    /// who has to read it where `reads`.
    pub(super) fn for_server(found: Option<&Metadata>, server: Option<Owner>, reads: bool) -> Self {
        let mut allowed = Allowed::beside(found);
        let Some(Owner { uid, gid, .. }) = server else {
            return allowed;
        };
        // With another group it was given to the user that the server runs as here.
        let given = found.is_some_and(|is| ![0, gid].contains(&is.gid()));
        allowed.gids.insert(usize::from(given), gid);
        allowed.reader = (reads && !given).then_some(Reader { uid, gid });
        allowed
    }

    /// Root and this process, and who runs bowline and has to read it. Where that is not
    /// clear, nobody's group is taken away.
    pub(super) fn for_runner(runner: Option<&Runner>) -> Self {
        let mut allowed = Allowed::beside(None);
        let mut first = |Owner { uid, gid, .. }: &Owner| {
            // They stay root's: that user reads them only.
            allowed.uids.push(*uid);
            allowed.gids.insert(0, *gid);
        };
        if let Some(Runner::Unclear { or, .. }) = runner {
            first(or);
        }
        if let Some(runner) = runner {
            first(runner.owner());
        }
        Allowed {
            reader: runner.and_then(Runner::reader),
            ..allowed
        }
    }

    /// The same for what anybody may read.
    pub(super) fn public(self) -> Self {
        Allowed {
            closes: WRITABLE,
            ..self
        }
    }

    /// Likewise for root alone.
    pub(super) fn root() -> Self {
        Allowed {
            uids: vec![0],
            gids: vec![0],
            ..Allowed::beside(None)
        }
    }

    /// Whoever but its owner can change it, or put another in its place.
    pub(super) fn changed_by(&self, is: &Metadata) -> Option<String> {
        let mode = is.mode() & 0o7777;
        let theirs = self
            .reader
            .is_some_and(|it| (it.uid, it.gid) == (is.uid(), is.gid()));
        if !self.uids.contains(&is.uid()) {
            Some(format!("belongs to {}", user_name(is.uid())))
        } else if mode & 0o002 != 0 && !(is.is_dir() && mode & STICKY != 0) {
            Some(format!(
                "can be changed by everybody on this machine (mode {mode:04o})"
            ))
        } else if mode & 0o020 != 0 && is.gid() != 0 && !theirs {
            let group = group_name(is.gid());
            Some(format!("can be changed by group {group} (mode {mode:04o})"))
        } else {
            None
        }
    }

    /// Whether it belongs to somebody who may own it.
    pub(super) fn is_owned(&self, is: &Metadata) -> bool {
        self.uids.contains(&is.uid())
    }

    /// Whether it is closed to who has to read it.
    pub(super) fn is_closed_to_reader(&self, is: &Metadata) -> bool {
        let reads = |reader: Reader| reader.may_read(is, is.mode());
        !self.reader.is_none_or(reads)
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
        let (open, was) = match open(path) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => open_own(path)?,
            open => (open?, None),
        };
        let is = open.metadata()?;
        let refused = |why: &str| Err(io::Error::other(why.to_owned()));
        if is.is_file() && is.nlink() != 1 {
            return refused("it has another name too");
        }
        let parent = path.parent().unwrap_or(Path::new("/"));
        if !self.is_ours(parent) {
            return refused("somebody else may change its directory");
        }
        let mode = was.unwrap_or(is.mode()) & 0o7777;
        let mut changes = Vec::new();
        let wanted = self.gids.first().copied().unwrap_or(is.gid());
        let mut closed = mode & !self.closes | self.needs;
        if is.is_file() {
            closed &= !0o111;
        }
        // What closes it to strangers must not close it to bowline.
        let locked_out = !(self.reader).is_none_or(|reader| reader.may_read(&is, closed));
        if locked_out {
            closed |= GROUP_READS;
        }
        if !self.gids.contains(&is.gid()) || locked_out && is.gid() != wanted {
            match rustix::process::geteuid().is_root() {
                true => {
                    fchown(&open, None, Some(wanted))?;
                    changes.push(format!("group {}", group_name(wanted)));
                }
                false => closed &= !0o070,
            }
        }
        // A directory that its group may search stays so, and one that it reads becomes so.
        if is.is_dir() {
            closed |= if locked_out { 0o010 } else { mode & 0o010 };
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
    pub(super) fn is_ours(&self, directory: &Path) -> bool {
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

/// The same for one that is ours and closed to ourselves; the mode that it had.
fn open_own(path: &Path) -> io::Result<(File, Option<u32>)> {
    let flags = OFlags::NOFOLLOW | OFlags::PATH;
    let found = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    let is = found.metadata()?;
    if is.is_file() || is.is_dir() {
        // By the number of what was found: in its place may lie something else by now.
        let itself = format!("/proc/self/fd/{}", found.as_raw_fd());
        let mode = is.mode() & 0o7777 | 0o500;
        std::fs::set_permissions(itself, Permissions::from_mode(mode))?;
    }
    Ok((open(path)?, Some(is.mode())))
}

#[cfg(test)]
mod tests {
    use std::fs::{metadata, set_permissions, write};

    use super::*;

    #[test]
    fn who_may_do_what_with_a_secret() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("key");
        write(&file, "").unwrap();
        for (mode, expected) in [
            (0o600, None),
            (0o640, None),
            (0o644, Some("is open to everybody")),
            (0o602, Some("is open to everybody")),
            (0o660, Some("can be changed by group")),
            (0o620, Some("can be changed by group")),
        ] {
            set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            let wrong = Allowed::beside(None).wrong(&metadata(&file).unwrap());
            assert_eq!(wrong.is_some(), expected.is_some(), "{mode:o}: {wrong:?}");
            let wrong = wrong.unwrap_or_default();
            assert!(wrong.starts_with(expected.unwrap_or_default()), "{wrong}");
        }
    }

    #[test]
    fn nothing_is_closed_where_somebody_else_could_lay_another_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("key");
        write(&file, "").unwrap();
        set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        let mode = || metadata(&file).unwrap().mode() & 0o7777;
        set_permissions(directory.path(), Permissions::from_mode(0o777)).unwrap();
        let refused = Allowed::beside(None).close(&file).unwrap_err().to_string();
        assert_eq!(refused, "somebody else may change its directory");
        assert_eq!(mode(), 0o644);
        set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        Allowed::beside(None).close(&file).unwrap();
        assert_eq!(mode(), 0o640);
    }
}
