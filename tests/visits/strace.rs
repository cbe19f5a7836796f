//! Signals between any two steps of a visit, by way of strace.

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::visit::Running;

/// The words before a command that send it `signal` when it makes the `n`th of that call.
pub(crate) fn signal_at(call: &str, n: u32, signal: &str) -> Vec<String> {
    let trace = format!("--trace={call}");
    let inject = format!("--inject={call}:signal={signal}:when={n}");
    [
        "strace",
        "--quiet=all",
        "--output=/dev/null",
        &trace,
        &inject,
    ]
    .map(str::to_owned)
    .into()
}

/// Whether strace is there and may trace.
pub(crate) fn works() -> bool {
    let mut command = Command::new("strace");
    command.args(["--output=/dev/null", "true"]);
    command.stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Waits until the traced process stands still, and says its id; `None` when it has ended.
pub(crate) fn stopped(running: &Running) -> Option<u32> {
    let strace = running.pid();
    let end = Instant::now() + Duration::from_secs(10);
    let mut still = 0;
    while Instant::now() < end {
        let children = fs::read_to_string(format!("/proc/{strace}/task/{strace}/children"));
        let child = children.ok()?.trim().parse::<u32>().ok();
        let state = child.and_then(self::state);
        still = if state == Some('T') || state == Some('t') {
            still + 1
        } else {
            0
        };
        if still == 5 {
            return child;
        }
        if state == Some('Z') || self::state(strace) == Some('Z') {
            return None;
        }
        sleep(Duration::from_millis(5));
    }
    None
}

/// Lets it go on.
pub(crate) fn go_on(pid: u32) {
    let kill = Command::new("kill")
        .args(["-s", "CONT", &pid.to_string()])
        .status();
    assert!(kill.unwrap().success());
}

/// The state of a process, as in proc(5).
fn state(pid: u32) -> Option<char> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    text.rsplit_once(") ")?.1.chars().next()
}
