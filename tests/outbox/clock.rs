//! The clock was ahead for a while, and is right again: word of what happens goes on.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use bowline::span::Span;
use bowline::time::Timestamp;

use crate::receiver::{Receiver, status};
use crate::site::{later, site, steady_for, upkeep};
use crate::support::site::Site;

/// A statement in which ?1 is a time to come, and ?2 an hour ago.
fn ahead(site: &Site, sql: &str) {
    let now = Timestamp::now();
    let (then, ago) = (
        now.plus(Span::from_days(3)),
        now.minus(Span::from_seconds(3600)),
    );
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let changed = db.execute(sql, (then.seconds(), ago.seconds())).unwrap();
    assert_eq!(changed, 1, "{sql}");
}

fn check_told(site: &Site, receiver: &Receiver, events: &[&str]) {
    upkeep(site);
    let posts = receiver.take();
    let told: Vec<String> = posts.iter().flat_map(|post| post.events()).collect();
    assert_eq!(told, events);
}

#[test]
fn what_could_not_be_delivered_is_tried_again() {
    let receiver = Receiver::new();
    let site = site(&receiver.table("events = [\"changed\"]"));
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    ahead(
        &site,
        "UPDATE outbox SET retry_at = ?1, failures = 1 WHERE ?2 > 0",
    );
    check_told(&site, &receiver, &["changed home.dyn.example.org"]);
}

#[test]
fn what_waited_while_the_machine_was_off_is_not_given_up_at_once() {
    let receiver = Receiver::new();
    let site = site(&receiver.table("events = [\"changed\"]"));
    let home = site.add("home");
    upkeep(&site);
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    let off = Span::from_days(4);
    later(&site, off.seconds().cast_signed());
    let last = Timestamp::now().minus(off).seconds();
    let round = site.path("state/locks/upkeep");
    fs::write(&round, format!("{last} {last}\n")).unwrap();
    let round = File::options().write(true).open(round).unwrap();
    round
        .set_modified(SystemTime::now() - off.duration())
        .unwrap();
    // The network is not up yet.
    receiver.says(|_| status("503 Service Unavailable"));
    assert_eq!(upkeep(&site), [0, 1, 0]);
    receiver.take();
    receiver.says(|_| status("200 OK"));
    later(&site, 600);
    check_told(&site, &receiver, &["changed home.dyn.example.org"]);
    // Once rounds are regular again it is.
    assert_eq!(site.visit(&home.with("203.0.113.2")).status, 200);
    later(&site, off.seconds().cast_signed());
    steady_for(&site, Span::from_days(1));
    receiver.says(|_| status("503 Service Unavailable"));
    assert_eq!(upkeep(&site), [0, 0, 1]);
}

#[test]
fn a_host_that_is_pending_is_told_of() {
    let receiver = Receiver::new();
    let site = site(&receiver.table("events = [\"pending\"]"));
    let home = site.add("home");
    site.knot.freeze();
    assert!(site.visit(&home.with("203.0.113.1")).is_pending());
    check_told(&site, &receiver, &[]);
    ahead(&site, "UPDATE host SET pending_told = ?1, wish_at = ?2");
    check_told(&site, &receiver, &["pending home.dyn.example.org"]);
    // It is not known for how long that is so.
    ahead(
        &site,
        "UPDATE host SET pending_told = NULL, wish_at = ?1 WHERE ?2 > 0",
    );
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    db.execute("DELETE FROM history", []).unwrap();
    check_told(&site, &receiver, &["pending home.dyn.example.org"]);
    check_told(&site, &receiver, &[]);
}

#[test]
fn a_host_that_is_pending_is_told_of_once_though_it_was_confirmed_in_time_to_come() {
    let receiver = Receiver::new();
    let site = site(&receiver.table("events = [\"pending\"]"));
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    ahead(
        &site,
        "UPDATE host SET fact_at = ?1, pending_told = ?2 - 86400",
    );
    site.knot.freeze();
    // What was told before the confirmation is not known to be over.
    assert!(site.visit(&home.with("203.0.113.2")).is_pending());
    ahead(
        &site,
        "UPDATE host SET pending_told = NULL, wish_at = ?2 WHERE ?1 > 0",
    );
    check_told(&site, &receiver, &["pending home.dyn.example.org"]);
    check_told(&site, &receiver, &[]);
    check_told(&site, &receiver, &[]);
    // Confirmed, and pending again.
    site.knot.thaw();
    assert_eq!(site.visit(&home.with("203.0.113.3")).status, 200);
    site.knot.freeze();
    assert!(site.visit(&home.with("203.0.113.4")).is_pending());
    ahead(&site, "UPDATE host SET wish_at = ?2 WHERE ?1 > 0");
    check_told(&site, &receiver, &["pending home.dyn.example.org"]);
    check_told(&site, &receiver, &[]);
}

#[test]
fn a_host_that_is_silent_is_told_of() {
    let receiver = Receiver::new();
    let site = site(&receiver.table("events = [\"silent\"]"));
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    steady_for(&site, Span::from_days(1));
    ahead(
        &site,
        "UPDATE host SET silent_told = ?1, usual = 60, last_seen = ?2 - 86400,
         wish_at = ?2 - 86400, created = ?2 - 864000",
    );
    check_told(&site, &receiver, &["silent home.dyn.example.org"]);
}

#[test]
fn upkeep_that_needs_the_operator_is_told() {
    let receiver = Receiver::new();
    let site = site(&receiver.table("events = [\"upkeep\"]"));
    upkeep(&site);
    ahead(
        &site,
        "INSERT INTO outbox (at, event, channel, done) SELECT ?1, 'upkeep', 'webhook', ?1
         WHERE ?2 > 0",
    );
    let rounds = site.path("state/locks/upkeep");
    let rounds = File::options().write(true).open(rounds).unwrap();
    let ago = SystemTime::now() - Duration::from_secs(3600);
    rounds.set_modified(ago).unwrap();
    check_told(&site, &receiver, &["upkeep null"]);
}
