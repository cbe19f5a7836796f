//! Zones on several name servers: what holds one of them up is no other one's trouble.

use std::fs;
use std::thread;

use bowline::ip::Addresses;
use bowline::name::{HostName, ZoneName};
use bowline::registry::{NewHost, Settings};
use bowline::span::Span;
use bowline::time::Timestamp;
use bowline::ttl::Ttl;
use bowline::upkeep::Word;

use crate::support::knot::{Options, wait_until};
use crate::support::site::{Site, set};

/// So many hosts that each lock file is one's.
const MANY: usize = 256;

/// Hosts of another zone, which wait for its name server.
fn wait_elsewhere(site: &Site, zone: &ZoneName) {
    let host = |n| NewHost {
        name: HostName::new(&format!("away{n}"), zone).unwrap(),
        settings: Settings::default(),
        token: None,
        addresses: Addresses::NONE,
        reuse: Span::ZERO,
        below: false,
    };
    let hosts: Vec<NewHost> = (0..MANY).map(host).collect();
    let mut registry = site.registry();
    let added = registry.add(&hosts, Ttl::DEFAULT, Timestamp::now());
    for id in added.unwrap() {
        let address = ["203.0.113.7".parse().unwrap()].into_iter().collect();
        set(&mut registry, id, &Settings::default(), Some(address)).unwrap();
    }
}

#[test]
fn upkeep_that_waits_for_one_name_server_holds_up_no_visit_to_another() {
    let elsewhere: ZoneName = "dyn.example.net".parse().unwrap();
    let other = Site::with(&Options {
        zones: vec![elsewhere.to_string()],
        ..Options::default()
    });
    let site = Site::new();
    fs::copy(other.path("tsig.key"), site.path("other.key")).unwrap();
    let more = format!(
        "\n[[zone]]\nname = \"{elsewhere}\"\nserver = \"{}\"\nkey_file = \"other.key\"\n",
        other.knot.addr()
    );
    site.configure("http://update.example.org", &more);
    wait_elsewhere(&site, &elsewhere);
    // Its number is that of the first of them and as many more as there are files.
    let home = site.add("home");
    other.knot.pause();
    thread::scope(|scope| {
        let round = scope.spawn(|| site.round(Word::Registry));
        wait_until("its locks", || site.is_locked());
        let said = site.visit(&home.with("203.0.113.1")).said();
        assert_eq!(said, "200 good 203.0.113.1");
        assert_eq!(site.dns("home"), "203.0.113.1");
        assert!(!round.is_finished(), "the visit waited for upkeep");
    });
    other.knot.resume();
    site.round(Word::Registry);
    assert!(site.registry().pending().unwrap().is_empty());
    let found = other.knot.kdig(&format!("away0.{elsewhere}"), "A");
    assert_eq!(found, ["203.0.113.7"]);
}
