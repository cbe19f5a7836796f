//! A visit is killed between any two of its steps.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use bowline::ip::Family;

use crate::strace;
use crate::support::at_once;
use crate::support::site::{Home, Site, address};

/// No visit makes as many calls of a kind.
const MOST: u32 = 200;

#[test]
fn no_accepted_address_is_lost() {
    if !strace::works() {
        // Less, but not nothing.
        return at_odd_moments();
    }
    // Knot holds back an UPDATE that follows another, so each has a name server of its own.
    at_once([
        ("pwrite64/odd", || at_every(&["pwrite64"], 1)),
        ("pwrite64/even", || at_every(&["pwrite64"], 2)),
        ("fcntl/0", || at_every_third(0)),
        ("fcntl/1", || at_every_third(1)),
        ("fcntl/2", || at_every_third(2)),
        ("sync", || {
            at_every(&["fsync", "fdatasync", "flock", "ftruncate"], 0)
        }),
        ("wire", || {
            at_every(&["sendto", "recvfrom", "write", "exit_group"], 0)
        }),
    ]);
}

/// A host that has an address, and how many visits it has had.
struct Victim {
    site: Site,
    home: Home,
    visits: u32,
}

impl Victim {
    fn new() -> Self {
        let site = Site::new();
        let home = site.add("home");
        let mut victim = Victim {
            site,
            home,
            visits: 0,
        };
        victim.visits = 1;
        let before = victim.home.with(address(Family::Ipv4, 0));
        assert_eq!(victim.site.visit(&before).status, 200);
        victim
    }

    /// The next address.
    fn next(&mut self) -> String {
        self.visits += 1;
        address(Family::Ipv4, self.visits)
    }

    /// Whether nothing is lost of a visit that wanted `wanted` and wrote `written`.
    fn check(&self, wanted: &str, written: &str, what: &str) {
        let Victim { site, home, .. } = self;
        let db = rusqlite::Connection::open(site.registry_file()).unwrap();
        let integrity: String = db
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(integrity, "ok", "{what}");
        drop(db);
        for lock in fs::read_dir(site.path("state/locks")).unwrap() {
            let lock = lock.unwrap().path();
            assert!(
                File::open(&lock).unwrap().try_lock().is_ok(),
                "{what}: {}",
                lock.display()
            );
        }
        if site.dns("home") == wanted || written.contains("good") {
            assert_eq!(
                site.wish(home),
                wanted,
                "{what}: the wish comes before the UPDATE"
            );
        }
        if written.contains("good") {
            assert_eq!(site.dns("home"), wanted, "{what}: it was told so");
        }
        let again = site.visit(&home.with(wanted)).said();
        let answers = ["good", "nochg"].map(|word| format!("200 {word} {wanted}"));
        assert!(answers.contains(&again), "{what}: {again}");
        assert_eq!(site.dns("home"), wanted, "{what}");
        assert!(!site.host(home).is_pending(), "{what}");
    }

    /// One visit that is killed at the `n`th of a call; whether there was one.
    fn kill_at(&mut self, call: &str, n: u32) -> bool {
        let wanted = self.next();
        let request = self.site.get(&self.home.with(&wanted));
        let under = strace::signal_at(call, n, "KILL", Path::new("/dev/null"));
        let ended = request.under(&under).spawn().end();
        let written = match &ended {
            Ok(response) => &response.raw,
            Err(written) => written,
        };
        self.check(&wanted, written, &format!("{call} {n}"));
        ended.is_err()
    }
}

/// At each call of these kinds; of the odd or even ones only when `from` says so.
fn at_every(calls: &[&str], from: u32) {
    let mut victim = Victim::new();
    let (first, step) = if from == 0 { (1, 1) } else { (from, 2) };
    for call in calls {
        let mut n = first;
        while victim.kill_at(call, n) {
            n += step;
            assert!(n < MOST);
        }
    }
}

/// At every third lock of the registry.
fn at_every_third(from: u32) {
    let mut victim = Victim::new();
    let mut n = 1 + from;
    while victim.kill_at("fcntl", n) {
        n += 3;
        assert!(n < MOST);
    }
    assert!(n > 30, "it makes more than {n} such calls");
}

/// Where nothing can be traced.
fn at_odd_moments() {
    let mut victim = Victim::new();
    for n in 0..60 {
        let wanted = victim.next();
        let running = victim.site.get(&victim.home.with(&wanted)).spawn();
        sleep(Duration::from_micros(250 * n));
        running.kill();
        let written = running
            .end()
            .map_or_else(|written| written, |answer| answer.raw);
        victim.check(&wanted, &written, &format!("after {n} × 0.25 ms"));
    }
}

/// What was accepted outlives a power cut: the log is on disk, and its name where it is a new one,
/// before the name server or anybody else hears of it.
#[test]
fn what_is_accepted_is_on_disk_before_anybody_hears_of_it() {
    if !strace::works() {
        return;
    }
    let site = Site::new();
    let home = site.add("home");
    let trace = site.path("trace");
    let output = format!("--output={}", trace.display());
    let under = ["strace", "--quiet=all", "--decode-fds=path", &output].map(str::to_owned);
    let under = [&under[..], &["--trace=fsync,fdatasync,sendto,write".into()]].concat();
    let is_on_disk_first = |file: &str, what: &str| {
        let text = fs::read_to_string(&trace).unwrap();
        let is_sync = |line: &str| line.starts_with("fsync(") || line.starts_with("fdatasync(");
        let is_file = |line: &str| is_sync(line) && line.contains(&format!("{file}>"));
        let is_heard = |line: &str| line.starts_with("sendto(") || line.starts_with("write(1<");
        let heard = text.lines().position(is_heard);
        let synced = text.lines().position(is_file);
        assert!(synced.is_some() && synced < heard, "{what}: {file}\n{text}");
    };
    let visit = |address: &str| {
        let said = site.get(&home.with(address)).under(&under).run().said();
        assert_eq!(said, format!("200 good {address}"));
        assert_eq!(site.dns("home"), address);
    };
    // The log is empty: as far as can be told it is new.
    site.registry().write_back();
    visit("203.0.113.1");
    is_on_disk_first("/state", "visit");
    visit("203.0.113.2");
    is_on_disk_first("/state/bowline.db-wal", "visit");
    for (verb, shown) in [
        ("rotate", "203.0.113.2"),
        ("disable", ""),
        ("enable", ""),
        ("remove", ""),
    ] {
        let done = Command::new("strace")
            .args(&under[1..])
            .arg(env!("CARGO_BIN_EXE_bowline"))
            .arg("--config")
            .arg(site.path("bowline.toml"))
            .args(["host", verb, "home"])
            .output();
        let done = done.unwrap();
        assert!(done.status.success(), "{verb}: {done:?}");
        assert_eq!(site.dns("home"), shown, "{verb}");
        is_on_disk_first("/state/bowline.db-wal", verb);
    }
}
