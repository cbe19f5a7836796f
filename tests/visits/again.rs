//! Hosts that upkeep looks at again, though they are not pending: an UPDATE was not answered.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use bowline::time::Timestamp;
use bowline::upkeep::{Compared, Word};

use crate::compare::{by_hand, mended};
use crate::relay::relayed;
use crate::support::site::{Home, Site, set};

/// A host with this address, an UPDATE of which was not answered.
fn unsettled(site: &Site, address: &str) -> Home {
    let home = site.add("home");
    assert_eq!(site.visit(&home.with(address)).status, 200);
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let now = Timestamp::now().seconds();
    let doubt = "UPDATE host SET unconfirmed = ?2 WHERE id = ?1";
    db.execute(doubt, (home.id.number(), now)).unwrap();
    home
}

/// A host that waits for its first address.
fn waiting(site: &Site, address: &str) -> Home {
    let home = site.add("waits");
    let addresses = [address.parse().unwrap()].into_iter().collect();
    let settings = site.host(&home).settings;
    set(&mut site.registry(), home.id, &settings, Some(addresses)).unwrap();
    assert!(site.host(&home).is_pending());
    home
}

#[test]
fn one_that_is_tried_in_vain_is_not_pending() {
    let site = Site::new();
    unsettled(&site, "203.0.113.1");
    by_hand(
        &site,
        &[
            &["zone-unset", "home", "A"],
            &["zone-set", "home", "60", "CNAME", "elsewhere.example."],
        ],
    );
    let round = site.round(Word::Registry);
    assert!(round.settled.pending.is_empty(), "{:?}", round.settled);
    let left = Compared {
        left: 1,
        ..Compared::default()
    };
    assert_eq!(round.compared, left);
    by_hand(&site, &[&["zone-unset", "home", "CNAME"]]);
    assert_eq!(site.round(Word::Registry).compared, mended(1));
    assert_eq!(site.dns("home"), "203.0.113.1");
}

/// What stands there is told before it is undone; who waits goes on.
#[test]
fn one_that_cannot_be_looked_at_is_left_alone() {
    let site = Site::new();
    let home = unsettled(&site, "203.0.113.1");
    let waits = waiting(&site, "203.0.113.5");
    by_hand(
        &site,
        &[
            &["zone-unset", "home", "A"],
            &["zone-set", "home", "60", "A", "203.0.113.9"],
        ],
    );
    site.forget_log();
    let updated = AtomicBool::new(false);
    let round = relayed(
        &site,
        |message| {
            updated.fetch_or(message.is_update(), Relaxed);
            match updated.load(Relaxed) {
                true => message.pass(),
                false => message.refuse(),
            }
        },
        || site.round(Word::Registry),
    );
    assert_eq!(round.settled.confirmed, 1, "{}", site.log());
    assert_eq!(site.dns(&waits.name), "203.0.113.5");
    let log = site.log();
    let mut lines = log.lines().filter(|line| line.contains("host=home."));
    assert!(
        lines.any(|line| line.contains("the name server had 203.0.113.9")),
        "{log}"
    );
    assert_eq!(round.compared, mended(1));
    assert_eq!(site.dns(&home.name), "203.0.113.1");
}

#[test]
fn one_that_was_confirmed_in_the_end_is_not_counted_as_pending() {
    let site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    assert_eq!(site.round(Word::Registry).compared, Compared::default());
    by_hand(
        &site,
        &[
            &["zone-unset", "home", "A"],
            &["zone-set", "home", "60", "A", "203.0.113.9"],
        ],
    );
    let waits = waiting(&site, "203.0.113.5");
    let refused = AtomicBool::new(false);
    let round = relayed(
        &site,
        |message| match message.changes() && !refused.swap(true, Relaxed) {
            true => message.refuse(),
            false => message.pass(),
        },
        || site.round(Word::Zone),
    );
    assert!(refused.load(Relaxed));
    assert_eq!(round.compared.adopted, 1);
    assert_eq!(round.settled.confirmed, 2, "{}", site.log());
    assert!(round.settled.pending.is_empty(), "{:?}", round.settled);
    assert_eq!(site.dns(&waits.name), "203.0.113.5");
    assert_eq!(site.dns(&home.name), "203.0.113.9");
}
