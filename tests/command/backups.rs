//! Backup and restore.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::place::Place;
use crate::support::skip::{Privilege, installed, may};

#[test]
fn what_was_saved_comes_back() {
    let it = Place::new();
    it.done("host add home --ipv4 203.0.113.7");
    it.done("backup saved.tar");
    let mode = fs::metadata(it.file("saved.tar"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o600);
    assert_eq!(
        fs::read_dir(it.file("state"))
            .unwrap()
            .filter(|entry| {
                let name = entry.as_ref().unwrap().file_name();
                name.to_string_lossy().starts_with("backup-")
            })
            .count(),
        0
    );
    let before = it.done("host export");
    fs::remove_dir_all(it.file("etc")).unwrap();
    fs::remove_dir_all(it.file("state")).unwrap();
    fs::create_dir(it.file("state")).unwrap();
    it.write("state/bowline.db-wal", "of another registry");
    let ran = it.run("restore saved.tar");
    assert!(
        ran.err.contains("bowline.db-wal is there and differs"),
        "{ran:?}"
    );
    assert!(!it.file("etc").exists());
    fs::remove_dir_all(it.file("state")).unwrap();
    let out = it.done("restore saved.tar");
    assert!(out.ends_with("bowline.db: 1 host\n"), "{out}");
    assert_eq!(it.done("host export"), before);
    assert_eq!(it.done("config check"), "ok\n");
    for key in ["etc/lookup.key", "etc/tsig.key"] {
        let mode = fs::metadata(it.file(key)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o640, "{key}");
    }
    let locks = fs::metadata(it.file("state/locks")).unwrap();
    assert_eq!(locks.permissions().mode() & 0o7777, 0o750);
}

/// `keymgr` as Knot's user: what it printed.
fn keymgr(kasp: &Path, arguments: &str) -> Vec<u8> {
    let mut command = Command::new("runuser");
    command.args(["-u", "knot", "--", "keymgr", "-D"]).arg(kasp);
    let output = command.args(arguments.split(' ')).output().unwrap();
    assert!(output.status.success(), "keymgr {arguments}: {output:?}");
    output.stdout
}

#[test]
fn knot_can_use_its_keys_again() {
    if !may(Privilege::Root) || !installed("keymgr") {
        return;
    }
    let it = Place::new();
    let open = |file: &str, mode: u32| {
        fs::set_permissions(it.file(file), fs::Permissions::from_mode(mode)).unwrap();
    };
    fs::create_dir_all(it.file("etc/knot/db")).unwrap();
    open("", 0o755);
    open("etc/knot/db", 0o770);
    let mut given = Command::new("chown");
    given.arg("root:knot").arg(it.file("etc/knot/db"));
    let kasp = it.file("etc/knot/db/keys");
    let made = "dyn.example.org generate algorithm=13 ksk=yes";
    assert!(given.status().unwrap().success());
    keymgr(&kasp, made);
    let before = keymgr(&kasp, "dyn.example.org list");
    assert!(!before.is_empty());
    it.done("backup saved.tar");
    fs::remove_dir_all(it.file("etc")).unwrap();
    fs::remove_dir_all(it.file("state")).unwrap();
    it.done("restore saved.tar");
    let after = keymgr(&kasp, "dyn.example.org list");
    assert_eq!(after, before);
    // A new one can be written beside it.
    keymgr(&kasp, "dyn.example.org generate algorithm=13");
}

#[test]
fn nothing_is_overwritten() {
    let it = Place::new();
    it.done("backup saved.tar");
    assert_eq!(it.run("backup saved.tar").code, 1);
    for (file, text) in [("etc/tsig.key", "other"), ("etc/bowline.toml", "url = 1")] {
        let was = it.read(file);
        it.write(file, text);
        let ran = it.run("restore saved.tar");
        assert_eq!(ran.code, 1);
        assert!(
            ran.err
                .contains(&format!("{file} is there and differs from the backup")),
            "{ran:?}"
        );
        assert_eq!(it.read(file), text);
        it.write(file, &was);
    }
    it.done("host add home");
    let ran = it.run("restore saved.tar");
    assert!(
        ran.err.contains("bowline.db is there and differs"),
        "{ran:?}"
    );
    assert_eq!(it.json("host list").as_array().unwrap().len(), 1);
}

#[test]
fn through_a_pipe() {
    let it = Place::new();
    it.done("host add home");
    let saved = it.command("backup -").output().unwrap().stdout;
    fs::remove_dir_all(it.file("etc")).unwrap();
    fs::remove_dir_all(it.file("state")).unwrap();
    fs::write(it.file("saved.tar"), &saved).unwrap();
    let mut command = it.command("restore - --json");
    command.stdin(fs::File::open(it.file("saved.tar")).unwrap());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["hosts"], 1);
    // Half of it is none.
    fs::write(it.file("half.tar"), &saved[..saved.len() / 2]).unwrap();
    assert_eq!(it.run("restore half.tar").code, 1);
}
