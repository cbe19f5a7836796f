//! A full disk: no answer is a lie, and nothing is lost; and what must not fill it.

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

use bowline::ip::Family;

use crate::support::disk::Disk;
use crate::support::site::{Site, address};

/// A verb of the command line: whether it succeeds, and all it says.
fn verb(site: &Site, arguments: &[&str]) -> (bool, String) {
    verb_of(&site.path("bowline.toml"), arguments)
}

/// The same with another configuration.
fn verb_of(config: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_bowline"))
        .arg("--config")
        .arg(config)
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.code().is_some(), "{arguments:?}: {output:?}");
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
    for arguments in [
        "owner add ann",
        "owner add off",
        "owner disable off",
        "host add off --static --ipv4 203.0.113.5",
        "host disable off",
    ] {
        let (done, said) = verb(&site, &arguments.split(' ').collect::<Vec<_>>());
        assert!(done, "{arguments}: {said}");
    }
    assert_eq!(site.dns("off"), "");
    let saved = site.path("saved").to_str().unwrap().to_owned();
    assert!(verb(&site, &["backup", &saved]).0);
    fs::create_dir(site.path("state/again")).unwrap();
    fs::write(site.path("list.toml"), "[[host]]\nname = 'third'\n").unwrap();
    site.knot.stop();
    assert!(site.visit(&home.with("203.0.113.2")).is_pending());
    // Something that upkeep has to forget.
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    db.execute("UPDATE history SET at = 1 WHERE new = '203.0.113.1'", [])
        .unwrap();
    drop(db);
    let state = site.path("state");
    let Some(disk) = Disk::over(&state) else {
        return;
    };
    site.knot.restart();

    // As the responder has it: what SQLite keeps beside the registry is there.
    let held = rusqlite::Connection::open(site.registry_file()).unwrap();
    let kept = || {
        let all = ["host export", "owner list --json"];
        all.map(|verbs| verb(&site, &verbs.split(' ').collect::<Vec<_>>()))
    };
    let before = kept();
    let count = |db: &rusqlite::Connection| {
        db.query_row("SELECT count(*) FROM host", [], |row| row.get::<_, i64>(0))
    };
    count(&held).unwrap();
    let ballast = disk.fill(0);
    nothing_is_written(&site, "disk is full");
    // What was accepted is published all the same, and can be looked at.
    assert_eq!(site.dns("home"), "203.0.113.2");
    for arguments in [&["status"][..], &["history"], &["host", "list"]] {
        let (done, said) = verb(&site, arguments);
        assert!(done && !said.contains("third"), "{arguments:?}: {said}");
    }
    fs::remove_file(ballast).unwrap();
    drop(held);
    assert_eq!(kept(), before);

    disk.remount("ro");
    nothing_is_written(&site, "must be writable");
    disk.remount("rw");
    assert_eq!(kept(), before);

    let again = site.path("state/again/bowline.toml");
    let (done, said) = verb_of(&again, &["restore", &saved]);
    assert!(done, "{said}");
    assert!(verb(&site, &["upkeep"]).0);
    assert!(!site.host(&home).is_pending());
    assert_eq!(
        (site.dns("home"), site.dns("other")),
        ("203.0.113.2".into(), "203.0.113.1".into())
    );
    let again = site.visit(&home.with("203.0.113.2"));
    assert_eq!(again.said(), "200 nochg 203.0.113.2");
    for verbs in [["host", "enable", "off"], ["owner", "enable", "off"]] {
        let (done, said) = verb(&site, &verbs);
        assert!(done, "{verbs:?}: {said}");
    }
    assert_eq!(site.dns("off"), "203.0.113.5");
}

/// What writes says why it cannot, and changes nothing.
fn nothing_is_written(site: &Site, why: &str) {
    let at = |name| site.path(name).to_str().unwrap().to_owned();
    let (list, out) = (at("list.toml"), at("out"));
    for arguments in [
        &["host", "add", "third"][..],
        &["host", "set", "other", "--note", "a remark"],
        &["host", "set", "other", "--ipv4", "203.0.113.9"],
        &["host", "set", "other", "--owner", "ann"],
        &["host", "rename", "other", "third"],
        &["host", "rotate", "other"],
        &["host", "disable", "other"],
        &["host", "enable", "off"],
        &["host", "remove", "other"],
        &["host", "import", &list, "--out", &out],
        &["owner", "add", "bob"],
        &["owner", "set", "ann", "--mail", "ann@example.org"],
        &["owner", "rotate", "ann"],
        &["owner", "disable", "ann"],
        &["owner", "enable", "off"],
        &["owner", "remove", "ann"],
        &["upkeep"],
    ] {
        let (done, said) = verb(site, arguments);
        assert!(!done && said.contains(why), "{arguments:?}: {said}");
        assert!(said.contains("hint: "), "{arguments:?}: {said}");
    }
    assert!(!site.path("out").exists(), "a file of tokens of nobody");
    // Neither a backup there nor a restore to there leaves half a file that looks whole.
    let (half, elsewhere) = (at("state/half"), at("elsewhere"));
    let (done, said) = verb(site, &["backup", &half]);
    assert!(!done && !Path::new(&half).exists(), "{said}");
    // What needs room elsewhere only is done.
    let (done, said) = verb(site, &["backup", &elsewhere]);
    assert!(done, "{said}");
    fs::remove_file(elsewhere).unwrap();
    let again = site.path("state/again/bowline.toml");
    let (done, said) = verb_of(&again, &["restore", &at("saved")]);
    assert!(!done && said.contains("os error"), "{said}");
    assert!(!again.exists(), "it would stand in the next one's way");
    let (_, said) = verb(site, &["doctor"]);
    assert!(said.contains("problem      disk-space "), "{said}");
    assert!(!said.contains("problem      registry"), "{said}");
    assert_eq!(site.dns("other"), "203.0.113.1");
    assert_eq!(site.dns("off"), "", "it is still disabled");
}

