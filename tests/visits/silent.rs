//! A name server that stands still, or is not there.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bowline::config::Config;
use bowline::deadline::Deadline;
use bowline::ip::Addresses;
use bowline::name::{HostName, ZoneName};
use bowline::owner_name::OwnerName;
use bowline::publish::{Published, Publisher};
use bowline::registry::{Lease, NewHost, Settings};
use bowline::span::Span;
use bowline::time::Timestamp;
use bowline::ttl::Ttl;

use crate::support::at_once;
use crate::support::knot::{Options, ZONE, wait_until};
use crate::support::site::{Home, Site};
use crate::support::stopwatch::Took;
use crate::support::visit::Running;

/// Every answer comes within it: eight seconds, and what a loaded machine adds.
const LONGEST: Duration = Duration::from_millis(8500);
/// The server counts as silent after a second and a half.
const NOTICED: Duration = Duration::from_millis(2500);
/// At once.
const AT_ONCE: Duration = Duration::from_millis(1000);
/// What is said of a visit that does not wait, since another one does.
const ANOTHER_WAITS: &str = "the name server is silent, and another visit waits for it";

#[test]
fn a_silent_server() {
    at_once([
        ("ten-hosts", ten_hosts),
        ("one-host", one_host),
        ("unchanged", unchanged),
        ("out-of-time", out_of_time),
        ("one-of-two-zones", one_of_two_servers),
        ("list-of-two-zones", one_list_of_two_servers),
        ("dead", dead),
    ]);
}

/// Visits to these hosts at once, and how long each took, shortest first.
fn visit_all(site: &Site, homes: &[Home], address: impl Fn(usize) -> String) -> Vec<Took> {
    let running: Vec<Running> = homes
        .iter()
        .enumerate()
        .map(|(n, home)| site.get(&home.with(address(n))).spawn())
        .collect();
    let mut took: Vec<Took> = running
        .into_iter()
        .map(|running| {
            let answer = running.wait();
            assert!(answer.is_pending(), "{}", answer.said());
            answer.took
        })
        .collect();
    took.sort();
    took
}

/// A visit while another one waits: it does not even begin to ask.
fn come_late(site: &Site, home: &Home, address: &str) {
    let answer = site.visit(&home.with(address));
    assert!(answer.is_pending(), "{}", answer.said());
    assert!(answer.took.own < AT_ONCE, "{:?}", answer.took);
    let log = site.log();
    let name = format!("{}.{ZONE}", home.name);
    let line = log.lines().rfind(|line| line.contains(&name)).unwrap();
    assert!(line.contains(ANOTHER_WAITS), "{line}");
}

fn ten_hosts() {
    let site = Site::new();
    let homes: Vec<Home> = (0..10).map(|n| site.add(&format!("host{n}"))).collect();
    let address = |n: usize| format!("203.0.113.{n}");
    let late = site.add("late");
    site.knot.pause();
    std::thread::scope(|scope| {
        let site = &site;
        scope.spawn(move || {
            // Somebody who comes while one waits.
            sleep(Duration::from_secs(4));
            come_late(site, &late, "203.0.113.99");
        });
        let took = visit_all(site, &homes, address);
        assert!(took[8].own < NOTICED, "nine do not wait: {took:?}");
        assert!(took[9].all > NOTICED, "one does: {took:?}");
        assert!(took[9].own < LONGEST, "it ends: {took:?}");
    });
    for line in site.log().lines() {
        assert!(
            line.contains("result=dnserr")
                && line.contains("reason=\"")
                && line.contains("hint=\""),
            "{line}"
        );
    }
    assert_eq!(site.registry().pending().unwrap().len(), 11);
    site.knot.resume();
    for (n, home) in homes.iter().enumerate() {
        assert_eq!(site.wish(home), address(n));
        let answer = site.visit(&home.with(address(n)));
        assert_eq!(answer.said(), format!("200 good {}", address(n)));
        assert_eq!(site.dns(&home.name), address(n));
    }
    assert_eq!(site.registry().pending().unwrap().len(), 1);
}

