//! More challenges than any client needs.

use super::between::{age, known};
use super::place::{Place, value};

#[test]
fn one_client_cannot_pile_them_up() {
    let place = Place::new();
    let home = place.add("home");
    for letter in 'a'..='m' {
        assert_eq!(
            place.httpreq("present", &home, &value(letter)).run().status,
            200
        );
    }
    let newest: Vec<String> = ('f'..='m').map(value).collect();
    assert_eq!(place.shown("home"), newest);
    for value in newest {
        assert_eq!(place.httpreq("cleanup", &home, &value).run().status, 200);
    }
}

#[test]
fn nor_those_that_wait_for_a_name_server() {
    let mut place = Place::new();
    let home = place.add("home");
    let other = place.add("other");
    place.site.knot.stop();
    let many = |n: usize| format!("{n:043}");
    for n in 0..32 {
        let what = if n % 2 == 0 { "present" } else { "cleanup" };
        let said = place.httpreq(what, &home, &many(n)).run();
        assert!(said.body.contains("dnserr"), "{n}: {}", said.body);
    }
    for what in ["present", "cleanup"] {
        let said = place.httpreq(what, &home, &many(32)).run();
        assert_eq!(said.status, 503);
        assert!(said.body.contains("911"), "{}", said.body);
        let line = place.last_line();
        assert!(
            line.contains("reason=\"32 challenges of this host wait for the name server\""),
            "{line}"
        );
        // One of those, or another host's, is taken as before.
        for (home, n) in [(&home, 31), (&other, 32)] {
            let said = place.httpreq(what, home, &many(n)).run();
            assert!(said.body.contains("dnserr"), "{}", said.body);
        }
    }
    assert_eq!(known(&place, &home), 32);
    place.site.knot.restart();
    place.upkeep();
    // The last of the eight newest was removed again.
    let stand: Vec<String> = (9..16).map(|n| many(2 * n)).collect();
    assert_eq!(place.shown("home"), stand);
    // An older UPDATE can bring nothing back any more, and there is room again.
    age(&place, 700);
    place.upkeep();
    assert_eq!(
        place.httpreq("present", &home, &value('a')).run().status,
        200
    );
    age(&place, 3601);
    place.upkeep();
    assert_eq!(known(&place, &home), 0);
}
