//! What is otherwise for the first process of a container.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::place::Place;
use crate::root::foreign;
use crate::support::skip::{Privilege, may};

/// It cannot end itself by a signal, and once ended with a fault instead.
#[test]
fn a_signal_ends_the_first_process() {
    let Some(it) = foreign() else { return };
    if !may(Privilege::Machine) {
        return;
    }
    // A list that does not come: it has no handler of its own, as what watches has.
    for (verb, code) in [("host import -", 128 + 15), ("upkeep --watch", 0)] {
        assert_eq!(ended_by_term(&it, verb), Some(code), "{verb}");
    }
}

/// How a verb ends that is the first process, and gets a signal.
fn ended_by_term(it: &Place, verb: &str) -> Option<i32> {
    let inner = it.command(verb);
    let mut unshare = Command::new("unshare");
    unshare.args(["--pid", "--fork", "--kill-child", "--mount-proc"]);
    unshare.arg(inner.get_program()).args(inner.get_args());
    unshare.env("BOWLINE_CONFIG", it.file("etc/bowline.toml"));
    let mut outside = unshare.stdin(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(1));
    let id = outside.id();
    let first = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
    let killed = Command::new("kill").arg(first.trim()).status();
    assert!(killed.unwrap().success());
    // Else waiting would close its standard input.
    let stdin = outside.stdin.take();
    let ended = outside.wait().unwrap();
    drop(stdin);
    ended.code()
}
