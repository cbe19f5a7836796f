//! Who runs bowline: told where what there is contradicts itself, and put right where only
//! the state directory speaks for root.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::Path;

use super::mode::{Allowed, open};
use super::report::Report;
use crate::config::Config;
use crate::setup::runner::Runner;
use crate::setup::users::Owner;
use crate::setup::{Place, registry, state_directory};

/// Others change nothing in it.
const WRITABLE: u32 = 0o022;

/// Who runs bowline; with `fix`, a state directory that became root's is given back.
pub fn examine(config: &Config, place: &Place, fix: bool, report: &mut Report) -> Option<Runner> {
    let runner = Runner::of(config, place)?;
    let state = config.state_directory();
    match &runner {
        Runner::Known(owner) => {
            lost_registry(config, owner, fix, report);
            return Some(runner);
        }
        Runner::Unclear { owner, or, because } => report.problem(
            "state-directory",
            format_args!("{} belongs to {}, and {because}", state.display(), owner.user),
            format_args!(
                "where {} runs bowline: `chown -hR --from={} {}:{} {}`; where it is {}: `chgrp {} {}`",
                or.user,
                owner.uid,
                or.user,
                or.group,
                state.display(),
                owner.user,
                owner.group,
                keys(config)
            ),
        ),
        Runner::Lost { owner, because } => {
            let says = format!(
                "{} belongs to root, and {because}: {} runs bowline",
                state.display(),
                owner.user
            );
            if let Some(other) = state_directory::stranger(state, config) {
                report.problem(
                    "state-directory",
                    format_args!("{says}; it has {other:?} too, which is not bowline's"),
                    format_args!(
                        "move the registry into a directory of its own, which belongs to {}, and name it in [state] registry",
                        owner.user
                    ),
                );
            } else if !fix {
                report.problem("state-directory", says, hint(state, owner));
            } else {
                match hand_over(state, owner) {
                    Ok(()) => {
                        let says = format!("{} belongs to {}", state.display(), owner.user);
                        report.fixed("state-directory", says);
                        return Runner::of(config, place);
                    }
                    Err(error) => report.problem(
                        "state-directory",
                        format_args!("{says}; it was not changed: {error}"),
                        hint(state, owner),
                    ),
                }
            }
        }
    }
    Some(runner)
}

/// A registry that root made or copied there, which its user cannot write: with `fix` it is
/// given back. That user's own part tells of it otherwise.
fn lost_registry(config: &Config, owner: &Owner, fix: bool, report: &mut Report) {
    let file = &config.state.registry;
    if !fix || !rustix::process::geteuid().is_root() || !registry::is_lost(file, owner) {
        return;
    }
    match registry::give_back(file, owner) {
        Ok(()) => {
            let says = format!("{} belongs to {}", file.display(), owner.user);
            report.fixed("registry-owner", says);
        }
        Err(error) => report.problem(
            "registry-owner",
            format_args!(
                "{} belongs to root; it was not changed: {error}",
                file.display()
            ),
            "put owner and mode right by hand",
        ),
    }
}

fn hint(state: &Path, Owner { user, group, .. }: &Owner) -> String {
    format!(
        "`bowline doctor --fix` gives it back, as does `chown -hR --from=0 {user}:{group} {}`",
        state.display()
    )
}

/// The files that the user who runs bowline reads.
fn keys(config: &Config) -> String {
    let mut files = config.secrets();
    files.push(&config.file);
    files.dedup();
    let files: Vec<String> = files
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    files.join(" ")
}

/// Gives root's directory and what is root's in it to somebody else, without following a link.
fn hand_over(state: &Path, owner: &Owner) -> io::Result<()> {
    let refused = |why: String| Err(io::Error::other(why));
    if !Allowed::root().is_ours(state.parent().unwrap_or(Path::new("/"))) {
        return refused("somebody else may change the directory above it".to_owned());
    }
    let mut given = Vec::new();
    let below = state_directory::DIRECTORIES.map(|name| state.join(name));
    for directory in [state.to_owned()].into_iter().chain(below) {
        let file = match open(&directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            file => file?,
        };
        let is = file.metadata()?;
        if !is.is_dir() || is.uid() != 0 {
            continue;
        }
        // From now on nobody lays anything into it.
        let mode = is.mode() & 0o7777 & !WRITABLE;
        file.set_permissions(Permissions::from_mode(mode))?;
        for entry in fs::read_dir(&directory)? {
            let path = entry?.path();
            let is = fs::symlink_metadata(&path)?;
            if !is.is_file() || is.uid() != 0 {
                continue;
            }
            let file = open(&path)?;
            if file.metadata()?.nlink() != 1 {
                return refused(format!("{} has another name too", path.display()));
            }
            given.push(file);
        }
        given.push(file);
    }
    // The directory comes last: until then it is root's alone.
    let give = |file: &File| fchown(file, Some(owner.uid), Some(owner.gid));
    given
        .iter()
        .rev()
        .filter(|file| !is_directory(file))
        .try_for_each(give)?;
    given
        .iter()
        .rev()
        .filter(|file| is_directory(file))
        .try_for_each(give)
}

fn is_directory(file: &File) -> bool {
    file.metadata().is_ok_and(|is| is.is_dir())
}
