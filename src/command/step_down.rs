//! Run as root, a verb goes on as the owner of the state directory.

use std::fs::symlink_metadata;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::handed::{Argument, Handed, MARK};
use super::{Context, Failure};
use crate::config::Config;

/// This executable, however it was found.
const SELF: &str = "/proc/self/exe";

/// The state directory's owner, when that is somebody else and we could become them.
///
/// # Errors
/// When the directory is a link or no directory.
pub(super) fn owner(state: &Path) -> Result<Option<(u32, u32)>, Failure> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    // A missing one is for the verb to complain about.
    let Ok(found) = symlink_metadata(state) else {
        return Ok(None);
    };
    if !found.is_dir() {
        return Err(Failure::new(format!(
            "the state directory {} is no directory",
            state.display()
        ))
        .hint("name the directory itself in [state] registry, not a link to it"));
    }
    Ok(Some((found.uid(), found.gid())).filter(|(uid, _)| *uid != 0))
}

/// Executes this very command again as the state directory's owner, where need be.
///
/// The files among its arguments are opened first, with root's rights.
pub(super) fn become_owner(context: &Context<'_>, files: &[Argument]) -> Result<(), Failure> {
    // A configuration that cannot be read is for the verb to complain about.
    let Ok(config) = Config::load(&context.config) else {
        return Ok(());
    };
    let Some(owner) = owner(config.state_directory())? else {
        return Ok(());
    };
    let mut handed = Handed::default();
    for argument in files
        .iter()
        .filter(|file| !(file.new && file.is_standard()))
    {
        handed.put(argument.role, argument.open()?);
    }
    execute_as(owner, handed)
}

/// Executes this very command again as somebody else, with some files.
pub(super) fn execute_as((uid, gid): (u32, u32), handed: Handed) -> Result<(), Failure> {
    let mut arguments = std::env::args_os();
    let mut command = Command::new(SELF);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    // Of root's groups none is kept: std clears them before it sets the user.
    command.args(arguments).uid(uid).gid(gid);
    command.stdin(Stdio::from(handed.send()?)).env(MARK, "1");
    let error = command.exec();
    Err(Failure::new(format!(
        "could not go on as the state directory's owner (user {uid}): {error}"
    )))
}
