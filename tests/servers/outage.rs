//! A long outage, a zone that is suddenly an old one, and a registry that is: the same
//! script for every name server.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::instance::{Home, Instance, Kind, for_each};

/// More than a few, so that it matters whether zone or registry is the older one.
const HOSTS: usize = 15;

/// Hosts that all have an address.
fn homes(server: &Instance) -> Vec<Home> {
    (0..HOSTS).map(|n| server.add(&format!("h{n}"))).collect()
}

/// All of them visit at once, from these addresses.
fn visit_all(server: &Instance, homes: &[Home], net: &str) -> Vec<String> {
    let visits = homes.iter().enumerate();
    let visits: Vec<_> = visits
        .map(|(n, home)| server.get(&home.with(&format!("{net}.{n}"))).spawn())
        .collect();
    visits
        .into_iter()
        .map(|visit| visit.wait().said())
        .collect()
}

fn move_all(server: &Instance, homes: &[Home], net: &str) {
    for (n, said) in visit_all(server, homes, net).into_iter().enumerate() {
        assert_eq!(said, format!("200 good {net}.{n}"), "{:?}", server.dns);
    }
}

fn check_all(server: &Instance, net: &str) {
    for n in 0..HOSTS {
        let shows = server.shows(&format!("h{n}"));
        assert_eq!(shows, format!("{net}.{n}"), "{:?}", server.dns);
    }
}

/// What `status` reports, and whether it succeeds.
fn status(server: &Instance) -> (bool, Value) {
    let output = server.bowline_output(&["status"]);
    let report = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.success(), report)
}

/// A directory, with what is in it, in the place of another.
fn copy(from: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.unwrap().success());
}

/// Where the name server keeps its zones.
fn storage(dns: Kind) -> &'static str {
    match dns {
        Kind::Knot => "knot/db",
        Kind::Bind => "bind/db",
        Kind::PowerDns => "pdns/db",
    }
}

#[test]
fn an_hour_of_visits_while_it_is_down() {
    for_each(|dns| {
        let server = Instance::start(dns, &["--no-dnssec"]);
        let homes = homes(&server);
        move_all(&server, &homes, "203.0.113");
        server.stop("TERM");
        for net in [
            "198.51.100",
            "203.0.113",
            "192.0.2",
            "198.51.100",
            "192.0.2",
        ] {
            for said in visit_all(&server, &homes, net) {
                assert_eq!(said, "503 dnserr", "{dns:?}");
            }
            let round = server.bowline(&["upkeep"]);
            assert_eq!(round["pending"], json!(HOSTS), "{dns:?}");
        }
        // Meanwhile one is removed, one disabled, and a new one comes.
        let removed = server.bowline_output(&["host", "remove", "h0"]);
        let said = String::from_utf8_lossy(&removed.stderr).into_owned();
        assert!(
            said.contains("not confirmed") || said.contains("could not"),
            "{dns:?}: {said}"
        );
        server.bowline_output(&["host", "disable", "h1"]);
        let fresh = server.add("fresh");
        assert!(server.visit(&fresh.with("203.0.113.99")).is_pending());

        let (_, report) = status(&server);
        let pending = report["pending"].as_array().unwrap();
        assert_eq!(pending.len(), HOSTS + 1, "{dns:?}: {report:#}");
        for pending in pending {
            let reason = pending["reason"].as_str().unwrap_or_default();
            assert!(reason.contains("cannot be reached"), "{dns:?}: {pending}");
            assert!(pending["age"].as_u64().is_some_and(|age| age < 600));
        }

        server.again();
        check_all(&server, "203.0.113");
        let round = server.bowline(&["upkeep"]);
        assert_eq!(round["confirmed"], json!(HOSTS + 1), "{dns:?}: {round}");
        assert_eq!(round["pending"], json!(0), "{dns:?}: {round}");
        for n in 2..HOSTS {
            assert_eq!(
                server.shows(&format!("h{n}")),
                format!("192.0.2.{n}"),
                "{dns:?}"
            );
        }
        assert_eq!(server.shows("h0"), "", "{dns:?}");
        assert_eq!(server.shows("h1"), "", "{dns:?}");
        assert_eq!(server.shows("fresh"), "203.0.113.99", "{dns:?}");
        let (ok, report) = status(&server);
        assert!(ok && report["pending"] == json!([]), "{dns:?}: {report:#}");
        // What was accepted meanwhile is all in the history, with who asked for it.
        let history = server.bowline(&["history", "h2"]);
        let changes = history.as_array().unwrap();
        let news: Vec<&str> = changes
            .iter()
            .map(|change| change["new"].as_str().unwrap())
            .collect();
        assert_eq!(
            news,
            [
                "203.0.113.2",
                "198.51.100.2",
                "203.0.113.2",
                "192.0.2.2",
                "198.51.100.2",
                "192.0.2.2"
            ],
            "{dns:?}"
        );
        for change in changes {
            assert_eq!(change["source"], "198.51.100.4", "{dns:?}: {change}");
            assert_eq!(change["dialect"], "path", "{dns:?}: {change}");
            assert_eq!(change["family"], "ipv4", "{dns:?}: {change}");
        }
    });
}

#[test]
fn a_zone_replaced_by_an_old_copy() {
    for_each(|dns| {
        let server = Instance::start(dns, &["--no-dnssec"]);
        let homes = homes(&server);
        move_all(&server, &homes, "203.0.113");
        server.stop("TERM");
        let (storage, kept) = (server.path(storage(dns)), server.path("kept"));
        copy(&storage, &kept);
        server.again();
        // PowerDNS counts serials in seconds: two states of one second could not be told apart.
        std::thread::sleep(std::time::Duration::from_millis(1100));
        move_all(&server, &homes, "198.51.100");
        server.bowline(&["upkeep"]);
        server.stop("TERM");
        copy(&kept, &storage);
        server.again();
        check_all(&server, "203.0.113");
        let round = server.bowline(&["upkeep"]);
        assert_eq!(round["mended"], json!(HOSTS), "{dns:?}: {round}");
        check_all(&server, "198.51.100");
        let (ok, report) = status(&server);
        assert!(ok, "{dns:?}: {report:#}");
    });
}

#[test]
fn a_registry_older_than_the_zone() {
    for_each(|dns| {
        let server = Instance::start(dns, &["--no-dnssec"]);
        let homes = homes(&server);
        move_all(&server, &homes, "203.0.113");
        let (state, kept) = (server.path("state"), server.path("kept"));
        copy(&state, &kept);
        move_all(&server, &homes, "198.51.100");
        copy(&kept, &state);

        let round = server.bowline(&["upkeep"]);
        assert_eq!(round["mended"], json!(0), "{dns:?}: {round}");
        assert_eq!(round["differing"], json!(HOSTS), "{dns:?}: {round}");
        check_all(&server, "198.51.100");
        let told = server.bowline_output(&["status"]);
        let said = String::from_utf8_lossy(&told.stderr).into_owned();
        assert!(!told.status.success(), "{dns:?}");
        assert!(
            said.contains("15 hosts differ") && said.contains("--adopt"),
            "{dns:?}: {said}"
        );

        let round = server.bowline(&["upkeep", "--adopt"]);
        assert_eq!(round["adopted"], json!(HOSTS), "{dns:?}: {round}");
        check_all(&server, "198.51.100");
        let (ok, report) = status(&server);
        assert!(ok, "{dns:?}: {report:#}");
        for (n, said) in visit_all(&server, &homes, "198.51.100")
            .into_iter()
            .enumerate()
        {
            assert_eq!(said, format!("200 nochg 198.51.100.{n}"), "{dns:?}");
        }
    });
}
