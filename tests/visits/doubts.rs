//! One exchange with the name server, with somebody else between: what is in doubt afterwards,
//! how often it is tried, how long it takes, and who is locked out meanwhile.

use std::fs::File;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc;
use std::thread::{self, sleep};
use std::time::Duration;

use bowline::config::Config;
use bowline::deadline::Deadline;
use bowline::publish::{Published, Publisher, Trouble};
use bowline::registry::{Lease, Settings};

use crate::compare::by_hand;
use crate::relay::relayed;
use crate::support::knot::ZONE;
use crate::support::site::{Home, Site, set};

/// A host that waits to be published.
fn waiting(site: &Site, name: &str, address: &str) -> Home {
    let home = site.add(name);
    wish(site, &home, address);
    home
}

fn wish(site: &Site, home: &Home, address: &str) {
    let addresses = [address.parse().unwrap()].into_iter().collect();
    let settings = Settings::default();
    set(&mut site.registry(), home.id, &settings, Some(addresses)).unwrap();
    assert!(site.host(home).is_pending());
}

fn publisher(site: &Site) -> Publisher {
    Publisher::new(&Config::load(&site.path("bowline.toml")).unwrap())
}

/// What becomes of a host in so many milliseconds.
fn publish(site: &Site, publisher: &Publisher, home: &Home, wait: u64) -> Published {
    let deadline = Deadline::after(Duration::from_millis(wait));
    let mut registry = site.registry();
    let mut lease = Lease::of(&mut registry);
    let published = publisher.publish(&mut lease, &ZONE.parse().unwrap(), &[home.id], deadline);
    published.unwrap().remove(0)
}

const REQUEST: u64 = Deadline::REQUEST.as_millis() as u64;

#[test]
fn an_update_whose_result_cannot_be_seen_may_have_been_applied() {
    let site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    assert_eq!(site.host(&home).unconfirmed, None);
    let updated = AtomicBool::new(false);
    relayed(
        &site,
        |message| {
            updated.fetch_or(message.is_update(), Relaxed);
            match updated.load(Relaxed) && !message.is_update() {
                true => message.refuse(),
                false => message.pass(),
            }
        },
        || assert!(site.visit(&home.with("203.0.113.2")).is_pending()),
    );
    let host = site.host(&home);
    assert!(host.is_pending() && host.unconfirmed.is_some(), "{host:?}");
    let trouble = host.trouble.unwrap();
    assert!(trouble.contains("could not ask"), "{trouble}");
    assert_eq!(site.dns("home"), "203.0.113.2");
    // Whoever takes it back then looks whether it has come.
    let said = site.visit(&home.with("203.0.113.1")).said();
    assert_eq!(said, "200 good 203.0.113.1");
    assert_eq!(site.dns("home"), "203.0.113.1");
}

#[test]
fn no_update_is_sent_whose_result_could_not_be_seen_in_time() {
    let site = Site::new();
    let home = waiting(&site, "home", "203.0.113.1");
    let publisher = publisher(&site);
    let published = publish(&site, &publisher, &home, 950);
    assert!(matches!(published, Published::Unconfirmed(_)));
    assert_eq!(site.dns("home"), "");
    let host = site.host(&home);
    assert_eq!(host.unconfirmed, None, "nothing is in doubt");
    let trouble = host.trouble.unwrap();
    assert_eq!(trouble, "no time was left to ask the name server");
    let published = publish(&site, &publisher, &home, REQUEST);
    assert!(matches!(published, Published::Confirmed), "{published:?}");
    assert_eq!(site.dns("home"), "203.0.113.1");
}

