//! Whether lines can be written where they are to go, as far as that can be found out without
//! writing any.

use std::fs::{Metadata, metadata};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, accessat, statvfs};
use rustix::io::Errno;

use super::{SYSLOG, has_syslog};
use crate::config::LogTarget;

/// What leads to the standard streams, whatever those are.
const STREAMS: [&str; 4] = [
    "/dev/std",
    "/dev/fd/",
    "/proc/self/fd/",
    "/proc/thread-self/fd/",
];

/// What the file is, where lines cannot be appended to such a thing: whoever writes into a
/// pipe waits for its reader.
pub fn wrong_kind(file: &Path) -> Option<&'static str> {
    let path = file.to_string_lossy();
    if STREAMS.iter().any(|stream| path.starts_with(stream)) {
        return None;
    }
    let kind = metadata(file).ok()?.file_type();
    match () {
        () if kind.is_file() || kind.is_char_device() => None,
        () if kind.is_dir() => Some("a directory"),
        () if kind.is_fifo() => Some("a pipe"),
        () if kind.is_socket() => Some("a socket"),
        () => Some("a device"),
    }
}

/// Why lines of this process go to standard error instead.
pub fn obstacle(target: &LogTarget) -> Option<Error> {
    match target {
        LogTarget::File(file) => closed(file),
        LogTarget::Syslog if !has_syslog() => Some(Error::other(format!("there is no {SYSLOG}"))),
        LogTarget::Auto | LogTarget::Syslog | LogTarget::Stderr => None,
    }
}

/// Why this process cannot append to the file, or make it.
fn closed(file: &Path) -> Option<Error> {
    if let Some(kind) = wrong_kind(file) {
        return Some(Error::other(format!("it is {kind}")));
    }
    let may = |path: &Path, access| accessat(CWD, path, access, AtFlags::EACCESS);
    let directory = match file.parent() {
        Some(directory) if directory != Path::new("") => directory,
        _ => Path::new("."),
    };
    let tried = match metadata(file) {
        Ok(_) => may(file, Access::WRITE_OK),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            may(directory, Access::WRITE_OK | Access::EXEC_OK)
        }
        Err(error) => return Some(error),
    };
    if let Err(error) = tried {
        return Some(error.into());
    }
    let is_file = metadata(file).as_ref().is_ok_and(Metadata::is_file);
    let full = is_file && statvfs(directory).is_ok_and(|found| found.f_bavail == 0);
    full.then(|| Errno::NOSPC.into())
}
