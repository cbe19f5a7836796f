//! Our own trouble: what is broken is told in the log, nothing is lost, and all is well
//! once it is mended.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::thread;

use bowline::token::LookupKey;

use crate::support::knot::Options;
use crate::support::site::{Home, Site};
use crate::support::skip::{Privilege, may};
use crate::support::visit::Response;

/// The user and group `nobody` of every system.
const NOBODY: u32 = 65_534;

/// One way to break an installation.
struct Case {
    name: &'static str,
    spoil: fn(&Site),
    mend: fn(&Site),
    /// Runs as `nobody`.
    nobody: bool,
    /// Whether a new address is accepted all the same.
    accepts: bool,
    /// Whether it does not matter to a visit that changes nothing.
    only_changes: bool,
    /// The answer.
    said: &'static str,
    /// What the log says.
    log: &'static [&'static str],
}

const OURS: Case = Case {
    name: "",
    spoil: |_| {},
    mend: |_| {},
    nobody: false,
    accepts: false,
    only_changes: false,
    said: "503 911",
    log: &[],
};

const CASES: [Case; 14] = [
    Case {
        name: "registry/missing",
        spoil: |site| fs::rename(site.registry_file(), site.path("kept")).unwrap(),
        mend: |site| fs::rename(site.path("kept"), site.registry_file()).unwrap(),
        log: &["reason=\"there is no registry", "hint=\"run `bowline init`"],
        ..OURS
    },
    Case {
        name: "registry/closed",
        nobody: true,
        spoil: |site| set_mode(site, "state", 0o640),
        mend: |site| set_mode(site, "state", 0o755),
        log: &[
            "bowline.db: Permission denied",
            "hint=\"the user bowline runs as must own ",
        ],
        ..OURS
    },
    Case {
        name: "registry/newer",
        spoil: |site| set_version(site, 99),
        mend: |site| set_version(site, bowline::registry::VERSION),
        log: &["has version 99", "hint=\"use the newer bowline"],
        ..OURS
    },
    Case {
        name: "registry/another-file",
        spoil: |site| {
            fs::rename(site.path("state"), site.path("kept")).unwrap();
            fs::create_dir_all(site.path("state/locks")).unwrap();
            fs::write(site.registry_file(), [b'x'; 5000]).unwrap();
        },
        mend: |site| {
            fs::remove_dir_all(site.path("state")).unwrap();
            restore(site, "state");
        },
        log: &["reason=\"registry: file is not a database"],
        ..OURS
    },
    Case {
        name: "registry/other-key",
        spoil: |site| {
            replace(
                site,
                "lookup.key",
                LookupKey::random().unwrap().to_hex().as_bytes(),
            )
        },
        mend: |site| restore(site, "lookup.key"),
        log: &[
            "made with another lookup key",
            "hint=\"put the lookup.key back",
        ],
        ..OURS
    },
    Case {
        name: "registry/read-only",
        nobody: true,
        log: &["reason=\"", "must be writable for the user bowline runs as"],
        ..OURS
    },
    Case {
        name: "locks/read-only",
        nobody: true,
        spoil: |site| own(site, NOBODY),
        mend: |site| own(site, 0),
        accepts: true,
        only_changes: true,
        log: &[
            "reason=\"lock ",
            "hint=\"the state directory must be writable",
        ],
        ..OURS
    },
    Case {
        name: "lookup-key/unreadable",
        nobody: true,
        spoil: |site| set_mode(site, "lookup.key", 0o600),
        mend: |site| set_mode(site, "lookup.key", 0o644),
        log: &["reason=\"lookup key ", "hint=\"check [state] lookup_key"],
        ..OURS
    },
    Case {
        name: "lookup-key/no-key",
        spoil: |site| replace(site, "lookup.key", b"0123"),
        mend: |site| restore(site, "lookup.key"),
        log: &["it is not 64 hexadecimal digits", "hint=\""],
        ..OURS
    },
    Case {
        name: "tsig-key/missing",
        spoil: |site| fs::rename(site.path("tsig.key"), site.path("kept")).unwrap(),
        mend: |site| fs::rename(site.path("kept"), site.path("tsig.key")).unwrap(),
        log: &["reason=\"key ", "hint=\"check key_file"],
        accepts: true,
        ..OURS
    },
    Case {
        name: "tsig-key/no-key",
        spoil: |site| replace(site, "tsig.key", b"nonsense"),
        mend: |site| restore(site, "tsig.key"),
        log: &["reason=\"key "],
        accepts: true,
        ..OURS
    },
    Case {
        name: "tsig-key/wrong-secret",
        spoil: |site| {
            replace(
                site,
                "tsig.key",
                b"hmac-sha256:bowline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            );
        },
        mend: |site| restore(site, "tsig.key"),
        accepts: true,
        said: "503 dnserr",
        log: &["BADSIG", "hint=\"the secret differs"],
        ..OURS
    },
    Case {
        name: "tsig-key/unknown",
        spoil: |site| {
            replace(
                site,
                "tsig.key",
                b"hmac-sha256:nobody:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            );
        },
        mend: |site| restore(site, "tsig.key"),
        accepts: true,
        said: "503 dnserr",
        log: &["NOTAUTH", "hint=\"the key's name"],
        ..OURS
    },
    Case {
        name: "zone/not-configured",
        spoil: |site| {
            let text = fs::read_to_string(site.path("bowline.toml")).unwrap();
            replace(
                site,
                "bowline.toml",
                text.replace("dyn.example.org", "dyn.example.net")
                    .as_bytes(),
            );
        },
        mend: |site| restore(site, "bowline.toml"),
        log: &[
            "reason=\"zone dyn.example.org is not in the configuration",
            "hint=\"run `bowline zone add",
        ],
        ..OURS
    },
];

#[test]
fn every_trouble_is_told_and_passes() {
    thread::scope(|scope| {
        for case in CASES {
            let thread = thread::Builder::new().name(case.name.to_owned());
            let check = move || {
                if !case.nobody || may(Privilege::Root) {
                    case.check();
                }
            };
            thread.spawn_scoped(scope, check).unwrap();
        }
    });
}

impl Case {
    fn check(&self) {
        let site = Site::new();
        let home = site.add("home");
        assert_eq!(
            site.visit(&home.with("203.0.113.1")).said(),
            "200 good 203.0.113.1"
        );
        set_mode(&site, "bowline.log", 0o666);
        (self.spoil)(&site);
        if self.only_changes {
            let answer = self.visit(&site, &home, "203.0.113.1");
            assert_eq!(answer.said(), "200 nochg 203.0.113.1");
        }
        let unchanged = (!self.only_changes).then_some("203.0.113.1");
        for address in unchanged.into_iter().chain(["203.0.113.2"]) {
            site.forget_log();
            let answer = self.visit(&site, &home, address);
            assert_eq!(answer.said(), self.said, "{}", site.log());
            assert_eq!(answer.headers["retry-after"], "300");
            let line = site.last_line();
            for part in self.log {
                assert!(line.contains(part), "{part}: {line}");
            }
        }
        assert_eq!(site.dns("home"), "203.0.113.1", "DNS stays as it was");
        (self.mend)(&site);
        let wish = site.wish(&home);
        assert_eq!(
            wish,
            if self.accepts {
                "203.0.113.2"
            } else {
                "203.0.113.1"
            }
        );
        let word = if self.accepts { "good" } else { "nochg" };
        assert_eq!(
            site.visit(&home.with(&wish)).said(),
            format!("200 {word} {wish}")
        );
        assert_eq!(
            site.visit(&home.with("203.0.113.3")).said(),
            "200 good 203.0.113.3"
        );
        assert_eq!(site.dns("home"), "203.0.113.3");
    }

    fn visit(&self, site: &Site, home: &Home, address: &str) -> Response {
        let request = site.get(&home.with(address));
        match self.nobody {
            true => request.user(NOBODY).run(),
            false => request.run(),
        }
    }
}

#[test]
fn a_broken_configuration() {
    let site = Site::new();
    let home = site.add("home");
    let good = fs::read_to_string(site.path("bowline.toml")).unwrap();
    for (name, text) in [
        ("syntax", format!("{good}\n[[[")),
        ("unknown-key", format!("colour = 1\n{good}")),
        ("no-url", String::new()),
        ("no-port", good.replace("127.0.0.1:", "127.0.0.1-")),
        ("not-utf8", "\u{0}".to_owned()),
    ] {
        fs::write(site.path("bowline.toml"), text).unwrap();
        for path in [
            home.with("203.0.113.1"),
            "/ip".to_owned(),
            "/healthz".to_owned(),
        ] {
            let answer = site.visit(&path);
            assert_eq!(answer.said(), "503 911", "{name}");
            // Without a configuration it goes to syslog, where there is one.
            if !std::path::Path::new("/dev/log").exists() {
                assert!(
                    answer.stderr.contains("bowline.toml"),
                    "{name}: {}",
                    answer.stderr
                );
                assert!(
                    answer.stderr.contains("hint=\""),
                    "{name}: {}",
                    answer.stderr
                );
            }
        }
    }
    fs::remove_file(site.path("bowline.toml")).unwrap();
    assert_eq!(site.visit(&home.with("203.0.113.1")).said(), "503 911");
    fs::write(site.path("bowline.toml"), good).unwrap();
    assert_eq!(
        site.visit(&home.with("203.0.113.1")).said(),
        "200 good 203.0.113.1"
    );
    assert_eq!(site.dns("home"), "203.0.113.1");
}

#[test]
fn a_zone_without_contents() {
    let site = Site::with(&Options {
        loaded: false,
        ..Options::default()
    });
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).said(), "503 dnserr");
    let line = site.last_line();
    assert!(
        line.contains("SERVFAIL") && line.contains("not loaded"),
        "{line}"
    );
    assert_eq!(site.visit("/healthz").said(), "503 name server");
    assert_eq!(site.wish(&home), "203.0.113.1");
}

