//! What the owner of the state directory can look at: the directory, the registry, and
//! when upkeep was last done.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::StatVfsMountFlags;
use serde::{Deserialize, Serialize};

use super::mode::Allowed;
use super::report::Report;
use super::{inside, logs, registry};
use crate::config::Config;
use crate::registry::LATE;
use crate::setup::access::Reader;
use crate::setup::users::user_name;
use crate::span::Span;
use crate::time::Timestamp;
use crate::token::Digest;

/// The registry grows to some 1 KiB a host, and needs room to be written anew.
const SPACE_MIN: u64 = 64 << 20;
/// What is no problem of its own beside another: a round of upkeep ends with a note in the
/// directory of the locks.
const FOLLOWS: [(&str, &str); 4] = [
    ("registry-integrity", "registry-owner"),
    ("registry-integrity", "disk-space"),
    ("lookup-key", "keys-readable"),
    ("upkeep", "locks"),
];
/// What is said where no round was done yet.
pub(super) const NEVER_DONE: &str = "it was never done";
/// What a clock may be off between two programs of one machine.
const TICK: Span = Span::from_seconds(60);

/// What was found, and which digests are those of tokens in force.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// The findings.
    pub report: Report,
    /// One for each suspect; empty when the registry could not be asked.
    pub in_force: Vec<bool>,
}

/// Looks at everything in the state directory, following no links.
///
/// `suspects` are digests of what stood in some log and may be a token; `upkeep_was` tells
/// when its last round ended. With `fix`, modes are put right, a missing directory of
/// locks is made, and locks and counters that only somebody else can use go.
pub fn examine(
    config: &Config,
    suspects: &[Digest],
    upkeep_was: impl FnOnce() -> Option<Timestamp>,
    fix: bool,
) -> State {
    let mut state = State::default();
    let report = &mut state.report;
    let directory = config.state_directory();
    if !look(directory, "state-directory", true, fix, report) {
        return state;
    }
    // Before its note goes with a lock of somebody else.
    let upkeep_was = upkeep_was();
    readable(config, report);
    logs::own(config, report);
    inside::locks(directory, fix, report);
    inside::counters(directory, fix, report);
    space(directory, report);
    let file = &config.state.registry;
    if look(file, "registry-owner", false, fix, report) {
        inside::beside(file, fix, report);
        registry::examine(config, suspects, &mut state);
    }
    upkeep(upkeep_was, &mut state.report);
    for (follows, cause) in FOLLOWS {
        state.report.explained(follows, cause);
    }
    state
}

/// Whether a directory or file is there and no link; its owner and mode are told.
fn look(path: &Path, name: &'static str, directory: bool, fix: bool, report: &mut Report) -> bool {
    let says = |what: &str| format!("{} {what}", path.display());
    let is = match fs::symlink_metadata(path) {
        Ok(is) => is,
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            report.unknown(
                name,
                says("cannot be looked at"),
                "run this as root, with sudo",
            );
            return false;
        }
        Err(error) => {
            report.problem(
                name,
                format_args!("{}: {error}", path.display()),
                "run `bowline init` again with the options it had, or put it back with `bowline restore FILE`",
            );
            return false;
        }
    };
    if is.is_symlink() || is.is_dir() != directory {
        report.problem(
            name,
            says(if is.is_symlink() {
                "is a link"
            } else {
                "is of the wrong kind"
            }),
            "name what it leads to in [state] registry",
        );
        return false;
    }
    let me = rustix::process::geteuid();
    if is.uid() != me.as_raw() && !me.is_root() {
        if !directory {
            // The directory is ours, or it would not be looked at.
            inside::foreign(path, is.uid(), name, report);
            return false;
        }
        report.unknown(
            name,
            says(&format!("belongs to {}", user_name(is.uid()))),
            "run this as root, with sudo",
        );
        return false;
    }
    let parent = path.parent().and_then(|parent| fs::metadata(parent).ok());
    let owner = match directory {
        true => Some(is.clone()),
        false => parent,
    };
    let mut allowed = Allowed::beside(owner.as_ref());
    if !directory {
        // Root's registry in somebody else's directory is one that bowline cannot write.
        allowed.uids.truncate(1);
    }
    allowed.needs = if directory { 0o700 } else { 0o600 };
    match allowed.wrong(&is) {
        None => report.ok(name, says(&format!("belongs to {}", user_name(is.uid())))),
        Some(wrong) => inside::amend(path, &allowed, &wrong, name, fix, report),
    }
    true
}

/// Whoever owns the state directory is who runs bowline, and has to read the keys.
fn readable(config: &Config, report: &mut Report) {
    let mut files = vec![config.file.as_path()];
    files.extend(config.secrets());
    let closed = files.iter().find_map(|file| {
        let error = fs::File::open(file).err()?;
        (error.kind() == ErrorKind::PermissionDenied).then_some(file)
    });
    let me = Reader::me();
    match closed {
        None => {
            let me = user_name(me.uid);
            report.ok(
                "keys-readable",
                format_args!("{me} reads configuration and keys"),
            );
        }
        Some(file) => {
            let closed = me.stopped_at(file);
            unreadable(file, me, closed.as_deref().unwrap_or(file), report);
        }
    }
}

/// What `reader` cannot read, because something is closed.
pub fn unreadable(file: &Path, reader: Reader, closed: &Path, report: &mut Report) {
    let user = user_name(reader.uid);
    let way = reader.way(closed);
    let hint = match closed.is_dir() {
        true => format!("a directory above it is closed: {way}"),
        false => format!("{way}, or as root `bowline doctor --fix`"),
    };
    let says = format_args!("{user}, who runs bowline, cannot read {}", file.display());
    report.problem("keys-readable", says, hint);
}

/// Room for what is written in a directory: the registry, or what a name server keeps.
pub(super) fn space(directory: &Path, report: &mut Report) {
    let Ok(found) = rustix::fs::statvfs(directory) else {
        return report.unknown("disk-space", "how much is free", "see `df`");
    };
    if found.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return report.problem(
            "disk-space",
            format_args!(
                "the file system of {} is mounted read-only",
                directory.display()
            ),
            "see the kernel's log (`dmesg`): a disk with errors is mounted so; then mount it anew",
        );
    }
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let says = format!("{} MiB free at {}", free >> 20, directory.display());
    // Some file systems do not count their files.
    let no_files = found.f_files > 0 && found.f_favail < 64;
    if free < SPACE_MIN || no_files {
        report.problem(
            "disk-space",
            says,
            "make room: without it no change is accepted",
        );
    } else {
        report.ok("disk-space", says);
    }
}

/// When a round of upkeep was done, by a clock that goes forward.
fn upkeep(was: Option<Timestamp>, report: &mut Report) {
    let now = Timestamp::now();
    let hint = "let a timer or cron run `bowline upkeep` every minute";
    match was {
        None => report.problem("upkeep", NEVER_DONE, hint),
        Some(last) if last.since(now) > TICK => report.problem(
            "clock",
            format_args!("the last upkeep was at {last}, which is still to come"),
            "set the clock, and keep it right with NTP",
        ),
        Some(last) if now.since(last) > LATE => {
            report.problem("upkeep", format_args!("it was last done at {last}"), hint);
        }
        Some(last) => report.ok("upkeep", format_args!("it was done at {last}")),
    }
}
