//! Rounds of upkeep that have no time for everything: what is left waits for the next one, keeps
//! nothing else waiting, and is not decided without being looked at.

use std::thread::sleep;
use std::time::Duration;

use bowline::registry::Settings;
use bowline::upkeep::{Compared, Round, Rules, Word};

use crate::apart::{add, challenge, elsewhere, look_after, shown, wish};
use crate::compare::{by_hand, check_all, homes, mended, move_all};
use crate::relay::{Message, relayed};
use crate::restored::{restore, save};
use crate::support::site::{Site, set};

/// More than a round has time for.
const MANY: usize = 40;
/// What the name server takes for each message, and a duty has in all.
const EACH: Duration = Duration::from_millis(300);
const LONGEST: Duration = Duration::from_millis(500);

/// A name server that takes its time for some messages.
fn slow(is_slow: impl Fn(&Message<'_>) -> bool) -> impl Fn(&Message<'_>) -> Option<Vec<u8>> {
    move |message| {
        if is_slow(message) {
            sleep(EACH);
        }
        message.pass()
    }
}

fn hurried(site: &Site) -> Round {
    site.round_by(Rules {
        word: Word::Registry,
        longest: Some(LONGEST),
    })
}

#[test]
fn a_zone_that_takes_long_holds_up_no_challenge_and_no_comparison() {
    let site = Site::with(&elsewhere());
    look_after(&site, &site.knot);
    let (home, away) = (site.add("home"), add(&site, MANY));
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    by_hand(&site, &[&["zone-unset", "home", "A"]]);
    let value = challenge(&site, &home);
    wish(&site, &away, "203.0.113.2");

    let is_slow = |message: &Message<'_>| message.changes() && message.names("net");
    let settled = relayed(&site, slow(is_slow), || hurried(&site).settled);
    assert!(settled.confirmed > 0, "{settled:?}");
    assert_eq!(settled.confirmed + settled.pending.len(), MANY);
    assert!(!settled.pending.is_empty());
    assert_eq!(site.dns("home"), "203.0.113.1");
    let challenge = format!("_acme-challenge.{}", site.host(&home).name);
    let challenge = site.knot.kdig(&challenge, "TXT");
    assert_eq!(challenge, [format!("\"{}\"", value.as_str())]);
    let rest = site.round(Word::Registry).settled;
    assert_eq!(rest.confirmed, settled.pending.len());
    for away in &away {
        assert_eq!(shown(&site.knot, away), "203.0.113.2");
    }
}

#[test]
fn a_zone_that_went_back_is_mended_in_several_rounds() {
    let mut site = Site::new();
    let homes = homes(&site, MANY, "203.0.113");
    site.knot.keep_copy();
    sleep(Duration::from_millis(1100));
    move_all(&site, &homes, "198.51.100");
    assert_eq!(hurried(&site).compared, Compared::default());
    site.knot.put_copy_back();
    let (first, second) = relayed(&site, slow(|message| message.changes()), || {
        (hurried(&site).compared, hurried(&site).compared)
    });
    // Nobody takes what the second finds of it for a registry that is the older one.
    for (compared, before) in [(&first, 0), (&second, first.mended)] {
        assert!(compared.mended > 0, "{first:?} {second:?}");
        assert!(compared.left > 0, "{first:?} {second:?}");
        assert_eq!(before + compared.mended + compared.left, MANY);
    }
    assert_eq!(site.round(Word::Registry).compared, mended(second.left));
    check_all(&site, &homes, "198.51.100");
    assert_eq!(hurried(&site).compared, Compared::default());
}

/// What waits in it is not the newest, and may not be published for want of time to ask.
#[test]
fn a_registry_that_was_restored_takes_over_from_the_zone_in_several_rounds() {
    let site = Site::new();
    let homes = homes(&site, MANY, "203.0.113");
    for home in &homes {
        let address = ["192.0.2.1".parse().unwrap()].into_iter().collect();
        let mut registry = site.registry();
        set(&mut registry, home.id, &Settings::default(), Some(address)).unwrap();
    }
    let backup = save(&site);
    move_all(&site, &homes, "198.51.100");
    restore(&site, &backup);
    let first = relayed(&site, slow(|_| true), || hurried(&site));
    assert!(!first.settled.pending.is_empty(), "{first:?}");
    let [(zone, why)] = first.compared.unasked.as_slice() else {
        panic!("{first:?}");
    };
    assert_eq!(zone.as_str(), crate::support::knot::ZONE);
    assert!(why.ends_with("not in time"), "{why}");
    site.round(Word::Registry);
    check_all(&site, &homes, "198.51.100");
    for (n, home) in homes.iter().enumerate() {
        assert_eq!(site.wish(home), format!("198.51.100.{n}"));
    }
}
