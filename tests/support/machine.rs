//! A machine of its own: systemd, Debian's files, ports below 1024, and no way out.
//!
//! Everything of this machine is below it, read-only under an overlay in memory; network,
//! processes, mounts and control groups are its own (unshare(1)). Whatever happens there
//! is gone with it. It needs root; elsewhere its tests are skipped, and say so.
#![allow(dead_code, unreachable_pub)]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::skip::{Privilege, installed, may};

/// What makes it, from outside: a control group, then everything unshared.
const OUTSIDE: &str = r#"
group=/sys/fs/cgroup
[ ! -d $group/unified ] || group=$group/unified
mkdir "$group/$1" && echo $$ >"$group/$1/cgroup.procs" || exit 1
exec unshare --net --mount --pid --fork --kill-child --cgroup --uts --ipc sh -c "$4" inside "$2" "$3" "$5"
"#;

/// What makes it, from inside: a root of its own, and nothing that could reach the kernel
/// of all. Of Debian's units only those are left that are started by name.
const INSIDE: &str = r#"
set -e
mount -t tmpfs -o mode=755 tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mkdir -m 1777 run/lock
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for device in null:3 zero:5 full:7 random:8 urandom:9; do
    mknod -m 666 "dev/${device%:*}" c 1 "${device#*:}"
done
mknod -m 666 dev/tty c 5 0
ln -s /proc/self/fd dev/fd
mkdir dev/shm dev/pts
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
chmod 1777 dev/shm
# The source tree, where it is on a disk of its own, or below /tmp.
if [ ! -e ".$3/Cargo.toml" ]; then
    mkdir -p "$1/source" "$1/made" ".$3"
    mount -t overlay overlay -o "lowerdir=$3,upperdir=$1/source,workdir=$1/made" ".$3"
fi
ip link set lo up
umask 022
echo 0123456789abcdef0123456789abcdef >etc/machine-id
rm -rf etc/systemd/system/*.wants etc/bowline etc/systemd/system/bowline* var/lib/bowline etc/letsencrypt
for unit in lib/systemd/system/*.target.wants/* systemd-remount-fs.service; do
    case $unit in
        */systemd-journald.s* | */systemd-journald-dev-log.socket | */systemd-journal-flush.service | */systemd-tmpfiles-setup.service) ;;
        *) ln -sf /dev/null "etc/systemd/system/${unit##*/}" ;;
    esac
done
printf '[Unit]\nRequires=sysinit.target sockets.target timers.target\n' >etc/systemd/system/machine.target
mkdir outside
pivot_root . outside
umount -l /outside
touch /run/machine-is-made
exec env -i container=lxc PATH=/usr/sbin:/usr/bin \
    setpriv --bounding-set -sys_module,-sys_time,-sys_boot,-sys_rawio,-mac_admin,-syslog sh -c "$2"
"#;

/// What runs first: systemd, until what was asked for is there.
const SYSTEMD: (&str, &str) = (
    "exec /lib/systemd/systemd --unit=machine.target",
    "systemctl is-active machine.target",
);

/// What runs first where there is no systemd: it only takes the dead away.
const NOTHING: (&str, &str) = ("while sleep 1; do :; done", "test -e /run/machine-is-made");

/// A running machine; it ends with the test.
pub struct Machine {
    child: Child,
    /// Its first process, as this machine counts processes.
    pid: String,
    name: String,
    /// Where its memory is mounted, for itself only.
    dir: tempfile::TempDir,
}

impl Machine {
    /// Starts one with bowline in `/usr/bin`; `None`, and a word about it, where a process
    /// may not have such a thing.
    pub fn start() -> Option<Self> {
        if !installed("systemctl") {
            return None;
        }
        Machine::start_with(SYSTEMD)
    }

    /// The same without systemd.
    pub fn start_without_systemd() -> Option<Self> {
        Machine::start_with(NOTHING)
    }

