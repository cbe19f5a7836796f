//! The plain story of a host, on every name server, signed as `init` signs.

use std::process::Command;

use crate::instance::{Home, Instance, for_each, shell};
use crate::support::knot::{ZONE, wait_until};

#[test]
fn a_name_follows_its_address() {
    for_each(|dns| {
        let server = Instance::start(dns, &[]);
        let home = server.add("home");
        for (addresses, said, shows) in [
            ("203.0.113.7", "200 good 203.0.113.7", "203.0.113.7"),
            ("203.0.113.7", "200 nochg 203.0.113.7", "203.0.113.7"),
            ("203.0.113.8", "200 good 203.0.113.8", "203.0.113.8"),
            (
                "203.0.113.9,2001:db8::9",
                "200 good 203.0.113.9,2001:db8::9",
                "203.0.113.9,2001:db8::9",
            ),
            (
                "2001:db8::9",
                "200 nochg 2001:db8::9",
                "203.0.113.9,2001:db8::9",
            ),
        ] {
            let answer = server.visit(&home.with(addresses));
            assert_eq!(answer.said(), said, "{dns:?}: {}", server.last_line());
            assert_eq!(server.shows("home"), shows, "{dns:?}");
        }
        // An unchanged visit touches nothing, not even the serial.
        let soa = server.dig(ZONE, "SOA");
        server.visit(&home.with("203.0.113.9"));
        assert_eq!(server.dig(ZONE, "SOA"), soa, "{dns:?}");
        // What is removed behind our back comes back with the next visit.
        forget(&server, "home");
        assert_eq!(server.shows("home"), "2001:db8::9", "{dns:?}");
        let healed = server.visit(&home.with("203.0.113.9"));
        assert_eq!(healed.said(), "200 good 203.0.113.9", "{dns:?}");
        assert_eq!(server.shows("home"), "203.0.113.9,2001:db8::9", "{dns:?}");

        server.bowline(&["host", "set", "home", "--wildcard"]);
        let wild = server.visit(&home.with("203.0.113.10"));
        assert_eq!(wild.said(), "200 good 203.0.113.10", "{dns:?}");
        let shows = "203.0.113.10,2001:db8::9";
        assert_eq!(server.shows("x.home"), shows, "{dns:?}");
        assert_eq!(server.shows("home"), shows, "{dns:?}");

        // As long as a TTL can be, in seconds as they are.
        server.bowline(&["host", "set", "home", "--ttl", "7d"]);
        let long = server.visit(&home.with("203.0.113.11"));
        assert_eq!(long.said(), "200 good 203.0.113.11", "{dns:?}");
        assert_eq!(ttl(&server, "home"), "604800", "{dns:?}");

        let gone = server.visit(&format!("/{}?ipv6=-", home.token));
        assert_eq!(gone.said(), "200 good", "{dns:?}");
        assert_eq!(server.shows("x.home"), "203.0.113.11", "{dns:?}");

        server.bowline(&["host", "remove", "home"]);
        assert_eq!(server.shows("home"), "", "{dns:?}");
        assert_eq!(server.shows("x.home"), "", "{dns:?}");
        assert_eq!(server.visit(&home.with("203.0.113.7")).status, 404);
    });
}

/// The TTL of a host's A record.
fn ttl(server: &Instance, name: &str) -> String {
    let said = shell(&format!(
        "kdig @127.0.0.1 -p {} +norec +noall +answer {name}.{ZONE} A",
        server.port
    ));
    said.split_whitespace()
        .nth(1)
        .unwrap_or_default()
        .to_owned()
}

/// Takes the A records of a host away with the key, but without bowline.
fn forget(server: &Instance, name: &str) {
    let file = server.path("forget");
    let text = format!(
        "server 127.0.0.1 {}\nzone {ZONE}.\nupdate delete {name}.{ZONE}. A\nsend\n",
        server.update
    );
    std::fs::write(&file, text).unwrap();
    let sent = Command::new("knsupdate")
        .args(["-y", &server.key()])
        .arg(&file)
        .status();
    assert!(sent.unwrap().success());
}

#[test]
fn nothing_accepted_is_lost() {
    for_each(|dns| {
        let server = Instance::start(dns, &[]);
        let home = server.add("home");
        let good = server.visit(&home.with("203.0.113.7"));
        assert_eq!(good.said(), "200 good 203.0.113.7", "{dns:?}");

        let health = || {
            // The result is shared for five seconds.
            let _ = std::fs::remove_file(server.path("state/locks/health"));
            server.visit("/healthz").said()
        };
        assert_eq!(health(), "200 ok", "{dns:?}");
        server.stop("TERM");
        assert_eq!(health(), "503 name server", "{dns:?}");
        let pending = server.visit(&home.with("203.0.113.8"));
        assert!(pending.is_pending(), "{dns:?}: {}", pending.said());
        assert!(
            server.last_line().contains("cannot be reached"),
            "{}",
            server.last_line()
        );
        server.again();
        assert_eq!(server.shows("home"), "203.0.113.7", "{dns:?}");
        server.bowline(&["upkeep"]);
        assert_eq!(server.shows("home"), "203.0.113.8", "{dns:?}");

        // A crash right after the answer.
        let good = server.visit(&home.with("203.0.113.9"));
        server.stop("KILL");
        assert_eq!(good.said(), "200 good 203.0.113.9", "{dns:?}");
        server.again();
        wait_until("the record", || server.shows("home") == "203.0.113.9");
        let same = server.visit(&home.with("203.0.113.9"));
        assert_eq!(same.said(), "200 nochg 203.0.113.9", "{dns:?}");
    });
}

#[test]
fn many_at_once() {
    for_each(|dns| {
        let server = Instance::start(dns, &[]);
        let names: Vec<String> = (0..12).map(|n| format!("h{n}")).collect();
        let homes: Vec<Home> = names.iter().map(|name| server.add(name)).collect();
        for round in ["203.0.113", "198.51.100"] {
            let visits: Vec<_> = (1..)
                .zip(&homes)
                .map(|(n, home)| server.get(&home.with(&format!("{round}.{n}"))).spawn())
                .collect();
            for (n, visit) in (1..).zip(visits) {
                let said = visit.wait().said();
                assert_eq!(said, format!("200 good {round}.{n}"), "{dns:?}");
            }
        }
        for (n, name) in (1..).zip(&names) {
            assert_eq!(server.shows(name), format!("198.51.100.{n}"), "{dns:?}");
        }
    });
}
