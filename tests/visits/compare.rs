//! Upkeep compares what the name server shows, mends it, and knows when not to.

use std::fs;

use bowline::ip::Family;
use bowline::name::{HostName, ZoneName};
use bowline::registry::{NewHost, Settings};
use bowline::span::Span;
use bowline::time::Timestamp;
use bowline::ttl::Ttl;
use bowline::upkeep::{Compared, Word};

use crate::support::knot::ZONE;
use crate::support::site::{Home, Site, set};

/// One round, and what it found to differ.
pub(crate) fn compare(site: &Site, word: Word) -> Compared {
    site.round(word).compared
}

pub(crate) fn mended(mended: usize) -> Compared {
    Compared {
        mended,
        ..Compared::default()
    }
}

/// Hosts that all have an address.
pub(crate) fn homes(site: &Site, count: usize, net: &str) -> Vec<Home> {
    let homes: Vec<Home> = (0..count).map(|n| site.add(&format!("h{n}"))).collect();
    move_all(site, &homes, net);
    homes
}

pub(crate) fn move_all(site: &Site, homes: &[Home], net: &str) {
    for (n, home) in homes.iter().enumerate() {
        let answer = site.visit(&home.with(format!("{net}.{n}")));
        assert_eq!(answer.said(), format!("200 good {net}.{n}"));
    }
}

pub(crate) fn check_all(site: &Site, homes: &[Home], net: &str) {
    for (n, home) in homes.iter().enumerate() {
        assert_eq!(site.dns(&home.name), format!("{net}.{n}"));
    }
}

pub(crate) fn by_hand(site: &Site, steps: &[&[&str]]) {
    site.knot.knotc(&["zone-begin", ZONE]);
    for step in steps {
        let mut args = vec![step[0], ZONE];
        args.extend(&step[1..]);
        site.knot.knotc(&args);
    }
    site.knot.knotc(&["zone-commit", ZONE]);
}

#[test]
fn what_a_hand_has_changed_is_mended() {
    let site = Site::new();
    let (home, off) = (site.add("home"), site.add("off"));
    let star = Settings {
        wildcard: true,
        ..Settings::default()
    };
    let star = site.add_with("star", star);
    for (home, address) in [(&home, "203.0.113.1"), (&off, "203.0.113.2")] {
        assert_eq!(site.visit(&home.with(address)).status, 200);
    }
    assert_eq!(site.visit(&star.with("2001:db8::3")).status, 200);
    let now = bowline::time::Timestamp::now();
    site.registry().disable(off.id, now).unwrap();
    site.publish(&off);
    assert_eq!(compare(&site, Word::Registry), Compared::default());
    assert_eq!(compare(&site, Word::Registry), Compared::default());
    let serial = site.knot.serial();

    by_hand(
        &site,
        &[
            &["zone-unset", "home", "A"],
            &["zone-set", "home", "60", "AAAA", "2001:db8::66"],
            &["zone-set", "off", "60", "A", "192.0.2.66"],
            &["zone-unset", "*.star", "AAAA"],
            &["zone-set", "other", "60", "A", "192.0.2.66"],
        ],
    );
    site.forget_log();
    assert_eq!(compare(&site, Word::Registry), mended(3));
    assert_eq!(site.dns("home"), "203.0.113.1");
    assert_eq!(site.dns("off"), "");
    assert_eq!(site.dns("any.star"), "2001:db8::3");
    assert_eq!(site.dns("other"), "192.0.2.66", "not ours");
    let log = site.log();
    let line = |host: &str| log.lines().find(|line| line.contains(host)).unwrap();
    let home = line("host=home.");
    assert!(home.contains("result=mended"), "{home}");
    assert!(home.contains("ipv4=203.0.113.1"), "{home}");
    assert!(
        home.contains("the name server had 2001:db8::66\""),
        "{home}"
    );
    let star = line("host=star.");
    let had = format!("the name server had no address at *.star.{ZONE}");
    assert!(star.contains(&had), "{star}");
    // One transaction of the hand, one of ours.
    assert!(site.knot.serial() <= serial + 3);
    assert_eq!(compare(&site, Word::Registry), Compared::default());
}

#[test]
fn a_few_that_differ_are_always_mended() {
    let site = Site::new();
    let homes = homes(&site, 9, "203.0.113");
    let steps: Vec<[&str; 3]> = homes
        .iter()
        .map(|home| ["zone-unset", home.name.as_str(), "A"])
        .collect();
    let steps: Vec<&[&str]> = steps.iter().map(|step| &step[..]).collect();
    by_hand(&site, &steps);
    assert_eq!(compare(&site, Word::Registry), mended(9));
    check_all(&site, &homes, "203.0.113");
}

#[test]
fn what_cannot_be_mended_is_tried_again() {
    let site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    by_hand(
        &site,
        &[
            &["zone-unset", "home", "A"],
            &["zone-set", "home", "60", "CNAME", "elsewhere.example."],
        ],
    );
    for _ in 0..2 {
        let left = Compared {
            left: 1,
            ..Compared::default()
        };
        assert_eq!(compare(&site, Word::Registry), left);
        assert!(site.last_line().contains("CNAME"), "{}", site.last_line());
    }
    by_hand(&site, &[&["zone-unset", "home", "CNAME"]]);
    assert_eq!(compare(&site, Word::Registry), mended(1));
    assert_eq!(site.dns("home"), "203.0.113.1");
}

