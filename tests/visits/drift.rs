//! Somebody else changes the zone: the next unchanged visit heals it, or says why not.

use bowline::ip::Family;
use bowline::registry::Settings;
use bowline::upkeep::Word;

use crate::support::at_once;
use crate::support::knot::{Options, ZONE};
use crate::support::site::{Home, Site};

#[test]
fn drift() {
    at_once([
        ("edited", edited),
        ("older-copy", older_copy),
        ("cname", cname),
        ("delegation", delegation),
        ("dname", dname),
        ("wildcard-above", wildcard_above),
        ("wildcard-of-its-own", wildcard_of_its_own),
        ("one-family", one_family),
    ]);
}

/// One transaction behind bowline's back: `zone-set` and `zone-unset` with what follows
/// the zone.
fn by_hand(site: &Site, steps: &[&str]) {
    site.knot.knotc(&["zone-begin", ZONE]);
    for step in steps {
        let (verb, rest) = step.split_once(' ').unwrap();
        let mut args = vec![verb, ZONE];
        args.extend(rest.splitn(4, ' '));
        site.knot.knotc(&args);
    }
    site.knot.knotc(&["zone-commit", ZONE]);
}

/// Whether the zone itself has that record, wildcards aside: owner, then the rest of it.
fn has(site: &Site, owner: &str, record: &str) -> bool {
    let zone = site.knot.knotc(&["zone-read", ZONE]);
    let start = format!("[{ZONE}.] {owner}.{ZONE}. ");
    zone.lines()
        .any(|line| line.starts_with(&start) && line.ends_with(record))
}

fn said(site: &Site, home: &Home, address: &str) -> String {
    site.visit(&home.with(address)).said()
}

/// An unchanged visit heals, says so, and the next one has nothing to do.
fn check_heals(site: &Site, home: &Home, addresses: &str) {
    assert_eq!(said(site, home, addresses), format!("200 good {addresses}"));
    assert_eq!(site.dns(&home.name), addresses);
    assert_eq!(
        said(site, home, addresses),
        format!("200 nochg {addresses}")
    );
}

fn edited() {
    let site = Site::new();
    let home = site.add("home");
    let both = "203.0.113.1,2001:db8::1";
    check_heals(&site, &home, both);
    for steps in [
        &["zone-unset home A"][..],
        &["zone-unset home A", "zone-unset home AAAA"],
        &["zone-unset home A", "zone-set home 60 A 192.0.2.66"],
        &["zone-set home 60 A 192.0.2.66"],
        &["zone-set home 60 AAAA 2001:db8::66", "zone-unset home A"],
    ] {
        by_hand(&site, steps);
        check_heals(&site, &home, both);
    }
    assert_eq!(site.visit(&home.at("?ipv6=-")).said(), "200 good");
    by_hand(&site, &["zone-set home 60 AAAA 2001:db8::66"]);
    let without = "?myip=203.0.113.1&ipv6=-";
    assert_eq!(site.visit(&home.at(without)).said(), "200 good 203.0.113.1");
    assert_eq!(site.dns("home"), "203.0.113.1");
    // A visit that says nothing of a family it does not have leaves that to upkeep.
    by_hand(&site, &["zone-set home 60 AAAA 2001:db8::66"]);
    assert_eq!(said(&site, &home, "203.0.113.1"), "200 nochg 203.0.113.1");
    assert_eq!(site.round(Word::Registry).compared.mended, 1);
    assert_eq!(site.dns("home"), "203.0.113.1");
    // What is not ours stays.
    by_hand(&site, &["zone-set home 60 TXT kept", "zone-unset home A"]);
    check_heals(&site, &home, "203.0.113.1");
    assert!(has(&site, "home", "TXT \"kept\""));
    assert_eq!(site.visit(&home.at("?clear=true")).said(), "200 good");
    by_hand(&site, &["zone-set home 60 A 192.0.2.66"]);
    assert_eq!(site.visit(&home.at("?clear=true")).said(), "200 good");
    assert_eq!(site.dns("home"), "");
    assert_eq!(site.visit(&home.at("?clear=true")).said(), "200 nochg");
}

fn older_copy() {
    let mut site = Site::new();
    let home = site.add("home");
    check_heals(&site, &home, "203.0.113.1");
    site.knot.keep_copy();
    check_heals(&site, &home, "203.0.113.2");
    let serial = site.knot.serial();
    site.knot.put_copy_back();
    assert!(site.knot.serial() < serial);
    assert_eq!(site.dns("home"), "203.0.113.1");
    check_heals(&site, &home, "203.0.113.2");
}

/// Whether a visit is told `dnserr`, and the log says what is in the way.
fn check_hidden(site: &Site, home: &Home, address: &str, reason: &str) {
    for _ in 0..2 {
        assert_eq!(said(site, home, address), "503 dnserr");
        let line = site.last_line();
        assert!(line.contains(reason), "{line}");
        assert!(line.contains(" hint=\""), "{line}");
    }
    assert_eq!(site.wish(home), address);
    assert!(site.host(home).is_pending() || site.host(home).fact.addresses.to_string() == address);
}

