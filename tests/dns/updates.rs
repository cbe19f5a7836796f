//! Updates that are made, seen by us and by kdig.

use bowline::dns::{Answer, By, Refusal, Swap, Verdict};
use bowline::ip::Family;

use crate::common::{bench, found, record, set, swap};
use crate::support::knot::ZONE;

#[test]
fn first_address_then_another_then_none() {
    let bench = bench(&[]);
    let name = format!("home.{ZONE}");

    assert_eq!(
        bench.send(&[swap("home", "", "203.0.113.7")]),
        Verdict::Done
    );
    let first = bench.look("home").unwrap();
    assert_eq!(first.answers, [found("203.0.113.7"), found("")]);
    assert_eq!(first.serial, Some(bench.knot.serial()));
    assert_eq!(bench.knot.kdig(&name, "A"), ["203.0.113.7"]);

    assert_eq!(
        bench.send(&[swap("home", "203.0.113.7", "203.0.113.8")]),
        Verdict::Done
    );
    let second = bench.look("home").unwrap();
    assert_eq!(second.answers, [found("203.0.113.8"), found("")]);
    assert_ne!(second.serial, first.serial);
    assert_eq!(bench.knot.kdig(&name, "A"), ["203.0.113.8"]);

    assert_eq!(
        bench.send(&[swap("home", "203.0.113.8", "")]),
        Verdict::Done
    );
    assert_eq!(bench.look("home").unwrap().answers, [found(""), found("")]);
    assert!(bench.knot.kdig(&name, "A").is_empty());
}

#[test]
fn both_families_and_the_wildcard_in_one_message() {
    let bench = bench(&[]);
    let before = bench.knot.serial();
    let swaps = [
        swap("home", "", "203.0.113.7"),
        swap("home", "", "2001:db8::7"),
        swap("*.home", "", "203.0.113.7"),
        swap("*.home", "", "2001:db8::7"),
    ];
    assert_eq!(bench.send(&swaps), Verdict::Done);
    assert_eq!(bench.knot.serial(), before + 1);
    for name in ["home", "*.home", "www.home"] {
        let both = [found("203.0.113.7"), found("2001:db8::7")];
        assert_eq!(bench.look(name).unwrap().answers, both, "{name}");
        let name = format!("{name}.{ZONE}");
        assert_eq!(bench.knot.kdig(&name, "AAAA"), ["2001:db8::7"], "{name}");
    }
}

#[test]
fn several_addresses_become_one() {
    let bench = bench(&["home 60 A 203.0.113.1", "home 60 A 203.0.113.2"]);
    assert_eq!(
        bench.look("home").unwrap().answers[0],
        found("203.0.113.1 203.0.113.2")
    );
    let all = swap("home", "203.0.113.1 203.0.113.2", "203.0.113.3");
    let some = swap("home", "203.0.113.1", "203.0.113.3");
    assert!(matches!(
        bench.send(&[some]),
        Verdict::Refused(Refusal::Differs(_))
    ));
    assert_eq!(bench.send(&[all]), Verdict::Done);
    assert_eq!(
        bench.knot.kdig(&format!("home.{ZONE}"), "A"),
        ["203.0.113.3"]
    );
}

#[test]
fn a_swap_to_the_same_address_only_compares() {
    let bench = bench(&["home 60 A 203.0.113.1"]);
    let before = bench.knot.serial();
    assert_eq!(
        bench.send(&[swap("home", "203.0.113.1", "203.0.113.1")]),
        Verdict::Done
    );
    let stale = bench.send(&[swap("home", "203.0.113.2", "203.0.113.2")]);
    assert!(matches!(stale, Verdict::Refused(Refusal::Differs(_))));
    assert_eq!(bench.knot.serial(), before);
}

#[test]
fn what_differs_is_left_alone_with_its_neighbours() {
    let bench = bench(&["other 60 A 203.0.113.9"]);
    for from in ["", "203.0.113.1"] {
        let swaps = [
            swap("home", "", "203.0.113.7"),
            swap("other", from, "203.0.113.7"),
        ];
        assert!(matches!(
            bench.send(&swaps),
            Verdict::Refused(Refusal::Differs(_))
        ));
    }
    assert!(bench.knot.kdig(&format!("home.{ZONE}"), "A").is_empty());
    assert_eq!(
        bench.knot.kdig(&format!("other.{ZONE}"), "A"),
        ["203.0.113.9"]
    );
}

#[test]
fn absence_below_a_wildcard_is_told_by_a_swap_not_by_a_lookup() {
    let bench = bench(&["*.home 60 A 203.0.113.9"]);
    assert_eq!(
        bench.look("nas.home").unwrap().answers[0],
        found("203.0.113.9")
    );
    let nothing = Swap {
        name: record("nas.home"),
        family: Family::Ipv4,
        from: set(""),
        to: None,
    };
    assert_eq!(bench.send(&[nothing]), Verdict::Done);
}

#[test]
fn a_cname_in_the_way_is_never_an_apparent_success() {
    let bench = bench(&["home 60 CNAME www.example.net."]);
    let verdict = bench.send(&[swap("home", "", "203.0.113.7")]);
    assert!(
        matches!(verdict, Verdict::Refused(Refusal::Differs(_))),
        "{verdict:?}"
    );
    assert_eq!(
        bench.look("home").unwrap().answers[0],
        Ok(Answer::Hidden(By::Cname))
    );
}

#[test]
fn two_hundred_and_fifty_hosts_go_by_tcp_and_are_read_back() {
    let bench = bench(&[]);
    let hosts: Vec<String> = (0..250)
        .map(|n| format!("a-rather-long-host-name-{n}"))
        .collect();
    let swaps: Vec<Swap> = hosts
        .iter()
        .enumerate()
        .map(|(n, host)| swap(host, "", &format!("2001:db8:{n:x}::1")))
        .collect();
    assert_eq!(bench.send(&swaps), Verdict::Done);
    let again: Vec<Swap> = hosts
        .iter()
        .enumerate()
        .map(|(n, host)| {
            swap(
                host,
                &format!("2001:db8:{n:x}::1"),
                &format!("2001:db8:{n:x}::2"),
            )
        })
        .collect();
    assert_eq!(bench.send(&again), Verdict::Done);

    let names: Vec<_> = hosts.iter().map(|host| record(host)).collect();
    let questions: Vec<_> = names.iter().map(|name| (name, Family::Ipv6)).collect();
    let deadline = crate::common::in_seconds(4);
    let zone = crate::common::zone();
    let answers = bowline::dns::lookup(&bench.server, &zone, &questions, true, deadline).unwrap();
    for (n, answer) in answers.answers.iter().enumerate() {
        assert_eq!(*answer, found(&format!("2001:db8:{n:x}::2")));
    }
    let last = format!("{}.{ZONE}", hosts[249]);
    assert_eq!(bench.knot.kdig(&last, "AAAA"), ["2001:db8:f9::2"]);
}
