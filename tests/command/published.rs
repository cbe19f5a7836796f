//! What verbs change at the name server, asked there afterwards.

use crate::knot::{Knot, Options};
use crate::place::Place;

/// A place whose zone a Knot of its own serves.
fn served() -> (Place, Knot) {
    let it = Place::new();
    let knot = Knot::start(it.directory.path(), &Options::default());
    let config = it.read("etc/bowline.toml");
    it.write(
        "etc/bowline.toml",
        &config.replace("127.0.0.1:9", &knot.addr().to_string()),
    );
    it.write("etc/tsig.key", knot.key_text());
    (it, knot)
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
fn a_silent_name_server_is_no_failure() {
    let (it, knot) = served();
    it.done("host add home --ipv4 203.0.113.7");
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