#[test]
fn a_full_disk() {
    let levels = (0..24).chain([40, 60]).map(|pages| pages * 4096);
    visits_and_upkeep(Disk::over, levels);
}

#[test]
fn a_full_disk_of_small_blocks() {
    visits_and_upkeep(Disk::of_small_blocks, (0..100).map(|blocks| blocks * 1024));
}

/// At each level of so many free octets every process says how it went.
fn visits_and_upkeep(disk: fn(&Path) -> Option<Disk>, levels: impl Iterator<Item = usize>) {
    let site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with(address(Family::Ipv4, 0))).status, 200);
    let state = site.path("state");
    let Some(disk) = disk(&state) else {
        return;
    };
    let mut refused = 0;
    for (n, free) in (1..).zip(levels) {
        let before = site.dns("home");
        let wanted = address(Family::Ipv4, n);
        // With an empty log at every other one: its index is empty then as well.
        if n % 2 == 0 {
            assert!(verb(&site, &["upkeep"]).0);
        }
        let ballast = disk.fill(free);
        site.forget_log();
        let answer = site.visit(&home.with(&wanted)).said();
        let log = site.log();
        verb(&site, &["upkeep"]);
        fs::remove_file(ballast).unwrap();
        if answer == "503 911" {
            refused += 1;
            assert!(log.contains("reason=\"registry: "), "{log}");
            assert!(log.contains("disk of the registry"), "{free}: {log}");
        } else {
            assert_eq!(answer, format!("200 good {wanted}"), "{free}: {log}");
            assert_eq!(site.dns("home"), wanted);
        }
        let dns = site.dns("home");
        assert!(dns == before || site.wish(&home) == wanted, "{free}: {dns}");
        let again = site.visit(&home.with(&wanted)).said();
        assert!(again.starts_with("200 "), "{free}: {again}");
        assert_eq!(site.dns("home"), wanted);
        let db = rusqlite::Connection::open(site.registry_file()).unwrap();
        let integrity: String = db
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(integrity, "ok");
    }
    assert!(refused > 0, "the disk was full at least once");
}

#[test]
fn files_that_may_not_grow() {
    let site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    // The log is longer than any file may be: the line goes where the web server has its own.
    let log = fs::File::create(site.path("bowline.log")).unwrap();
    log.set_len(300 << 10).unwrap();
    let visit = |kib: u32, address: &str| {
        let under = format!("ulimit -f {}; exec \"$@\"", kib * 2);
        let visit = site.get(&home.with(address));
        visit.under(&["sh", "-c", &under, "sh"]).run()
    };
    let visited = visit(200, "203.0.113.2");
    assert_eq!(visited.said(), "200 good 203.0.113.2");
    assert!(visited.stderr.contains("update "), "{}", visited.stderr);
    // Not even the registry's.
    for (n, kib) in (3..).zip([0, 2, 16, 50]) {
        let before = site.dns("home");
        let wanted = format!("203.0.113.{n}");
        let visited = visit(kib, &wanted);
        match visited.said().as_str() {
            "503 911" => {
                let said = &visited.stderr;
                assert!(said.contains("disk of the registry"), "{kib}: {said}");
            }
            said => assert_eq!(said, format!("200 good {wanted}"), "{kib}"),
        }
        let dns = site.dns("home");
        assert!(dns == before || site.wish(&home) == wanted, "{kib}: {dns}");
        let upkeep = format!("ulimit -f {}; exec \"$@\"", kib * 2);
        let output = Command::new("sh")
            .args(["-c", &upkeep, "sh", env!("CARGO_BIN_EXE_bowline")])
            .arg("--config")
            .arg(site.path("bowline.toml"))
            .arg("upkeep")
            .output()
            .unwrap();
        assert!(output.status.code().is_some(), "{kib}: {output:?}");
    }
    assert_eq!(
        site.visit(&home.with("203.0.113.9")).said(),
        "200 good 203.0.113.9"
    );
}

#[test]
fn a_list_in_a_pager_does_not_let_the_log_grow() {
    let site = Site::new();
    let home = site.add("home");
    let many = (0..2000).fold("name\n".to_owned(), |mut list, n| {
        let _ = writeln!(list, "n{n}");
        list
    });
    fs::write(site.path("many.csv"), many).unwrap();
    let [many, out] = ["many.csv", "out"].map(|file| site.path(file).display().to_string());
    assert!(verb(&site, &["host", "import", &many, "--out", &out]).0);
    // More than a pipe takes, and nobody reads on.
    let mut list = Command::new(env!("CARGO_BIN_EXE_bowline"))
        .arg("--config")
        .arg(site.path("bowline.toml"))
        .args(["host", "list"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut read = list.stdout.take().unwrap();
    read.read_exact(&mut [0]).unwrap();
    for n in 1..9 {
        let wanted = address(Family::Ipv4, n);
        assert_eq!(site.visit(&home.with(&wanted)).status, 200);
    }
    assert!(verb(&site, &["upkeep"]).0);
    let log = site.registry_file().with_extension("db-wal");
    assert_eq!(fs::metadata(log).unwrap().len(), 0);
    // It goes on where it was.
    let mut rest = String::new();
    read.read_to_string(&mut rest).unwrap();
    assert_eq!(rest.lines().count(), 1 + 2001);
    assert!(list.wait().unwrap().success());
}
