//! Run as root, a verb goes on as the owner of the state directory.

use std::fs::{self, File, symlink_metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, getppid, kill_process, set_parent_process_death_signal,
    waitid,
};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::handed::{Argument, Handed, MARK};
use super::{Context, Failure};
use crate::config::Config;

/// This executable, however it was found.
const SELF: &str = "/proc/self/exe";
/// What stands in the mark of a process that was executed in the place of root's; one of its
/// own has the number of root's there.
const EXECUTED: &str = "executed";

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
    let mut made = None;
    for argument in files
        .iter()
        .filter(|file| !(file.new && file.is_standard()))
    {
        let file = argument.open()?;
        if argument.new {
            made = Some((argument.path.as_path(), file.try_clone()?));
        }
        handed.put(argument.role, file);
    }
    let Some((path, file)) = made else {
        return execute_as(owner, handed);
    };
    let ended = run_as(owner, handed);
    // Its owner-to-be may have no right to take it away again.
    if !ended.as_ref().is_ok_and(ExitStatus::success) && is_empty(&file, path) {
        let _ = fs::remove_file(path);
    }
    end_as(ended?)
}

/// Executes this very command again as somebody else, with some files.
pub(super) fn execute_as(owner: (u32, u32), handed: Handed) -> Result<(), Failure> {
    let error = again(owner, handed)?.exec();
    Err(failed(owner, error))
}

/// The same in a process of its own; how that ended. What would end this one ends that one,
/// so that nothing goes on when root's process has gone.
pub(super) fn run_as(owner: (u32, u32), handed: Handed) -> Result<ExitStatus, Failure> {
    // Before there is a process: no signal may fall between.
    let ends = [SIGTERM, SIGINT, SIGHUP];
    let mut signals = Signals::new(ends.into_iter().filter(|signal| !is_ignored(*signal)))?;
    let mut child = below(owner, handed)?
        .spawn()
        .map_err(|error| failed(owner, error))?;
    let pid = Pid::from_child(&child);
    let done = signals.handle();
    thread::scope(|scope| {
        let pass_on = move || {
            for signal in signals.forever() {
                let signal = Signal::from_named_raw(signal);
                let _ = signal.map(|signal| kill_process(pid, signal));
            }
        };
        thread::Builder::new().spawn_scoped(scope, pass_on)?;
        // Its number is nobody else's until it is waited for below, where nothing is passed
        // on any more.
        let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while matches!(waitid(WaitId::Pid(pid), ended), Err(Errno::INTR)) {}
        done.close();
        Ok::<(), Failure>(())
    })?;
    child.wait().map_err(|error| failed(owner, error))
}

/// Whether whoever started us had that signal ignored, as nohup(1) does.
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    let mask = lines.find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.unwrap_or(0) >> (signal - 1) & 1 == 1
}

/// Ends as that process did: whatever there was to say, it has said.
pub(super) fn end_as(status: ExitStatus) -> ! {
    if let Some(signal) = status.signal() {
        let _ = emulate_default_handler(signal);
    }
    std::process::exit(status.code().unwrap_or(1))
}

/// In such a process, has it end with the one that started it, however that ends.
pub(super) fn end_with_parent() {
    let parent = std::env::var(MARK).ok().and_then(|mark| mark.parse().ok());
    let Some(parent) = parent.and_then(Pid::from_raw) else {
        return;
    };
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    // It may have ended before that.
    if getppid() != Some(parent) {
        std::process::exit(1);
    }
}

/// Has this very command run as somebody else, with some files; what it wrote on standard
/// output.
pub(super) fn ask_as(owner: (u32, u32), handed: Handed) -> Result<Vec<u8>, Failure> {
    let output = below(owner, handed)?
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(owner, error))?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(failed(owner, io::Error::other(output.status.to_string()))),
    }
}

/// Whether nothing was written into the file, and `path` is still that file.
fn is_empty(file: &File, path: &Path) -> bool {
    match (file.metadata(), symlink_metadata(path)) {
        (Ok(file), Ok(found)) => {
            file.len() == 0 && (file.dev(), file.ino()) == (found.dev(), found.ino())
        }
        _ => false,
    }
}

/// The same for a process of its own, which is told whose it is.
fn below(owner: (u32, u32), handed: Handed) -> Result<Command, Failure> {
    let mut command = again(owner, handed)?;
    command.env(MARK, std::process::id().to_string());
    Ok(command)
}

/// This very command as somebody else, with some files.
fn again((uid, gid): (u32, u32), handed: Handed) -> Result<Command, Failure> {
    let mut arguments = std::env::args_os();
    let mut command = Command::new(SELF);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    // Of root's groups none is kept: std clears them before it sets the user.
    command.args(arguments).uid(uid).gid(gid);
    command
        .stdin(Stdio::from(handed.send()?))
        .env(MARK, EXECUTED);
    Ok(command)
}

/// Why there is no such process.
fn failed((uid, _): (u32, u32), error: io::Error) -> Failure {
    Failure::new(format!(
        "could not go on as the state directory's owner (user {uid}): {error}"
    ))
}
