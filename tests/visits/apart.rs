//! Several zones, on one name server or several: what holds one of them up is no other one's trouble.

use std::fs;
use std::thread;

use bowline::challenge::ChallengeValue;
use bowline::ip::Addresses;
use bowline::name::HostName;
use bowline::registry::{ChallengeAccepted, ChallengeAsk, ChallengeEdit, NewHost, Settings};
use bowline::span::Span;
use bowline::time::Timestamp;
use bowline::token::Token;
use bowline::ttl::Ttl;
use bowline::upkeep::Word;

use crate::relay::{Message, relayed};
use crate::support::knot::{Knot, Options, wait_until};
use crate::support::site::{Home, Site, set};

/// So many hosts that each lock file is one's.
const MANY: usize = 256;

/// Another zone.
const ELSEWHERE: &str = "dyn.example.net";

pub(crate) fn elsewhere() -> Options {
    Options {
        zones: vec![ELSEWHERE.to_owned()],
        ..Options::default()
    }
}

/// Has `site` look after that zone too, which `server` has.
pub(crate) fn look_after(site: &Site, server: &Knot) {
    fs::copy(server.key_file(), site.path("other.key")).unwrap();
    let server = server.addr();
    let more = format!(
        "acme = true\n[[zone]]\nname = \"{ELSEWHERE}\"\nserver = \"{server}\"\nkey_file = \"other.key\"\nacme = true\n"
    );
    site.configure("http://update.example.org", &more);
}

/// Adds hosts there.
pub(crate) fn add(site: &Site, count: usize) -> Vec<Home> {
    let homes = (0..count).map(|n| (format!("away{n}"), site.token()));
    let homes: Vec<(String, Token)> = homes.collect();
    let host = |(name, token): &(String, Token)| NewHost {
        name: HostName::new(name, &ELSEWHERE.parse().unwrap()).unwrap(),
        settings: Settings::default(),
        token: Some(site.digest(token)),
        addresses: Addresses::NONE,
        reuse: Span::ZERO,
        below: false,
    };
    let hosts: Vec<NewHost> = homes.iter().map(host).collect();
    let added = site.registry().add(&hosts, Ttl::DEFAULT, Timestamp::now());
    let homes = homes.into_iter().zip(added.unwrap());
    homes
        .map(|((name, token), id)| Home { id, name, token })
        .collect()
}

/// Hosts wait to have that address.
pub(crate) fn wish(site: &Site, homes: &[Home], address: &str) {
    let mut registry = site.registry();
    for home in homes {
        let address = [address.parse().unwrap()].into_iter().collect();
        set(&mut registry, home.id, &Settings::default(), Some(address)).unwrap();
    }
}

pub(crate) fn shown(server: &Knot, home: &Home) -> String {
    let name = format!("{}.{ELSEWHERE}", home.name);
    server.kdig(&name, "A").join(",")
}

/// A challenge for a host waits to be set.
pub(crate) fn challenge(site: &Site, home: &Home) -> ChallengeValue {
    let value: ChallengeValue = "a".repeat(43).parse().unwrap();
    let ask = ChallengeAsk {
        host: home.id,
        token: site.digest(&home.token),
        name: &site.host(home).name,
        edit: &ChallengeEdit::Add(value.clone(), 2),
        dialect: "httpreq",
        now: Timestamp::now(),
    };
    let accepted = site.registry().accept_challenge(&ask).unwrap();
    assert_eq!(accepted, ChallengeAccepted::Yes);
    value
}

#[test]
fn upkeep_that_waits_for_one_name_server_holds_up_no_visit_to_another() {
    let other = Site::with(&elsewhere());
    let site = Site::new();
    look_after(&site, &other.knot);
    let away = add(&site, MANY);
    wish(&site, &away, "203.0.113.7");
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
    assert_eq!(shown(&other.knot, &away[0]), "203.0.113.7");
}

/// Whether somebody has waited too long for a name server, or for changes of a zone.
fn is_marked(site: &Site) -> bool {
    let locks = fs::read_dir(site.path("state/locks")).unwrap();
    let mut locks = locks.map(|lock| lock.unwrap());
    locks.any(|lock| {
        let name = lock.file_name().into_string().unwrap();
        let is_mark = name.starts_with("server-") || name.starts_with("held-");
        is_mark && lock.metadata().unwrap().len() > 0
    })
}

/// As Knot does with a zone that is frozen, or has a transaction open.
fn holds_up(label: &str) -> impl Fn(&Message<'_>) -> Option<Vec<u8>> {
    move |message| match message.is_update() && message.names(label) {
        true => None,
        false => message.pass(),
    }
}

