//! What the key may do, and what it may not, on every name server.

use std::fs;
use std::process::Command;

use crate::instance::{Instance, Kind, for_each, shell};
use crate::support::skip::{Privilege, may};

/// Sends one update; whether the server took it.
fn update(server: &Instance, command: &str, key: Option<&str>, source: &str) -> bool {
    let key = key.map_or(String::new(), |key| format!("key {key}\n"));
    let script = server.path("update");
    let text = format!(
        "server 127.0.0.1 {}\nlocal {source}\n{key}zone dyn.example.org.\n{command}\nsend\n",
        server.update
    );
    fs::write(&script, text).unwrap();
    let done = Command::new("knsupdate").arg(&script).output().unwrap();
    done.status.success()
}

#[test]
fn addresses_below_the_apex_and_nothing_else() {
    for_each(|dns| {
        let server = Instance::start(dns, &["--no-dnssec"]);
        let key = server.key();
        let allowed = [
            "add h.dyn.example.org. 60 A 203.0.113.7",
            "add h.dyn.example.org. 60 AAAA 2001:db8::7",
            "add *.h.dyn.example.org. 60 A 203.0.113.7",
            "add a.b.dyn.example.org. 60 A 203.0.113.7",
            "delete h.dyn.example.org. A",
        ];
        for command in allowed {
            let command = format!("update {command}");
            assert!(
                update(&server, &command, Some(&key), "127.0.0.1"),
                "{dns:?} {command}"
            );
        }
        let before = zone(&server);
        let denied = [
            "update add dyn.example.org. 60 A 203.0.113.7",
            "update add dyn.example.org. 60 TXT x",
            "update add dyn.example.org. 60 NS evil.example.org.",
            "update delete dyn.example.org. NS",
            "update delete dyn.example.org. SOA",
            "update add h.dyn.example.org. 60 NS ns1.example.org.",
            "update add h.dyn.example.org. 60 MX 10 mail.example.org.",
            "update add h.dyn.example.org. 60 CAA 0 issue \";\"",
            "update add c.dyn.example.org. 60 CNAME example.org.",
            "update add h.dyn.example.org. 60 TXT x",
            "update add _acme-challenge.h.dyn.example.org. 60 TXT x",
            "update add _acme-challenge.dyn.example.org. 60 TXT x",
            "update add h.dyn.example.org. 60 A 203.0.113.8\nupdate add dyn.example.org. 60 A 203.0.113.8",
        ];
        for command in denied {
            assert!(
                !update(&server, command, Some(&key), "127.0.0.1"),
                "{dns:?} {command}"
            );
        }
        let add = "update add x.dyn.example.org. 60 A 203.0.113.7";
        assert!(!update(&server, add, None, "127.0.0.1"), "{dns:?} unsigned");
        assert!(
            !update(&server, add, Some(&key), "127.0.0.9"),
            "{dns:?} from elsewhere"
        );
        let (front, _) = key.rsplit_once(':').unwrap();
        let wrong = format!("{front}:bm90IHRoZSBzZWNyZXQgb2YgYm93bGluZQ==");
        assert!(
            !update(&server, add, Some(&wrong), "127.0.0.1"),
            "{dns:?} wrong secret"
        );
        if dns != Kind::Knot {
            // Knot has no rule for it.
            let all = "update add *.dyn.example.org. 60 A 203.0.113.7";
            assert!(
                !update(&server, all, Some(&key), "127.0.0.1"),
                "{dns:?} zone-wide wildcard"
            );
        }
        // "Delete everything at this name" takes what the key may take, at most.
        update(
            &server,
            "update delete dyn.example.org.",
            Some(&key),
            "127.0.0.1",
        );
        assert_eq!(zone(&server), before, "{dns:?}");
        let axfr = server.dig("dyn.example.org", "AXFR");
        assert!(
            !axfr.iter().any(|line| line.contains("203.0.113.7")),
            "{axfr:?}"
        );
    });
}

