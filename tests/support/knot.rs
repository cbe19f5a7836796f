//! A Knot of our own: on loopback, on ports nobody has, in a directory of the test's.
#![allow(dead_code, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

// By its path, because the tests inside of the library load this file alone.
#[path = "port.rs"]
pub mod port;

/// The zone that every server here has.
pub const ZONE: &str = "dyn.example.org";
/// How long a server may take to be ready, on however busy a machine.
const READY: Duration = Duration::from_secs(60);

/// How a server differs from the recommended one.
#[derive(Clone)]
pub struct Options {
    /// The key's name.
    pub key: String,
    /// Its algorithm.
    pub algorithm: String,
    /// What the key may change.
    pub types: String,
    /// Records besides SOA and NS, as `knotc zone-set` takes them: owner, TTL, type, data.
    pub records: Vec<String>,
    /// Whether the zone has contents at all.
    pub loaded: bool,
    /// Further zones with a SOA and NS.
    pub zones: Vec<String>,
    /// How serials go on.
    pub serials: String,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            key: "bowline".into(),
            algorithm: "hmac-sha256".into(),
            types: "A, AAAA, TXT".into(),
            records: Vec::new(),
            loaded: true,
            zones: Vec::new(),
            serials: "increment".into(),
        }
    }
}

/// A running server; killed when dropped.
pub struct Knot {
    dir: PathBuf,
    address: SocketAddr,
    process: Mutex<Child>,
    key_text: String,
}

impl Knot {
    /// Starts a server in `dir` and waits until it answers for its zone.
    pub fn start(dir: &Path, options: &Options) -> Self {
        let (name, algorithm) = (&options.key, &options.algorithm);
        let key_text = run(Command::new("keymgr").args(["-t", name, algorithm]));
        fs::write(dir.join("key.conf"), &key_text).unwrap();
        for sub in ["run", "state"] {
            fs::create_dir_all(dir.join(sub)).unwrap();
        }
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        fs::write(dir.join("knot.conf"), configuration(dir, address, options)).unwrap();
        let process = spawn(dir);
        let knot = Knot {
            dir: dir.into(),
            address,
            process: Mutex::new(process),
            key_text,
        };
        knot.wait_for_control();
        if options.loaded {
            knot.fill(ZONE, &options.records);
        }
        for zone in &options.zones {
            knot.fill(zone, &[]);
        }
        knot
    }

    /// Where it listens, UDP and TCP.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// Its key as `keymgr -t` printed it.
    pub fn key_text(&self) -> &str {
        &self.key_text
    }

    /// The file with that text.
    pub fn key_file(&self) -> PathBuf {
        self.dir.join("key.conf")
    }

    /// Writes another key of that name into its file; it is in force from [`Knot::reload`] on.
    pub fn write_another_key(&self) {
        let algorithm = self.key_text.split("algorithm: ").nth(1).unwrap();
        let algorithm = algorithm.split_whitespace().next().unwrap();
        let name = self.key_text.split("id: ").nth(1).unwrap();
        let name = name.split_whitespace().next().unwrap();
        let text = run(Command::new("keymgr").args(["-t", name, algorithm]));
        fs::write(self.key_file(), text).unwrap();
    }

    /// Has it read its configuration again.
    pub fn reload(&self) {
        self.knotc(&["reload"]);
    }

    /// What `kdig +short` prints for a name and a type: sorted lines.
    pub fn kdig(&self, name: &str, rtype: &str) -> Vec<String> {
        let port = self.address.port().to_string();
        let args = ["@127.0.0.1", "-p", &port, "+short", "+norec", name, rtype];
        let out = run(Command::new("kdig").args(args));
        let mut lines: Vec<String> = out.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }

    /// The zone's serial.
    pub fn serial(&self) -> u32 {
        let soa = self.kdig(ZONE, "SOA").concat();
        soa.split(' ')
            .nth(2)
            .and_then(|serial| serial.parse().ok())
            .expect("a SOA")
    }

