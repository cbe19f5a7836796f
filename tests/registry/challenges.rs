//! Challenges: how many there may be, and which are forgotten.

use bowline::registry::{ChallengeAccepted, ChallengeAsk, ChallengeEdit};
use bowline::span::Span;
use bowline::ttl::Ttl;

use crate::fixture::{Fixture, NOW, name, new_host};

#[test]
fn thirty_two_at_once_and_no_more() {
    let mut it = Fixture::new();
    let (id, token) = it.add("home");
    let token = it.key.digest(&token);
    let mut add = |n: u32| {
        let value = format!("{n:0>43}").parse().unwrap();
        let ask = ChallengeAsk {
            host: id,
            token,
            name: &name("home"),
            edit: &ChallengeEdit::Add(value, 100),
            dialect: "httpreq",
            now: NOW,
        };
        it.registry.accept_challenge(&ask).unwrap()
    };
    for n in 1..=32 {
        assert_eq!(add(n), ChallengeAccepted::Yes, "{n}");
    }
    assert_eq!(add(33), ChallengeAccepted::TooMany(32));
    assert_eq!(add(32), ChallengeAccepted::Yes, "it is there already");
    assert_eq!(it.registry.challenges(id).unwrap().len(), 32);
}

#[test]
fn what_is_refused_for_a_day_is_forgotten_only_when_nobody_wants_it() {
    let mut it = Fixture::new();
    let (id, token) = it.add("home");
    let token = it.key.digest(&token);
    let value: bowline::challenge::ChallengeValue = "x".repeat(43).parse().unwrap();
    for edit in [
        ChallengeEdit::Add(value.clone(), 2),
        ChallengeEdit::Remove(value),
    ] {
        let wanted = matches!(edit, ChallengeEdit::Add(..));
        let ask = ChallengeAsk {
            host: id,
            token,
            name: &name("home"),
            edit: &edit,
            dialect: "httpreq",
            now: NOW,
        };
        let accepted = it.registry.accept_challenge(&ask).unwrap();
        assert_eq!(accepted, ChallengeAccepted::Yes);
        for n in 0..40_u32 {
            let at = NOW.plus(Span::from_seconds(3600 * u64::from(n)));
            let all = it.registry.challenges(id).unwrap();
            assert_eq!(all.len(), usize::from(wanted || n < 31), "{n}");
            it.registry
                .fail_challenges(id, &all, false, true, at)
                .unwrap();
        }
    }
}

#[test]
fn whoever_has_the_name_next_did_not_set_them() {
    let mut it = Fixture::new();
    let (id, token) = it.add("home");
    it.accept(id, &token, "203.0.113.1");
    let value = "x".repeat(43).parse().unwrap();
    let ask = ChallengeAsk {
        host: id,
        token: it.key.digest(&token),
        name: &name("home"),
        edit: &ChallengeEdit::Add(value, 100),
        dialect: "httpreq",
        now: NOW,
    };
    let accepted = it.registry.accept_challenge(&ask).unwrap();
    assert_eq!(accepted, ChallengeAccepted::Yes);
    it.registry.remove(id, NOW).unwrap();
    // Before its removal is through.
    let mut again = new_host("home", None, &it.key);
    again.reuse = Span::ZERO;
    assert_eq!(it.registry.add(&[again], Ttl::DEFAULT, NOW).unwrap(), [id]);
    let challenges = it.registry.challenges(id).unwrap();
    assert!(challenges.iter().all(|one| !one.wanted), "{challenges:?}");
}