/// What is seen at the names of this test.
fn zone(server: &Instance) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for name in [
        "dyn",
        "h.dyn",
        "c.dyn",
        "x.dyn",
        "nobody.dyn",
        "_acme-challenge.h.dyn",
    ] {
        for rtype in ["A", "AAAA", "NS", "MX", "TXT", "CAA", "CNAME"] {
            all.push(server.dig(&format!("{name}.example.org"), rtype));
        }
    }
    all
}

#[test]
fn challenges_only_when_asked_for() {
    for_each(|dns| {
        let server = Instance::start(dns, &["--no-dnssec", "--acme"]);
        let key = server.key();
        for (command, allowed) in [
            ("add _acme-challenge.h.dyn.example.org. 60 TXT x", true),
            ("add h.dyn.example.org. 60 A 203.0.113.7", true),
            ("add dyn.example.org. 60 TXT x", false),
            ("add h.dyn.example.org. 60 CAA 0 issue \";\"", false),
            // A certificate for the apex; Knot before 3.3.3 cannot tell.
            (
                "add _acme-challenge.dyn.example.org. 60 TXT x",
                dns == Kind::Knot && !patterns(),
            ),
            // No rule of BIND can tell, nor an old Knot's.
            (
                "add h.dyn.example.org. 60 TXT x",
                dns == Kind::Bind || dns == Kind::Knot && !patterns(),
            ),
        ] {
            let command = format!("update {command}");
            assert_eq!(
                update(&server, &command, Some(&key), "127.0.0.1"),
                allowed,
                "{dns:?} {command}"
            );
        }
    });
}

/// Whether this Knot tells `_acme-challenge` from other names.
pub(crate) fn patterns() -> bool {
    let said = shell("knotd --version");
    let version = said.trim().rsplit(' ').next().unwrap();
    let mut numbers = version
        .split('.')
        .map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    (next(), next(), next()) >= (3, 3, 3)
}

#[test]
fn powerdns_without_a_good_script_changes_nothing() {
    if !Kind::PowerDns.is_installed() {
        return;
    }
    let server = Instance::start(Kind::PowerDns, &["--no-dnssec"]);
    let script = server.path("pdns/bowline/update-policy.lua");
    let add = "update add x.dyn.example.org. 60 A 203.0.113.7";
    fs::write(&script, "syntax error(").unwrap();
    server.stop("TERM");
    server.again();
    assert!(!update(&server, add, Some(&server.key()), "127.0.0.1"));
    assert!(!update(&server, add, None, "127.0.0.1"));
    assert_eq!(server.dig("x.dyn.example.org", "A"), Vec::<String>::new());
    // One that is missing would be taken for leave to do everything: it is not started then.
    fs::remove_file(&script).unwrap();
    server.stop("TERM");
    let steps = crate::instance::steps(&server.bowline(&["zone", "add", "two.example.org"]));
    let start = steps
        .iter()
        .find(|step| step.contains("--daemon=yes"))
        .unwrap();
    assert!(start.starts_with("test -r "), "{start}");
    let started = Command::new("sh").args(["-c", start]).status().unwrap();
    assert!(!started.success());
    assert_eq!(server.dig("dyn.example.org", "SOA"), Vec::<String>::new());
}

#[test]
fn the_key_is_worth_nothing_at_a_public_address() {
    if !may(Privilege::Ipv6) {
        return;
    }
    for_each(|dns| {
        let port = crate::support::knot::free_port();
        let listen = format!("--dns-listen=::1@{port}");
        let server = Instance::start(dns, &["--no-dnssec", &listen]);
        let script = server.path("update");
        let text = format!(
            "server ::1 {port}\nkey {}\nzone dyn.example.org.\n\
             update add x.dyn.example.org. 60 A 203.0.113.7\nsend\n",
            server.key()
        );
        fs::write(&script, text).unwrap();
        let done = Command::new("knsupdate").arg(&script).output().unwrap();
        assert!(!done.status.success(), "{dns:?}");
        assert_eq!(
            crate::instance::dig("::1", port, "dyn.example.org", "NS"),
            ["ns1.example.org."],
            "{dns:?}: it answers there"
        );
        assert_eq!(server.dig("x.dyn.example.org", "A"), Vec::<String>::new());
    });
}
