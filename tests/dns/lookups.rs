//! What the zone holds, and what hides it.

use bowline::dns::{Answer, By, LookupError, Texts};
use bowline::ip::Family;
use bowline::name::{HostName, RecordName};

use crate::common::{bench, bench_with, found, in_seconds, record, zone};
use crate::support::knot::{Options, ZONE};

#[test]
fn cname_dname_and_delegation_hide() {
    let bench = bench(&[
        "home 60 A 203.0.113.1",
        "alias 60 CNAME home",
        "aliens 60 CNAME www.example.net.",
        "*.wild 60 CNAME home",
        "moved 60 DNAME example.net.",
        "cut 60 NS ns1.example.net.",
        "glue 60 NS ns.glue",
        "ns.glue 60 A 203.0.113.2",
    ]);
    let cases = [
        ("home", found("203.0.113.1")),
        ("nothing", found("")),
        ("nothing.home", found("")),
        ("alias", Ok(Answer::Hidden(By::Cname))),
        ("aliens", Ok(Answer::Hidden(By::Cname))),
        ("x.wild", Ok(Answer::Hidden(By::Cname))),
        ("x.moved", Ok(Answer::Hidden(By::Dname))),
        ("moved", found("")),
        ("cut", Ok(Answer::Hidden(By::Delegation))),
        ("x.cut", Ok(Answer::Hidden(By::Delegation))),
        ("ns.glue", Ok(Answer::Hidden(By::Delegation))),
    ];
    for (name, answer) in cases {
        assert_eq!(bench.look(name).unwrap().answers[0], answer, "{name}");
    }
}

#[test]
fn a_truncated_answer_is_asked_for_again_by_tcp() {
    let addresses: Vec<String> = (1..=120).map(|n| format!("2001:db8::{n:x}")).collect();
    let records: Vec<String> = addresses
        .iter()
        .map(|address| format!("home 60 AAAA {address}"))
        .collect();
    let bench = bench_with(&Options {
        records,
        ..Options::default()
    });
    let answers = bench.look("home").unwrap();
    assert_eq!(answers.answers, [found(""), found(&addresses.join(" "))]);
    assert_eq!(answers.serial, Some(bench.knot.serial()));
}

#[test]
fn a_zone_below_on_the_same_server_is_a_delegation() {
    let below = format!("sub.{ZONE}");
    let bench = bench_with(&Options {
        zones: vec![below],
        ..Options::default()
    });
    assert_eq!(
        bench.look("x.sub").unwrap().answers[0],
        Ok(Answer::Hidden(By::Delegation))
    );
}

#[test]
fn a_zone_above_does_not_answer_for_ours() {
    let bench = bench(&[]);
    let zone = format!("sub.{ZONE}").parse().unwrap();
    let name = bowline::name::RecordName::parse("home", &zone).unwrap();
    for serial in [false, true] {
        let questions = [(&name, Family::Ipv4)];
        let answers =
            bowline::dns::lookup(&bench.server, &zone, &questions, serial, in_seconds(20));
        assert_eq!(answers, Err(LookupError::NotAuthoritative));
    }
}

#[test]
fn the_serial_alone_and_nothing_at_all() {
    let bench = bench(&[]);
    let zone = crate::common::zone();
    let ask =
        |serial| bowline::dns::lookup(&bench.server, &zone, &[], serial, in_seconds(20)).unwrap();
    assert_eq!(ask(true).serial, Some(bench.knot.serial()));
    assert_eq!(ask(false).serial, None);
}

#[test]
fn a_record_set_behind_our_back_is_seen() {
    let bench = bench(&[]);
    assert_eq!(bench.look("home").unwrap().answers[0], found(""));
    bench.knot.set("home 60 A 203.0.113.9");
    assert_eq!(bench.look("home").unwrap().answers[0], found("203.0.113.9"));
    assert_eq!(record("home").to_string(), format!("home.{ZONE}"));
}

#[test]
fn challenges_agree_when_all_are_there_and_none_that_is_to_go() {
    let value = |letter: &str| letter.repeat(43);
    let wanted = Texts {
        name: RecordName::challenge(HostName::new("home", &zone()).unwrap()),
        add: vec![value("a").parse().unwrap()],
        remove: vec![value("b").parse().unwrap()],
    };
    for (found, agrees) in [("a", true), ("ac", true), ("", false), ("ab", false)] {
        let texts = found.chars().map(|letter| value(&letter.to_string()));
        assert_eq!(wanted.agrees(&texts.collect::<Vec<_>>()), agrees, "{found}");
    }
}
