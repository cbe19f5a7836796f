//! Trouble with the name server: the right answer to the client, the right reason in the
//! log, and the address is published once the trouble is over.

use std::fs;

use crate::instance::{Home, Instance, Kind, for_each, shell};
use crate::support::knot::ZONE;
use crate::support::skip::installed;

/// A visit that stays pending, and what its log line has.
fn pending(server: &Instance, home: &Home, address: &str, said: &[&str]) {
    let answer = server.visit(&home.with(address));
    let line = server.last_line();
    assert!(answer.is_pending(), "{:?} {line}", server.dns);
    for part in said {
        assert!(line.contains(part), "{:?}: {part} in {line}", server.dns);
    }
}

/// What upkeep makes of it in the end.
fn settled(server: &Instance, address: &str) {
    server.bowline(&["upkeep"]);
    assert_eq!(server.shows("home"), address, "{:?}", server.dns);
}

#[test]
fn the_key_differs() {
    for_each(|dns| {
        let server = Instance::start(dns, &["--no-dnssec"]);
        let home = server.add("home");
        let good = server.read("tsig.key");
        let secret = server.key().rsplit(':').next().unwrap().to_owned();

        let other = "bm90IHRoZSBzZWNyZXQgb2YgYm93bGluZQ==";
        server.replace("tsig.key", &secret, other);
        let reason = match dns {
            Kind::Knot | Kind::Bind => ["NOTAUTH, BADSIG (not signed)", "the secret differs"],
            Kind::PowerDns => ["REFUSED (not signed)", "differ"],
        };
        pending(&server, &home, "203.0.113.7", &reason);

        fs::write(server.path("tsig.key"), &good).unwrap();
        server.replace("tsig.key", "id: bowline", "id: somebody");
        let reason = match dns {
            Kind::Knot | Kind::Bind => "NOTAUTH, BADKEY (not signed)",
            Kind::PowerDns => "REFUSED (not signed)",
        };
        pending(&server, &home, "203.0.113.8", &[reason, "the key's name"]);

        fs::write(server.path("tsig.key"), &good).unwrap();
        server.replace(
            "tsig.key",
            "algorithm: hmac-sha256",
            "algorithm: hmac-sha512",
        );
        pending(&server, &home, "203.0.113.9", &[reason, "its algorithm"]);

        // A name is the same in capitals, and PowerDNS takes it in small letters only.
        fs::write(server.path("tsig.key"), &good).unwrap();
        server.replace("tsig.key", "id: bowline", "id: BowLine.");
        settled(&server, "203.0.113.9");
        let answer = server.visit(&home.with("203.0.113.10"));
        assert_eq!(answer.said(), "200 good 203.0.113.10", "{dns:?}");
    });
}

#[test]
fn the_clocks_differ() {
    if !installed("faketime") {
        return;
    }
    for_each(|dns| {
        let server = Instance::start(dns, &["--no-dnssec"]);
        let home = server.add("home");
        let ahead = server.get(&home.with("203.0.113.7"));
        let answer = ahead.under(&["faketime", "-f", "+2h"]).run();
        let line = server.last_line();
        assert!(answer.is_pending(), "{dns:?} {line}");
        let said = match dns {
            Kind::Knot | Kind::Bind => " s behind ours (BADTIME)",
            Kind::PowerDns => "REFUSED (not signed)",
        };
        assert!(
            line.contains(said) && line.contains("clock"),
            "{dns:?} {line}"
        );
        if dns != Kind::PowerDns {
            // Two hours and the moment between signing and looking.
            let seconds = line.split("clock is ").nth(1).unwrap();
            let seconds: u32 = seconds.split(' ').next().unwrap().parse().unwrap();
            assert!((7195..7205).contains(&seconds), "{line}");
        }
        assert_eq!(server.shows("home"), "", "{dns:?}");
        settled(&server, "203.0.113.7");
    });
}

