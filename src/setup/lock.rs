//! One at a time: who reads `bowline.toml`, changes it and writes it back.
//!
//! Of two that did so at once, the later would write what the earlier had changed away. The
//! kernel gives the lock back when its holder ends; the file stays, so that all lock the same.

use std::fs;
use std::fs::TryLockError;
use std::os::unix::fs::{MetadataExt as _, fchown};
use std::thread::sleep;
use std::time::Duration;

use super::error::SetupError;
use super::place::Place;
use crate::deadline::Deadline;
use crate::lock::{LockError, open};

/// How long another one is waited for; none of them takes a second.
pub const WAIT: Duration = Duration::from_secs(5);
/// How often it is asked whether it has ended.
const STEP: Duration = Duration::from_millis(10);

/// The right to change a set-up's files, until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: fs::File,
}

impl Lock {
    /// Takes it, waiting for so long; nothing where there is no configuration directory yet.
    ///
    /// # Errors
    /// When another one has it still, or the file cannot be used.
    pub fn take(place: &Place, wait: Duration) -> Result<Option<Self>, SetupError> {
        let path = place.lock();
        if !place.config_dir().is_dir() {
            return Ok(None);
        }
        let failed = |error| SetupError::io("lock", &path, error);
        let file = open(&path).map_err(|error| match error {
            LockError::File(_, error) => failed(error),
            LockError::Busy | LockError::GivenUp => SetupError::Busy(path.clone()),
        })?;
        // Root's would keep out whose directory it is; a private set-up is somebody's own.
        if rustix::process::geteuid().is_root()
            && let Ok(directory) = fs::metadata(place.config_dir())
        {
            fchown(&file, Some(directory.uid()), Some(directory.gid())).map_err(failed)?;
        }
        let deadline = Deadline::after(wait);
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(Lock { _file: file })),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Err(TryLockError::WouldBlock) if deadline.passed() => {
                    return Err(SetupError::Busy(path));
                }
                Err(TryLockError::WouldBlock) => sleep(STEP.min(deadline.left())),
            }
        }
    }
}
