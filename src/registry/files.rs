//! Which files a registry consists of just now.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where they are: the database, its log, and the index of that (SQLite's WAL).
#[derive(Debug)]
pub(super) struct Paths([PathBuf; 3]);

impl Paths {
    pub(super) fn of(database: &Path) -> Self {
        Paths(["", "-wal", "-shm"].map(|ending| {
            let mut path = OsString::from(database);
            path.push(ending);
            path.into()
        }))
    }
}

/// Puts the log's name on disk while the log is empty, and perhaps new: what is written into it
/// would be lost with its name. SQLite would do so once in every process that writes.
pub(super) fn keep_log(database: &Path) {
    let Paths([_, log, _]) = Paths::of(database);
    let is_new = fs::metadata(&log).is_ok_and(|found| found.len() == 0);
    if let Some(directory) = log.parent().filter(|_| is_new) {
        // Where the directory may not be read, SQLite would go on too.
        let _ = fs::File::open(directory).and_then(|directory| directory.sync_all());
    }
}

/// Device and inode number of each: a file put in place of another has others. `None` where
/// there is none, or it is not known yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Files([Option<(u64, u64)>; 3]);

impl Files {
    /// Those that are there now.
    pub(super) fn at(paths: &Paths) -> Self {
        Files(paths.0.each_ref().map(|path| {
            let found = fs::metadata(path).ok()?;
            Some((found.dev(), found.ino()))
        }))
    }

    /// These, but the database of `other`.
    pub(super) fn with_database_of(self, other: Files) -> Self {
        let (Files([_, log, index]), Files([database, ..])) = (self, other);
        Files([database, log, index])
    }

    /// Whether they are the same `now`; what was not known yet is known from then on.
    pub(super) fn are_still(&mut self, now: Files) -> bool {
        let Files(known) = self;
        known.iter_mut().zip(now.0).all(|(known, now)| {
            *known = known.or(now);
            *known == now
        })
    }
}