/// Visits to one host wait for each other, and not longer for a silent server.
fn one_host() {
    let site = Site::new();
    let home = site.add("home");
    site.knot.pause();
    let first = site.get(&home.with("203.0.113.1")).spawn();
    wait_until("its lock", || site.is_locked());
    let second = site.get(&home.with("203.0.113.2")).spawn().wait();
    come_late(&site, &home, "203.0.113.3");
    assert!(!first.has_ended(), "the first one waits");
    let first = first.wait();
    assert!(first.is_pending() && second.is_pending());
    assert!(first.took.all > NOTICED, "{:?}", first.took);
    assert!(first.took.own < LONGEST, "{:?}", first.took);
    assert!(second.took.own < NOTICED, "{:?}", second.took);
    assert_eq!(site.wish(&home), "203.0.113.3");
    site.knot.resume();
    sleep(Duration::from_millis(1500));
    assert_eq!(
        site.visit(&home.with("203.0.113.3")).said(),
        "200 good 203.0.113.3"
    );
    assert_eq!(site.dns("home"), "203.0.113.3");
}

/// Nobody is told `nochg` without the name server's word.
fn unchanged() {
    let site = Site::new();
    let homes = [site.add("home"), site.add("other")];
    for home in &homes {
        assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    }
    site.knot.pause();
    let took = visit_all(&site, &homes, |_| "203.0.113.1".to_owned());
    assert!(took[0].own < NOTICED && took[1].own < LONGEST, "{took:?}");
    let removal = site.visit(&homes[0].at("?ipv6=-"));
    assert!(
        removal.is_pending() && removal.took.own < LONGEST,
        "{:?}",
        removal.took
    );
    assert!(site.registry().pending().unwrap().is_empty());
    site.knot.resume();
    assert_eq!(
        site.visit(&homes[0].with("203.0.113.1")).said(),
        "200 nochg 203.0.113.1"
    );
}

/// Whoever has no time left to ask it has not heard it either.
fn out_of_time() {
    let site = Site::new();
    let home = site.add("home");
    let is_silent = || {
        let file = site.path("state/locks").join(mark(&site));
        fs::read(file).is_ok_and(|said| !said.is_empty())
    };
    site.knot.pause();
    assert!(site.visit(&home.with("203.0.113.1")).is_pending());
    assert!(is_silent());
    let config = Config::load(&site.path("bowline.toml")).unwrap();
    let published = Publisher::new(&config).publish(
        &mut Lease::of(&mut site.registry()),
        &ZONE.parse().unwrap(),
        &[home.id],
        Deadline::after(Duration::ZERO),
    );
    let published = published.unwrap().remove(0);
    assert!(
        matches!(published, Published::Unconfirmed(_)),
        "{published:?}"
    );
    assert!(is_silent());
    site.knot.resume();
    assert_eq!(
        site.visit(&home.with("203.0.113.1")).said(),
        "200 good 203.0.113.1"
    );
    assert!(!is_silent());
}

/// The hosts of another name server are not concerned.
fn one_of_two_servers() {
    let site = Site::new();
    let other = Site::new();
    let more = format!(
        "\n[[zone]]\nname = \"dyn.example.net\"\nserver = \"{}\"\nkey_file = \"tsig.key\"\n",
        other.knot.addr()
    );
    site.configure("http://update.example.org", &more);
    let home = site.add("home");
    other.knot.pause();
    assert_eq!(
        site.visit(&home.with("203.0.113.1")).said(),
        "200 good 203.0.113.1"
    );
    assert_eq!(site.visit("/healthz").said(), "503 name server");
    other.knot.resume();
}

