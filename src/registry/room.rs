//! Room on the disk for the log's index, which SQLite maps into memory.
//!
//! So that nobody stores into what has no block on the disk, SQLite writes one octet of every
//! 4 KiB of the index before. Where blocks are smaller (ext4's of 1 KiB on a small disk), the
//! others are taken only by the store, and where none is left the system ends the process then
//! (SIGBUS), without a word.

use std::path::Path;

use rusqlite::ffi;
use rustix::fs::statvfs;

/// What SQLite takes for a block.
const BLOCK: u64 = 4096;
/// The index has 32 KiB; what a visit writes into an empty log before it stores into that, some
/// 20 KiB: with 41 KiB some visits were ended.
const ENOUGH: u64 = 64 * 1024;

/// Sees to it that there is enough, where that has to be asked.
///
/// # Errors
/// As if the disk were full.
pub(super) fn look(file: &Path) -> Result<(), rusqlite::Error> {
    // What is not there or tells nothing is SQLite's to complain about.
    let full = statvfs(file).is_ok_and(|disk| {
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        disk.f_blocks > 0 && disk.f_frsize < BLOCK && free < ENOUGH
    });
    if !full {
        return Ok(());
    }
    let words = ffi::code_to_str(ffi::SQLITE_FULL).to_owned();
    let error = ffi::Error::new(ffi::SQLITE_FULL);
    Err(rusqlite::Error::SqliteFailure(error, Some(words)))
}