/// Sets the registry's schema version.
fn set_version(site: &Site, version: i64) {
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    db.pragma_update(None, "user_version", version).unwrap();
}

/// Puts something else in the place of a file.
fn replace(site: &Site, name: &str, octets: &[u8]) {
    fs::rename(site.path(name), site.path("kept")).unwrap();
    fs::write(site.path(name), octets).unwrap();
}

/// Puts the file back.
fn restore(site: &Site, name: &str) {
    fs::rename(site.path("kept"), site.path(name)).unwrap();
}

fn set_mode(site: &Site, name: &str, mode: u32) {
    fs::set_permissions(site.path(name), Permissions::from_mode(mode)).unwrap();
}

/// Gives the state directory and the registry, but not the locks, to a user.
fn own(site: &Site, user: u32) {
    for entry in fs::read_dir(site.path("state")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::os::unix::fs::chown(&path, Some(user), None).unwrap();
        }
    }
    std::os::unix::fs::chown(site.path("state"), Some(user), None).unwrap();
}

#[test]
fn a_log_that_nobody_reads_holds_up_nothing() {
    let site = Site::new();
    let home = site.add("home");
    site.forget_log();
    fs::remove_file(site.path("bowline.log")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(site.path("bowline.log"))
        .status();
    assert!(made.unwrap().success());
    let answer = site.visit(&home.with("203.0.113.7"));
    assert!(answer.took.own.as_secs() < 5, "{:?}", answer.took);
    assert_eq!(answer.said(), "200 good 203.0.113.7");
    // Nor the search for secrets, when the site goes.
    fs::remove_file(site.path("bowline.log")).unwrap();
}

#[test]
fn a_registry_that_was_copied_without_its_locks_is_no_trouble() {
    let site = Site::new();
    let home = site.add("home");
    fs::remove_dir_all(site.path("state/locks")).unwrap();
    assert_eq!(
        site.visit(&home.with("203.0.113.7")).said(),
        "200 good 203.0.113.7"
    );
    assert_eq!(site.dns("home"), "203.0.113.7");
    let mode = fs::metadata(site.path("state/locks"))
        .unwrap()
        .permissions();
    assert_eq!(mode.mode() & 0o7777, 0o750);
}
