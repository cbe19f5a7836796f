//! A name that the name server does not answer for, while it does for others: one that is delegated
//! to a zone of the same server which is not loaded.

use std::fs;

use bowline::upkeep::{Compared, Word};

use crate::compare::{by_hand, compare, mended};
use crate::restored::{restore, save};
use crate::support::knot::{ZONE, wait_until};
use crate::support::site::{Home, Site};

/// The host whose name that is.
const AWAY: &str = "away";

/// A zone that stands at a host's name and has no contents.
struct Blank<'s> {
    site: &'s Site,
    before: String,
}

impl<'s> Blank<'s> {
    fn at_away(site: &'s Site) -> Self {
        let before = fs::read_to_string(conf(site)).unwrap();
        let zone = format!("  - domain: {AWAY}.{ZONE}\n    template: bowline\n");
        fs::write(conf(site), format!("{before}{zone}")).unwrap();
        site.knot.reload();
        Blank { site, before }
    }

    fn end(self) {
        fs::write(conf(self.site), &self.before).unwrap();
        self.site.knot.reload();
        wait_until("the name to be seen again", || {
            !self.site.dns(AWAY).is_empty()
        });
    }
}

fn conf(site: &Site) -> std::path::PathBuf {
    site.knot.key_file().with_file_name("knot.conf")
}

fn two(site: &Site) -> (Home, Home) {
    // The one that cannot be seen is asked for before the other.
    let away = site.add(AWAY);
    let homes = (site.add("home"), away);
    for home in [&homes.0, &homes.1] {
        assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    }
    assert_eq!(compare(site, Word::Registry), Compared::default());
    homes
}

fn replace(site: &Site, name: &str, address: &str) {
    let steps: [&[&str]; 2] = [
        &["zone-unset", name, "A"],
        &["zone-set", name, "60", "A", address],
    ];
    by_hand(site, &steps);
}

/// That one host could not be seen, and why; takes it out.
fn unseen(compared: &mut Compared) {
    let [(zone, why)] = &compared.unasked[..] else {
        panic!("{compared:?}");
    };
    assert_eq!(zone.to_string(), ZONE);
    assert!(why.contains(&format!("{AWAY}.{ZONE}: ")), "{why}");
    assert!(why.contains("SERVFAIL"), "{why}");
    compared.unasked.clear();
}

#[test]
fn it_hides_no_other_of_its_zone() {
    let site = Site::new();
    let (home, away) = two(&site);
    let blank = Blank::at_away(&site);
    replace(&site, "home", "192.0.2.66");
    site.forget_log();
    let mut compared = compare(&site, Word::Registry);
    unseen(&mut compared);
    assert_eq!(compared, mended(1));
    assert_eq!(site.dns("home"), "203.0.113.1");
    let log = site.log();
    let told = "could not ask for the records: the name server refused: SERVFAIL";
    assert!(log.contains(told), "{log}");
    // Only itself hears of it.
    assert!(site.visit(&away.with("203.0.113.1")).is_pending());
    let answer = site.visit(&home.with("203.0.113.1"));
    assert_eq!(answer.said(), "200 nochg 203.0.113.1");

    blank.end();
    replace(&site, AWAY, "192.0.2.66");
    assert_eq!(compare(&site, Word::Registry), mended(1));
    assert_eq!(site.dns(AWAY), "203.0.113.1");
}

#[test]
fn it_keeps_no_other_waiting() {
    let mut site = Site::new();
    let (home, away) = two(&site);
    site.knot.stop();
    for home in [&away, &home] {
        assert!(site.visit(&home.with("203.0.113.2")).is_pending());
    }
    site.knot.restart();
    let blank = Blank::at_away(&site);
    let settled = site.round(Word::Registry).settled;
    assert_eq!((settled.confirmed, settled.pending.len()), (1, 1));
    assert_eq!(site.dns("home"), "203.0.113.2");
    assert!(!site.host(&home).is_pending());

    blank.end();
    assert_eq!(site.round(Word::Registry).settled.confirmed, 1);
    assert_eq!(site.dns(AWAY), "203.0.113.2");
}

#[test]
fn after_a_restore_it_is_waited_for() {
    let site = Site::new();
    let (home, away) = two(&site);
    let backup = save(&site);
    for home in [&home, &away] {
        assert_eq!(site.visit(&home.with("203.0.113.2")).status, 200);
    }
    let blank = Blank::at_away(&site);
    restore(&site, &backup);
    let mut compared = compare(&site, Word::Registry);
    unseen(&mut compared);
    assert_eq!(compared.adopted, 1);
    assert_eq!(site.wish(&home), "203.0.113.2");
    assert_eq!(site.wish(&away), "203.0.113.1");

    blank.end();
    assert_eq!(compare(&site, Word::Registry).adopted, 1);
    assert_eq!(site.dns(AWAY), "203.0.113.2");
    assert_eq!(site.wish(&away), "203.0.113.2");
    // From then on it is the registry that says what is right.
    replace(&site, AWAY, "192.0.2.66");
    assert_eq!(compare(&site, Word::Registry), mended(1));
    assert_eq!(site.dns(AWAY), "203.0.113.2");
}

#[test]
fn what_waited_in_a_backup_does_not_undo_the_newer_there() {
    let mut site = Site::new();
    let (home, away) = two(&site);
    site.knot.stop();
    for home in [&home, &away] {
        assert!(site.visit(&home.with("203.0.113.2")).is_pending());
    }
    let backup = save(&site);
    site.knot.restart();
    for home in [&home, &away] {
        assert_eq!(site.visit(&home.with("203.0.113.3")).status, 200);
    }
    let blank = Blank::at_away(&site);
    restore(&site, &backup);
    let round = site.round(Word::Registry);
    assert_eq!(round.settled.pending.len(), 1, "{round:?}");
    assert_eq!(site.wish(&home), "203.0.113.3");

    blank.end();
    let round = site.round(Word::Registry);
    assert_eq!(round.compared.adopted, 1, "{round:?}");
    assert_eq!(site.dns(AWAY), "203.0.113.3");
    assert_eq!(site.wish(&away), "203.0.113.3");
}
