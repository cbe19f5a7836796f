//! A host that expires just when its client comes, many that expire at once, none because of a
//! clock, and one that expires by half.

use std::fs;
use std::process::Command;
use std::time::SystemTime;

use bowline::registry::Settings;
use bowline::span::Span;
use bowline::time::Timestamp;
use bowline::upkeep::Word;

use crate::relay::relayed;
use crate::restored::restore;
use crate::strace;
use crate::support::knot::ZONE;
use crate::support::site::{Home, Site};
use crate::support::skip::installed;

const HOUR: Span = Span::from_seconds(3600);
/// Longer than that.
const LONG: Span = Span::from_seconds(7200);
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
    steady(&site, HOUR);
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

/// A host that expires after an hour, and has both addresses, while rounds come regularly.
fn with_both(site: &Site, name: &str) -> Home {
    let settings = Settings {
        expire: Some(HOUR),
        ..Settings::default()
    };
    let home = site.add_with(name, settings);
    let both = home.with("203.0.113.1,2001:db8::1");
    assert_eq!(site.visit(&both).status, 200);
    steady(site, Span::from_days(2));
    home
}

/// As if rounds had come regularly for so long.
fn steady(site: &Site, span: Span) {
    let since = Timestamp::now().minus(span).seconds();
    fs::write(site.path("state/locks/upkeep"), format!("{since}\n")).unwrap();
}

/// As if its client had told that family so long ago, and never since.
fn told(site: &Site, home: &Home, family: &str, ago: Span) {
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let then = Timestamp::now().minus(ago).seconds();
    let sql = format!("UPDATE host SET heard_{family} = ?2 WHERE name = ?1");
    let name = format!("{}.{ZONE}", home.name);
    assert_eq!(db.execute(&sql, (name, then)).unwrap(), 1);
}

#[test]
fn an_address_that_is_left_out_for_too_long_goes_alone() {
    let site = Site::new();
    let home = with_both(&site, "home");
    for (family, stays, gone, shown) in [
        ("ipv4", "2001:db8::1", "203.0.113.1", "IPv4"),
        ("ipv6", "203.0.113.1", "2001:db8::1", "IPv6"),
    ] {
        told(&site, &home, family, LONG);
        assert_eq!(
            site.visit(&home.with(stays)).said(),
            format!("200 nochg {stays}")
        );
        assert_eq!(site.round(Word::Registry).expired, 1);
        assert_eq!(site.dns("home"), stays);
        let log = site.log();
        let line = log.lines().rfind(|line| line.contains("result=expired"));
        let reason = format!("but with no {shown} address since");
        assert!(line.is_some_and(|line| line.contains(&reason)), "{log}");
        // Not once more, and it is back when its client has it again.
        assert_eq!(site.round(Word::Registry).expired, 0);
        assert_eq!(
            site.visit(&home.with(gone)).said(),
            format!("200 good {gone}")
        );
        assert_eq!(site.round(Word::Registry).expired, 0);
        assert_eq!(site.dns("home"), "203.0.113.1,2001:db8::1");
    }
    // Whoever is not heard at all loses both at once.
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let all = "UPDATE host SET last_seen = last_seen - 3700, last_change = last_change - 3700,
               heard_ipv4 = heard_ipv4 - 3700, heard_ipv6 = heard_ipv6 - 3600";
    db.execute(all, []).unwrap();
    assert_eq!(site.round(Word::Registry).expired, 1);
    assert_eq!(site.dns("home"), "");
}

#[test]
fn an_address_that_is_just_told_again_stays() {
    let site = Site::new();
    let home = with_both(&site, "home");
    told(&site, &home, "ipv4", LONG);
    let said = relayed(
        &site,
        |message| {
            let now = Timestamp::now();
            let gone = site.registry().expire(home.id, Span::ZERO, now).unwrap();
            assert_eq!(gone, None);
            message.pass()
        },
        || site.visit(&home.with("203.0.113.1")).said(),
    );
    assert_eq!(said, "200 nochg 203.0.113.1");
    assert_eq!(site.round(Word::Registry).expired, 0);
    assert_eq!(site.dns("home"), "203.0.113.1,2001:db8::1");
}

#[test]
fn an_address_by_the_operator_is_left_out_by_nobody() {
    let site = Site::new();
    let home = with_both(&site, "home");
    told(&site, &home, "ipv4", LONG);
    site.bowline(&["host", "set", "home", "--ipv4", "203.0.113.2"]);
    assert_eq!(site.visit(&home.with("2001:db8::1")).status, 200);
    assert_eq!(site.round(Word::Registry).expired, 0);
    assert_eq!(site.dns("home"), "203.0.113.2,2001:db8::1");
    // From when on its client tells it, it is its client's.
    assert_eq!(site.visit(&home.with("203.0.113.2")).status, 200);
    told(&site, &home, "ipv4", LONG);
    assert_eq!(site.visit(&home.with("2001:db8::1")).status, 200);
    assert_eq!(site.round(Word::Registry).expired, 1);
    assert_eq!(site.dns("home"), "2001:db8::1");
}

#[test]
fn who_was_heard_since_a_backup_was_made_nobody_knows() {
    let site = Site::new();
    let home = with_both(&site, "home");
    all_heard(&site, Timestamp::now().minus(LONG));
    let backup = site.path("backup.tar").display().to_string();
    site.bowline(&["backup", &backup]);
    restore(&site, &backup);
    steady(&site, Span::from_days(2));
    assert_eq!(site.round(Word::Registry).expired, 0);
    assert_eq!(site.dns("home"), "203.0.113.1,2001:db8::1");
    // Until it has been silent for as long since.
    let since = |seconds| {
        let then = Timestamp::now().minus(Span::from_seconds(seconds));
        let text = format!("{}\n", then.seconds());
        fs::write(site.path("state/restored/last"), text).unwrap();
        site.round(Word::Registry).expired
    };
    assert_eq!(since(3590), 0);
    assert_eq!(since(3600), 1);
    assert_eq!(site.dns("home"), "");
    assert_eq!(site.wish(&home), "");
}

#[test]
fn a_clock_that_was_ahead_leaves_no_family_out() {
    let site = Site::new();
    let home = with_both(&site, "home");
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let ahead = "UPDATE host SET last_seen = last_seen + 100000, heard_ipv6 = last_seen + 100000";
    db.execute(ahead, []).unwrap();
    // Then with the right clock.
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    for span in [LONG, Span::from_days(2)] {
        steady(&site, span);
        assert_eq!(site.round(Word::Registry).expired, 0);
        assert_eq!(site.dns("home"), "203.0.113.1,2001:db8::1");
    }
    // By then who was heard in a time to come was heard now.
    let heard = site.host(&home).heard;
    assert!(heard.ipv6.unwrap() <= Timestamp::now(), "{heard:?}");
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
