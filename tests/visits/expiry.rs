//! A host that expires just when its client comes, many that expire at once, and none because of
//! a clock.

use std::fs;
use std::process::Command;
use std::time::SystemTime;

use bowline::registry::Settings;
use bowline::span::Span;
use bowline::time::Timestamp;
use bowline::upkeep::Word;

use crate::relay::relayed;
use crate::strace;
use crate::support::site::Site;
use crate::support::skip::installed;

const HOUR: Span = Span::from_seconds(3600);
/// A moment later it is time.
const NEARLY: Span = Span::from_seconds(3597);

/// As if every client had been heard just then, and not since.
fn all_heard(site: &Site, then: Timestamp) {
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let times = "UPDATE host SET last_seen = ?1, last_change = ?1";
    db.execute(times, [then.seconds()]).unwrap();
}

#[test]
fn who_is_told_that_nothing_changed_keeps_the_address() {
    for (silent, later) in [(HOUR, 0), (NEARLY, 5)] {
        let site = Site::new();
        let settings = Settings {
            expire: Some(HOUR),
            ..Settings::default()
        };
        let home = site.add_with("home", settings);
        assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
        all_heard(&site, Timestamp::now().minus(silent));
        let said = relayed(
            &site,
            |message| {
                // As a round of upkeep does while the name server is asked.
                let now = Timestamp::now().plus(Span::from_seconds(later));
                let mut registry = site.registry();
                registry.expire(home.id, Span::ZERO, now).unwrap();
                message.pass()
            },
            || site.visit(&home.with("203.0.113.1")).said(),
        );
        assert_eq!(said, "200 nochg 203.0.113.1");
        assert_eq!(site.wish(&home), "203.0.113.1");
        site.round(Word::Registry);
        assert_eq!(site.dns("home"), "203.0.113.1");
    }
}

#[test]
fn many_that_expire_at_once_do_not_wait_for_the_disk_one_by_one() {
    if !strace::works() {
        return;
    }
    let site = Site::new();
    let homes = (0..30).map(|n| {
        let settings = Settings {
            expire: Some(HOUR),
            ..Settings::default()
        };
        site.add_with(&format!("h{n}"), settings)
    });
    let homes: Vec<_> = homes.collect();
    for home in &homes {
        assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    }
    let then = Timestamp::now().minus(HOUR);
    all_heard(&site, then);
    // As if rounds had come regularly since.
    let since = format!("{}\n", then.seconds());
    fs::write(site.path("state/locks/upkeep"), since).unwrap();
    let trace = site.path("trace");
    let round = Command::new("strace")
        .args(["--follow-forks", "--quiet=all", "--trace=fsync,fdatasync"])
        .arg("--output")
        .arg(&trace)
        .args([env!("CARGO_BIN_EXE_bowline"), "upkeep"])
        .env("BOWLINE_CONFIG", site.path("bowline.toml"))
        .output()
        .unwrap();
    assert!(round.status.success(), "{round:?}");
    let waits = fs::read_to_string(trace).unwrap().lines().count();
    assert!(waits < homes.len(), "{waits} times for {}", homes.len());
    for home in &homes {
        assert_eq!(site.dns(&home.name), "");
        assert_eq!(site.wish(home), "");
    }
}

#[test]
fn a_clock_that_is_behind_at_boot_makes_nobody_silent() {
    if !installed("faketime") {
        return;
    }
    let site = Site::new();
    let settings = Settings {
        expire: Some(Span::from_days(90)),
        ..Settings::default()
    };
    let home = site.add_with("home", settings);
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    let heard = Timestamp::now().minus(Span::from_days(20));
    all_heard(&site, heard);
    let behind = Span::from_days(2000);
    let round = Command::new("faketime")
        .args(["-f", "-2000d", env!("CARGO_BIN_EXE_bowline"), "upkeep"])
        .env("BOWLINE_CONFIG", site.path("bowline.toml"))
        .output()
        .unwrap();
    assert!(round.status.code().is_some(), "{round:?}");
    // The system's own clock was right all the time.
    let turn = fs::File::options()
        .write(true)
        .open(site.path("state/locks/upkeep"))
        .unwrap();
    turn.set_modified(SystemTime::now() - behind.duration())
        .unwrap();
    // With the right clock, at once and after a day.
    site.round(Word::Registry);
    let since = Timestamp::now().minus(Span::from_days(1)).seconds();
    fs::write(site.path("state/locks/upkeep"), format!("{since}\n")).unwrap();
    assert_eq!(site.round(Word::Registry).expired, 0);
    assert_eq!(site.host(&home).last_seen, Some(heard));
    assert_eq!(site.dns("home"), "203.0.113.1");
}
