//! What verbs change at the name server, asked there afterwards.

use crate::place::Place;
use crate::support::knot::{Knot, Options};

/// A place whose zone a Knot of its own serves.
pub(crate) fn served() -> (Place, Knot) {
    let it = Place::new();
    let knot = serve(&it);
    (it, knot)
}

/// A Knot that serves a place's first zone from now on.
pub(crate) fn serve(it: &Place) -> Knot {
    let knot = Knot::start(it.directory.path(), &Options::default());
    let config = it.read("etc/bowline.toml");
    it.write(
        "etc/bowline.toml",
        &config.replace("127.0.0.1:9", &knot.addr().to_string()),
    );
    it.write("etc/tsig.key", knot.key_text());
    knot
}

#[test]
fn every_verb_that_changes_records() {
    let (it, knot) = served();
    let shows = |name: &str, rtype: &str| knot.kdig(&format!("{name}.dyn.example.org"), rtype);
    let none: [&str; 0] = [];
    for (verb, name, ipv4, ipv6) in [
        (
            "host add home --ipv4 203.0.113.7",
            "home",
            &["203.0.113.7"][..],
            &none[..],
        ),
        (
            "host set home --ipv6 2001:db8::7",
            "home",
            &["203.0.113.7"],
            &["2001:db8::7"],
        ),
        (
            "host set home --ipv4 - --wildcard",
            "x.home",
            &none,
            &["2001:db8::7"],
        ),
        ("host rename home flat", "flat", &none, &["2001:db8::7"]),
        ("status", "home", &none, &none),
        ("host disable flat", "flat", &none, &none),
        ("host enable flat", "flat", &none, &none),
        (
            "host set flat --static --ipv4 192.0.2.9",
            "flat",
            &["192.0.2.9"],
            &none,
        ),
        ("host disable flat", "flat", &none, &none),
        ("host enable flat", "flat", &["192.0.2.9"], &none),
        ("host remove flat", "flat", &none, &none),
    ] {
        let ran = it.run(verb);
        let note = match verb.contains("--static") {
            true => "note: flat.dyn.example.org is static now, and its token is dead\n",
            false => "",
        };
        assert_eq!((ran.code, ran.err.as_str()), (0, note), "{verb}");
        assert_eq!(shows(name, "A"), ipv4, "{verb}");
        assert_eq!(shows(name, "AAAA"), ipv6, "{verb}");
    }
    assert_eq!(it.json("host list"), serde_json::json!([]));
    let ran = it.run("host add flat");
    assert!(ran.err.contains("its name is free again at"), "{ran:?}");
    it.done("host add flat --again");
}

#[test]
fn a_name_server_that_takes_nothing_is_asked_once_and_told_of_once() {
    let it = Place::new();
    let names = (0..600).map(|n| format!("h{n},203.0.113.{}\n", n % 250));
    let list = "name,ipv4\n".to_owned() + &names.collect::<String>();
    it.write("list.csv", &list);
    let ran = it.run("host import list.csv --out tokens.csv");
    assert_eq!(ran.code, 0, "{ran:?}");
    let said = |what: &str| ran.err.matches(what).count();
    assert_eq!(said("could not confirm"), 1, "{ran:?}");
    assert_eq!(said("note: 599 more hosts stay pending\n"), 1, "{ran:?}");
    let status = it.run("status");
    let lines = status
        .out
        .lines()
        .filter(|line| line.starts_with("pending "));
    let lines: Vec<&str> = lines.collect();
    assert_eq!(lines.len(), 21, "{lines:#?}");
    assert_eq!(
        lines[20],
        "pending        580 more, with --json all of them"
    );
    let pending = it.json("status")["pending"].as_array().map(Vec::len);
    assert_eq!(pending, Some(600));

    let knot = serve(&it);
    assert!(it.done("upkeep").contains("600 confirmed"));
    assert_eq!(knot.kdig("h599.dyn.example.org", "A"), ["203.0.113.99"]);
}

#[test]
fn an_address_that_a_host_may_not_have_any_more_goes() {
    let (it, knot) = served();
    for (add, set, lost) in [
        (
            "one --allow-private --ipv4 10.0.0.1 --ipv6 2001:db8::7",
            "one --no-allow-private",
            "10.0.0.1 is a private address and cannot be published",
        ),
        (
            "two --static --ipv4 127.0.0.53 --ipv6 2001:db8::7",
            "two --no-static",
            "127.0.0.53 is a loopback address and cannot be published",
        ),
        (
            "three --ipv4 203.0.113.7 --ipv6 2001:db8::7",
            "three --only ipv6",
            "203.0.113.7 is of the family that the host does not have",
        ),
    ] {
        it.done(&format!("host add {add}"));
        let name = set.split(' ').next().unwrap();
        let name = format!("{name}.dyn.example.org");
        assert_eq!(knot.kdig(&name, "A").len(), 1, "{add}");
        let ran = it.run(&format!("host set {set}"));
        let note = format!("note: {lost}, so it goes\n");
        assert!(
            ran.code == 0 && ran.err.starts_with(&note),
            "{set}: {ran:?}"
        );
        assert_eq!(knot.kdig(&name, "A"), [""; 0], "{set}");
        assert_eq!(knot.kdig(&name, "AAAA"), ["2001:db8::7"], "{set}");
    }
    // What is named is not said to go.
    it.done("host add four --allow-private --ipv4 10.0.0.1");
    let ran = it.run("host set four --no-allow-private --ipv4 203.0.113.7");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
}

