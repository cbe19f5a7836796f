//! The local commands, one after the other.

use std::io::{self, Write};
use std::os::fd::AsFd as _;
use std::process::{Command, Stdio};

use super::error::SetupError;
use super::next::Step;

/// Runs every step that is ours to run, showing each on `out` and telling `done` of it, and
/// returns those that are left for the operator.
///
/// # Errors
/// The first command that fails; those after it are not run.
pub fn apply(
    steps: &[Step],
    out: &mut dyn Write,
    mut done: impl FnMut(&Step) -> Result<(), SetupError>,
) -> Result<Vec<Step>, SetupError> {
    let mut left = Vec::new();
    for step in steps {
        if !step.applied {
            left.push(step.clone());
            continue;
        }
        let shown = writeln!(out, "+ {}", step.command).and_then(|()| out.flush());
        shown.map_err(|error| SetupError::Command(step.command.clone(), error.to_string()))?;
        run(&step.command)?;
        done(step)?;
    }
    Ok(left)
}

/// Runs one. What a command prints goes to standard error: standard output may be a JSON document,
/// and a daemon that it starts must not hold a pipe of ours.
pub(super) fn run(command: &str) -> Result<(), SetupError> {
    let failed = |how: String| SetupError::Command(command.to_owned(), how);
    let stderr = io::stderr()
        .as_fd()
        .try_clone_to_owned()
        .map_err(|error| failed(error.to_string()))?;
    let path = std::env::var("PATH").unwrap_or_default();
    let status = Command::new("/bin/sh")
        .args(["-c", command])
        .env("PATH", format!("{path}:/usr/sbin:/usr/local/sbin:/sbin"))
        .stdin(Stdio::null())
        .stdout(stderr)
        .status()
        .map_err(|error| failed(format!("did not start: {error}")))?;
    if status.success() {
        Ok(())
    } else {
        Err(failed(format!("failed ({status})")))
    }
}