#[test]
fn a_name_server_that_cannot_be_asked_is_told_of() {
    let mut site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    site.knot.stop();
    let compared = compare(&site, Word::Registry);
    let [(zone, why)] = compared.unasked.as_slice() else {
        panic!("{compared:?}");
    };
    assert_eq!(zone.as_str(), ZONE);
    assert!(why.contains("connection refused"), "{why}");
    let line = site.last_line();
    assert!(line.contains(&format!("zone={ZONE} result=911")), "{line}");
    site.knot.restart();
    assert_eq!(compare(&site, Word::Registry), Compared::default());
    assert_eq!(site.dns("home"), "203.0.113.1");
}

#[test]
fn what_may_not_be_published_is_not_adopted() {
    let site = Site::new();
    let homes = homes(&site, 3, "203.0.113");
    let only = Settings {
        only: Some(Family::Ipv4),
        ..Settings::default()
    };
    let four = site.add_with("four", only);
    assert_eq!(site.visit(&four.with("203.0.113.9")).status, 200);
    let addresses = Some(["203.0.113.20".parse().unwrap()].into_iter().collect());
    let fixed = Settings {
        fixed: addresses,
        ..Settings::default()
    };
    let lamp = site.add_with("lamp", fixed.clone());
    set(&mut site.registry(), lamp.id, &fixed, addresses).unwrap();
    site.publish(&lamp);
    assert_eq!(site.dns("lamp"), "203.0.113.20");
    by_hand(
        &site,
        &[
            &["zone-unset", "h0", "A"],
            &["zone-set", "h0", "60", "A", "10.9.9.9"],
            &["zone-set", "h1", "60", "AAAA", "::1"],
            &["zone-unset", "h2", "A"],
            &["zone-set", "h2", "60", "A", "203.0.113.77"],
            &["zone-set", "four", "60", "AAAA", "2001:db8::4"],
            &["zone-unset", "lamp", "A"],
            &["zone-set", "lamp", "60", "A", "203.0.113.78"],
        ],
    );
    let adopted = Compared {
        adopted: 1,
        left: 4,
        ..Compared::default()
    };
    assert_eq!(compare(&site, Word::Zone), adopted);
    assert_eq!(site.wish(&homes[0]), "203.0.113.0");
    assert_eq!(site.wish(&homes[1]), "203.0.113.1");
    assert_eq!(site.wish(&homes[2]), "203.0.113.77");
    assert_eq!(site.wish(&four), "203.0.113.9");
    assert_eq!(site.wish(&lamp), "203.0.113.20");
    // It stays as it is until the operator has decided.
    assert_eq!(compare(&site, Word::Registry), Compared::default());
    assert_eq!(site.dns("h0"), "10.9.9.9");
    site.publish(&homes[0]);
    assert_eq!(site.dns("h0"), "203.0.113.0");
}

#[test]
fn a_zone_that_its_name_server_does_not_serve_stops_no_other() {
    let site = Site::new();
    let text = fs::read_to_string(site.path("bowline.toml")).unwrap();
    let (head, zone) = text.split_at(text.find("[[zone]]").unwrap());
    let not_served = zone.replace(ZONE, "aaa.example.net");
    let not_served = not_served.split_once("[limits]").unwrap().0;
    fs::write(
        site.path("bowline.toml"),
        format!("{head}{not_served}{zone}"),
    )
    .unwrap();
    let (home, other) = (site.add("home"), site.add("other"));
    let nowhere: ZoneName = "aaa.example.net".parse().unwrap();
    let lost = NewHost {
        name: HostName::new("lost", &nowhere).unwrap(),
        settings: Settings::default(),
        token: None,
        addresses: ["203.0.113.9".parse().unwrap()].into_iter().collect(),
        reuse: Span::ZERO,
        below: false,
    };
    let mut registry = site.registry();
    let now = Timestamp::now();
    registry.add(&[lost], Ttl::DEFAULT, now).unwrap();
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    site.round(Word::Registry);
    // One that is pending after that zone's, and one that somebody else has changed.
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let address = ["203.0.113.2".parse().unwrap()].into_iter().collect();
    set(&mut registry, other.id, &Settings::default(), Some(address)).unwrap();
    db.execute("UPDATE host SET retry_at = NULL", []).unwrap();
    drop(db);
    by_hand(&site, &[&["zone-unset", "home", "A"]]);
    let done = site.round(Word::Registry);
    assert_eq!((done.settled.confirmed, done.compared.mended), (1, 1));
    assert_eq!(
        (site.dns("home"), site.dns("other")),
        ("203.0.113.1".into(), "203.0.113.2".into())
    );
    let log = site.log();
    assert!(log.contains("zone=aaa.example.net result=911"), "{log}");
}

#[test]
fn a_zone_with_the_serial_it_had_is_compared_once_a_day() {
    let site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    assert_eq!(compare(&site, Word::Registry), Compared::default());
    by_hand(&site, &[&["zone-unset", "home", "A"]]);
    let serial = site.knot.kdig(ZONE, "SOA").remove(0);
    let serial = serial.split(' ').nth(2).unwrap().to_owned();
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let compared = |ago: i64| {
        let at = Timestamp::now().seconds() - ago;
        let was = "UPDATE zone SET serial = ?1, compared_serial = ?1, compared_at = ?2";
        assert_eq!(db.execute(was, (&serial, at)).unwrap(), 1);
        compare(&site, Word::Registry).mended
    };
    assert_eq!(compared(3600), 0);
    assert_eq!(compared(25 * 3600), 1);
    assert_eq!(site.dns("home"), "203.0.113.1");
}
