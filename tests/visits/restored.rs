//! A registry out of a backup: what the name server has since then is the newer.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::sleep;
use std::time::Duration;

use bowline::ip::Addresses;
use bowline::registry::Settings;
use bowline::time::Timestamp;
use bowline::upkeep::{Compared, Word};

use crate::compare::{by_hand, compare, mended};
use crate::relay::relayed;
use crate::support::knot::wait_until;
use crate::support::site::{Home, Site, set};

/// The registry is lost, and restored from that backup.
pub(crate) fn restore(site: &Site, backup: &str) {
    for name in ["bowline.db", "bowline.db-wal", "bowline.db-shm"] {
        let _ = fs::remove_file(site.path(&format!("state/{name}")));
    }
    site.bowline(&["restore", backup]);
}

#[test]
fn of_few_hosts_none_goes_back() {
    let mut site = Site::new();
    let homes = ["moved", "lost", "waits", "stands"].map(|name| site.add(name));
    for home in &homes {
        assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    }
    assert_eq!(compare(&site, Word::Registry), Compared::default());
    site.knot.stop();
    assert!(site.visit(&homes[2].with("203.0.113.2")).is_pending());
    let backup = site.path("backup.tar").display().to_string();
    site.bowline(&["backup", &backup]);
    site.knot.restart();
    for (home, address) in [(&homes[0], "198.51.100.1"), (&homes[2], "198.51.100.3")] {
        assert_eq!(site.visit(&home.with(address)).status, 200);
    }
    // A second: serials go by it.
    sleep(Duration::from_millis(1100));
    by_hand(&site, &[&["zone-unset", "lost", "A"]]);
    restore(&site, &backup);

    let expected = Compared {
        adopted: 2,
        mended: 1,
        ..Compared::default()
    };
    assert_eq!(compare(&site, Word::Registry), expected);
    for (home, address) in
        homes
            .iter()
            .zip(["198.51.100.1", "203.0.113.1", "198.51.100.3", "203.0.113.1"])
    {
        assert_eq!(site.dns(&home.name), address, "{}", home.name);
        assert_eq!(site.wish(home), address, "{}", home.name);
    }
    // Once: from then on it is the registry that says what is right.
    by_hand(
        &site,
        &[
            &["zone-unset", "stands", "A"],
            &["zone-set", "stands", "60", "A", "198.51.100.99"],
        ],
    );
    assert_eq!(compare(&site, Word::Registry).mended, 1);
    assert_eq!(site.dns("stands"), "203.0.113.1");
}

#[test]
fn a_zone_that_went_back_with_it_is_the_older() {
    let mut site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    site.knot.keep_copy();
    sleep(Duration::from_millis(1100));
    assert_eq!(site.visit(&home.with("203.0.113.2")).status, 200);
    assert_eq!(compare(&site, Word::Registry), Compared::default());
    let backup = site.path("backup.tar").display().to_string();
    site.bowline(&["backup", &backup]);
    site.knot.put_copy_back();
    assert_eq!(site.dns("home"), "203.0.113.1");
    restore(&site, &backup);
    assert_eq!(compare(&site, Word::Registry).mended, 1);
    assert_eq!(site.dns("home"), "203.0.113.2");
}

/// Waits until the clock, which counts whole seconds, is beyond all that was accepted.
pub(crate) fn later() {
    let now = Timestamp::now();
    wait_until("the next second", || Timestamp::now() > now);
}

/// Saves all; what comes after it is lost when that is put back.
pub(crate) fn save(site: &Site) -> String {
    let backup = site.path("backup.tar").display().to_string();
    site.bowline(&["backup", &backup]);
    later();
    backup
}

fn adopted(adopted: usize) -> Compared {
    Compared {
        adopted,
        ..Compared::default()
    }
}

fn check(site: &Site, home: &Home, address: &str) {
    assert_eq!(site.dns(&home.name), address, "{}", site.log());
    assert_eq!(site.wish(home), address);
    assert!(!site.host(home).is_pending());
}

#[test]
fn what_was_accepted_since_then_is_the_newest() {
    let mut site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    let backup = save(&site);
    assert_eq!(site.visit(&home.with("203.0.113.2")).status, 200);
    restore(&site, &backup);
    site.knot.stop();
    assert!(site.visit(&home.with("203.0.113.3")).is_pending());
    site.knot.restart();
    let round = site.round(Word::Registry);
    assert_eq!(round.settled.confirmed, 1);
    assert_eq!(round.compared, Compared::default());
    check(&site, &home, "203.0.113.3");
}

