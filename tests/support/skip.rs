//! Tests that cannot run here. None is left out unnoticed: each is said on the terminal and
//! in the list of scripts/test, and where everything is to be there (`CI`) it fails.

use std::fs::File;
use std::io::Write as _;
use std::net::{Ipv6Addr, UdpSocket};
use std::process::{Command, Stdio};

/// What a machine may deny us, however much is installed there. Only the lack of these is
/// no failure in CI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Privilege {
    /// To become somebody else.
    Root,
    /// To mount a file system.
    Mount,
    /// To mount a file as a disk.
    Loop,
    /// To stop other processes at their calls, with strace(1).
    Trace,
    /// To make a machine of our own, with unshare(1).
    Machine,
    /// To listen at ::1, which containers often lack.
    Ipv6,
}

/// What a machine of our own is made of, and one mount inside.
const MACHINE: &str = r#"
group=/sys/fs/cgroup
[ ! -d $group/unified ] || group=$group/unified
mkdir "$group/bowline-probe-$$" && rmdir "$group/bowline-probe-$$" || exit 1
exec unshare --net --mount --pid --fork --kill-child --cgroup --uts --ipc mount -t tmpfs tmpfs /tmp
"#;

/// A disk in a file.
const LOOP: &str = r#"
image=$(mktemp) || exit 1
trap 'rm "$image"' EXIT
truncate -s 1M "$image" && mkfs.ext4 -q "$image" && unshare --mount mount -o loop "$image" /tmp
"#;

impl Privilege {
    /// Tried out here: the failure of what a test does itself can be a fault.
    fn is_ours(self) -> bool {
        let (program, arguments) = match self {
            Privilege::Root => return rustix::process::geteuid().is_root(),
            Privilege::Ipv6 => return UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_ok(),
            Privilege::Mount => {
                let mount = ["--mount", "mount", "-t", "tmpfs", "tmpfs", "/tmp"];
                ("unshare", mount.to_vec())
            }
            Privilege::Loop => ("sh", vec!["-c", LOOP]),
            Privilege::Trace => ("strace", vec!["--output=/dev/null", "true"]),
            Privilege::Machine => ("sh", vec!["-c", MACHINE]),
        };
        let mut command = Command::new(program);
        command.args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let tried = command.stderr(Stdio::null()).status();
        tried.is_ok_and(|status| status.success())
    }

    fn lack(self) -> &'static str {
        match self {
            Privilege::Root => "it takes root",
            Privilege::Mount => "nothing may be mounted here",
            Privilege::Loop => "no file may be mounted here",
            Privilege::Trace => "strace may not trace here",
            Privilege::Machine => "no machine of its own can be made here",
            Privilege::Ipv6 => "there is no IPv6 loopback here",
        }
    }
}

/// Whether that is allowed here; a test that it is not allowed to is skipped.
pub fn may(privilege: Privilege) -> bool {
    let may = privilege.is_ours();
    if !may {
        tell(privilege.lack());
    }
    may
}

/// Whether a program is here; a test that lacks it is skipped, and fails in CI.
pub fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];
    let there = std::env::split_paths(&path)
        .chain(usual.map(Into::into))
        .any(|directory| directory.join(program).exists());
    if !there {
        skip(&format!("{program} is not installed"));
    }
    there
}

/// Skips a test for want of something that a machine for tests has: in CI it fails.
pub fn skip(why: &str) {
    tell(why);
    let ci = std::env::var_os("CI").is_some();
    assert!(!ci, "in CI nothing is skipped: {why}");
}

/// Says it past the capture of the test's output, and in the list.
fn tell(why: &str) {
    let thread = std::thread::current();
    let line = format!("{}: {why}\n", thread.name().unwrap_or_default());
    let _ = std::io::stderr().write_all(format!("skipped: {line}").as_bytes());
    if let Some(list) = std::env::var_os("BOWLINE_SKIPPED") {
        let list = File::options().append(true).create(true).open(list);
        list.unwrap().write_all(line.as_bytes()).unwrap();
    }
}
