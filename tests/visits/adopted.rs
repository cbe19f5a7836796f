//! Where the zone has the word: what it says, and where it says nothing.

use bowline::registry::Settings;
use bowline::upkeep::{Compared, Word};

use crate::compare::{by_hand, compare, mended};
use crate::support::knot::Options;
use crate::support::site::{Home, Site};

fn check(site: &Site, home: &Home, address: &str) {
    assert_eq!(site.dns(&home.name), address, "{}", site.log());
    assert_eq!(site.wish(home), address);
    assert!(!site.host(home).is_pending());
}

/// A host that waits keeps what it waits for where the zone has nothing.
#[test]
fn where_the_zone_has_nothing_what_waits_is_published() {
    let mut site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    site.knot.stop();
    assert!(site.visit(&home.with("203.0.113.2")).is_pending());
    site.knot.restart();
    by_hand(&site, &[&["zone-unset", "home", "A"]]);
    let round = site.round(Word::Zone);
    assert_eq!((round.settled.confirmed, round.settled.adopted), (1, 0));
    assert_eq!(round.compared, Compared::default());
    check(&site, &home, "203.0.113.2");
}

/// Its own name is as it should be: there is nothing to take over, and another one is put right.
#[test]
fn a_name_that_is_not_the_hosts_own_is_mended() {
    let site = Site::new();
    let star = Settings {
        wildcard: true,
        ..Settings::default()
    };
    let star = site.add_with("star", star);
    assert_eq!(site.visit(&star.with("203.0.113.1")).status, 200);
    by_hand(&site, &[&["zone-unset", "*.star", "A"]]);
    assert_eq!(compare(&site, Word::Zone), mended(1));
    check(&site, &star, "203.0.113.1");
    assert_eq!(site.dns("any.star"), "203.0.113.1");
}

/// A wildcard above answers for a name that is not there: that is no host's address.
#[test]
fn the_answer_of_a_wildcard_above_is_not_adopted() {
    let mut site = Site::with(&Options {
        records: vec!["*.home 60 A 192.0.2.1".to_owned()],
        ..Options::default()
    });
    let (stands, waits) = (site.add("stands.home"), site.add("waits.home"));
    for home in [&stands, &waits] {
        assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    }
    site.knot.stop();
    assert!(site.visit(&waits.with("203.0.113.2")).is_pending());
    site.knot.restart();
    by_hand(
        &site,
        &[
            &["zone-unset", "stands.home", "A"],
            &["zone-unset", "waits.home", "A"],
        ],
    );
    assert_eq!(site.dns("stands.home"), "192.0.2.1");
    let round = site.round(Word::Zone);
    assert_eq!(round.settled.confirmed, 1);
    assert_eq!(round.compared, mended(1));
    check(&site, &stands, "203.0.113.1");
    check(&site, &waits, "203.0.113.2");
}
