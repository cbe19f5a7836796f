//! Backup and restore.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

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
    let out = it.done("restore --elsewhere saved.tar");
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
    it.done("restore --elsewhere saved.tar");
    let after = keymgr(&kasp, "dyn.example.org list");
    assert_eq!(after, before);
    // A new one can be written beside it.
    keymgr(&kasp, "dyn.example.org generate algorithm=13");
    // Another set of keys stays, and what follows from it is said.
    let others = keymgr(&kasp, "dyn.example.org list");
    fs::remove_dir_all(it.file("state")).unwrap();
    let ran = it.run("restore --elsewhere saved.tar");
    assert!(
        ran.code == 0 && ran.err.contains("needs another DS"),
        "{ran:?}"
    );
    assert_eq!(keymgr(&kasp, "dyn.example.org list"), others);
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
    let mut command = it.command("restore --elsewhere - --json");
    command.stdin(fs::File::open(it.file("saved.tar")).unwrap());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["hosts"], 1);
    // Half of it is none.
    fs::write(it.file("half.tar"), &saved[..saved.len() / 2]).unwrap();
    assert_eq!(it.run("restore half.tar").code, 1);
}

/// A configuration that names every file that it can.
fn full() -> Place {
    let it = Place::new();
    let config = it.read("etc/bowline.toml")
        + "[acme]\nregister = \"file:invite.secret\"\n[log]\ntarget = \"file:../log\"\n\
           [notify.mail]\nsmtp = \"localhost\"\nfrom = \"b@example.org\"\ntemplates = \"tmpl\"\n";
    it.write("etc/bowline.toml", &config);
    it.write("etc/invite.secret", "0123456789abcdefghijklmn\n");
    fs::create_dir_all(it.file("etc/tmpl/older")).unwrap();
    it.write("etc/tmpl/expiry_notification.html.j2", "Subject: gone\n");
    it.write("etc/tmpl/README", "ours");
    it
}

