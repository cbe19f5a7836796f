//! What others have put at the name of a challenge: it stays, and is in the way of no other name.

use super::between::bowline;
use super::place::{Place, value};
use super::support::knot::wait_until;

#[test]
fn what_others_have_put_there_stays() {
    let place = Place::new();
    let home = place.add("home");
    let (ours, theirs) = (value('a'), "by-hand".to_owned());
    place
        .knot
        .set(&format!("_acme-challenge.home 10 TXT {theirs}"));
    assert_eq!(place.httpreq("present", &home, &ours).run().status, 200);
    assert_eq!(place.shown("home"), [ours.clone(), theirs.clone()]);
    assert_eq!(place.httpreq("cleanup", &home, &ours).run().status, 200);
    assert_eq!(place.shown("home"), [theirs]);
    place.knot.unset("_acme-challenge.home");
    place
        .knot
        .set("_acme-challenge.home 10 CNAME elsewhere.example.net.");
    let said = place.httpreq("present", &home, &ours).run();
    assert_eq!(said.status, 503);
    let line = place.last_line();
    assert!(
        line.contains("_acme-challenge.home.dyn.example.org is hidden by a CNAME"),
        "{line}"
    );
    assert_eq!(place.httpreq("cleanup", &home, &ours).run().status, 200);
}

#[test]
fn what_hides_a_former_name_hides_no_other() {
    let place = Place::new();
    let mut home = place.add("home");
    place
        .knot
        .set("_acme-challenge.home 10 CNAME elsewhere.example.net.");
    let said = place.httpreq("present", &home, &value('a')).run();
    assert_eq!(said.status, 503);
    let renamed = bowline(
        &place,
        &["host", "rename", "home", "house", "--keep-old", "1d"],
    );
    assert!(renamed.status.success());
    home.name = "house".to_owned();
    for (what, shown) in [("present", vec![value('b')]), ("cleanup", vec![])] {
        let said = place.httpreq(what, &home, &value('b')).run();
        assert_eq!(said.status, 200, "{}", said.body);
        assert_eq!(place.shown("house"), shown);
    }
    place.knot.unset("_acme-challenge.home");
    // What was asked for first is tried more and more rarely.
    let db = rusqlite::Connection::open(place.registry_file()).unwrap();
    db.execute("UPDATE challenge SET retry_at = NULL", [])
        .unwrap();
    drop(db);
    bowline(&place, &["upkeep"]);
    assert_eq!(place.shown("home"), [value('a')]);
    home.name = "home".to_owned();
    let said = place.httpreq("cleanup", &home, &value('a')).run();
    assert_eq!(said.status, 200);
}

#[test]
fn a_host_is_locked_while_its_challenge_may_be_on_its_way() {
    let place = Place::new();
    let home = place.add("home");
    place.knot.pause();
    let present = place.httpreq("present", &home, &value('a')).spawn();
    wait_until("its lock", || place.is_locked());
    place.knot.resume();
    assert_eq!(present.wait().status, 200);
    assert_eq!(place.shown("home"), [value('a')]);
    assert!(!place.is_locked());
    assert_eq!(
        place.httpreq("cleanup", &home, &value('a')).run().status,
        200
    );
}
