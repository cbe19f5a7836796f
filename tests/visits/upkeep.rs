//! Upkeep: what nobody's visit settles is settled all the same.

use std::fs;
use std::time::SystemTime;

use bowline::registry::{Rename, Settings};
use bowline::span::Span;
use bowline::time::Timestamp;
use bowline::ttl::Ttl;
use bowline::upkeep::{Pruned, Round, Settled, Word};

use crate::support::knot::ZONE;
use crate::support::site::{Home, Site, host_name};

/// One round, as the verb runs it.
fn round(site: &Site) -> Round {
    site.round(Word::Registry)
}

/// Sets the times of a host back, as if it had been silent for so long.
fn silent_for(site: &Site, home: &Home, span: Span) {
    let then = Timestamp::now().minus(span).seconds();
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let set = "UPDATE host SET last_seen = ?2, last_change = ?2, wish_at = ?2 WHERE id = ?1";
    db.execute(set, (home.id.number(), then)).unwrap();
}

/// Makes it look as if rounds had come every minute for so long.
fn steady_for(site: &Site, span: Span) {
    let file = site.path("state/locks/upkeep");
    let since = Timestamp::now().minus(span).seconds();
    fs::write(&file, format!("{since}\n")).unwrap();
    let file = fs::File::options().write(true).open(file).unwrap();
    file.set_modified(SystemTime::now()).unwrap();
}

/// The last round was so long ago.
fn round_was(site: &Site, ago: Span) {
    let file = site.path("state/locks/upkeep");
    fs::write(&file, "0\n").unwrap();
    let file = fs::File::options().write(true).open(file).unwrap();
    file.set_modified(SystemTime::now() - ago.duration())
        .unwrap();
}

/// A host that expires after so much silence.
fn expiring(site: &Site, expire: Span) -> Home {
    let settings = Settings {
        expire: Some(expire),
        ..Settings::default()
    };
    site.add_with("home", settings)
}

/// The names in `host list` with such options.
fn listed(site: &Site, options: &[&str]) -> String {
    let list = site.bowline(&[&["host", "list", "--json"], options].concat());
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let names = list.as_array().unwrap().iter();
    let names: Vec<&str> = names
        .map(|host| host["name"].as_str().unwrap().split('.').next().unwrap())
        .collect();
    names.join(" ")
}

#[test]
fn what_a_dead_server_missed_is_published() {
    let mut site = Site::new();
    let home = site.add("home");
    site.knot.stop();
    assert!(site.visit(&home.with("203.0.113.7")).is_pending());
    assert_eq!(round(&site).settled.pending.len(), 1);
    site.knot.restart();
    let settled = round(&site).settled;
    assert_eq!((settled.confirmed, settled.pending.len()), (1, 0));
    assert_eq!(site.dns("home"), "203.0.113.7");
    assert_eq!(round(&site).settled.confirmed, 0);
    assert_eq!(
        site.visit(&home.with("203.0.113.7")).said(),
        "200 nochg 203.0.113.7"
    );
}

#[test]
fn many_hosts_are_one_update_and_a_refused_one_stops_no_other() {
    let mut site = Site::new();
    let homes: Vec<Home> = (0..40).map(|n| site.add(&format!("h{n}"))).collect();
    site.knot.stop();
    let address = |n: usize| format!("203.0.113.{n}");
    for (n, home) in homes.iter().enumerate() {
        assert!(site.visit(&home.with(address(n))).is_pending());
    }
    site.knot.restart();
    let ids: Vec<_> = homes.iter().map(|home| home.id).collect();
    let before = site.knot.serial();
    // A host that knows of no CNAME at its name is in the way of all others.
    site.knot.set("h17 60 CNAME elsewhere.example.");
    let settled = round(&site).settled;
    assert_eq!((settled.confirmed, settled.pending.len()), (39, 1));
    for (n, home) in homes.iter().enumerate().filter(|(n, _)| *n != 17) {
        assert_eq!(site.dns(&home.name), address(n));
    }
    assert!(site.dns("h17").starts_with("elsewhere.example."));
    let updates = site.knot.serial() - before;
    assert!(updates < 20, "{updates} transactions for 40 hosts");
    let trouble = |site: &Site| site.registry().host_by_id(ids[17]).unwrap().unwrap();
    assert!(trouble(&site).trouble.unwrap().contains("CNAME"));

    site.knot.knotc(&["zone-begin", ZONE]);
    site.knot.knotc(&["zone-unset", ZONE, "h17", "CNAME"]);
    site.knot.knotc(&["zone-commit", ZONE]);
    let settled = round(&site).settled;
    assert_eq!((settled.confirmed, settled.pending.len()), (1, 0));
    assert_eq!(site.dns("h17"), address(17));
    assert_eq!(trouble(&site).trouble, None);
}