#[test]
fn what_waits_is_not_published_before_the_zone_was_heard() {
    let mut site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    site.knot.stop();
    assert!(site.visit(&home.with("203.0.113.2")).is_pending());
    let backup = save(&site);
    site.knot.restart();
    assert_eq!(site.visit(&home.with("203.0.113.3")).status, 200);
    restore(&site, &backup);
    let updated = AtomicBool::new(false);
    relayed(
        &site,
        |message| {
            updated.fetch_or(message.is_update(), Relaxed);
            match message.names("home") && !updated.load(Relaxed) {
                true => message.refuse(),
                false => message.pass(),
            }
        },
        || {
            let round = site.round(Word::Registry);
            assert_eq!(round.settled.pending.len(), 1);
            assert!(!updated.load(Relaxed), "nothing was published");
        },
    );
    assert_eq!(site.dns("home"), "203.0.113.3");
    assert_eq!(compare(&site, Word::Registry), adopted(1));
    check(&site, &home, "203.0.113.3");
}

#[test]
fn what_waits_for_its_time_does_not_undo_the_newer_then() {
    let mut site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    site.knot.stop();
    assert!(site.visit(&home.with("203.0.113.2")).is_pending());
    let retry_at = |site: &Site, seconds: i64| {
        let db = rusqlite::Connection::open(site.registry_file()).unwrap();
        let at = Timestamp::now().seconds() + seconds;
        let put_off = "UPDATE host SET retry_at = ?2 WHERE id = ?1 AND wish <> fact";
        db.execute(put_off, (home.id.number(), at)).unwrap();
    };
    retry_at(&site, 300);
    let backup = save(&site);
    site.knot.restart();
    assert_eq!(site.visit(&home.with("203.0.113.3")).status, 200);
    restore(&site, &backup);
    site.round(Word::Registry);
    retry_at(&site, 0);
    site.round(Word::Registry);
    check(&site, &home, "203.0.113.3");
}

/// Upkeep itself makes the older address wait then, and nobody has said that it is right.
#[test]
fn what_lapses_since_then_is_no_word_of_a_client() {
    let site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    site.bowline(&["host", "rename", "home", "villa", "--keep-old=1h"]);
    let backup = save(&site);
    assert_eq!(site.visit(&home.with("203.0.113.2")).status, 200);
    restore(&site, &backup);
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    db.execute("UPDATE former_name SET until = 0", []).unwrap();
    drop(db);
    let round = site.round(Word::Registry);
    assert_eq!((round.pruned.names, round.compared), (1, adopted(1)));
    let shown = ["home", "villa"].map(|name| site.dns(name));
    assert_eq!(shown, ["", "203.0.113.2"]);
    assert_eq!(site.wish(&home), "203.0.113.2");
}

/// A host that waits with its third address; the zone is back at its first.
fn waits_while_the_zone_went_back() -> (Site, Home) {
    let mut site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    site.knot.keep_copy();
    // The next UPDATE does not reach the serial that was there.
    for address in ["203.0.113.9", "203.0.113.2"] {
        assert_eq!(site.visit(&home.with(address)).status, 200);
    }
    assert_eq!(compare(&site, Word::Registry), Compared::default());
    site.knot.stop();
    assert!(site.visit(&home.with("203.0.113.3")).is_pending());
    let backup = save(&site);
    site.knot.restart();
    site.knot.put_copy_back();
    assert_eq!(site.dns("home"), "203.0.113.1");
    restore(&site, &backup);
    (site, home)
}

#[test]
fn what_waits_is_newer_than_a_zone_that_went_back() {
    let (site, home) = waits_while_the_zone_went_back();
    // As long as nobody can tell that it has, the zone is not believed either.
    let asked = AtomicBool::new(false);
    relayed(
        &site,
        |message| match asked.swap(true, Relaxed) {
            true => message.pass(),
            false => message.refuse(),
        },
        || assert_eq!(site.round(Word::Registry).settled.adopted, 0),
    );
    site.round(Word::Registry);
    check(&site, &home, "203.0.113.3");
}

#[test]
fn that_a_zone_went_back_is_known_though_its_serial_has_gone_on() {
    let (site, home) = waits_while_the_zone_went_back();
    let other = site.add("other");
    assert_eq!(site.visit(&other.with("203.0.113.9")).status, 200);
    let soa = "@ 3600 SOA ns1.example.net. hostmaster.example.net. 4000 3600 600 1209600 60";
    let mut args = vec!["zone-set"];
    args.extend(soa.splitn(4, ' '));
    by_hand(&site, &[&["zone-unset", "@", "SOA"], &args]);
    site.round(Word::Registry);
    check(&site, &home, "203.0.113.3");
}