/// Somebody else changes the records each time before they can be looked at.
#[test]
fn an_update_is_tried_three_times() {
    let site = Site::new();
    let home = waiting(&site, "home", "203.0.113.1");
    for spoils in [2, 3] {
        wish(&site, &home, &format!("203.0.113.1{spoils}"));
        let tries = AtomicUsize::new(0);
        let published = relayed(
            &site,
            |message| {
                let answer = message.pass();
                if message.changes() && tries.fetch_add(1, Relaxed) < spoils {
                    let other = format!("192.0.2.{}", tries.load(Relaxed));
                    let other = ["zone-set", "home", "60", "A", &other];
                    by_hand(&site, &[&["zone-unset", "home", "A"], &other]);
                }
                answer
            },
            || publish(&site, &publisher(&site), &home, REQUEST),
        );
        assert_eq!(tries.load(Relaxed), 3);
        match spoils {
            2 => assert!(matches!(published, Published::Confirmed), "{published:?}"),
            _ => assert!(
                matches!(published, Published::Refused(Trouble::Differs(_))),
                "{published:?}"
            ),
        }
        let shown = ["203.0.113.12", "192.0.2.3"][spoils - 2];
        assert_eq!(site.dns("home"), shown);
    }
    let published = site.publish(&home);
    assert!(matches!(published, Published::Confirmed), "{published:?}");
    assert_eq!(site.dns("home"), "203.0.113.13");
}

/// Those that share an UPDATE have it sent, though one of them has no time to see its result.
#[test]
fn of_visits_together_the_longest_deadline_holds() {
    let site = Site::new();
    let first = waiting(&site, "first", "203.0.113.1");
    let long = waiting(&site, "long", "203.0.113.2");
    let hurried: Vec<Home> = (0..3)
        .map(|n| waiting(&site, &format!("short{n}"), "203.0.113.3"))
        .collect();
    let (come, comes) = mpsc::channel();
    let come = Mutex::new(come);
    relayed(
        &site,
        |message| {
            if message.is_update() && message.names("first") {
                let _ = come.lock().unwrap().send(());
                // All others come meanwhile, nearly always.
                sleep(Duration::from_millis(300));
            }
            message.pass()
        },
        || {
            let publisher = publisher(&site);
            let publish = |home, wait| publish(&site, &publisher, home, wait);
            thread::scope(|scope| {
                let first = scope.spawn(|| publish(&first, REQUEST));
                comes.recv().unwrap();
                let long = scope.spawn(|| publish(&long, REQUEST));
                for home in &hurried {
                    scope.spawn(|| publish(home, 950));
                }
                for published in [first, long].map(|one| one.join().unwrap()) {
                    assert!(matches!(published, Published::Confirmed), "{published:?}");
                }
            });
        },
    );
    assert_eq!(site.dns("long"), "203.0.113.2");
    for home in &hurried {
        assert!(matches!(site.publish(home), Published::Confirmed));
        assert_eq!(site.dns(&home.name), "203.0.113.3");
    }
}

#[test]
fn a_host_is_locked_until_what_came_of_it_is_written() {
    let site = Site::new();
    let home = waiting(&site, "home", "203.0.113.1");
    let (update, updates) = mpsc::channel();
    let update = Mutex::new(update);
    let is_there = relayed(
        &site,
        |message| {
            let answer = message.pass();
            if message.is_update() {
                // Somebody else writes the registry.
                let writer = rusqlite::Connection::open(site.registry_file()).unwrap();
                writer.execute_batch("BEGIN IMMEDIATE").unwrap();
                update.lock().unwrap().send(writer).unwrap();
            }
            answer
        },
        || {
            thread::scope(|scope| {
                let publishes = scope.spawn(|| site.publish(&home));
                let writer = updates.recv().unwrap();
                let (free, frees) = mpsc::channel();
                // Until the lock is free, which it is too early; or else for a moment.
                scope.spawn(move || {
                    let _ = frees.recv_timeout(Duration::from_millis(500));
                    drop(writer);
                });
                let file = format!("state/locks/host-{:02x}-{ZONE}", home.id.number());
                let lock = File::open(site.path(&file)).unwrap();
                lock.lock().unwrap();
                let is_there = !site.host(&home).is_pending();
                free.send(()).ok();
                drop(lock);
                assert!(matches!(publishes.join().unwrap(), Published::Confirmed));
                is_there
            })
        },
    );
    assert!(is_there, "the lock was free before the fact was written");
    assert_eq!(site.dns("home"), "203.0.113.1");
}
