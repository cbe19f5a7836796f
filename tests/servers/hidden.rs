//! What a delegation hides goes with its host, so that it does not come back later.

use serde_json::json;

use crate::instance::{Instance, Kind, for_each, shell};
use crate::support::knot::ZONE;

/// What `ghost` is delegated to.
const NS: &str = "ns.elsewhere.example.";

#[test]
fn the_addresses_of_a_removed_host_go_where_a_delegation_hides_them_too() {
    for_each(|dns| {
        let server = Instance::start(dns, &["--no-dnssec"]);
        delegate(&server);
        for (name, end) in [
            ("ghost", "remove"),
            ("below.ghost", "disable"),
            ("again.ghost", "remove"),
        ] {
            let add = ["host", "add", name, "--wildcard"];
            let addresses = ["--ipv4", "203.0.113.98", "--ipv6", "2001:db8::98"];
            let added = server.bowline(&[&add[..], &addresses[..]].concat());
            assert_eq!(added["pending"], json!(true), "{dns:?}");
            assert_eq!(standing(&server), 4, "{dns:?} {name}");
            let ended = server.bowline_output(&["host", end, name]);
            let said = String::from_utf8(ended.stderr).unwrap();
            assert!(ended.status.success() && said.is_empty(), "{dns:?} {said}");
            assert_eq!(standing(&server), 0, "{dns:?} {name}");
        }
        let pending = server.bowline(&["host", "list", "--pending"]);
        assert_eq!(pending, json!([]), "{dns:?}");
        if dns == Kind::Knot {
            knotc(&server, &format!("zone-unset {ZONE} ghost NS"));
            for name in ["ghost", "x.ghost", "below.ghost", "x.below.ghost"] {
                assert_eq!(server.shows(name), "");
            }
        }
    });
}

/// How many records of the test's addresses the zone has, hidden or not.
fn standing(server: &Instance) -> usize {
    let below = |path: &str| server.path(path).display().to_string();
    let zone = match server.dns {
        Kind::Knot => shell(&format!(
            "knotc -c {} zone-read {ZONE}",
            below("knot/knot.conf")
        )),
        Kind::Bind => shell(&format!(
            "named-compilezone -q -j -i none -o - {ZONE} {}",
            below("bind/db/dyn.example.org.zone")
        )),
        Kind::PowerDns => shell(&format!(
            "pdnsutil --config-dir={} list-zone {ZONE}",
            below("pdns")
        )),
    };
    zone.matches("203.0.113.98").count() + zone.matches("2001:db8::98").count()
}

/// A transaction of one step.
fn knotc(server: &Instance, step: &str) {
    let knotc = format!("knotc -c {}", server.path("knot/knot.conf").display());
    shell(&format!(
        "{knotc} zone-begin {ZONE} && {knotc} {step} && {knotc} zone-commit {ZONE}"
    ));
}

/// A delegation of `ghost`, set by whoever runs the name server.
fn delegate(server: &Instance) {
    let below = |path: &str| server.path(path).display().to_string();
    match server.dns {
        Kind::Knot => knotc(server, &format!("zone-set {ZONE} ghost 60 NS {NS}")),
        Kind::Bind => {
            server.stop("TERM");
            let zone = below("bind/db/dyn.example.org.zone");
            shell(&format!(
                "rm -f {zone}.jnl && echo 'ghost.{ZONE}. 60 NS {NS}' >> {zone}"
            ));
            server.again();
        }
        Kind::PowerDns => {
            shell(&format!(
                "pdnsutil --config-dir={} add-record {ZONE} ghost NS 60 {NS}",
                below("pdns")
            ));
        }
    }
}
