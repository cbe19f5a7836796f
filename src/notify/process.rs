//! Programs that take a message: run without a shell, with their own environment, and not for
//! longer than they may.

use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use super::Fault;
use super::gate::Gate;
use crate::deadline::Deadline;

/// Where programs find others.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// How often it is looked whether one has ended.
const STEP: Duration = Duration::from_millis(10);
/// So much of what it complains is read.
const COMPLAINT: u64 = 2048;
/// For how long that is waited for after its end.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Runs a program with `input` on its standard input, behind the gate.
pub(super) fn run(
    mut command: Command,
    input: &[u8],
    deadline: Deadline,
    gate: &Gate,
) -> Result<(), Fault> {
    let program = command.get_program().to_string_lossy().into_owned();
    let set: Vec<_> = (command.get_envs())
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    command
        .env_clear()
        .env("PATH", PATH)
        .env("LANG", "C.UTF-8")
        .envs(set)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // Whatever it starts is killed together with it, when it takes too long.
        .process_group(0);
    gate.pass()?;
    let mut child = command
        .spawn()
        .map_err(|error| Fault::refused(format_args!("{program}: {error}")))?;
    let stdin = child.stdin.take();
    let input = input.to_vec();
    thread::spawn(move || {
        // One that does not want to read it need not.
        let _ = stdin.map(|mut stdin| stdin.write_all(&input));
    });
    let (tell, hear) = channel();
    let stderr = child.stderr.take();
    thread::spawn(move || {
        let mut complaint = Vec::new();
        if let Some(stderr) = stderr {
            let _ = stderr.take(COMPLAINT).read_to_end(&mut complaint);
        }
        let _ = tell.send(complaint);
    });
    let status = wait(&mut child, deadline);
    if status.is_none() {
        end(&child);
    }
    let complaint = hear.recv_timeout(LAST_WORDS).unwrap_or_default();
    let complaint = String::from_utf8_lossy(&complaint);
    let complaint = match complaint.trim() {
        "" => String::new(),
        complaint => format!(": {complaint}"),
    };
    match status {
        Some(status) if status.success() => Ok(()),
        // It may be for whom or for what it is: the next one may go.
        Some(status) => Err(Fault::not_now(format_args!(
            "{program} ended {}{complaint}",
            how(status)
        ))),
        None => {
            // It was killed; nothing is to be left of it.
            let _ = child.wait();
            Err(Fault::silent(format_args!(
                "{program} did not end in time, and was killed{complaint}"
            )))
        }
    }
}

/// How it ended; `None`: it did not.
fn wait(child: &mut Child, deadline: Deadline) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if !deadline.passed() => thread::sleep(STEP),
            _ => return None,
        }
    }
}

/// Ends what it has started, and itself.
fn end(child: &Child) {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(group) = group {
        // There may be nobody left.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

fn how(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("with status {code}"),
        (None, Some(signal)) => format!("by signal {signal}"),
        (None, None) => "in vain".to_owned(),
    }
}