#[test]
fn a_former_name_rests_like_that_of_its_removed_host() {
    let (it, knot) = served();
    let rests = |name: &str| {
        let ran = it.run(&format!("host add {name}"));
        let expected = format!("{name}.dyn.example.org was removed; its name is free again at ");
        assert!(ran.code == 1 && ran.err.contains(&expected), "{ran:?}");
    };
    it.done("host add one --ipv4 203.0.113.7");
    it.done("host rename one two --keep-old 1h");
    assert_eq!(knot.kdig("one.dyn.example.org", "A"), ["203.0.113.7"]);
    it.done("host remove two");
    assert_eq!(knot.kdig("one.dyn.example.org", "A"), [""; 0]);
    rests("one");
    rests("two");
    it.done("host add one --again");
    // It had no records, and meant the host all the same.
    it.done("host add three");
    it.done("host rename three four --keep-old 1h");
    it.done("host remove four");
    rests("three");
    // The removal ends only when upkeep reaches the name server.
    it.done("host add five --ipv4 203.0.113.7");
    it.done("host rename five six --keep-old 1h");
    knot.pause();
    it.done("host remove six");
    knot.resume();
    let ran = it.run("host add five");
    assert!(ran.err.contains("may still have records of six"), "{ran:?}");
    let registry = rusqlite::Connection::open(it.file("state/bowline.db")).unwrap();
    // That was long ago, and so is the last word of an UPDATE on its way.
    let sql = "UPDATE host SET unconfirmed = unconfirmed - 700; DELETE FROM removed_name";
    registry.execute_batch(sql).unwrap();
    it.done("upkeep");
    assert_eq!(it.run("host show six").code, 1);
    rests("five");
    rests("six");
}

#[test]
fn a_silent_name_server_is_no_failure() {
    let (it, mut knot) = served();
    let is_gone = |knot: &Knot, name: &str| {
        it.done("upkeep");
        let full = format!("{name}.dyn.example.org");
        assert_eq!(knot.kdig(&full, "A"), [""; 0]);
        assert_eq!(it.run(&format!("host show {name}")).code, 1, "{name}");
    };
    it.done("host add home --ipv4 203.0.113.7");
    it.done("host add nas --ipv4 203.0.113.8");
    knot.pause();
    let ran = it.run("host remove home");
    knot.resume();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.err
            .starts_with("note: could not confirm home.dyn.example.org: "),
        "{ran:?}"
    );
    assert!(ran.err.contains("; bowline goes on trying\n"), "{ran:?}");
    assert_eq!(it.json("host show home")["state"], "removing");
    is_gone(&knot, "home");
    // One that was waiting already, for a server that is not there.
    knot.stop();
    it.run("host set nas --ipv4 203.0.113.9");
    it.run("host remove nas");
    assert_eq!(it.json("host show nas")["state"], "removing");
    knot.restart();
    is_gone(&knot, "nas");
}

#[test]
fn each_host_that_stays_removing_is_told() {
    let (it, knot) = served();
    let stays = |name: &str| {
        assert_eq!(it.json(&format!("host show {name}"))["state"], "removing");
        format!("note: {name}.dyn.example.org stays removing")
    };
    it.done("owner add anna");
    for name in ["one", "two", "three", "four"] {
        it.done(&format!("host add {name} --owner anna --ipv4 203.0.113.7"));
    }
    // What was never answered may still come, though the removal is confirmed.
    knot.pause();
    it.done("host set one --ipv4 203.0.113.8");
    it.done("host set two --ipv4 203.0.113.8");
    it.done("host set three --ipv4 203.0.113.8");
    knot.resume();
    let ran = it.run("host remove one");
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (0, "one.dyn.example.org: removed\n")
    );
    assert!(ran.err.starts_with(&stays("one")), "{ran:?}");
    let ran = it.run("owner remove anna --with-hosts");
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (0, "anna: removed, with 3 hosts\n")
    );
    for name in ["two", "three"] {
        assert!(ran.err.contains(&stays(name)), "{ran:?}");
        let name = format!("{name}.dyn.example.org");
        assert_eq!(knot.kdig(&name, "A"), [""; 0]);
    }
    assert!(!ran.err.contains("four"), "{ran:?}");
    assert_eq!(it.run("host show four").code, 1);

    it.done("owner add ben");
    it.done("host add five --owner ben --ipv4 203.0.113.7");
    it.done("host add six --owner ben --ipv4 203.0.113.7");
    knot.pause();
    let ran = it.run("owner remove ben --with-hosts");
    knot.resume();
    assert_eq!(ran.code, 0, "{ran:?}");
    for name in ["five", "six"] {
        assert!(ran.err.contains(&stays(name)), "{ran:?}");
    }
}

