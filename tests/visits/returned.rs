//! An older zone brings records of removed hosts back.

use std::thread::sleep;
use std::time::Duration;

use bowline::registry::Settings;
use bowline::time::Timestamp;
use bowline::upkeep::{Compared, Word};

use crate::compare::{by_hand, compare, mended};
use crate::support::knot::ZONE;
use crate::support::site::{Home, Site};

fn remove(site: &Site, home: &Home) {
    let now = Timestamp::now();
    site.registry().remove(home.id, now).unwrap();
    assert_eq!(site.round(Word::Registry).settled.confirmed, 1);
}

#[test]
fn they_are_told_and_left() {
    let mut site = Site::new();
    let starred = Settings {
        wildcard: true,
        ..Settings::default()
    };
    let (home, star) = (site.add("home"), site.add_with("star", starred));
    let (gone, anew) = (site.add("gone"), site.add("anew"));
    for home in [&home, &star, &gone, &anew] {
        assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    }
    assert_eq!(compare(&site, Word::Registry), Compared::default());
    site.knot.keep_copy();
    sleep(Duration::from_millis(1100));
    for home in [&star, &gone, &anew] {
        remove(&site, home);
        assert_eq!(site.dns(&home.name), "");
    }
    // Its name has somebody else, and that one stays as it is.
    let anew = site.add("anew");
    assert_eq!(site.visit(&anew.with("203.0.113.2")).status, 200);
    assert_eq!(compare(&site, Word::Registry), Compared::default());
    site.forget_log();

    site.knot.put_copy_back();
    assert_eq!(compare(&site, Word::Registry), mended(1));
    assert_eq!(site.dns("anew"), "203.0.113.2");
    let log = site.log();
    let told = format!("records of removed hosts again: gone.{ZONE}, star.{ZONE}, *.star.{ZONE}");
    let names = |text: &str| {
        let (_, names) = text.split_once("again: ").unwrap_or_default();
        let names = names.split('"').next().unwrap_or_default().split(", ");
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort();
        names
    };
    let line = log
        .lines()
        .find(|line| line.contains("removed hosts again"));
    assert_eq!(names(line.unwrap_or_default()), names(&told), "{log}");
    // They may be the operator's own by now.
    for name in ["gone", "star", "any.star"] {
        assert_eq!(site.dns(name), "203.0.113.1", "{name}");
    }
    // Once.
    site.forget_log();
    by_hand(&site, &[&["zone-unset", "gone", "A"]]);
    assert_eq!(compare(&site, Word::Registry), Compared::default());
    assert_eq!(site.log(), "");
}

#[test]
fn what_a_wildcard_of_the_operators_answers_is_none() {
    let mut site = Site::new();
    let (home, gone) = (site.add("home"), site.add("gone"));
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    site.knot.set("* 60 A 192.0.2.1");
    assert_eq!(compare(&site, Word::Registry), Compared::default());
    site.knot.keep_copy();
    sleep(Duration::from_millis(1100));
    assert_eq!(site.visit(&home.with("203.0.113.2")).status, 200);
    assert_eq!(site.visit(&gone.with("203.0.113.3")).status, 200);
    remove(&site, &gone);
    assert_eq!(compare(&site, Word::Registry), Compared::default());
    site.forget_log();
    site.knot.put_copy_back();
    assert_eq!(compare(&site, Word::Registry), mended(1));
    assert_eq!(site.dns("gone"), "192.0.2.1");
    let log = site.log();
    assert!(!log.contains("removed hosts"), "{log}");
}
