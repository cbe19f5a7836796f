//! The NS that stand in a zone itself, when name servers are named later.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::instance::{Instance, Kind, shell, steps};
use crate::secondary::Secondary;
use crate::support::knot::{ZONE, free_port, wait_until};

const BOTH: [&str; 2] = ["ns1.example.org.", "ns2.example.org."];
const SECOND: &str = "--nameserver=ns2.example.org";

/// What the doctor says of the NS: how it went, what was found, what to do.
fn zone_ns(primary: &Instance) -> (String, String, String) {
    let via = format!("--via=127.0.0.1@{}", primary.port);
    let output = primary.bowline_output(&["doctor", &via]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut checks = report["checks"].as_array().unwrap().iter();
    let found = checks.find(|check| check["name"] == "zone-ns").unwrap();
    let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    (text("status"), text("says"), text("hint"))
}

/// `knotc` as the steps call it.
fn knotc(primary: &Instance, arguments: &str) -> String {
    let conf = primary.path("knot/knot.conf").display().to_string();
    shell(&format!("knotc -c {conf} {arguments}"))
}

/// Whether every signature of the zone fits what it signs.
fn is_signed(primary: &Instance) -> bool {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().display();
    knotc(primary, &format!("-b zone-flush +outdir {path} {ZONE}"));
    let file = format!("{path}/{ZONE}.zone");
    assert!(Path::new(&file).exists());
    let checked = Command::new("dnssec-verify")
        .args(["-z", "-o", ZONE, &file])
        .output();
    let signatures = primary.dig(ZONE, "RRSIG");
    let of_ns = signatures.iter().any(|line| line.starts_with("NS "));
    checked.unwrap().status.success() && of_ns
}

#[test]
fn a_second_name_server_gets_into_the_zone() {
    if !Kind::Knot.is_installed() {
        return;
    }
    let primary = Instance::start(Kind::Knot, &["--public=127.0.0.1"]);
    let home = primary.add("home");
    assert_eq!(primary.visit(&home.with("203.0.113.7")).status, 200);
    assert_eq!(primary.dig(ZONE, "NS"), BOTH[..1]);
    wait_until("keys", || !primary.dig(ZONE, "CDS").is_empty());
    let keys = primary.dig(ZONE, "DNSKEY");

    let port = free_port();
    let there = format!("--secondary=127.0.0.1@{port}");
    let more = [SECOND, &there, "--public=127.0.0.1", "--apply"];
    let left = primary.init_again_with(&more);
    assert_eq!(primary.dig(ZONE, "NS"), BOTH);
    assert!(is_signed(&primary));
    assert_eq!(primary.dig(ZONE, "DNSKEY"), keys);
    assert_eq!(primary.shows("home"), "203.0.113.7");
    let secondary = Secondary::start(port, &primary.path("secondary.conf"));
    wait_until("the NS there", || secondary.shows(ZONE, "NS") == BOTH);
    let (status, says, _) = zone_ns(&primary);
    assert_eq!(
        (status.as_str(), says.as_str()),
        ("ok", "ns1.example.org, ns2.example.org")
    );

    // Nothing is left to do the second time.
    let serial = primary.dig(ZONE, "SOA");
    let again = primary.init_again_with(&more);
    let todo = |report| -> Vec<String> {
        let all = steps(report).into_iter();
        all.filter(|step| !step.starts_with("scp") && !step.starts_with("ssh"))
            .collect()
    };
    assert_eq!(todo(&again), todo(&left));
    assert!(!again["next"].to_string().contains("knotc"), "{again:#}");
    assert_eq!(primary.dig(ZONE, "SOA"), serial);
    // A visit still gets in.
    let answer = primary.visit(&home.with("203.0.113.8"));
    assert_eq!(answer.said(), "200 good 203.0.113.8");
}

#[test]
fn the_doctor_compares_with_what_the_parent_is_told() {
    if !Kind::Knot.is_installed() {
        return;
    }
    let primary = Instance::start(Kind::Knot, &[]);
    let shown = primary.init_again_with(&[SECOND]);
    let step = |report: &Value| {
        let all = steps(report).into_iter();
        all.filter(|step| step.contains(" NS ")).collect::<Vec<_>>()
    };
    assert_eq!(step(&shown).len(), 1, "{shown:#}");
    assert_eq!(primary.dig(ZONE, "NS"), BOTH[..1]);
    let (status, says, hint) = zone_ns(&primary);
    assert_eq!(status, "problem");
    assert!(says.starts_with("it lacks ns2.example.org, "), "{says}");
    let command = hint.split('`').nth(1).unwrap();
    assert_eq!(step(&shown), [command]);
    shell(command);
    assert_eq!(primary.dig(ZONE, "NS"), BOTH);
    assert!(is_signed(&primary));
    // Once more does no harm, and leaves no transaction open.
    shell(command);
    assert_eq!(primary.dig(ZONE, "NS"), BOTH);
    let status = knotc(&primary, &format!("zone-status {ZONE}"));
    assert!(!status.contains("transaction: open"), "{status}");
    assert_eq!(zone_ns(&primary).0, "ok");
    assert!(step(&primary.init_again_with(&[SECOND])).is_empty());
}

#[test]
fn a_name_server_that_somebody_else_put_there_stays() {
    if !Kind::Knot.is_installed() {
        return;
    }
    let primary = Instance::start(Kind::Knot, &[]);
    // A TTL of their own stays too.
    for step in [
        format!("zone-begin {ZONE}"),
        format!("zone-unset {ZONE} @ NS"),
        format!("zone-set {ZONE} @ 7200 NS ns1.example.org."),
        format!("zone-set {ZONE} @ 7200 NS ns9.example.net."),
        format!("zone-commit {ZONE}"),
    ] {
        knotc(&primary, &step);
    }
    let report = primary.init_again_with(&[SECOND, "--apply"]);
    let all = [BOTH[0], BOTH[1], "ns9.example.net."];
    assert_eq!(primary.dig(ZONE, "NS"), all);
    let said = steps(&report);
    let says = |step: &&String| step.starts_with('#') && step.contains("ns9.example.net");
    assert_eq!(said.iter().filter(says).count(), 1, "{said:#?}");
    let (status, says, hint) = zone_ns(&primary);
    assert_eq!(status, "ok", "{says}");
    assert!(hint.contains("ns9.example.net"), "{hint}");
    let ttl = knotc(&primary, &format!("zone-read {ZONE} @ NS"));
    assert!(ttl.lines().all(|line| line.contains(" 7200 ")), "{ttl}");
}

#[test]
fn a_name_server_that_was_down_meanwhile() {
    if !Kind::Knot.is_installed() {
        return;
    }
    for is_lost in [false, true] {
        let primary = Instance::start(Kind::Knot, &[]);
        primary.stop("TERM");
        if is_lost {
            // Then they all come with its first contents.
            fs::remove_dir_all(primary.path("knot/db/journal")).unwrap();
        }
        primary.init_again_with(&[SECOND, "--apply"]);
        assert_eq!(primary.dig(ZONE, "NS"), BOTH);
        assert!(is_signed(&primary));
    }
}

#[test]
fn each_in_its_own_way() {
    crate::instance::for_each(|dns| {
        let primary = Instance::start(dns, &[]);
        let report = primary.init_again_with(&[SECOND, "--apply"]);
        let says = |step: &String| step.starts_with('#') && step.contains("NS ns2.example.org.");
        if dns == Kind::Bind {
            assert!(steps(&report).iter().any(says), "{report:#}");
            assert_eq!(zone_ns(&primary).0, "problem");
            return;
        }
        assert_eq!(primary.dig(ZONE, "NS"), BOTH);
        assert!(!steps(&report).iter().any(says), "{report:#}");
        let port = primary.port;
        let signed = shell(&format!(
            "kdig @127.0.0.1 -p {port} +short +dnssec {ZONE} NS"
        ));
        assert!(signed.contains("NS 13 3 3600 "), "{signed}");
        let again = primary.init_again_with(&[SECOND, "--apply"]);
        assert_eq!(steps(&again), steps(&report));
    });
}