    fn start_with((first, up): (&str, &str)) -> Option<Self> {
        if !may(Privilege::Root) || !may(Privilege::Machine) {
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let name = dir.path().file_name().unwrap().to_string_lossy();
        let name = format!("bowline{}", name.replace('.', "-"));
        let errors = File::create(dir.path().with_extension("log")).unwrap();
        let child = Command::new("sh")
            .args(["-c", OUTSIDE, "outside", &name])
            .arg(dir.path())
            .args([first, INSIDE, env!("CARGO_MANIFEST_DIR")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .unwrap();
        let mut machine = Machine {
            child,
            pid: String::new(),
            name,
            dir,
        };
        if !machine.is_up(up) {
            let log = machine.dir.path().with_extension("log");
            let said = fs::read_to_string(log).unwrap_or_default();
            panic!("the machine does not start: {said}");
        }
        machine.put(Path::new(env!("CARGO_BIN_EXE_bowline")), "/usr/bin/bowline");
        Some(machine)
    }

    /// Waits until `up` succeeds there.
    fn is_up(&mut self, up: &str) -> bool {
        let end = Instant::now() + Duration::from_secs(120);
        while Instant::now() < end {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return false;
            }
            let id = self.child.id();
            let children = format!("/proc/{id}/task/{id}/children");
            let pid = fs::read_to_string(children).unwrap_or_default();
            self.pid = pid.trim().to_owned();
            if !self.pid.is_empty() && self.try_run(up).0 {
                return true;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        false
    }

    fn command(&self, script: &str) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--target", &self.pid, "--mount", "--net", "--pid", "--uts"])
            .args(["--ipc", "--cgroup", "--root", "--wd", "env", "-i"])
            .args(["HOME=/root", "LANG=C.UTF-8"])
            .arg("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin")
            .args(["sh", "-c", script])
            .stdin(Stdio::null());
        command
    }

    /// Runs a script there: whether it succeeded, and all it said.
    pub fn try_run(&self, script: &str) -> (bool, String) {
        let out = self.command(script).output().unwrap();
        let said = [out.stdout, out.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        (out.status.success(), said)
    }

    /// Runs a script that has to succeed: what it printed.
    pub fn run(&self, script: &str) -> String {
        let out = self.command(script).output().unwrap();
        let [said, errors] =
            [out.stdout, out.stderr].map(|octets| String::from_utf8(octets).unwrap());
        assert!(
            out.status.success(),
            "{script}\n{said}{errors}\n{}",
            self.try_run("journalctl --no-pager -n 40 -o cat").1
        );
        said
    }

    /// Starts a program that stays there as long as the machine.
    pub fn spawn(&self, script: &str) {
        let mut command = self.command(script);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        // Ended by the end of the machine.
        drop(command.spawn().unwrap());
    }

    /// Waits until a script succeeds.
    pub fn wait(&self, script: &str) {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let (done, said) = self.try_run(script);
            if done {
                return;
            }
            assert!(
                Instant::now() < end,
                "{script}\n{said}\n{}",
                self.try_run("journalctl --no-pager -n 40 -o cat").1
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Copies a program there.
    pub fn put(&self, file: &Path, to: &str) {
        let script = format!("cat >{to} && chmod 755 {to}");
        let mut command = self.command(&script);
        let put = command.stdin(File::open(file).unwrap()).status();
        assert!(put.unwrap().success());
    }

    /// Writes a file there.
    pub fn write(&self, to: &str, text: &str) {
        let file = self.dir.path().with_extension("put");
        fs::write(&file, text).unwrap();
        self.put(&file, to);
        fs::remove_file(file).unwrap();
    }

    fn group(&self) -> PathBuf {
        let unified = Path::new("/sys/fs/cgroup/unified");
        let root = match unified.is_dir() {
            true => unified,
            false => Path::new("/sys/fs/cgroup"),
        };
        root.join(&self.name)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // With the first of its processes all of them end.
        if !self.pid.is_empty() {
            let _ = Command::new("kill").args(["-KILL", &self.pid]).status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let end = Instant::now() + Duration::from_secs(10);
        while self.group().exists() && Instant::now() < end {
            let mut find = Command::new("find");
            find.arg(self.group()).args(["-depth", "-type", "d"]);
            let _ = find
                .args(["-exec", "rmdir", "{}", ";"])
                .stderr(Stdio::null())
                .status();
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = fs::remove_file(self.dir.path().with_extension("log"));
    }
}
