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
