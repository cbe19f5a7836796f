//! What may come between setting and removing a challenge: silence, a crash, another order,
//! the operator.

use std::process::{Command, Output};
use std::thread;

use bowline::deadline::Deadline;
use bowline::lock::HostLocks;

use super::place::{Place, value};
use super::support::knot::{Options, ZONE, wait_until};
use super::support::site::Home;

/// Runs a verb of the command line.
pub(crate) fn bowline(place: &Place, arguments: &[&str]) -> Output {
    let mut bowline = Command::new(env!("CARGO_BIN_EXE_bowline"));
    bowline.arg("--config").arg(place.path("bowline.toml"));
    bowline.args(arguments).output().unwrap()
}

/// Makes every challenge older than it is.
pub(crate) fn age(place: &Place, seconds: u32) {
    let db = rusqlite::Connection::open(place.registry_file()).unwrap();
    let aged = "UPDATE challenge SET at = at - ?1, unconfirmed = unconfirmed - ?1";
    assert_ne!(db.execute(aged, [seconds]).unwrap(), 0);
}

/// How many challenges are to be settled still.
pub(crate) fn known(place: &Place, home: &Home) -> usize {
    place.registry().challenges(home.id).unwrap().len()
}

#[test]
fn the_name_server_is_gone_in_between() {
    let mut place = Place::new();
    let home = place.add("home");
    let (a, b) = (value('a'), value('b'));
    assert_eq!(place.httpreq("present", &home, &a).run().status, 200);
    place.site.knot.stop();
    for (what, value) in [("cleanup", &a), ("present", &b)] {
        let said = place.httpreq(what, &home, value).run();
        assert_eq!(said.status, 503, "{}", said.body);
        assert!(said.body.contains(r#""status":"dnserr""#), "{}", said.body);
    }
    let acme_dns = format!(r#"{{"subdomain":"home","txt":"{b}"}}"#);
    let said = place.acme_dns(&home, &acme_dns).run();
    assert_eq!(said.said(), r#"503 {"error":"dnserr"}"#);
    place.site.knot.restart();
    assert_eq!(place.shown("home"), [a]);
    place.upkeep();
    // What was accepted is there, what was to go is gone.
    assert_eq!(place.shown("home"), [b]);
    // Its client never came back: after an hour it goes by itself.
    age(&place, 3000);
    place.upkeep();
    assert_eq!(place.shown("home").len(), 1);
    age(&place, 601);
    assert!(
        place
            .upkeep()
            .contains("1 challenges for certificates ended")
    );
    assert_eq!(place.shown("home"), [""; 0]);
    assert_eq!(known(&place, &home), 0);
}

#[test]
fn how_long_a_forgotten_one_stands_can_be_said() {
    let place = Place::new();
    let home = place.add("home");
    let keep = "acme = true\n\n[keep]\nchallenges = \"10m\"\n";
    place.configure("http://update.example.org", keep);
    assert_eq!(
        place.httpreq("present", &home, &value('a')).run().status,
        200
    );
    age(&place, 500);
    place.upkeep();
    assert_eq!(place.shown("home").len(), 1);
    age(&place, 101);
    place.upkeep();
    assert_eq!(place.shown("home"), [""; 0]);
}

#[test]
fn status_counts_them_and_tells_when_one_waits_for_long() {
    let mut place = Place::new();
    let home = place.add("home");
    place.upkeep();
    let status = |place: &Place, wanted: &str| {
        let output = bowline(place, &["status"]);
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains(wanted), "{wanted}: {text}");
        output.status.success()
    };
    assert_eq!(
        place.httpreq("present", &home, &value('a')).run().status,
        200
    );
    assert!(status(&place, "challenges     1 standing, 0 pending"));
    let metrics = bowline(&place, &["status", "--metrics"]).stdout;
    let metrics = String::from_utf8(metrics).unwrap();
    assert!(metrics.contains("\nbowline_challenges 1\n"), "{metrics}");
    place.site.knot.stop();
    assert_eq!(
        place.httpreq("cleanup", &home, &value('a')).run().status,
        503
    );
    assert!(status(&place, "challenges     0 standing, 1 pending"));
    age(&place, 301);
    assert!(!status(
        &place,
        "a challenge for a certificate is pending for over 5 minutes"
    ));
    place.site.knot.restart();
    place.upkeep();
    assert!(status(&place, "hosts "));
    assert_eq!(place.shown("home"), [""; 0]);
}

#[test]
fn the_name_server_is_silent_and_applies_everything_late() {
    let place = Place::new();
    let home = place.add("home");
    let a = value('a');
    place.knot.pause();
    for what in ["present", "cleanup"] {
        let said = place.httpreq(what, &home, &a).run();
        assert_eq!(said.status, 503, "{}", said.body);
        assert!(said.took.own.as_secs() < 9, "{:?}", said.took);
    }
    place.knot.resume();
    place.upkeep();
    wait_until("no challenge", || {
        place.upkeep();
        place.shown("home").is_empty()
    });
    // It is looked at again for ten minutes: an UPDATE may come later still.
    assert_eq!(known(&place, &home), 1);
    place.knot.set(&format!("_acme-challenge.home 10 TXT {a}"));
    assert_eq!(place.shown("home"), [a]);
    place.upkeep();
    assert_eq!(place.shown("home"), [""; 0]);
    age(&place, 601);
    place.upkeep();
    assert_eq!(known(&place, &home), 0);
}

#[test]
fn a_visit_that_was_killed_is_settled() {
    let place = Place::new();
    let home = place.add("home");
    let a = value('a');
    place.knot.pause();
    let visit = place.httpreq("present", &home, &a).spawn();
    wait_until("it is accepted", || known(&place, &home) == 1);
    visit.kill();
    let _ = visit.end();
    place.knot.resume();
    place.upkeep();
    assert_eq!(place.shown("home").concat(), a);
    assert_eq!(place.httpreq("cleanup", &home, &a).run().status, 200);
    assert_eq!(place.shown("home"), [""; 0]);
    assert_eq!(known(&place, &home), 0);
}

/// Who set it is not told that it stands when it was removed before it got there.
#[test]
fn it_is_removed_while_it_waits_for_its_turn() {
    let place = Place::new();
    let home = place.add("home");
    let locks = HostLocks::of(&ZONE.parse().unwrap(), &place.path("state"));
    let own = HostLocks::files(&[home.id]).into_keys();
    let turn = own.map(|file| {
        let deadline = Deadline::after(Deadline::REQUEST);
        locks.lock(file, deadline, || Ok(true)).unwrap()
    });
    let turn: Vec<_> = turn.collect();
    let visit = place.httpreq("present", &home, &value('a')).spawn();
    wait_until("it is accepted", || known(&place, &home) == 1);
    let db = rusqlite::Connection::open(place.registry_file()).unwrap();
    db.execute("UPDATE challenge SET wanted = 0", []).unwrap();
    drop(turn);
    let said = visit.wait();
    // The token is right, and its client may come again.
    let dnserr = "{\"status\":\"dnserr\"}\n";
    assert_eq!((said.status, said.body.as_str()), (503, dnserr));
    assert_eq!(place.shown("home"), [""; 0]);
    assert_eq!(known(&place, &home), 0);
}

#[test]
fn the_operator_comes_in_between() {
    let place = Place::new();
    for (name, verb) in [
        ("removed", &["host", "remove", "removed"][..]),
        ("off", &["host", "disable", "off"]),
        ("old", &["host", "rename", "old", "new"]),
    ] {
        let home = place.add(name);
        assert_eq!(
            place.httpreq("present", &home, &value('a')).run().status,
            200
        );
        assert_eq!(place.shown(name).len(), 1, "{name}");
        let output = bowline(&place, verb);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(place.shown(name), [""; 0], "{name}");
        assert_eq!(known(&place, &home), 0, "{name}");
        for what in ["present", "cleanup"] {
            let said = place.httpreq(what, &home, &value('a')).run();
            assert!([401, 403].contains(&said.status), "{name}: {}", said.body);
        }
    }
}

#[test]
fn a_former_name_may_have_a_certificate_too() {
    let place = Place::new();
    let old = place.add("old");
    let output = bowline(
        &place,
        &["host", "rename", "old", "new", "--keep-old", "1d"],
    );
    assert!(output.status.success(), "{output:?}");
    for name in ["old", "new"] {
        let home = Home {
            name: name.into(),
            token: old.token.clone(),
            ..old
        };
        assert_eq!(
            place.httpreq("present", &home, &value('a')).run().status,
            200
        );
        assert_eq!(place.shown(name).len(), 1, "{name}");
    }
    // The former name's time is over.
    let db = rusqlite::Connection::open(place.registry_file()).unwrap();
    db.execute("UPDATE former_name SET until = 1", []).unwrap();
    place.upkeep();
    assert_eq!(place.shown("old"), [""; 0]);
    assert_eq!(place.shown("new").len(), 1);
    assert!(bowline(&place, &["host", "remove", "new"]).status.success());
}

/// A host of which the name server has confirmed that it has no addresses: removed, it is gone.
fn bare(place: &Place) -> Home {
    let home = place.add("home");
    for query in ["?myip=203.0.113.7", "?myip=-"] {
        assert_eq!(place.visit(&home.at(query)).status, 200);
    }
    home
}

#[test]
fn nobody_inherits_a_challenge() {
    let mut place = Place::new();
    let home = bare(&place);
    assert_eq!(
        place.httpreq("present", &home, &value('a')).run().status,
        200
    );
    place.site.knot.stop();
    let removed = bowline(&place, &["host", "remove", "home"]);
    assert!(removed.status.success());
    let said = String::from_utf8_lossy(&removed.stderr).into_owned();
    assert!(
        said.contains("could not confirm that a challenge"),
        "{said}"
    );
    let add = || bowline(&place, &["host", "add", "home", "--again"]);
    let said = String::from_utf8_lossy(&add().stderr).into_owned();
    assert!(
        said.contains("may still have records of its former host"),
        "{said}"
    );
    place.site.knot.restart();
    place.upkeep();
    let added = bowline(&place, &["host", "add", "home", "--again"]);
    assert!(added.status.success(), "{added:?}");
}

#[test]
fn orders_at_the_same_time_do_not_disturb_each_other() {
    let place = Place::new();
    let home = place.add("home");
    let other = place.add("other");
    thread::scope(|scope| {
        for (n, letter) in ('a'..='f').enumerate() {
            let (place, home) = (&place, if n % 2 == 0 { &home } else { &other });
            scope.spawn(move || {
                let value = value(letter);
                for _ in 0..2 {
                    let set = place.httpreq("present", home, &value).run();
                    assert_eq!(set.status, 200, "{}", set.body);
                    assert!(place.shown(&home.name).contains(&value), "{letter}");
                    let gone = place.httpreq("cleanup", home, &value).run();
                    assert_eq!(gone.status, 200, "{}", gone.body);
                    assert!(!place.shown(&home.name).contains(&value), "{letter}");
                }
            });
        }
    });
    assert_eq!(known(&place, &home), 0);
}

#[test]
fn host_and_zone_are_gone() {
    let mut place = Place::new();
    let home = bare(&place);
    let a = value('a');
    assert_eq!(place.httpreq("present", &home, &a).run().status, 200);
    place.site.knot.stop();
    assert!(
        bowline(&place, &["host", "remove", "home"])
            .status
            .success()
    );
    assert_eq!(known(&place, &home), 1);
    let toml = std::fs::read_to_string(place.path("bowline.toml")).unwrap();
    let other = toml.replace("\"dyn.example.org\"", "\"other.example.org\"");
    assert_ne!(other, toml);
    std::fs::write(place.path("bowline.toml"), other).unwrap();
    place.upkeep();
    assert_eq!(known(&place, &home), 0, "{}", place.log());
    place.site.knot.restart();
    place.knot.unset("_acme-challenge.home");
}

/// The same with a responder, whose threads have one process: six orders for one name, at once.
pub(crate) fn orders_through(url: &str, token: &str, shown: &dyn Fn() -> Vec<String>) {
    let all = |what: &str| {
        thread::scope(|scope| {
            for letter in 'a'..='f' {
                scope.spawn(move || {
                    let body = super::place::httpreq("home", &value(letter));
                    let output = Command::new("curl")
                        .args(["-sS", "-o", "/dev/null", "-w", "%{http_code}"])
                        .args(["-u", &format!("home:{token}"), "-d", &body])
                        .arg(format!("{url}/{what}"))
                        .output()
                        .unwrap();
                    assert_eq!(String::from_utf8_lossy(&output.stdout), "200", "{letter}");
                });
            }
        });
    };
    all("present");
    let expected: Vec<String> = ('a'..='f').map(value).collect();
    assert_eq!(shown(), expected);
    all("cleanup");
    assert_eq!(shown(), [""; 0]);
}

#[test]
fn a_key_without_the_right_is_told() {
    let options = Options {
        types: "A, AAAA".into(),
        ..Options::default()
    };
    let place = Place::with(&options);
    let home = place.add("home");
    let said = place.httpreq("present", &home, &value('a')).run();
    assert_eq!(said.status, 503);
    let line = place.last_line();
    assert!(
        line.contains("reason=\"the name server refused: "),
        "{line}"
    );
    // The addresses go their own way.
    assert_eq!(
        place.visit(&home.with("203.0.113.7")).said(),
        "200 good 203.0.113.7"
    );
    assert_eq!(
        place.httpreq("cleanup", &home, &value('a')).run().status,
        503
    );
    // It is tried more and more rarely, and given up after a day.
    place.upkeep();
    let db = rusqlite::Connection::open(place.registry_file()).unwrap();
    db.execute("UPDATE challenge SET failures = 30, retry_at = NULL", [])
        .unwrap();
    place.upkeep();
    assert_eq!(known(&place, &home), 0);
}
