//! A record that the name server shows otherwise, and that cannot be mended, is seen.

use serde_json::json;

use crate::place::Place;
use crate::published::served;
use crate::support::knot::{Knot, ZONE};

/// One step after the other in one transaction, behind bowline's back.
fn by_hand(knot: &Knot, steps: &[&str]) {
    knot.knotc(&["zone-begin", ZONE]);
    for step in steps {
        let (verb, rest) = step.split_once(' ').unwrap();
        let mut args = vec![verb, ZONE];
        args.extend(rest.splitn(4, ' '));
        knot.knotc(&args);
    }
    knot.knotc(&["zone-commit", ZONE]);
}

/// All is as it should be, and said to be.
fn check_well(it: &Place) {
    it.done("upkeep");
    it.done("status");
    assert_eq!(it.json("status")["differing"], json!([]));
    assert_eq!(it.json("host show nas")["differs"], json!(null));
    assert!(!it.done("host list").contains("differs"));
    assert!(!it.done("host show nas").contains("differs"));
}

/// Every verb names the host, and what stands there instead.
fn check_seen(it: &Place, shown: &str, why: &str) {
    for _ in 0..3 {
        assert!(it.done("upkeep").contains("1 left different"));
    }
    let ran = it.run("status");
    assert_eq!(ran.code, 1, "{}", ran.out);
    let line =
        format!("differs        nas.dyn.example.org: 203.0.113.7, the name server has {shown}");
    assert!(ran.out.contains(&line), "{}", ran.out);
    assert!(ran.out.contains(why), "{}", ran.out);
    assert!(
        ran.err.contains("1 host differs from zone dyn.example.org"),
        "{}",
        ran.err
    );
    assert!(!ran.err.contains("--adopt"), "{}", ran.err);
    assert!(
        it.run("status --metrics")
            .out
            .contains("bowline_hosts_differing{zone=\"dyn.example.org\"} 1")
    );
    let list = it.done("host list");
    let line = list.lines().find(|line| line.starts_with("nas")).unwrap();
    assert!(line.contains("  differs  "), "{list}");
    let show = it.done("host show nas");
    assert!(
        show.contains(&format!("differs        the name server has {shown}")),
        "{show}"
    );
    assert!(show.contains(why), "{show}");
    assert_eq!(it.json("host show nas")["differs"], shown);
    let examined = it.run("doctor").out;
    let problem = "shown otherwise by their name server, nas.dyn.example.org first";
    assert!(examined.contains(problem), "{examined}");
    assert_eq!(it.json("host show home")["differs"], json!(null));
}

#[test]
fn what_cannot_be_mended_is_seen_until_it_is() {
    let (it, knot) = served();
    it.done("host add home --ipv4 203.0.113.1");
    it.done("host add nas --ipv4 203.0.113.7");
    check_well(&it);

    by_hand(
        &knot,
        &["zone-unset nas", "zone-set nas 60 CNAME example.org."],
    );
    check_seen(
        &it,
        "a CNAME at this name",
        "nas.dyn.example.org is hidden by a CNAME",
    );
    by_hand(&knot, &["zone-unset nas"]);
    check_well(&it);
    assert_eq!(knot.kdig("nas.dyn.example.org", "A"), ["203.0.113.7"]);

    by_hand(&knot, &["zone-unset nas"]);
    knot.freeze();
    check_seen(&it, "no address", "refused: REFUSED");
    knot.thaw();
    check_well(&it);

    // Put right by another hand.
    by_hand(
        &knot,
        &["zone-unset nas", "zone-set nas 60 CNAME example.org."],
    );
    check_seen(&it, "a CNAME at this name", "CNAME");
    by_hand(&knot, &["zone-unset nas", "zone-set nas 60 A 203.0.113.7"]);
    check_well(&it);
}