#[test]
fn an_address_that_an_imported_setting_forbids_goes() {
    let (it, knot) = served();
    it.done("host add home --ipv4 203.0.113.7 --ipv6 2001:db8::7");
    it.done("host add nas --allow-private --ipv4 10.0.0.1");
    it.done("host add printer --static --ipv4 192.168.1.9 --ipv6 fd00::9");
    let list = "name,only,allow_private\nhome,ipv6,\nnas,,no\nprinter,ipv6,\n";
    let ran = it.run_with("host import -", list);
    let note = "note: line 2: 203.0.113.7 is of the family that the host does not have, so it goes\n\
                note: line 3: 10.0.0.1 is a private address and cannot be published, so it goes\n\
                note: line 4: 192.168.1.9 is of the family that the host does not have, so it goes\n";
    assert_eq!((ran.code, ran.err.as_str()), (0, note));
    for (name, ipv6) in [("home", "2001:db8::7"), ("printer", "fd00::9"), ("nas", "")] {
        let name = format!("{name}.dyn.example.org");
        assert_eq!(knot.kdig(&name, "A"), [""; 0], "{name}");
        assert_eq!(knot.kdig(&name, "AAAA").join(" "), ipv6, "{name}");
    }
    let again = it.run_with("host import -", list);
    assert!(again.out.starts_with("0 added, 0 changed, 3 unchanged") && again.err.is_empty());
    let none = it.run_with("host import -", "name,only\nprinter,ipv4\n");
    let err = "line 2: a static host without an address has no records";
    assert!(none.code == 1 && none.err.contains(err), "{none:?}");
}

#[test]
fn import_publishes_what_it_adds() {
    let (it, knot) = served();
    let ran = it.run_with(
        "host import -",
        "name,ipv4,static\na,192.0.2.1,yes\nb,192.0.2.2,yes\n",
    );
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(knot.kdig("b.dyn.example.org", "A"), ["192.0.2.2"]);
    assert_eq!(it.json("status")["pending"], serde_json::json!([]));
}

#[test]
fn an_address_that_is_set_again_takes_the_place_of_what_a_hand_has_put_there() {
    let (it, knot) = served();
    it.done("host add home --ipv4 203.0.113.7");
    knot.set("home 60 A 192.0.2.66");
    let both = ["192.0.2.66", "203.0.113.7"].map(str::to_owned);
    let mut found = knot.kdig("home.dyn.example.org", "A");
    found.sort();
    assert_eq!(found, both);
    it.done("host set home --note mine");
    assert_eq!(knot.kdig("home.dyn.example.org", "A").len(), 2);
    it.done("host set home --ipv4 203.0.113.7");
    assert_eq!(knot.kdig("home.dyn.example.org", "A"), ["203.0.113.7"]);
}

/// A registry made anew, or an older one, knows nothing of the records of the hosts it is given.
#[test]
fn what_stood_there_before_a_host_goes_with_it_though_nobody_has_visited() {
    let (it, knot) = served();
    for (verb, done) in [
        ("host disable", "switched off"),
        ("host remove", "removed"),
        ("owner disable", "switched off"),
        ("owner remove --with-hosts", "removed"),
    ] {
        knot.set("late 60 A 192.0.2.99");
        it.done("owner add anna");
        it.done("host add late --owner anna --again");
        assert_eq!(it.json("host show late")["pending"], false, "{verb}");
        assert_eq!(knot.kdig("late.dyn.example.org", "A"), ["192.0.2.99"]);
        let of = if verb.starts_with("host") {
            "late"
        } else {
            "anna"
        };
        assert!(it.done(&format!("{verb} {of}")).contains(done), "{verb}");
        assert_eq!(knot.kdig("late.dyn.example.org", "A"), [""; 0], "{verb}");
        let _ = it.run("owner remove anna --with-hosts");
    }
    assert_eq!(it.json("host list"), serde_json::json!([]));
}

#[test]
fn an_owner_is_removed_though_the_name_server_is_silent() {
    let (it, knot) = served();
    it.done("owner add anna");
    it.done("host add home --owner anna --ipv4 203.0.113.7");
    knot.pause();
    let ran = it.run("owner remove anna --with-hosts");
    knot.resume();
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (0, "anna: removed, with 1 host\n")
    );
    assert!(
        ran.err.contains("could not confirm home.dyn"),
        "{}",
        ran.err
    );
    assert_eq!(it.json("owner list"), serde_json::json!([]));
    assert_eq!(it.json("host show home")["state"], "removing");
}
