//! Signals between any two steps of a visit, by way of strace.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use crate::support::skip::{Privilege, installed, may};
use crate::support::visit::Running;

/// The words before a command that send it `signal` when it makes the `n`th of that call;
/// what happens is written to `output`.
pub(crate) fn signal_at(call: &str, n: u32, signal: &str, output: &Path) -> Vec<String> {
    let trace = format!("--trace={call}");
    let inject = format!("--inject={call}:signal={signal}:when={n}");
    let output = format!("--output={}", output.display());
    ["strace", "--quiet=all", &output, &trace, &inject]
        .map(str::to_owned)
        .into()
}

/// Whether strace is there and may trace.
pub(crate) fn works() -> bool {
    installed("strace") && may(Privilege::Trace)
}

/// Waits until the traced process stands still, and says its id; `None` when it has ended.
pub(crate) fn stopped(running: &Running, output: &Path) -> Option<u32> {
    let strace = running.pid();
    while !running.has_ended() {
        let text = fs::read_to_string(output).unwrap_or_default();
        if text.contains("stopped by SIGSTOP") {
            let children = fs::read_to_string(format!("/proc/{strace}/task/{strace}/children"));
            return children.unwrap().trim().parse().ok();
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
