//! Locks between processes: files in the state directory, never unlinked, but for those of
//! somebody else, which doctor removes.
//!
//! The kernel gives a lock back when its holder dies, so none is ever left behind.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use rustix::fs::OFlags;

use crate::deadline::Deadline;
use crate::name::ZoneName;

/// The hosts of a zone share this many lock files.
const FILES: i64 = 256;
/// How often a waiting process asks again.
const STEP: Duration = Duration::from_millis(5);

/// The lock files of the hosts of a zone: what holds one zone up holds up no other.
#[derive(Debug, Clone)]
pub struct HostLocks {
    directory: PathBuf,
    zone: ZoneName,
}

/// One of the lock files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostFile(i64);

/// A lock, held until it is dropped.
#[derive(Debug)]
pub struct HostLock {
    _file: File,
}

impl HostLocks {
    /// Those of a zone below a state directory, in its `locks`.
    pub fn of(zone: &ZoneName, state: &Path) -> Self {
        HostLocks {
            directory: state.join("locks"),
            zone: zone.clone(),
        }
    }

    /// The lock files of hosts and whose they are, in the order in which to take several. A
    /// host is anything that has a number.
    pub fn files<H: Copy + Ord + Into<i64>>(hosts: &[H]) -> BTreeMap<HostFile, BTreeSet<H>> {
        let mut files: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for host in hosts {
            let file = HostFile((*host).into().rem_euclid(FILES));
            files.entry(file).or_default().insert(*host);
        }
        files
    }

    /// Waits for a lock file until the deadline, and for as long as `goes_on`.
    ///
    /// # Errors
    /// When another one still has it then, the file cannot be used, or what `goes_on` says.
    pub fn lock(
        &self,
        file: HostFile,
        deadline: Deadline,
        mut goes_on: impl FnMut() -> Result<bool, LockError>,
    ) -> Result<HostLock, LockError> {
        let name = format!("host-{:02x}-{}", file.0, self.zone);
        let path = self.directory.join(name);
        let file = open(&path)?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(HostLock { _file: file }),
                Err(TryLockError::Error(error)) => return Err(LockError::File(path, error)),
                Err(TryLockError::WouldBlock) if deadline.passed() => return Err(LockError::Busy),
                Err(TryLockError::WouldBlock) if !goes_on()? => return Err(LockError::GivenUp),
                Err(TryLockError::WouldBlock) => sleep(STEP.min(deadline.left())),
            }
        }
    }
}

/// Opens a lock file, making it when it is not there, and its directory, which no copy of a
/// registry brings along; a link is never followed.
///
/// # Errors
/// When it cannot be opened for writing.
pub fn open(path: &Path) -> Result<File, LockError> {
    let open = || {
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o640)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(path)
    };
    let opened = match (open(), path.parent()) {
        (Err(error), Some(directory)) if error.kind() == io::ErrorKind::NotFound => {
            // Another one may have made it meanwhile.
            let _ = DirBuilder::new().mode(0o750).create(directory);
            open()
        }
        (opened, _) => opened,
    };
    opened.map_err(|error| LockError::File(path.to_owned(), error))
}

/// Why a lock was not to be had.
#[derive(Debug)]
pub enum LockError {
    /// Another one had it until the deadline.
    Busy,
    /// Another one has it, and is not worth waiting for.
    GivenUp,
    /// The file cannot be used.
    File(PathBuf, io::Error),
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LockError::Busy | LockError::GivenUp => {
                f.write_str("another visit to the host is still being settled")
            }
            LockError::File(path, error) => write!(f, "lock {}: {error}", path.display()),
        }
    }
}

impl std::error::Error for LockError {}