#[test]
fn the_policy_forbids_it() {
    for_each(|dns| {
        let server = Instance::start(dns, &["--no-dnssec"]);
        let home = server.add("home");
        let (file, wide, narrow) = match dns {
            Kind::Knot => ("knot/bowline.d/10-bowline.conf", "[ A, AAAA ]", "[ AAAA ]"),
            Kind::Bind => (
                "bind/update.d/50-dyn.example.org.conf",
                " A AAAA;",
                " AAAA;",
            ),
            Kind::PowerDns => ("pdns/bowline/rights/dyn.example.org", "A AAAA", "AAAA"),
        };
        let reload = || match dns {
            Kind::Knot => {
                let conf = server.path("knot/knot.conf");
                shell(&format!("knotc -c {} -b reload", conf.display()));
            }
            Kind::Bind => {
                server.stop("TERM");
                server.again();
            }
            Kind::PowerDns => {}
        };
        server.replace(file, wide, narrow);
        reload();
        let reason = match dns {
            Kind::Knot => ["NOTAUTH", "(not signed)", "ACL"],
            Kind::Bind => ["refused: REFUSED\"", "policy for this key", "hint"],
            Kind::PowerDns => ["refused: SERVFAIL\"", "policy script", "hint"],
        };
        pending(&server, &home, "203.0.113.7", &reason);
        let other = server.visit(&home.with("2001:db8::7"));
        assert_ne!(other.status, 500);
        assert_eq!(
            server.dig(&format!("home.{ZONE}"), "A"),
            Vec::<String>::new()
        );
        server.replace(file, narrow, wide);
        reload();
        settled(&server, "203.0.113.7,2001:db8::7");
    });
}

#[test]
fn the_zone_is_not_there() {
    for_each(|dns| {
        let server = Instance::start(dns, &["--no-dnssec"]);
        let table = format!(
            "[[zone]]\nname = \"other.example.org\"\nserver = \"127.0.0.1:{}\"\nkey_file = \"tsig.key\"\n",
            server.update
        );
        let text = server.read("bowline.toml") + &table;
        fs::write(server.path("bowline.toml"), text).unwrap();
        let home = server.add("home.other.example.org");
        let reason = match dns {
            Kind::Knot => ["refused: NOTAUTH", "the zone is not served there"],
            Kind::Bind | Kind::PowerDns => ["refused: NOTAUTH\"", "does not serve this zone"],
        };
        pending(&server, &home, "203.0.113.7", &reason);
    });
}

#[test]
fn something_else_stands_there() {
    for_each(|dns| {
        let server = Instance::start(dns, &["--no-dnssec"]);
        let home = server.add("home");
        cname(&server);
        pending(
            &server,
            &home,
            "203.0.113.7",
            &["hidden by a CNAME", "remove"],
        );
    });
}

/// A CNAME at home, set by whoever runs the name server.
fn cname(server: &Instance) {
    let below = |path: &str| server.path(path).display().to_string();
    match server.dns {
        Kind::Knot => {
            let knotc = format!("knotc -c {}", below("knot/knot.conf"));
            shell(&format!(
                "{knotc} zone-begin {ZONE} && {knotc} zone-set {ZONE} home 60 CNAME example.org. && \
                 {knotc} zone-commit {ZONE}"
            ));
        }
        Kind::Bind => {
            server.stop("TERM");
            let zone = below("bind/db/dyn.example.org.zone");
            shell(&format!(
                "rm -f {zone}.jnl && echo 'home.{ZONE}. 60 CNAME example.org.' >> {zone}"
            ));
            server.again();
        }
        Kind::PowerDns => {
            let conf = below("pdns");
            shell(&format!(
                "pdnsutil --config-dir={conf} add-record {ZONE} home CNAME 60 example.org."
            ));
        }
    }
    assert_eq!(
        server.dig(&format!("home.{ZONE}"), "CNAME"),
        ["example.org."]
    );
}
