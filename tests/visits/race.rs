//! Several visits at once: each hears an answer, and the last wish is what stands in DNS.

use std::thread;

use bowline::ip::Family;

use crate::support::at_once;
use crate::support::site::{Home, Response, Running, Site, address};

/// Rounds of two visits at once, and on how many name servers. Knot holds back an UPDATE
/// that follows another for up to a second, so several servers save time.
const ROUNDS: u32 = 50;
const SITES: u32 = 5;

/// Starts a visit for each address and waits for all.
fn all<'a>(site: &Site, visits: impl IntoIterator<Item = (&'a Home, String)>) -> Vec<Response> {
    let running: Vec<Running> = visits
        .into_iter()
        .map(|(home, address)| site.get(&home.with(address)).spawn())
        .collect();
    running.into_iter().map(Running::wait).collect()
}

/// Whether all is settled and nobody ever heard of a lock.
fn check_settled(site: &Site, homes: &[&Home]) {
    for home in homes {
        assert_eq!(site.dns(&home.name), site.wish(home), "{}", home.name);
    }
    assert!(site.registry().pending().unwrap().is_empty());
    let log = site.log();
    for word in ["locked", "busy", "result=911", "result=dnserr"] {
        assert!(!log.contains(word), "{log}");
    }
}

#[test]
fn visits_at_once() {
    at_once([
        ("two", two_at_once),
        ("one-family-each", one_family_each),
        ("the-same-address", the_same_address_twice),
        ("eight-on-one-host", eight_on_one_host),
        ("eight-on-eight-hosts", eight_on_as_many_hosts),
    ]);
}

fn two_at_once() {
    thread::scope(|scope| {
        for part in 0..SITES {
            scope.spawn(move || {
                let site = Site::new();
                let home = site.add("home");
                for round in 0..ROUNDS / SITES {
                    let pair = [2 * round, 2 * round + 1].map(|n| address(Family::Ipv4, n + part));
                    let answers = all(&site, pair.clone().map(|address| (&home, address)));
                    for (answer, address) in answers.iter().zip(&pair) {
                        assert_eq!(answer.said(), format!("200 good {address}"));
                    }
                    assert!(pair.contains(&site.dns("home")));
                    check_settled(&site, &[&home]);
                }
                let last = site.wish(&home);
                assert_eq!(
                    site.visit(&home.with(&last)).said(),
                    format!("200 nochg {last}")
                );
            });
        }
    });
}

fn one_family_each() {
    let site = Site::new();
    let home = site.add("home");
    for round in 0..5 {
        let pair = Family::BOTH.map(|family| address(family, round));
        let answers = all(&site, pair.clone().map(|address| (&home, address)));
        assert!(answers.iter().all(|answer| answer.status == 200));
        assert_eq!(site.dns("home"), pair.join(","), "neither undoes the other");
        check_settled(&site, &[&home]);
    }
}

fn the_same_address_twice() {
    let site = Site::new();
    let home = site.add("home");
    for round in 0..5 {
        let wanted = address(Family::Ipv4, round);
        let answers = all(&site, [(&home, wanted.clone()), (&home, wanted.clone())]);
        for answer in &answers {
            assert_eq!(answer.status, 200, "{}", answer.said());
        }
        assert!(answers.iter().any(|answer| answer.said().contains("good")));
        assert_eq!(site.dns("home"), wanted);
        check_settled(&site, &[&home]);
    }
}

fn eight_on_one_host() {
    let site = Site::new();
    let home = site.add("home");
    for round in 0..4 {
        let wanted: Vec<String> = (0..8)
            .map(|n| address(Family::Ipv4, 8 * round + n))
            .collect();
        let answers = all(&site, wanted.iter().map(|address| (&home, address.clone())));
        for (answer, address) in answers.iter().zip(&wanted) {
            assert_eq!(answer.said(), format!("200 good {address}"));
        }
        assert!(wanted.contains(&site.dns("home")));
        check_settled(&site, &[&home]);
    }
    let numbers = site.host(&home);
    assert_eq!((numbers.wish.number, numbers.fact.number), (32, 32));
}

fn eight_on_as_many_hosts() {
    let site = Site::new();
    let homes: Vec<Home> = (0..8).map(|n| site.add(&format!("host{n}"))).collect();
    for round in 0..4 {
        let wanted = |n: usize| address(Family::Ipv6, 8 * round + n as u32);
        let answers = all(
            &site,
            homes.iter().enumerate().map(|(n, home)| (home, wanted(n))),
        );
        for (n, answer) in answers.iter().enumerate() {
            assert_eq!(answer.said(), format!("200 good {}", wanted(n)));
            assert_eq!(site.dns(&homes[n].name), wanted(n));
        }
        check_settled(&site, &homes.iter().collect::<Vec<_>>());
    }
}
