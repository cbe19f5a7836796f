//! What is otherwise for the first process of a container.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::root::foreign;
use crate::support::skip::{Privilege, may};

/// It cannot end itself by a signal, and once ended with a fault instead.
#[test]
fn a_signal_ends_the_first_process() {
    let Some(it) = foreign() else { return };
    if !may(Privilege::Machine) {
        return;
    }
    let upkeep = it.command("upkeep --watch");
    let mut unshare = Command::new("unshare");
    unshare.args(["--pid", "--fork", "--kill-child", "--mount-proc"]);
    unshare.arg(upkeep.get_program()).args(upkeep.get_args());
    unshare.env("BOWLINE_CONFIG", it.file("etc/bowline.toml"));
    let mut outside = unshare.spawn().unwrap();
    std::thread::sleep(Duration::from_secs(1));
    let id = outside.id();
    let first = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
    let killed = Command::new("kill").arg(first.trim()).status();
    assert!(killed.unwrap().success());
    assert_eq!(outside.wait().unwrap().code(), Some(128 + 15));
}