#[test]
fn a_zone_that_is_held_up_is_not_its_name_server() {
    let site = Site::with(&elsewhere());
    look_after(&site, &site.knot);
    let away = add(&site, 1).remove(0);
    let homes = ["home", "other"].map(|name| site.add(name));
    for home in homes.iter().chain([&away]) {
        assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    }
    relayed(&site, holds_up("org"), || {
        thread::scope(|scope| {
            scope.spawn(|| assert!(site.visit(&homes[0].with("203.0.113.2")).is_pending()));
            wait_until("a mark", || is_marked(&site));
            // Questions are answered, and changes of the other zone.
            let said = site.visit(&homes[1].with("203.0.113.1")).said();
            assert_eq!(said, "200 nochg 203.0.113.1");
            let said = site.visit(&away.with("203.0.113.2")).said();
            assert_eq!(said, "200 good 203.0.113.2");
            assert_eq!(shown(&site.knot, &away), "203.0.113.2");
            assert!(site.visit(&homes[1].with("203.0.113.2")).is_pending());
        });
    });
    for home in &homes {
        let said = site.visit(&home.with("203.0.113.2")).said();
        assert_eq!(said, "200 good 203.0.113.2");
        assert_eq!(site.dns(&home.name), "203.0.113.2");
    }
    assert!(!is_marked(&site));
}

#[test]
fn upkeep_publishes_a_zone_though_another_one_is_held_up() {
    let site = Site::with(&elsewhere());
    look_after(&site, &site.knot);
    let homes = [site.add("home")];
    let away = add(&site, 1);
    // The one that is held up comes first: it waits for longer.
    wish(&site, &homes, "203.0.113.1");
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let longer = "UPDATE host SET wish_at = wish_at - 60 WHERE id = ?1";
    db.execute(longer, [homes[0].id.number()]).unwrap();
    wish(&site, &away, "203.0.113.2");
    relayed(&site, holds_up("org"), || site.round(Word::Registry));
    assert_eq!(shown(&site.knot, &away[0]), "203.0.113.2");
    assert!(!site.host(&away[0]).is_pending());
    assert!(site.host(&homes[0]).is_pending());
    site.round(Word::Registry);
    assert_eq!(site.dns("home"), "203.0.113.1");
}

/// However long each portion of its hosts takes.
#[test]
fn upkeep_publishes_a_zone_before_it_is_through_with_a_larger_one() {
    let site = Site::with(&elsewhere());
    look_after(&site, &site.knot);
    let away = add(&site, 40);
    let home = site.add("home");
    wish(&site, &away, "203.0.113.2");
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    db.execute("UPDATE host SET wish_at = wish_at - 60", [])
        .unwrap();
    wish(&site, &[home], "203.0.113.1");
    site.forget_log();
    assert_eq!(site.round(Word::Registry).settled.confirmed, 41);
    let log = site.log();
    let published = log.lines().position(|line| line.contains("host=home."));
    assert!(published.unwrap() < 10, "{log}");
    assert_eq!(site.dns("home"), "203.0.113.1");
    for host in &away {
        assert_eq!(shown(&site.knot, host), "203.0.113.2");
    }
}

#[test]
fn upkeep_sets_challenges_though_another_zone_is_held_up() {
    let site = Site::with(&elsewhere());
    look_after(&site, &site.knot);
    let (home, away) = (site.add("home"), add(&site, 1).remove(0));
    let [value, _] = [&home, &away].map(|host| challenge(&site, host));
    let shown = |host| {
        let name = format!("_acme-challenge.{}", site.host(host).name);
        site.knot.kdig(&name, "TXT")
    };
    relayed(&site, holds_up("net"), || site.round(Word::Registry));
    assert_eq!(shown(&home), [format!("\"{}\"", value.as_str())]);
    assert!(shown(&away).is_empty());
    site.round(Word::Registry);
    assert_eq!(shown(&away).len(), 1);
}

/// To tell what a wildcard answered is an UPDATE.
#[test]
fn upkeep_compares_a_zone_though_another_one_is_held_up() {
    let site = Site::with(&Options {
        records: vec!["* 60 A 192.0.2.1".to_owned()],
        ..elsewhere()
    });
    look_after(&site, &site.knot);
    let (home, away) = (site.add("home"), add(&site, 1).remove(0));
    for host in [&home, &away] {
        assert_eq!(site.visit(&host.with("203.0.113.1")).status, 200);
    }
    assert_eq!(site.visit(&home.at("?clear=true")).said(), "200 good");
    let knot = |args: &[&str]| site.knot.knotc(args);
    knot(&["zone-begin", ELSEWHERE]);
    knot(&["zone-unset", ELSEWHERE, "away0", "A"]);
    knot(&["zone-commit", ELSEWHERE]);
    assert_eq!(shown(&site.knot, &away), "");
    relayed(&site, holds_up("org"), || site.round(Word::Registry));
    assert_eq!(shown(&site.knot, &away), "203.0.113.1");
}
