//! What systemd says (systemctl(1)).

use std::process::Command;

/// What it prints, whatever it thinks of that; `None` where there is no systemd to ask.
pub(super) fn systemctl(arguments: &[&str]) -> Option<String> {
    let said = Command::new("systemctl").args(arguments).output().ok()?;
    Some(String::from_utf8_lossy(&said.stdout).into_owned())
}
