//! Upkeep: what nobody's visit settles is settled all the same.

use std::fs;
use std::time::SystemTime;

use bowline::config::Config;
use bowline::log::Logger;
use bowline::registry::Settings;
use bowline::span::Span;
use bowline::time::Timestamp;
use bowline::ttl::Ttl;
use bowline::upkeep::{self, Round};

use crate::support::site::{Home, Site, host_name};

/// One round, as the verb runs it.
fn round(site: &Site) -> Round {
    let config = Config::load(&site.path("bowline.toml")).unwrap();
    let logger = Logger::new(&config.log);
    upkeep::round(&config, &mut site.registry(), &logger)
        .unwrap()
        .expect("no other round is running")
}

/// Sets the times of a host back, as if it had been silent for so long.
fn silent_for(site: &Site, home: &Home, span: Span) {
    let then = Timestamp::now().minus(span).seconds();
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let set = "UPDATE host SET last_seen = ?2, wish_at = ?2 WHERE id = ?1";
    db.execute(set, (home.id.number(), then)).unwrap();
}

/// Makes it look as if rounds had come every minute for so long.
fn steady_for(site: &Site, span: Span) {
    let file = site.path("state/locks/upkeep");
    let since = Timestamp::now().minus(span).seconds();
    fs::write(&file, format!("{since}\n")).unwrap();
    let file = fs::File::options().write(true).open(file).unwrap();
    file.set_modified(SystemTime::now()).unwrap();
}

#[test]
fn what_a_dead_server_missed_is_published() {
    let mut site = Site::new();
    let home = site.add("home");
    site.knot.stop();
    assert!(site.visit(&home.with("203.0.113.7")).is_pending());
    assert_eq!(round(&site).settled.pending, 1);
    site.knot.restart();
    let settled = round(&site).settled;
    assert_eq!((settled.confirmed, settled.pending), (1, 0));
    assert_eq!(site.dns("home"), "203.0.113.7");
    assert_eq!(round(&site).settled.confirmed, 0);
    assert_eq!(
        site.visit(&home.with("203.0.113.7")).said(),
        "200 nochg 203.0.113.7"
    );
}

#[test]
fn a_former_name_ends_in_its_time() {
    let site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.7")).status, 200);
    let earlier = Timestamp::now().minus(Span::from_seconds(3600));
    let keep = Span::from_seconds(1800);
    let (name, ttl) = (host_name("villa"), Ttl::DEFAULT);
    site.registry()
        .rename(home.id, &name, keep, Span::ZERO, ttl, earlier)
        .unwrap();
    site.publish(&home);
    assert_eq!(
        (site.dns("home"), site.dns("villa")),
        ("203.0.113.7".into(), "203.0.113.7".into())
    );
    let done = round(&site);
    assert_eq!((done.pruned.names, done.settled.confirmed), (1, 1));
    assert_eq!(
        (site.dns("home"), site.dns("villa")),
        (String::new(), "203.0.113.7".into())
    );
}

#[test]
fn a_silent_host_expires_and_its_next_visit_brings_it_back() {
    let site = Site::new();
    let expire = Some(Span::from_seconds(3600));
    let home = site.add_with(
        "home",
        Settings {
            expire,
            ..Settings::default()
        },
    );
    let other = site.add("other");
    for host in [&home, &other] {
        assert_eq!(site.visit(&host.with("203.0.113.7")).status, 200);
        silent_for(&site, host, Span::from_seconds(3600));
    }
    assert_eq!(
        round(&site).expired,
        0,
        "nothing expires before rounds were regular"
    );
    assert_eq!(site.dns("home"), "203.0.113.7");

    steady_for(&site, Span::from_seconds(3600));
    assert_eq!(round(&site).expired, 1);
    assert_eq!(
        (site.dns("home"), site.dns("other")),
        (String::new(), "203.0.113.7".into())
    );
    assert_eq!(round(&site).expired, 0);
    assert!(
        site.log()
            .contains("host=home.dyn.example.org result=expired")
    );

    assert_eq!(
        site.visit(&home.with("203.0.113.7")).said(),
        "200 good 203.0.113.7"
    );
    assert_eq!(site.dns("home"), "203.0.113.7");
    steady_for(&site, Span::from_seconds(3600));
    assert_eq!(round(&site).expired, 0, "it was heard");
}
