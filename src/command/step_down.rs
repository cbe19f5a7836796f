//! Run as root, a verb goes on as the owner of the state directory, in a process of its own.
//!
//! That process begins as root's and gives root's rights up itself, so the kernel lets no other
//! process of that user look into it (ptrace(2), "dumpable"): neither at root's environment nor
//! at files that root has opened. It is a session of its own, so nothing of that user can type
//! on root's terminal.

use std::fs::{self, File, symlink_metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::str::FromStr;
use std::thread;

use rustix::io::Errno;
use rustix::process::{
    Gid, Pid, Signal, Uid, WaitId, WaitIdOptions, getppid, kill_process,
    set_parent_process_death_signal, setsid, waitid,
};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::handed::{Argument, Handed, MARK};
use super::{Context, Failure};
use crate::config::Config;

/// This executable, however it was found.
pub(super) const SELF: &str = "/proc/self/exe";
/// Whose the sockets are that systemd passes on (sd_listen_fds(3)); whoever's, where it is not set.
const LISTEN_PID: &str = "LISTEN_PID";
/// What would end or stop root's process, and is to do that to the other one.
const PASSED_ON: [i32; 4] = [SIGTERM, SIGINT, SIGHUP, SIGTSTP];

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

/// Has this very command run as the state directory's owner, where need be, and ends with it.
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
        return go_on_as(owner, handed);
    };
    let ended = run_as(owner, handed);
    // Nothing was to be written into it. Its owner-to-be may have no right to take it away again.
    if is_empty(&file, path) {
        let _ = fs::remove_file(path);
    }
    end_as(ended?)
}

/// Has this very command run as somebody else, with some files, and ends as that does.
pub(super) fn go_on_as(owner: (u32, u32), handed: Handed) -> Result<(), Failure> {
    end_as(run_as(owner, handed)?)
}

/// Has this very command run as somebody else, with some files; how that ended. What would
/// end or stop this process does so to that one, so that nothing goes on when root's has gone.
pub(super) fn run_as(owner: (u32, u32), handed: Handed) -> Result<ExitStatus, Failure> {
    // Before there is a process: no signal may fall between.
    let mut signals = Signals::new(PASSED_ON.into_iter().filter(|signal| !is_ignored(*signal)))?;
    let mut child = again(owner, handed)?
        .spawn()
        .map_err(|error| failed(owner, error))?;
    let pid = Pid::from_child(&child);
    let done = signals.handle();
    thread::scope(|scope| {
        let pass_on = move || {
            for signal in signals.forever() {
                pass_on(signal, pid);
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

/// Passes a signal on. The terminal stops root's process alone; the other one stops with it,
/// and goes on with it.
fn pass_on(signal: i32, pid: Pid) {
    let send = |signal| kill_process(pid, signal);
    if signal == SIGTSTP {
        let _ = send(Signal::STOP);
        let _ = emulate_default_handler(signal);
        let _ = send(Signal::CONT);
    } else if let Some(signal) = Signal::from_named_raw(signal) {
        let _ = send(signal);
    }
}

/// Whether whoever started us had that signal ignored, as nohup(1) does.
pub(super) fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    let mask = lines.find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.unwrap_or(0) >> (signal - 1) & 1 == 1
}

/// Ends as that process did: whatever there was to say, it has said.
pub(super) fn end_as(status: ExitStatus) -> ! {
    if let Some(signal) = status.signal() {
        end_by(signal);
    }
    std::process::exit(status.code().unwrap_or(1))
}

/// Ends as that signal ends a process.
pub(super) fn end_by(signal: i32) -> ! {
    // No signal of its own ends the first process of a container.
    if std::process::id() != 1 {
        let _ = emulate_default_handler(signal);
    }
    std::process::exit(128 + signal)
}

/// In such a process, gives up root's rights, and has it end with the one that started it,
/// however that ends.
pub(super) fn take_over() -> Result<(), Failure> {
    let Some(mark) = std::env::var_os(MARK) else {
        return Ok(());
    };
    let mark: Mark = (mark.to_str().and_then(|mark| mark.parse().ok()))
        .ok_or_else(|| Failure::new(format!("{MARK} is bowline's own, and is not to be set")))?;
    let give_up = || {
        setsid()?;
        // The user last: whoever is not root may not change the rest.
        set_thread_groups(&[])?;
        let (uid, gid) = (Uid::from_raw(mark.uid), Gid::from_raw(mark.gid));
        set_thread_res_gid(gid, gid, gid)?;
        set_thread_res_uid(uid, uid, uid)?;
        // Not before: another user's process has no such signal.
        set_parent_process_death_signal(Some(Signal::KILL))
    };
    give_up().map_err(|error| failed((mark.uid, mark.gid), error.into()))?;
    // It may have ended before that.
    if getppid() != Pid::from_raw(mark.parent) {
        std::process::exit(1);
    }
    Ok(())
}

/// Whose a process is to be, and which one has started it.
struct Mark {
    parent: i32,
    uid: u32,
    gid: u32,
}

impl FromStr for Mark {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.split(' ');
        let mut word = || words.next().unwrap_or_default();
        Ok(Mark {
            parent: word().parse()?,
            uid: word().parse()?,
            gid: word().parse()?,
        })
    }
}

/// Has this very command run as somebody else, with some files; what it wrote on standard
/// output.
pub(super) fn ask_as(owner: (u32, u32), handed: Handed) -> Result<Vec<u8>, Failure> {
    let output = again(owner, handed)?
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

/// This very command, to be run as somebody else with some files.
fn again((uid, gid): (u32, u32), handed: Handed) -> Result<Command, Failure> {
    let mut arguments = std::env::args_os();
    let mut command = Command::new(SELF);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    command
        .args(arguments)
        .stdin(Stdio::from(handed.send()?))
        .env(MARK, format!("{} {uid} {gid}", std::process::id()));
    // The sockets that systemd has passed on are that process's now, whose number is not known yet.
    let ours = std::process::id().to_string();
    if std::env::var(LISTEN_PID).is_ok_and(|whose| whose == ours) {
        command.env_remove(LISTEN_PID);
    }
    Ok(command)
}

/// Why there is no such process.
fn failed((uid, _): (u32, u32), error: io::Error) -> Failure {
    Failure::new(format!(
        "could not go on as the state directory's owner (user {uid}): {error}"
    ))
}
