//! What of Knot's loses updates, or holds them up, and the way away from it: settings, its disk,
//! signatures.

use std::process::Command;

use crate::parent::{DELEGATION, Parent};
use crate::patient::{doctor, edit, edit_knot, healthy, options};
use crate::support::disk::Disk;

const RECOMMENDED: &str = "zonefile-load: none\n    journal-content: all\n    zonefile-sync: 5m";

/// Whoever does what the hint says, word by word, keeps the zone.
#[test]
fn the_hint_keeps_the_zone_and_what_is_in_it() {
    for (load, content, sync) in [
        ("whole", "none", "-1"),
        ("none", "changes", "5m"),
        ("difference", "changes", "-1"),
        ("difference-no-serial", "all", "-1"),
    ] {
        let mut site = healthy(options());
        let parent = Parent::with(DELEGATION);
        let bad = format!(
            "zonefile-load: {load}\n    journal-content: {content}\n    zonefile-sync: {sync}"
        );
        edit_knot(&site, RECOMMENDED, &bad);
        site.knot.set("own 300 A 192.0.2.77");
        let said = doctor(&site, &parent, &[]);
        let mut checks = said.checks().iter();
        let found = checks.find(|check| check["name"] == "durability").unwrap();
        assert_eq!(found["status"], "problem", "{bad}");
        let hint = found["hint"].as_str().unwrap();
        let steps: Vec<&str> = hint.split("; ").collect();
        let [flush, first, second] = steps.as_slice() else {
            panic!("{hint}")
        };
        let flush = Command::new("sh")
            .args(["-c", flush.trim_matches('`')])
            .output();
        assert!(flush.unwrap().status.success(), "{hint}");
        assert!(first.contains("zonefile-load: whole") && first.contains("journal-content: all"));
        let whole = RECOMMENDED.replace("none", "whole");
        edit(&site, "knot/knot.conf", &bad, &whole);
        site.knot.restart();
        assert!(second.contains("zonefile-load: none"), "{hint}");
        edit(&site, "knot/knot.conf", &whole, RECOMMENDED);
        site.knot.restart();
        assert_eq!(
            site.knot.kdig("own.dyn.example.org", "A"),
            ["192.0.2.77"],
            "{bad}"
        );
        let said = doctor(&site, &parent, &[]);
        assert_eq!(said.problems(), ["url"], "{bad}: {:#}", said.document);
    }
}

#[test]
fn what_is_well_gets_no_advice() {
    let site = healthy(options());
    edit_knot(&site, RECOMMENDED, "zonefile-load: whole");
    let said = doctor(&site, &Parent::with(DELEGATION), &[]);
    let mut checks = said.checks().iter();
    let found = checks.find(|check| check["name"] == "durability").unwrap();
    assert_eq!(
        (found["status"].as_str(), found["hint"].as_str()),
        (Some("ok"), None)
    );
}

#[test]
fn a_journal_on_a_full_disk_is_told() {
    let mut site = healthy(options());
    let storage = site.knot.knotc(&["conf-read", "database.storage"]);
    let (_, storage) = storage.trim().split_once(" = ").unwrap();
    let storage = storage.trim_matches('"');
    site.knot.stop();
    let Some(disk) = Disk::over(storage.as_ref()) else {
        return;
    };
    site.knot.restart();
    let said = doctor(&site, &Parent::with(DELEGATION), &[]);
    site.knot.stop();
    drop(disk);
    assert_eq!(said.problems(), ["disk-space", "url"]);
    let problem =
        |check: &&serde_json::Value| check["name"] == "disk-space" && check["status"] == "problem";
    let says = said.checks().iter().find(problem).unwrap()["says"].as_str();
    assert!(says.unwrap().ends_with(storage), "{says:?}");
}

#[test]
fn signatures_of_a_clock_that_was_ahead_are_told() {
    let site = healthy(options());
    // The SOA's is of the last update, the keys' of a year to come.
    let set = |covered: &str, begin: &str| {
        let times = format!("20380101000000 {begin}");
        let signature = "AAAA".repeat(21) + "AA==";
        site.knot.set(&format!(
            "@ 3600 RRSIG {covered} 13 3 3600 {times} 1 dyn.example.org. {signature}"
        ));
    };
    let key =
        "mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==";
    site.knot.set(&format!("@ 3600 DNSKEY 257 3 13 {key}"));
    set("SOA", "20260101000000");
    set("DNSKEY", "20260101000000");
    let parent = Parent::with(DELEGATION);
    assert_eq!(doctor(&site, &parent, &[]).problems(), ["url"]);
    let zone = "dyn.example.org";
    site.knot.knotc(&["zone-begin", zone]);
    site.knot.knotc(&["zone-unset", zone, "@", "RRSIG"]);
    site.knot.knotc(&["zone-commit", zone]);
    set("SOA", "20260101000000");
    set("DNSKEY", "20370101000000");
    let said = doctor(&site, &parent, &[]);
    assert_eq!(
        said.problems(),
        ["zone-dnssec", "url"],
        "{:#}",
        said.document
    );
    let about = said.about("zone-dnssec");
    assert!(about.contains("the clock was ahead"), "{about}");
}
