//! Wishes and facts: what is accepted, and what is confirmed of it.

use bowline::ip::Family;
use bowline::registry::{Accepted, ZoneState};
use bowline::span::Span;
use bowline::time::Timestamp;
use bowline::ttl::Ttl;

use crate::fixture::{Fixture, NOW, addresses, name, shown};

#[test]
fn wish_and_fact() {
    let mut it = Fixture::new();
    let (id, token) = it.add("home");
    assert!(!it.host(id).is_pending());

    assert!(matches!(
        it.accept(id, &token, "203.0.113.7"),
        Accepted::Wish(1)
    ));
    let host = it.host(id);
    assert!(host.is_pending());
    assert_eq!(host.wish.records.addresses, addresses("203.0.113.7"));
    assert_eq!(
        (shown(&host.held), host.fact.number),
        ("home".to_owned(), 0)
    );
    assert_eq!(it.registry.pending().unwrap().len(), 1);
    assert_eq!(host.unconfirmed, None);

    it.confirm(id);
    let host = it.host(id);
    assert!(!host.is_pending());
    assert_eq!(
        (host.fact.addresses, host.fact.serial),
        (addresses("203.0.113.7"), Some(7))
    );
    assert!(matches!(
        it.accept(id, &token, "203.0.113.7"),
        Accepted::Unchanged(_)
    ));

    assert!(matches!(
        it.accept(id, &token, "203.0.113.8,2001:db8::1"),
        Accepted::Wish(2)
    ));
    let history = it.registry.history(Some(id), NOW).unwrap();
    let shown: Vec<String> = history
        .iter()
        .map(|change| format!("{} {:?} {:?}", change.family, change.old, change.new))
        .collect();
    assert_eq!(
        shown,
        [
            "ipv4 None Some(203.0.113.7)",
            "ipv4 Some(203.0.113.7) Some(203.0.113.8)",
            "ipv6 None Some(2001:db8::1)",
        ]
    );
}

#[test]
fn a_fact_is_what_was_sent_never_the_newest_wish() {
    let mut it = Fixture::new();
    let (id, token) = it.add("home");
    it.accept(id, &token, "203.0.113.1");
    let sent = it.host(id).wish;
    it.accept(id, &token, "203.0.113.2");
    it.confirm_wish(id, &sent, NOW);
    let host = it.host(id);
    assert_eq!(host.fact.addresses, addresses("203.0.113.1"));
    assert!(host.is_pending());
}

#[test]
fn a_wish_on_an_unsettled_one_leaves_a_note() {
    let mut it = Fixture::new();
    let (id, token) = it.add("home");
    it.accept(id, &token, "203.0.113.1");
    assert_eq!(it.host(id).unconfirmed, None);
    it.accept(id, &token, "203.0.113.2");
    assert_eq!(it.host(id).unconfirmed, Some(NOW));

    // Of one that was refused it is known that it does not come any more.
    let (id, token) = it.add("other");
    it.accept(id, &token, "203.0.113.1");
    it.refused(id);
    it.accept(id, &token, "203.0.113.2");
    assert_eq!(it.host(id).unconfirmed, None);
}

#[test]
fn only_what_is_older_than_before_the_question_went_back() {
    let mut fixture = Fixture::new();
    let zone = name("home").zone();
    let mut seen = |serials: &[u32]| {
        fixture.registry.conclude(&zone, serials, &[], NOW).unwrap();
        let state = fixture.registry.zone_state(&zone).unwrap();
        (state.serial, state.went_back.is_some())
    };
    assert_eq!(seen(&[]), (None, false));
    assert_eq!(seen(&[7]), (Some(7), false));
    assert_eq!(seen(&[7, 9, 10]), (Some(10), false));
    // Another process asked before, and notes it later.
    assert_eq!(seen(&[7, 8]), (Some(10), false));
    assert_eq!(seen(&[10, 9]), (Some(10), true));
}

#[test]
fn an_older_wish_that_is_confirmed_does_not_hurry_a_newer_one() {
    let mut it = Fixture::new();
    let (id, token) = it.add("home");
    it.accept(id, &token, "203.0.113.7");
    let first = it.host(id).wish;
    it.accept(id, &token, "203.0.113.8");
    let db = rusqlite::Connection::open(it.directory.path().join("bowline.db")).unwrap();
    let limited = "UPDATE host SET retry_at = ?1, trouble = 'too many changes'";
    let later = NOW.plus(Span::from_seconds(600));
    db.execute(limited, [later.seconds()]).unwrap();
    it.confirm_wish(id, &first, NOW);
    let due = it.registry.due(Span::from_seconds(600), NOW).unwrap();
    assert!(due.is_empty());
    assert!(it.host(id).trouble.is_some());
    it.confirm(id);
    assert_eq!(it.host(id).trouble, None);
}