/// A request about hosts of both: the one whose name server answers is not kept waiting for the
/// other, whichever of them changes.
fn one_list_of_two_servers() {
    let elsewhere: ZoneName = "dyn.example.net".parse().unwrap();
    let zones = vec![elsewhere.to_string()];
    let other = Site::with(&Options {
        zones,
        ..Options::default()
    });
    let site = Site::new();
    fs::copy(other.path("tsig.key"), site.path("other.key")).unwrap();
    // It comes first in the order of names.
    let more = format!(
        "\n[[zone]]\nname = \"{elsewhere}\"\nserver = \"{}\"\nkey_file = \"other.key\"\n",
        other.knot.addr()
    );
    site.configure("http://update.example.org", &more);
    let (token, now) = (site.token(), Timestamp::now());
    let anna: OwnerName = "anna".parse().unwrap();
    let mut registry = site.registry();
    registry
        .add_owner(&anna, None, &site.digest(&token), now)
        .unwrap();
    let settings = Settings {
        owner: Some(anna),
        ..Settings::default()
    };
    let away = NewHost {
        name: HostName::new("away", &elsewhere).unwrap(),
        settings: settings.clone(),
        token: None,
        addresses: Addresses::NONE,
        reuse: Span::ZERO,
        below: false,
    };
    registry.add(&[away], Ttl::DEFAULT, now).unwrap();
    site.add_with("home", settings);
    let visit = |names: &str, address: &str| {
        let pair = STANDARD.encode(format!("anna:{}", token.secret()));
        site.get(&format!("/nic/update?hostname={names}&myip={address}"))
            .set("HTTP_AUTHORIZATION", format!("Basic {pair}"))
            .run()
    };
    let both = "away.dyn.example.net,home.dyn.example.org";
    for (names, address) in [
        (both, "203.0.113.1"),
        ("home.dyn.example.org", "203.0.113.2"),
    ] {
        assert_eq!(visit(names, address).status, 200);
    }
    other.knot.pause();
    for (address, said) in [
        // What is elsewhere is unchanged, home changes; then the other way round; then both.
        ("203.0.113.1", "200 dnserr\ngood 203.0.113.1"),
        ("203.0.113.1", "200 dnserr\nnochg 203.0.113.1"),
        ("203.0.113.3", "200 dnserr\ngood 203.0.113.3"),
    ] {
        // As if nobody had noticed yet that it is silent.
        let _ = fs::remove_file(site.path("state/locks").join(mark(&other)));
        let answer = visit(both, address);
        assert_eq!(answer.said(), said);
        assert!(answer.took.own < LONGEST, "{:?}", answer.took);
        assert_eq!(site.dns("home"), address);
    }
    other.knot.resume();
    assert_eq!(
        visit(both, "203.0.113.3").said(),
        "200 good 203.0.113.3\nnochg 203.0.113.3"
    );
    assert_eq!(
        other.knot.kdig("away.dyn.example.net", "A"),
        ["203.0.113.3"]
    );
}

/// The file that says that a name server is silent.
fn mark(site: &Site) -> String {
    let address = site.knot.addr();
    format!("server-{}-{}", address.ip(), address.port())
}

/// A name server that is not there is told at once.
fn dead() {
    let mut site = Site::new();
    let home = site.add("home");
    let other = site.add("other");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    site.knot.stop();
    for (home, address) in [
        (&home, "203.0.113.1"),
        (&home, "203.0.113.2"),
        (&other, "203.0.113.3"),
    ] {
        let answer = site.visit(&home.with(address));
        assert!(answer.is_pending(), "{}", answer.said());
        assert!(answer.took.own < AT_ONCE, "{:?}", answer.took);
        assert!(
            site.last_line().contains("cannot be reached"),
            "{}",
            site.last_line()
        );
        assert!(site.last_line().contains("hint=\"does the name server run"));
    }
    assert_eq!(
        (site.wish(&home), site.wish(&other)),
        ("203.0.113.2".into(), "203.0.113.3".into())
    );
    // Nothing was sent, so nothing is in doubt.
    assert_eq!(site.host(&other).unconfirmed, None);
    site.knot.restart();
    assert_eq!(
        site.visit(&home.with("203.0.113.2")).said(),
        "200 good 203.0.113.2"
    );
    assert_eq!(
        site.visit(&other.with("203.0.113.3")).said(),
        "200 good 203.0.113.3"
    );
    assert_eq!(
        (site.dns("home"), site.dns("other")),
        ("203.0.113.2".into(), "203.0.113.3".into())
    );
}