#[test]
fn what_is_refused_time_and_again_is_tried_more_rarely() {
    let site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.7")).status, 200);
    site.knot.freeze();
    assert!(site.visit(&home.with("203.0.113.8")).is_pending());
    for _ in 0..4 {
        assert_eq!(round(&site).settled.pending.len(), 1);
    }
    site.knot.thaw();
    assert_eq!(round(&site).settled, Settled::default(), "not due yet");
    assert_eq!(site.dns("home"), "203.0.113.7");
    // A visit does not wait for that.
    assert_eq!(
        site.visit(&home.with("203.0.113.8")).said(),
        "200 good 203.0.113.8"
    );
    assert_eq!(site.dns("home"), "203.0.113.8");
}

#[test]
fn what_many_are_refused_is_tried_in_each_round() {
    let site = Site::new();
    let homes = ["one", "two", "three"].map(|name| site.add(name));
    for home in &homes {
        assert_eq!(site.visit(&home.with("203.0.113.7")).status, 200);
    }
    site.knot.freeze();
    for home in &homes {
        assert!(site.visit(&home.with("203.0.113.8")).is_pending());
    }
    for _ in 0..8 {
        site.forget_log();
        assert_eq!(round(&site).settled.pending.len(), 3);
        assert_eq!(site.log().matches("result=dnserr").count(), 1);
    }
    site.knot.thaw();
    assert_eq!(round(&site).settled.confirmed, 3);
    assert_eq!(site.dns("two"), "203.0.113.8");
}

#[test]
fn a_former_name_ends_in_its_time() {
    let site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.7")).status, 200);
    let earlier = Timestamp::now().minus(Span::from_seconds(3600));
    let keep = Span::from_seconds(1800);
    let (name, ttl) = (host_name("villa"), Ttl::DEFAULT);
    site.registry()
        .rename(
            home.id,
            &Rename {
                to: name.clone(),
                keep,
                reuse: Span::ZERO,
                below: false,
            },
            ttl,
            earlier,
        )
        .unwrap();
    site.publish(&home);
    assert_eq!(
        (site.dns("home"), site.dns("villa")),
        ("203.0.113.7".into(), "203.0.113.7".into())
    );
    let new = site.digest(&site.token());
    let rotated = site.registry().rotate(home.id, &new, keep, earlier);
    rotated.unwrap();
    // The clock may be ahead: nothing is forgotten for good, and not by the next round either.
    round_was(&site, Span::from_days(2));
    for _ in 0..2 {
        assert_eq!(round(&site).pruned, Pruned::default());
    }
    assert_eq!(site.registry().tokens(home.id).unwrap().len(), 2);
    // Rounds need not be regular, though: by hand, now and then.
    round_was(&site, Span::from_seconds(20 * 3600));
    let done = round(&site);
    assert_eq!((done.pruned.names, done.settled.confirmed), (1, 1));
    assert_eq!(site.registry().tokens(home.id).unwrap().len(), 1);
    assert_eq!(
        (site.dns("home"), site.dns("villa")),
        (String::new(), "203.0.113.7".into())
    );
}

#[test]
fn a_silent_host_expires_and_its_next_visit_brings_it_back() {
    let site = Site::new();
    let expire = Some(Span::from_seconds(3600));
    let home = site.add_with(
        "home",
        Settings {
            expire,
            ..Settings::default()
        },
    );
    let other = site.add("other");
    for host in [&home, &other] {
        assert_eq!(site.visit(&host.with("203.0.113.7")).status, 200);
        silent_for(&site, host, Span::from_seconds(3600));
    }
    assert_eq!(
        round(&site).expired,
        0,
        "nothing expires before rounds were regular"
    );
    assert_eq!(site.dns("home"), "203.0.113.7");

    steady_for(&site, Span::from_seconds(3600));
    assert_eq!(round(&site).expired, 1);
    assert_eq!(
        (site.dns("home"), site.dns("other")),
        (String::new(), "203.0.113.7".into())
    );
    assert_eq!(round(&site).expired, 0);
    assert!(
        site.log()
            .contains("host=home.dyn.example.org result=expired")
    );

    assert_eq!(
        site.visit(&home.with("203.0.113.7")).said(),
        "200 good 203.0.113.7"
    );
    assert_eq!(site.dns("home"), "203.0.113.7");
    steady_for(&site, Span::from_seconds(3600));
    assert_eq!(round(&site).expired, 0, "it was heard");
}

#[test]
fn after_a_gap_no_host_is_given_longer_than_a_day() {
    let site = Site::new();
    let month = Span::from_days(30);
    let home = expiring(&site, month);
    assert_eq!(site.visit(&home.with("203.0.113.7")).status, 200);
    silent_for(&site, &home, month);
    for (steady, expired) in [(86_000, 0), (86_400, 1)] {
        steady_for(&site, Span::from_seconds(steady));
        assert_eq!(round(&site).expired, expired);
    }
    assert_eq!(site.dns("home"), "");
}