    /// Runs `knotc` against it, e.g. `["zone-freeze", "dyn.example.org"]`.
    pub fn knotc(&self, args: &[&str]) -> String {
        run(self.knotc_command().args(args))
    }

    /// Freezes its zone, and waits until that is so.
    pub fn freeze(&self) {
        self.knotc(&["zone-freeze", ZONE]);
        wait_until("a frozen zone", || self.status().contains("freeze: yes"));
    }

    /// Ends that.
    pub fn thaw(&self) {
        self.knotc(&["zone-thaw", ZONE]);
        wait_until("the thaw", || !self.status().contains("freeze:"));
    }

    fn status(&self) -> String {
        self.knotc(&["zone-status", ZONE])
    }

    /// Adds a record behind bowline's back: owner relative to the zone, TTL, type, data.
    pub fn set(&self, record: &str) {
        self.knotc(&["zone-begin", ZONE]);
        self.zone_set(ZONE, record);
        self.knotc(&["zone-commit", ZONE]);
    }

    /// Takes the records of an owner relative to the zone away behind bowline's back.
    pub fn unset(&self, owner: &str) {
        self.knotc(&["zone-begin", ZONE]);
        self.knotc(&["zone-unset", ZONE, owner]);
        self.knotc(&["zone-commit", ZONE]);
    }

    /// Keeps a copy of the zones as they are on its disk; restarts it.
    pub fn keep_copy(&mut self) {
        self.stop();
        let _ = fs::remove_dir_all(self.dir.join("copy"));
        copy_all(&self.dir.join("state"), &self.dir.join("copy"));
        self.restart();
    }

    /// Puts that copy back; restarts it.
    pub fn put_copy_back(&mut self) {
        self.stop();
        fs::remove_dir_all(self.dir.join("state")).unwrap();
        copy_all(&self.dir.join("copy"), &self.dir.join("state"));
        self.restart();
    }

    /// Stops its clock: requests wait in the socket until [`Knot::resume`].
    pub fn pause(&self) {
        self.signal("STOP");
        // A thread stops when it next gets a processor, and may answer before.
        wait_until("the standstill", || self.stands_still());
    }

    /// Whether each of its threads is stopped.
    fn stands_still(&self) -> bool {
        let threads = fs::read_dir(format!("/proc/{}/task", self.pid())).unwrap();
        let mut states =
            threads.map(|thread| fs::read_to_string(thread.unwrap().path().join("stat")));
        states.all(|state| state.is_ok_and(|state| state.contains(") T ")))
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal("CONT");
    }

    /// Ends it, as a crash would.
    pub fn stop(&mut self) {
        self.resume();
        self.kill();
    }

    /// Starts it again where it was.
    pub fn restart(&mut self) {
        self.bounce();
        self.wait_for_control();
        self.wait_for_zone(ZONE);
    }

    /// Kills it and starts it again; it needs a moment to serve its zones.
    pub fn bounce(&self) {
        self.kill();
        let _ = fs::remove_file(self.dir.join("run/knot.pid"));
        *self.process.lock().unwrap() = spawn(&self.dir);
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.lock().unwrap().id()
    }

    fn kill(&self) {
        let mut process = self.process.lock().unwrap();
        let _ = process.kill();
        let _ = process.wait();
    }

    /// Sends itself a signal by name.
    fn signal(&self, signal: &str) {
        let pid = self.pid().to_string();
        run(Command::new("kill").args(["-s", signal, &pid]));
    }

    /// `knotc` with its configuration.
    fn knotc_command(&self) -> Command {
        let mut knotc = Command::new("knotc");
        knotc.arg("-c").arg(self.dir.join("knot.conf"));
        knotc
    }

