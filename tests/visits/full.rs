//! A full disk: no answer is a lie, and nothing is lost.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bowline::ip::Family;

use crate::support::site::{Site, address};

/// A small file system of its own; unmounted when dropped.
struct Mounted(PathBuf);

impl Mounted {
    /// Puts one in the place of a directory, with the same files in it.
    fn over(directory: &Path) -> Option<Self> {
        let copy = directory.with_extension("copy");
        run("cp", &["-a", directory.to_str()?, copy.to_str()?])?;
        let options = ["-t", "tmpfs", "-o", "size=1m", "tmpfs", directory.to_str()?];
        run("mount", &options)?;
        let mounted = Mounted(directory.to_owned());
        run(
            "cp",
            &["-a", &format!("{}/.", copy.display()), directory.to_str()?],
        )?;
        Some(mounted)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = run("umount", &[&self.0.to_string_lossy()]);
    }
}

fn run(command: &str, args: &[&str]) -> Option<()> {
    let mut command = Command::new(command);
    let status = command.args(args).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success()).then_some(())
}

/// Fills the disk but for so many octets.
fn fill(directory: &Path, free: usize) -> PathBuf {
    let ballast = directory.join("ballast");
    let mut file = File::create(&ballast).unwrap();
    while file.write_all(&[1; 4096]).is_ok() {}
    let length = file.metadata().unwrap().len() / 4096 * 4096;
    file.set_len(length - free as u64).unwrap();
    ballast
}

/// A verb of the command line: whether it succeeds, and all it says.
fn verb(site: &Site, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_bowline"))
        .arg("--config")
        .arg(site.path("bowline.toml"))
        .args(arguments)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[test]
fn verbs_on_a_full_and_on_a_read_only_disk() {
    let mut site = Site::new();
    let (home, other) = (site.add("home"), site.add("other"));
    for host in [&home, &other] {
        assert_eq!(site.visit(&host.with("203.0.113.1")).status, 200);
    }
    assert!(verb(&site, &["upkeep"]).0);
    site.knot.stop();
    assert!(site.visit(&home.with("203.0.113.2")).is_pending());
    // Something that upkeep has to forget.
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    db.execute("UPDATE history SET at = 1 WHERE new = '203.0.113.1'", [])
        .unwrap();
    drop(db);
    let state = site.path("state");
    let Some(_mounted) = Mounted::over(&state) else {
        eprintln!("SKIPPED: nothing may be mounted here");
        return;
    };
    let remount = |how: &str| run("mount", &["-o", how, state.to_str().unwrap()]).unwrap();
    site.knot.restart();

    // As the responder has it: what SQLite keeps beside the registry is there.
    let held = rusqlite::Connection::open(site.registry_file()).unwrap();
    let count = |db: &rusqlite::Connection| {
        db.query_row("SELECT count(*) FROM host", [], |row| row.get::<_, i64>(0))
    };
    count(&held).unwrap();
    let ballast = fill(&state, 0);
    nothing_is_written(&site, "disk is full");
    // What was accepted is published all the same, and can be looked at.
    assert_eq!(site.dns("home"), "203.0.113.2");
    for arguments in [&["status"][..], &["history"], &["host", "list"]] {
        let (done, said) = verb(&site, arguments);
        assert!(done && !said.contains("third"), "{arguments:?}: {said}");
    }
    fs::remove_file(ballast).unwrap();
    drop(held);

    remount("remount,ro");
    nothing_is_written(&site, "must be writable");
    remount("remount,rw");

    assert!(verb(&site, &["upkeep"]).0);
    assert!(!site.host(&home).is_pending());
    assert_eq!(
        (site.dns("home"), site.dns("other")),
        ("203.0.113.2".into(), "203.0.113.1".into())
    );
    let again = site.visit(&home.with("203.0.113.2"));
    assert_eq!(again.said(), "200 nochg 203.0.113.2");
}

/// What writes says why it cannot, and changes nothing.
fn nothing_is_written(site: &Site, why: &str) {
    for arguments in [
        &["host", "add", "third"][..],
        &["host", "remove", "other"],
        &["host", "rotate", "other"],
        &["upkeep"],
    ] {
        let (done, said) = verb(site, arguments);
        assert!(!done && said.contains(why), "{arguments:?}: {said}");
    }
    let (_, said) = verb(site, &["doctor"]);
    assert!(said.contains("problem      disk-space "), "{said}");
    assert!(!said.contains("problem      registry"), "{said}");
    assert_eq!(site.dns("other"), "203.0.113.1");
}

#[test]
fn a_full_disk() {
    let site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with(address(Family::Ipv4, 0))).status, 200);
    let state = site.path("state");
    let Some(_mounted) = Mounted::over(&state) else {
        eprintln!("SKIPPED: nothing may be mounted here");
        return;
    };
    let mut refused = 0;
    let mut n = 0;
    for pages in (0..24).chain([40, 60]) {
        let ballast = fill(&state, pages * 4096);
        n += 1;
        let before = site.dns("home");
        let wanted = address(Family::Ipv4, n);
        site.forget_log();
        let answer = site.visit(&home.with(&wanted)).said();
        let log = site.log();
        fs::remove_file(ballast).unwrap();
        if answer == "503 911" {
            refused += 1;
            assert!(log.contains("reason=\"registry: "), "{log}");
            assert!(log.contains("disk of the registry"), "{pages}: {log}");
        } else {
            assert_eq!(answer, format!("200 good {wanted}"), "{pages}: {log}");
            assert_eq!(site.dns("home"), wanted);
        }
        let dns = site.dns("home");
        assert!(
            dns == before || site.wish(&home) == wanted,
            "{pages}: {dns}"
        );
        let again = site.visit(&home.with(&wanted)).said();
        assert!(again.starts_with("200 "), "{pages}: {again}");
        assert_eq!(site.dns("home"), wanted);
        let db = rusqlite::Connection::open(site.registry_file()).unwrap();
        let integrity: String = db
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(integrity, "ok");
    }
    assert!(refused > 0, "the disk was full at least once");
}
