//! An older UPDATE that the name server applies late.

use std::thread::sleep;
use std::time::Duration;

use bowline::time::Timestamp;

use crate::support::at_once;
use crate::support::knot::wait_until;
use crate::support::site::{Home, Site};

/// Knot holds an UPDATE back for a second at most.
const QUIET: Duration = Duration::from_millis(1500);

/// One visit to a name server that stands still: its UPDATE waits in the socket.
fn send_late(site: &Site, home: &Home, query: &str) {
    let answer = site.visit(&home.at(query));
    assert!(answer.is_pending(), "{}", answer.said());
    assert!(
        answer.took.own < Duration::from_millis(8500),
        "{:?}",
        answer.took
    );
    assert!(
        site.last_line().contains("could not confirm"),
        "{}",
        site.last_line()
    );
    assert!(site.host(home).unconfirmed.is_some());
}

/// Once the name server has applied all it had: an unchanged visit never says `nochg`
/// while DNS shows something else, and leaves there what was wished.
fn check_heals(site: &Site, home: &Home, query: &str, wanted: &str) {
    let mut serial = site.knot.serial();
    loop {
        sleep(QUIET);
        let before = std::mem::replace(&mut serial, site.knot.serial());
        if serial == before {
            break;
        }
    }
    for _ in 0..2 {
        let answer = site.visit(&home.at(query));
        assert_eq!(answer.status, 200, "{}", answer.said());
        assert_eq!(site.dns(&home.name), wanted, "after {}", answer.said());
    }
    let answer = site.visit(&home.at(query));
    assert!(answer.said().starts_with("200 nochg"), "{}", answer.said());
}

/// What is there before, what the late visit wants, what the visit after it wants
/// and what is to stand there in the end.
fn late(before: &str, older: &str, newer: &str, wanted: &str) {
    let site = Site::new();
    let home = site.add("home");
    if !before.is_empty() {
        assert_eq!(site.visit(&home.at(before)).status, 200);
    }
    site.knot.pause();
    send_late(&site, &home, older);
    let second = site.get(&home.at(newer)).spawn();
    sleep(Duration::from_millis(300));
    site.knot.resume();
    let answer = second.wait();
    assert_eq!(answer.status, 200, "{}", answer.said());
    assert_eq!(site.wish(&home), wanted);
    check_heals(&site, &home, newer, wanted);
}

#[test]
fn an_older_update_never_has_the_last_word() {
    const ONE: &str = "203.0.113.1";
    const SET: &str = "?myip=203.0.113.1";
    at_once([
        ("new", || late("", "?myip=203.0.113.2", SET, ONE)),
        ("third", || {
            late("?myip=203.0.113.2", "?myip=203.0.113.3", SET, ONE)
        }),
        ("back", || late(SET, "?myip=203.0.113.2", SET, ONE)),
        ("back-to-none", || late("", SET, "?clear=true", "")),
        ("back-to-one-family", || {
            late(SET, "?myip=2001:db8::1", "?ipv6=-", ONE)
        }),
        ("back-after-removal", || late(SET, "?clear=true", SET, ONE)),
        ("both-late", both_late),
        ("read-back", after_the_newer_was_read_back),
    ]);
}

/// Two visits in a row to a name server that stands still.
fn both_late() {
    let site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    site.knot.pause();
    send_late(&site, &home, "?myip=203.0.113.2");
    send_late(&site, &home, "?myip=203.0.113.1");
    site.knot.resume();
    check_heals(&site, &home, "?myip=203.0.113.1", "203.0.113.1");
}

/// What is in doubt is looked at whole, also by a visit that is about one family.
#[test]
fn a_visit_about_one_family_looks_at_both_while_an_older_update_may_come() {
    let site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let doubt = "UPDATE host SET unconfirmed = ?2 WHERE id = ?1";
    let now = Timestamp::now().seconds();
    db.execute(doubt, (home.id.number(), now)).unwrap();
    site.knot.set("home 60 AAAA 2001:db8::bad");
    let said = site.visit(&home.with("203.0.113.1")).said();
    assert_eq!(said, "200 good 203.0.113.1");
    assert_eq!(site.dns("home"), "203.0.113.1");
}

/// The older UPDATE held back by hand until the newer visit has read its own result.
fn after_the_newer_was_read_back() {
    for (newer, wanted) in [
        ("?clear=true", ""),
        ("?myip=203.0.113.1&ipv6=-", "203.0.113.1"),
    ] {
        let site = Site::new();
        let home = site.add("home");
        if !wanted.is_empty() {
            assert_eq!(site.visit(&home.with(wanted)).status, 200);
        }
        assert_eq!(site.visit(&home.at(newer)).status, 200);
        // What an older UPDATE would do whose prerequisite, no AAAA, still holds.
        site.knot.set("home 60 AAAA 2001:db8::bad");
        check_heals(&site, &home, newer, wanted);
    }
}

#[test]
fn a_host_is_locked_while_its_update_may_be_on_its_way() {
    let site = Site::new();
    let home = site.add("home");
    site.knot.pause();
    let visit = site.get(&home.with("203.0.113.1")).spawn();
    wait_until("its lock", || site.is_locked());
    site.knot.resume();
    assert_eq!(visit.wait().said(), "200 good 203.0.113.1");
    assert_eq!(site.dns("home"), "203.0.113.1");
    assert!(!site.is_locked());
}