    /// Gives a zone its first contents and waits until they are served.
    fn fill(&self, zone: &str, records: &[String]) {
        self.knotc(&["zone-begin", zone]);
        let soa = "@ 3600 SOA ns1.example.net. hostmaster.example.net. 1 3600 600 1209600 60";
        self.zone_set(zone, soa);
        self.zone_set(zone, "@ 3600 NS ns1.example.net.");
        for record in records {
            self.zone_set(zone, record);
        }
        self.knotc(&["zone-commit", zone]);
        self.wait_for_zone(zone);
    }

    /// Adds one record in an open transaction.
    fn zone_set(&self, zone: &str, record: &str) {
        let mut args = vec!["zone-set", zone];
        args.extend(record.splitn(4, ' '));
        self.knotc(&args);
    }

    /// Waits until `knotc` reaches it.
    fn wait_for_control(&self) {
        wait_until("knotd", || {
            let ended = self.process.lock().unwrap().try_wait().unwrap();
            if let Some(status) = ended {
                panic!("knotd: {status}: {}", self.log());
            }
            let status = self.knotc_command().arg("status").output().unwrap();
            status.status.success()
        });
    }

    /// What it logged.
    fn log(&self) -> String {
        fs::read_to_string(self.dir.join("knot.log")).unwrap_or_default()
    }

    /// Waits until it answers for a zone.
    fn wait_for_zone(&self, zone: &str) {
        wait_until(zone, || !self.kdig(zone, "SOA").is_empty());
    }
}

impl Drop for Knot {
    fn drop(&mut self) {
        // SIGKILL ends a stopped process too.
        self.kill();
    }
}

/// Its knot.conf: the recommended one, on one loopback port and with every log line.
fn configuration(dir: &Path, address: SocketAddr, options: &Options) -> String {
    let (dir, port, key, types) = (dir.display(), address.port(), &options.key, &options.types);
    let serials = &options.serials;
    let zones: String = std::iter::once(ZONE)
        .chain(options.zones.iter().map(String::as_str))
        .map(|zone| format!("  - domain: {zone}\n    template: bowline\n"))
        .collect();
    format!(
        r#"include: "{dir}/key.conf"
server:
    rundir: "{dir}/run"
    listen: 127.0.0.1@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    udp-max-payload: 1232
log:
  - target: "{dir}/knot.log"
    any: debug
database:
    storage: "{dir}/state"
    journal-db-mode: robust
acl:
  - id: bowline_update
    address: 127.0.0.1
    key: {key}
    action: update
    update-type: [ {types} ]
    update-owner: zone
    update-owner-match: sub
template:
  - id: default
    storage: "{dir}/state"
  - id: bowline
    storage: "{dir}/state"
    file: "%s.zone"
    zonefile-load: none
    journal-content: all
    zonefile-sync: 5m
    journal-max-usage: 100M
    journal-max-depth: 1000
    serial-policy: {serials}
    acl: bowline_update
zone:
{zones}"#
    )
}

fn copy_all(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.unwrap().success());
}

/// Runs it in the foreground, before all others where that is allowed: how slow a name server
/// is on a busy machine is not what anybody asks, and bowline takes a slow one for silent.
fn spawn(dir: &Path) -> Child {
    let log = fs::File::create(dir.join("knotd.out")).unwrap();
    // It goes on where it is not allowed.
    Command::new("nice")
        .args(["-n", "-20", "knotd", "-c"])
        .arg(dir.join("knot.conf"))
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .expect("knotd is installed")
}

/// A port for a name server.
pub fn free_port() -> u16 {
    port::free_port(20_000)
}

/// Asks every 20 ms until it is so.
pub fn wait_until(what: &str, mut so: impl FnMut() -> bool) {
    let end = Instant::now() + READY;
    while !so() {
        assert!(Instant::now() < end, "{what} is not ready");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Standard output of a command that must succeed.
fn run(command: &mut Command) -> String {
    let out = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        out.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
    String::from_utf8(out.stdout).unwrap()
}