#[test]
fn what_is_looked_at_again_does_not_undo_the_newer() {
    let site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let now = Timestamp::now().seconds();
    let doubt = "UPDATE host SET unconfirmed = ?2 WHERE id = ?1";
    db.execute(doubt, (home.id.number(), now)).unwrap();
    drop(db);
    let backup = save(&site);
    assert_eq!(site.visit(&home.with("203.0.113.2")).status, 200);
    restore(&site, &backup);
    assert_eq!(compare(&site, Word::Registry), adopted(1));
    check(&site, &home, "203.0.113.2");
}

#[test]
fn where_no_client_tells_an_address_the_zone_does_not_either() {
    let mut site = Site::new();
    let fixed = |address: &str| Settings {
        fixed: Some([address.parse().unwrap()].into_iter().collect()),
        ..Settings::default()
    };
    let (first, second) = (fixed("203.0.113.1"), fixed("203.0.113.2"));
    let (lamp, off) = (site.add_with("lamp", first.clone()), site.add("off"));
    set(&mut site.registry(), lamp.id, &first, first.fixed).unwrap();
    site.publish(&lamp);
    assert_eq!(site.visit(&off.with("203.0.113.1")).status, 200);
    site.knot.stop();
    set(&mut site.registry(), lamp.id, &second, second.fixed).unwrap();
    site.registry().disable(off.id, Timestamp::now()).unwrap();
    let backup = save(&site);
    site.knot.restart();
    by_hand(
        &site,
        &[
            &["zone-unset", "lamp", "A"],
            &["zone-set", "lamp", "60", "A", "203.0.113.66"],
            &["zone-unset", "off", "A"],
            &["zone-set", "off", "60", "A", "203.0.113.66"],
        ],
    );
    restore(&site, &backup);
    site.forget_log();
    let round = site.round(Word::Registry);
    assert_eq!(round.settled.confirmed, 2);
    check(&site, &lamp, "203.0.113.2");
    check(&site, &off, &Addresses::NONE.to_string());
    // Nobody is told to set what is set.
    assert!(!site.log().contains("911"), "{}", site.log());
}

#[test]
fn a_registry_is_a_restored_one_until_all_is_mended() {
    let site = Site::new();
    let homes = ["lost", "stands"].map(|name| site.add(name));
    for home in &homes {
        assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    }
    let backup = save(&site);
    by_hand(&site, &[&["zone-unset", "lost", "A"]]);
    restore(&site, &backup);
    relayed(
        &site,
        |message| match message.changes() {
            true => message.refuse(),
            false => message.pass(),
        },
        || assert_eq!(compare(&site, Word::Registry).left, 1),
    );
    let moved = |address| -> [Vec<&str>; 2] {
        let set = vec!["zone-set", "stands", "60", "A", address];
        [vec!["zone-unset", "stands", "A"], set]
    };
    let [unset, put] = moved("198.51.100.1");
    by_hand(&site, &[&unset, &put]);
    let expected = Compared {
        adopted: 1,
        ..mended(1)
    };
    assert_eq!(compare(&site, Word::Registry), expected);
    check(&site, &homes[0], "203.0.113.1");
    check(&site, &homes[1], "198.51.100.1");
    // That is over.
    let [unset, put] = moved("198.51.100.2");
    by_hand(&site, &[&unset, &put]);
    assert_eq!(compare(&site, Word::Registry), mended(1));
    check(&site, &homes[1], "198.51.100.1");
}

#[test]
fn it_is_noted_before_the_registry_is_there() {
    let site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    let backup = save(&site);
    for name in ["bowline.db", "bowline.db-wal", "bowline.db-shm"] {
        let _ = fs::remove_file(site.path(&format!("state/{name}")));
    }
    // In its place is something else.
    fs::write(site.path("state/restored"), "").unwrap();
    let output = site.verb(&["restore", &backup]).output().unwrap();
    assert!(!output.status.success(), "{output:?}");
    assert!(!site.registry_file().exists(), "{output:?}");
    fs::remove_file(site.path("state/restored")).unwrap();
    assert_eq!(site.dns("home"), "203.0.113.1");
    restore(&site, &backup);
    check(&site, &home, "203.0.113.1");
}
