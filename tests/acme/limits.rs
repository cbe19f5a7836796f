//! So many new challenges of a host are taken in a while, and what does not count.

use std::fs;

use super::place::{Place, basic, value};
use super::support::visit::Response;

const URL: &str = "http://update.example.org";

/// The challenge of that number.
fn numbered(n: u32) -> String {
    format!("{n:0>43}")
}

fn seconds_to_wait(response: &Response) -> i64 {
    response.headers["retry-after"].parse().unwrap()
}

#[test]
fn beyond_thirty_in_ten_minutes_none_is_taken() {
    let place = Place::new();
    let (home, nas) = (place.add("home"), place.add("nas"));
    let present = |n| place.httpreq("present", &home, &numbered(n)).run();
    let cleanup = |n| place.httpreq("cleanup", &home, &numbered(n)).run();
    for n in 1..=30 {
        assert_eq!(present(n).status, 200, "{n}");
        // Neither the same once more nor a removal counts.
        assert_eq!(present(n).status, 200, "{n}");
        if n > 2 {
            assert_eq!(cleanup(n - 2).status, 200, "{n}");
        }
    }
    let (serial, shown) = (place.knot.serial(), place.shown("home"));
    assert_eq!(shown, [numbered(29), numbered(30)]);
    let known = || place.registry().challenges(home.id).unwrap().len();
    let before = known();
    let refused = present(31);
    assert_eq!(refused.said(), r#"503 {"status":"911"}"#);
    assert!((1..=600).contains(&seconds_to_wait(&refused)));
    let line = place.last_line();
    let reason = " reason=\"more than 30/10m new challenges; the next one is taken after ";
    assert!(line.contains(" result=911 "), "{line}");
    assert!(line.contains(reason), "{line}");
    // The same by the other protocols.
    let body = format!(r#"{{"subdomain":"home","txt":"{}"}}"#, numbered(31));
    let acme_dns = place.acme_dns(&home, &body).run();
    assert_eq!(acme_dns.said(), r#"503 {"error":"911"}"#);
    assert!((1..=600).contains(&seconds_to_wait(&acme_dns)));
    let (token, text) = (home.token.secret(), numbered(31));
    let duckdns = place.visit(&format!("/update?domains=home&token={token}&txt={text}"));
    assert_eq!(duckdns.said(), "503 KO");
    assert_eq!((place.knot.serial(), known()), (serial, before));
    assert_eq!(place.shown("home"), shown);

    // What is set, what is to go, addresses and other hosts are not concerned.
    assert_eq!(present(30).status, 200);
    assert_eq!(cleanup(29).status, 200);
    assert_eq!(place.shown("home").concat(), numbered(30));
    assert_eq!(
        place.visit(&home.with("203.0.113.7")).said(),
        "200 good 203.0.113.7"
    );
    let other = |what| place.httpreq(what, &nas, &value('a')).run().status;
    assert_eq!((other("present"), other("cleanup")), (200, 200));
    // Once it is gone it is new again.
    assert_eq!(cleanup(30).status, 200);
    assert_eq!(present(30).status, 503);
    assert_eq!(place.shown("home"), [""; 0]);

    // As if the time were over.
    fs::remove_file(place.path("state/challenges.counters")).unwrap();
    assert_eq!((present(31).status, cleanup(31).status), (200, 200));
}

#[test]
fn who_asks_again_while_the_name_server_is_silent_is_counted_once() {
    let mut place = Place::new();
    place.configure(URL, "acme = true\n\n[limits]\nchanges = \"2/1h\"\n");
    let home = place.add("home");
    let status = |place: &Place, what: &str, n| {
        let visit = place.httpreq(what, &home, &numbered(n)).run();
        visit.status
    };
    place.site.knot.stop();
    for _ in 0..4 {
        assert_eq!(status(&place, "present", 1), 503);
        assert!(place.last_line().contains(" result=dnserr "));
    }
    place.site.knot.restart();
    assert_eq!(status(&place, "present", 1), 200);
    assert_eq!(status(&place, "present", 2), 200);
    assert_eq!(status(&place, "present", 3), 503);
    assert_eq!(place.shown("home"), [numbered(1), numbered(2)]);
    place.configure(URL, "acme = true\n\n[limits]\nchanges = \"off\"\n");
    assert_eq!(status(&place, "present", 3), 200);
    for n in 1..=3 {
        assert_eq!(status(&place, "cleanup", n), 200);
    }
}

#[test]
fn what_the_registry_does_not_take_counts_for_nothing() {
    let place = Place::new();
    place.configure(URL, "acme = true\n\n[limits]\nchanges = \"1/1h\"\n");
    let home = place.add("home");
    let present = || place.httpreq("present", &home, &numbered(1)).run();
    let db = rusqlite::Connection::open(place.registry_file()).unwrap();
    let full = "CREATE TRIGGER full BEFORE INSERT ON challenge \
                BEGIN SELECT raise(ABORT, 'a test wants it'); END";
    db.execute(full, []).unwrap();
    for _ in 0..2 {
        assert_eq!(present().said(), r#"503 {"status":"911"}"#);
        let line = place.last_line();
        assert!(line.contains("a test wants it"), "{line}");
    }
    db.execute("DROP TRIGGER full", []).unwrap();
    assert_eq!(present().status, 200);
    assert_eq!(place.shown("home"), [numbered(1)]);
    let cleanup = place.httpreq("cleanup", &home, &numbered(1)).run();
    assert_eq!(cleanup.status, 200);
}

#[test]
fn what_is_refused_counts_for_nothing() {
    let place = Place::new();
    place.configure(URL, "acme = true\n\n[limits]\nchanges = \"1/1h\"\n");
    let home = place.add("home");
    for body in ["{}", r#"{"fqdn":"_acme-challenge.home","value":"short"}"#] {
        let visit = place.post("/present", body);
        let visit = visit.set("HTTP_AUTHORIZATION", basic(home.token.secret()));
        assert_eq!(visit.run().status, 400, "{body}");
    }
    for (what, expected) in [("present", 200), ("cleanup", 200), ("present", 503)] {
        let visit = place.httpreq(what, &home, &numbered(1)).run();
        assert_eq!(visit.status, expected, "{what}");
    }
}
