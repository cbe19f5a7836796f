//! A wildcard answers for hosts without records: upkeep finds nothing to mend there.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::instance::{Instance, Kind, for_each, shell};
use crate::support::knot::ZONE;

/// What the wildcard has.
const HUB: [&str; 2] = ["203.0.113.200", "2001:db8::200"];
/// More than a second.
const SECOND: Duration = Duration::from_millis(1100);

/// Changes behind our back, with the key: lines of `nsupdate`.
///
/// In a second of its own, so that the serial of PowerDNS changes too, and Knot has none to wait
/// for afterwards.
pub(crate) fn by_hand(server: &Instance, lines: &[&str]) {
    thread::sleep(SECOND);
    let file = server.path("by-hand");
    let text = format!(
        "server 127.0.0.1 {}\nzone {ZONE}.\norigin {ZONE}.\n{}\nsend\n",
        server.update,
        lines.join("\n")
    );
    fs::write(&file, text).unwrap();
    let key = ["-y", &server.key()];
    let sent = Command::new("knsupdate").args(key).arg(&file).output();
    let sent = sent.unwrap();
    assert!(sent.status.success(), "{:?}: {sent:?}", server.dns);
    thread::sleep(SECOND);
}

/// The SOA as it is now; PowerDNS answers from its cache for a while.
fn soa(server: &Instance) -> String {
    match server.dns {
        Kind::Knot | Kind::Bind => server.dig(ZONE, "SOA").concat(),
        Kind::PowerDns => shell(&format!(
            "pdnsutil --config-dir={} list-zone {ZONE} | grep -w SOA",
            server.path("pdns").display()
        )),
    }
}

/// How many hosts a round found to differ: mended, adopted, left.
fn round(server: &Instance, options: &[&str]) -> [u64; 3] {
    // However slow this machine is, the next comparison does not rest from the last.
    let db = rusqlite::Connection::open(server.path("state/bowline.db")).unwrap();
    db.execute("UPDATE zone SET took = 0", []).unwrap();
    let done = server.bowline(&[&["upkeep"], options].concat());
    ["mended", "adopted", "differing"].map(|what| done[what].as_u64().unwrap())
}

fn hosts_below_a_wildcard(dns: Kind) -> Instance {
    let server = Instance::start(dns, &[]);
    let messages = server.path("messages").display().to_string();
    let tells =
        format!("\n[notify.command]\ncommand = [\"/bin/sh\", \"-c\", \"cat >> {messages}\"]\n");
    let config = server.read("bowline.toml") + &tells;
    fs::write(server.path("bowline.toml"), config).unwrap();
    let [ipv4, ipv6] = HUB;
    server.bowline(&[
        "host",
        "add",
        "hub",
        "--wildcard",
        "--ipv4",
        ipv4,
        "--ipv6",
        ipv6,
    ]);
    for n in 0..12 {
        let name = format!("n{n}.hub");
        server.bowline(&["host", "add", &name, "--ipv4", "203.0.113.1"]);
        match n {
            0 => server.bowline(&["host", "disable", &name]),
            _ => server.bowline(&["host", "set", &name, "--ipv4", "-"]),
        };
        assert_eq!(server.shows(&name), HUB.join(","), "{dns:?}");
    }
    server
}

#[test]
fn hosts_without_records_below_a_wildcard_are_as_wished() {
    for_each(|dns| {
        let server = hosts_below_a_wildcard(dns);
        // A wildcard answers for no type at a name that has another (RFC 4592 2.2.1).
        server.bowline(&["host", "add", "four.hub", "--ipv4", "203.0.113.4"]);
        assert_eq!(server.shows("four.hub"), "203.0.113.4", "{dns:?}");
        for _ in 0..2 {
            assert_eq!(round(&server, &[]), [0, 0, 0], "{dns:?}");
            assert_eq!(round(&server, &["--adopt"]), [0, 0, 0], "{dns:?}");
            // Whoever only asked has changed nothing.
            by_hand(&server, &["add other 60 A 192.0.2.1"]);
            let before = soa(&server);
            assert_eq!(round(&server, &[]), [0, 0, 0], "{dns:?}");
            assert_eq!(soa(&server), before, "{dns:?}");
            by_hand(&server, &["del other A"]);
        }
        let status = server.bowline_output(&["status"]);
        assert!(status.status.success(), "{dns:?} {status:?}");

        // What is really there is mended beside them, the same address as the wildcard's too.
        by_hand(
            &server,
            &[
                "add n3.hub 60 A 192.0.2.66",
                "add n7.hub 60 A 203.0.113.200",
                "add n7.hub 60 AAAA 2001:db8::200",
                "del four.hub A",
            ],
        );
        assert_eq!(server.shows("four.hub"), HUB.join(","), "{dns:?}");
        assert_eq!(round(&server, &[]), [3, 0, 0], "{dns:?}");
        assert_eq!(server.shows("four.hub"), "203.0.113.4", "{dns:?}");
        by_hand(
            &server,
            &["del hub A", "del hub AAAA", "del *.hub A", "del *.hub AAAA"],
        );
        for name in ["n3.hub", "n7.hub"] {
            assert_eq!(server.shows(name), "", "{dns:?}");
        }
        assert_eq!(round(&server, &[]), [1, 0, 0], "{dns:?}");
        assert_eq!(server.shows("x.hub"), HUB.join(","), "{dns:?}");

        let log = server.read("bowline.log");
        let messages = fs::read_to_string(server.path("messages")).unwrap_or_default();
        for n in [0, 1, 2, 4, 5, 6, 8, 9, 10, 11] {
            let name = format!("n{n}.hub.{ZONE}");
            let mended = |line: &str| line.contains(&name) && line.contains("mended");
            assert!(!log.lines().any(mended), "{dns:?} {log}");
            assert!(!messages.lines().any(mended), "{dns:?} {messages}");
        }
    });
}

#[test]
fn a_visit_that_removes_what_only_a_wildcard_shows_changes_nothing() {
    for_each(|dns| {
        let server = hosts_below_a_wildcard(dns);
        let home = server.add("home.hub");
        let clear = format!("/{}?clear=true", home.token);
        assert_eq!(server.visit(&home.with("203.0.113.9")).status, 200);
        assert_eq!(server.visit(&clear).said(), "200 good", "{dns:?}");
        assert_eq!(server.visit(&clear).said(), "200 nochg", "{dns:?}");
        let shown = server.bowline(&["host", "show", "home.hub"]);
        assert_eq!(shown["ipv4"], json!(null), "{dns:?}");
    });
}