#[test]
fn a_host_that_comes_all_the_time_does_not_expire_while_the_name_server_is_away() {
    let mut site = Site::new();
    let hour = Span::from_seconds(3600);
    let home = expiring(&site, hour);
    assert_eq!(site.visit(&home.with("203.0.113.7")).status, 200);
    site.knot.stop();
    assert!(site.visit(&home.with("203.0.113.8")).is_pending());
    silent_for(&site, &home, hour);
    assert!(site.visit(&home.with("203.0.113.8")).is_pending());
    steady_for(&site, hour);
    assert_eq!(round(&site).expired, 0, "it was heard");
    site.knot.restart();
    round(&site);
    assert_eq!(site.dns("home"), "203.0.113.8");
}

#[test]
fn a_clock_that_was_ahead_keeps_nobody_from_expiring() {
    let site = Site::new();
    let hour = Span::from_seconds(3600);
    let home = expiring(&site, hour);
    assert_eq!(site.visit(&home.with("203.0.113.7")).status, 200);
    round(&site);
    let ahead = Timestamp::now().plus(Span::from_days(300));
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let heard = "UPDATE host SET last_seen = ?1, last_change = ?1";
    db.execute(heard, [ahead.seconds()]).unwrap();
    drop(db);
    steady_for(&site, Span::from_days(1));
    assert_eq!(round(&site).expired, 0);
    let now = Timestamp::now();
    assert!(
        site.host(&home).last_seen.unwrap() <= now,
        "as if heard now"
    );
    silent_for(&site, &home, hour);
    steady_for(&site, hour);
    assert_eq!(round(&site).expired, 1);
}

#[test]
fn an_expired_host_is_listed_until_it_is_back() {
    let site = Site::new();
    let hour = Span::from_seconds(3600);
    let expiring = || Settings {
        expire: Some(hour),
        ..Settings::default()
    };
    // One that was heard, one that was not since the operator set its address, a living one.
    let heard = site.add_with("heard", expiring());
    let set = site.add_with("set", expiring());
    let alive = site.add_with("alive", expiring());
    for home in [&heard, &set, &alive] {
        assert_eq!(site.visit(&home.with("203.0.113.7")).status, 200);
    }
    silent_for(&site, &heard, Span::from_seconds(5400));
    silent_for(&site, &set, Span::from_seconds(5400));
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let never = "UPDATE host SET last_seen = NULL, created = wish_at WHERE id = ?1";
    db.execute(never, [set.id.number()]).unwrap();
    assert_eq!(listed(&site, &["--expired"]), "heard set");
    steady_for(&site, hour);
    assert_eq!(round(&site).expired, 2);
    assert_eq!((site.dns("heard"), site.dns("set")), Default::default());
    for (name, state) in [
        ("heard", "expired"),
        ("set", "expired"),
        ("alive", "active"),
    ] {
        let shown = site.bowline(&["host", "show", name]);
        assert!(
            shown.contains(&format!("\nstate          {state}\n")),
            "{shown}"
        );
    }
    for (options, expected) in [
        (&["--expired"][..], "heard set"),
        (&["--silent=85m"], "heard set"),
        (&["--silent=100m"], ""),
        (&["--expired", "--pending"], ""),
    ] {
        assert_eq!(listed(&site, options), expected, "{options:?}");
    }
    // Another name at which it would have records is no sign of life.
    site.bowline(&["host", "set", "heard", "--wildcard"]);
    assert_eq!(listed(&site, &["--expired"]), "heard set");
    assert_eq!(site.visit(&heard.with("203.0.113.8")).status, 200);
    assert_eq!(site.dns("heard"), "203.0.113.8");
    assert_eq!(listed(&site, &["--expired"]), "set");
}

#[test]
fn another_name_is_no_sign_of_life() {
    let site = Site::new();
    let hour = Span::from_seconds(3600);
    let expiring = Settings {
        expire: Some(hour),
        ..Settings::default()
    };
    let home = site.add_with("home", expiring);
    assert_eq!(site.visit(&home.with("203.0.113.7")).status, 200);
    site.bowline(&["host", "rename", "home", "villa", "--keep-old=1h"]);
    assert_eq!(site.dns("home"), "203.0.113.7");
    silent_for(&site, &home, Span::from_seconds(5400));
    let changed = site.host(&home).last_change;
    // The operator gives it a name, and upkeep takes one away.
    site.bowline(&["host", "set", "villa", "--wildcard"]);
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    db.execute("UPDATE former_name SET until = 0", []).unwrap();
    let done = round(&site);
    assert_eq!((done.pruned.names, done.expired), (1, 0));
    assert_eq!(
        (site.dns("home"), site.dns("any.villa")),
        (String::new(), "203.0.113.7".into())
    );
    assert_eq!(site.host(&home).last_change, changed);
    assert_eq!(listed(&site, &["--expired"]), "villa");
    steady_for(&site, hour);
    assert_eq!(round(&site).expired, 1);
    assert_eq!(
        (site.dns("villa"), site.dns("any.villa")),
        Default::default()
    );
    assert_ne!(site.host(&home).last_change, changed);
}