#[test]
fn what_the_configuration_names_comes_back() {
    let it = full();
    let check = |it: &Place| assert_eq!(it.done("config check"), "ok\n");
    check(&it);
    it.done("backup saved.tar");
    fs::remove_dir_all(it.file("etc")).unwrap();
    fs::remove_dir_all(it.file("state")).unwrap();
    // Root may keep its files to itself; bowline runs as somebody else.
    let mut restore = Command::new("sh");
    let command = it.command("restore --elsewhere saved.tar");
    restore.args(["-c", "umask 077; exec \"$@\"", "sh"]);
    restore.arg(command.get_program()).args(command.get_args());
    restore.env("BOWLINE_CONFIG", it.file("etc/bowline.toml"));
    let output = restore.current_dir(it.directory.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    // What bowline does not read stays where it is.
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("stay in the backup: templates/README\n"),
        "{said}"
    );
    assert!(!it.file("etc/tmpl/README").exists());
    check(&it);
    for (file, text) in [
        ("etc/invite.secret", "0123456789abcdefghijklmn\n"),
        ("etc/tmpl/expiry_notification.html.j2", "Subject: gone\n"),
    ] {
        assert_eq!(it.read(file), text);
        let mode = fs::metadata(it.file(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o640, "{file}");
    }
    for directory in ["etc", "etc/tmpl"] {
        let mode = fs::metadata(it.file(directory)).unwrap().permissions();
        assert_eq!(mode.mode() & 0o7777, 0o755, "{directory}");
    }
    assert!(!it.file("etc/tmpl/older").exists());
}

#[test]
fn what_is_missing_is_said() {
    let it = full();
    fs::remove_dir_all(it.file("etc/tmpl")).unwrap();
    let ran = it.run("backup without.tar");
    assert_eq!(ran.code, 0);
    assert!(ran.err.contains("the backup has no templates"), "{ran:?}");

    fs::create_dir(it.file("etc/tmpl")).unwrap();
    it.write("etc/invite.secret", "short\n");
    assert_eq!(it.run("config check").code, 1);
    fs::remove_file(it.file("etc/invite.secret")).unwrap();
    for verb in ["backup saved.tar", "config check"] {
        let ran = it.run(verb);
        assert_eq!(ran.code, 1, "{verb}");
        assert!(
            ran.err.contains("etc/invite.secret: No such file"),
            "{ran:?}"
        );
    }
    assert!(!it.file("saved.tar").exists());
}

/// The places of an archive's entries: where each header begins.
fn entries(archive: &[u8]) -> Vec<(String, usize)> {
    let (mut all, mut at) = (Vec::new(), 0);
    while archive[at] != 0 {
        let text = |from: usize, to: usize| {
            let field = archive[at + from..at + to].split(|octet| *octet == 0);
            String::from_utf8(field.into_iter().next().unwrap().to_vec()).unwrap()
        };
        let size = usize::from_str_radix(&text(124, 136), 8).unwrap();
        all.push((text(0, 100), at));
        at += 512 + size.next_multiple_of(512);
    }
    all.push((String::new(), at));
    all
}

#[test]
fn a_backup_that_is_not_whole_is_none() {
    let it = Place::new();
    it.done("host add home");
    fs::create_dir_all(it.file("etc/knot/db/keys/keys")).unwrap();
    it.write("etc/knot/db/keys/data.mdb", "database");
    it.write("etc/knot/db/keys/keys/1.pem", "a key of the zone");
    it.done("backup saved.tar");
    let saved = fs::read(it.file("saved.tar")).unwrap();
    fs::rename(it.file("etc"), it.file("etc.old")).unwrap();
    fs::rename(it.file("state"), it.file("state.old")).unwrap();

    let refused = |octets: &[u8], how: &str| {
        fs::write(it.file("bad.tar"), octets).unwrap();
        let ran = it.run("restore bad.tar");
        assert_eq!(ran.code, 1, "{how}: {ran:?}");
        assert!(
            ran.err.contains("it is no backup, or damaged: "),
            "{how}: {ran:?}"
        );
        let nothing = !it.file("etc").exists() && !it.file("state").exists();
        assert!(nothing, "{how}");
    };
    let entries = entries(&saved);
    let names: Vec<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
    for name in ["lookup.key", "zones/dyn.example.org.key", "registry.db"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert!(names.contains(&"dnssec/keys/1.pem"), "{names:?}");
    assert_eq!(names[names.len() - 2], "manifest.json");
    for (name, at) in &entries {
        refused(&saved[..*at], &format!("without {name} and what follows"));
        let mut filled = saved[..*at].to_vec();
        filled.resize(at + 1024, 0);
        if !name.is_empty() {
            refused(&filled, &format!("ended before {name}"));
            // The first octet of its content.
            let mut changed = saved.clone();
            changed[at + 512] ^= 1;
            if !name.ends_with('/') && name != "dnssec" && name != "dnssec/keys" {
                refused(&changed, &format!("{name} changed"));
            }
        }
    }
    // One of them taken out, and all else as it was.
    for (one, next) in entries.iter().zip(&entries[1..]) {
        let without = [&saved[..one.1], &saved[next.1..]].concat();
        refused(&without, &format!("without {}", one.0));
    }
    it.done("restore --elsewhere saved.tar");
    assert_eq!(it.read("etc/knot/db/keys/keys/1.pem"), "a key of the zone");
}

#[test]
fn an_interrupted_backup_leaves_nothing() {
    let it = Place::new();
    it.done("host add home");
    let key = it.read("etc/lookup.key");
    let names = || {
        let names = fs::read_dir(it.directory.path()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort_unstable();
        names
    };
    let before = names();
    for signal in ["TERM", "INT", "HUP", "KILL"] {
        // It waits for somebody to write the key, as it would for a slow disk.
        fs::remove_file(it.file("etc/lookup.key")).unwrap();
        let mut fifo = Command::new("mkfifo");
        fifo.arg(it.file("etc/lookup.key"));
        assert!(fifo.status().unwrap().success());
        let backup = it.command("backup day.new");
        // Whoever runs the tests in the background has SIGINT ignored.
        let mut running = Command::new("env");
        running.arg("--default-signal").arg(backup.get_program());
        running
            .args(backup.get_args())
            .current_dir(it.directory.path());
        running.env("BOWLINE_CONFIG", it.file("etc/bowline.toml"));
        let mut running = running.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(300));
        assert!(running.try_wait().unwrap().is_none());
        let mut kill = Command::new("kill");
        kill.args(["-s", signal]).arg(running.id().to_string());
        assert!(kill.status().unwrap().success());
        let ended = running.wait().unwrap();
        assert!(!ended.success(), "{signal}");
        assert_eq!(names(), before, "{signal}");
        fs::remove_file(it.file("etc/lookup.key")).unwrap();
        it.write("etc/lookup.key", &key);
        it.done("backup day.new");
        fs::remove_file(it.file("day.new")).unwrap();
    }
}