fn cname() {
    let site = Site::new();
    let home = site.add("home");
    let elsewhere = "zone-set home 60 CNAME elsewhere.example.net.";
    by_hand(&site, &[elsewhere]);
    check_hidden(&site, &home, "203.0.113.1", "is hidden by a CNAME");
    by_hand(&site, &["zone-unset home CNAME"]);
    check_heals(&site, &home, "203.0.113.1");
    // One that comes later.
    by_hand(&site, &["zone-unset home A", elsewhere]);
    check_hidden(&site, &home, "203.0.113.1", "is hidden by a CNAME");
    assert!(
        has(&site, "home", "CNAME elsewhere.example.net."),
        "not ours to remove"
    );
    // A removal wants nothing of ours to be there, and nothing of ours is.
    assert_eq!(site.visit(&home.at("?clear=true")).said(), "200 good");
    assert_eq!(site.visit(&home.at("?clear=true")).said(), "200 nochg");
}

fn delegation() {
    let site = Site::new();
    let (below, at) = (site.add("home.sub"), site.add("sub"));
    by_hand(&site, &["zone-set sub 60 NS ns.example.net."]);
    for home in [&below, &at] {
        check_hidden(&site, home, "203.0.113.1", "hidden by a delegation");
    }
    by_hand(&site, &["zone-unset sub NS"]);
    for home in [&below, &at] {
        check_heals(&site, home, "203.0.113.1");
    }
    by_hand(&site, &["zone-set sub 60 NS ns.example.net."]);
    check_hidden(&site, &below, "203.0.113.1", "hidden by a delegation");
}

fn dname() {
    let site = Site::new();
    let home = site.add("home.sub");
    by_hand(&site, &["zone-set sub 60 DNAME example.net."]);
    // Knot 3.2 refuses what later ones ignore.
    check_hidden(&site, &home, "203.0.113.1", " reason=\"");
    assert_eq!(site.visit(&home.at("?clear=true")).said(), "200 good");
    assert_eq!(site.visit(&home.at("?clear=true")).said(), "200 nochg");
    by_hand(&site, &["zone-unset sub DNAME"]);
    check_heals(&site, &home, "203.0.113.1");
}

/// A wildcard in the zone answers for a name that is not there.
fn wildcard_above() {
    let site = Site::with(&Options {
        records: ["*.home 60 A 192.0.2.1", "*.home 60 AAAA 2001:db8::ff"]
            .map(str::to_owned)
            .to_vec(),
        ..Options::default()
    });
    let home = site.add("a.home");
    for address in ["203.0.113.1", "192.0.2.1"] {
        assert_eq!(said(&site, &home, address), format!("200 good {address}"));
        assert!(has(&site, "a.home", &format!(" A {address}")));
        assert_eq!(said(&site, &home, address), format!("200 nochg {address}"));
        assert_eq!(site.dns("a.home"), address);
        by_hand(&site, &["zone-unset a.home A"]);
        // Now the wildcard answers; where it has the same address, only upkeep sees that from
        // the other family.
        match address {
            "192.0.2.1" => assert_eq!(site.round(Word::Registry).compared.mended, 1),
            _ => assert_eq!(said(&site, &home, address), format!("200 good {address}")),
        }
        assert!(has(&site, "a.home", &format!(" A {address}")));
        assert_eq!(site.visit(&home.at("?clear=true")).said(), "200 good");
        assert!(!has(&site, "a.home", ""));
        assert!(!site.host(&home).is_pending());
        assert_eq!(site.visit(&home.at("?clear=true")).status, 200);
    }
    assert_eq!(
        site.dns("a.home"),
        "192.0.2.1,2001:db8::ff",
        "the wildcard's"
    );
}

/// A host with `--wildcard` has both names, always.
fn wildcard_of_its_own() {
    let site = Site::new();
    let wildcard = Settings {
        wildcard: true,
        ..Settings::default()
    };
    let home = site.add_with("home", wildcard);
    check_heals(&site, &home, "203.0.113.1");
    assert_eq!(site.dns("any.home"), "203.0.113.1");
    for steps in [&["zone-unset *.home"][..], &["zone-unset home A"]] {
        by_hand(&site, steps);
        check_heals(&site, &home, "203.0.113.1");
        assert!(has(&site, "home", " A 203.0.113.1") && has(&site, "*.home", " A 203.0.113.1"));
    }
    assert_eq!(site.visit(&home.at("?clear=true")).said(), "200 good");
    assert_eq!(
        (site.dns("home"), site.dns("any.home")),
        (String::new(), String::new())
    );
}

/// A removal of the family that a host does not have is true only where the name server has none.
fn one_family() {
    let site = Site::new();
    let only = Settings {
        only: Some(Family::Ipv6),
        ..Settings::default()
    };
    let home = site.add_with("home", only);
    check_heals(&site, &home, "2001:db8::1");
    assert_eq!(site.visit(&home.at("?ipv6=-")).said(), "200 good");
    by_hand(&site, &["zone-set home 60 A 192.0.2.66"]);
    for said in ["200 good", "200 nochg"] {
        assert_eq!(site.visit(&home.at("?ipv4=-")).said(), said);
        assert_eq!(site.dns("home"), "");
    }
}