#[test]
fn what_is_refused_for_ever_is_tried_every_five_minutes() {
    let mut it = Fixture::new();
    let (id, token) = it.add("home");
    it.accept(id, &token, "203.0.113.7");
    for _ in 0..20 {
        it.registry.put_off(&[id], NOW).unwrap();
    }
    let due = |it: &Fixture, seconds| {
        let at = NOW.plus(Span::from_seconds(seconds));
        it.registry.due(Span::ZERO, at).unwrap().len()
    };
    assert_eq!((due(&it, 299), due(&it, 300)), (0, 1));
    // Another address may be taken: it is tried at once, and as often as any.
    it.accept(id, &token, "203.0.113.8");
    assert_eq!(due(&it, 0), 1);
    it.registry.put_off(&[id], NOW).unwrap();
    assert_eq!(due(&it, 0), 1);
}

#[test]
fn a_client_is_noted_often_enough_never_to_expire() {
    let mut it = Fixture::new();
    let (id, token) = it.add("home");
    it.accept(id, &token, "203.0.113.7");
    let is_heard = |families: &[Family], expire, at| {
        let families = families.iter().copied();
        it.host(id)
            .is_heard(families, Span::from_seconds(expire), at)
    };
    for (expire, seconds) in [(0, 3600), (600, 150), (86_400, 3600)] {
        let at = |seconds| NOW.plus(Span::from_seconds(seconds));
        assert!(is_heard(&[], expire, at(seconds - 1)), "{expire}");
        assert!(!is_heard(&[], expire, at(seconds)), "{expire}");
    }
    // The other family is news.
    assert!(is_heard(&[Family::Ipv4], 0, NOW));
    assert!(!is_heard(&Family::BOTH, 0, NOW));
    // A clock that was ahead is no reason to note it no more.
    assert!(!is_heard(&[], 0, NOW.minus(Span::from_seconds(1))));
}

#[test]
fn a_client_that_is_heard_meanwhile_does_not_expire() {
    let mut it = Fixture::new();
    let zone = name("home").zone();
    let ids = ["home", "nas"].map(|name| {
        let (id, token) = it.add(name);
        it.accept(id, &token, "203.0.113.7");
        it.confirm(id);
        (id, token)
    });
    let day = Span::from_days(1);
    let later = NOW.plus(Span::from_days(2));
    assert_eq!(it.registry.silent(&zone, day, later).unwrap().len(), 2);
    // Before it is their turn, one is heard.
    let [(home, token), (nas, _)] = ids;
    let digest = it.key.digest(&token);
    let heard = it.host(home);
    it.registry.heard(&heard, &[], &digest, later).unwrap();
    assert_eq!(it.registry.expire(home, day, later).unwrap(), None);
    assert!(it.registry.expire(nas, day, later).unwrap().is_some());
    let wished = [home, nas].map(|id| it.host(id).wish.records.addresses.to_string());
    assert_eq!(wished, ["203.0.113.7", ""]);
}

#[test]
fn what_a_visit_sees_go_back_during_a_comparison_stays_seen() {
    let mut it = Fixture::new();
    let zone = name("home").zone();
    let now = Timestamp::now();
    let before = |seconds| now.minus(Span::from_seconds(seconds));
    let compared = ZoneState {
        serial: Some(9),
        ..ZoneState::default()
    };
    let went_back = |it: &Fixture| it.registry.zone_state(&zone).unwrap().went_back;
    it.registry
        .conclude(&zone, &[10, 9], &[], before(20))
        .unwrap();
    it.registry.compared(&zone, &compared, before(30)).unwrap();
    assert_eq!(went_back(&it), Some(before(20)));
    it.registry.compared(&zone, &compared, before(10)).unwrap();
    assert_eq!(went_back(&it), None, "it was seen before that began");
}

#[test]
fn the_zones_word_is_not_taken_for_a_wish_that_came_meanwhile() {
    let mut it = Fixture::new();
    let (id, token) = it.add("home");
    it.accept(id, &token, "203.0.113.7");
    it.confirm(id);
    let number = it.host(id).wish.number;
    it.accept(id, &token, "203.0.113.8");
    let mut adopt = |number| {
        let shown = addresses("203.0.113.9");
        let adopted = it.registry.adopt(id, number, shown, Ttl::DEFAULT, NOW);
        (adopted.unwrap(), it.host(id).wish.records.addresses)
    };
    assert_eq!(adopt(number), (false, addresses("203.0.113.8")));
    assert_eq!(adopt(number + 1), (true, addresses("203.0.113.9")));
}
