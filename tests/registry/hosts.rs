//! Hosts come, are switched off, and go; their tokens with them.

use bowline::event::{Channel, Events, Wanted};
use bowline::registry::{Accepted, Behind, Edit, Holder, NewHost, RegistryError, Settings, State};
use bowline::span::Span;
use bowline::time::Timestamp;
use bowline::token::Token;
use bowline::ttl::Ttl;

use crate::fixture::{Fixture, NOW, addresses, name, new_host, shown};

#[test]
fn tokens() {
    let mut it = Fixture::new();
    let (id, token) = it.add("home");
    let found = |it: &Fixture, token: &Token, now| {
        it.registry
            .holder_of(token, now)
            .unwrap()
            .map(|(holder, _)| match holder {
                Holder::Host(host) => host.id,
                Holder::Owner(owner) => panic!("{owner:?}"),
            })
    };
    assert_eq!(found(&it, &token, NOW), Some(id));
    assert_eq!(found(&it, &Token::random().unwrap(), NOW), None);

    let second = Token::random().unwrap();
    it.registry
        .rotate(id, &it.key.digest(&second), Span::from_days(7), NOW)
        .unwrap();
    let later = NOW.plus(Span::from_days(7));
    assert_eq!(found(&it, &token, NOW), Some(id), "rotate/keep-old/within");
    assert_eq!(found(&it, &token, later), None, "rotate/keep-old/after");
    assert_eq!(found(&it, &second, later), Some(id));
    assert!(matches!(
        it.accept(id, &token, "203.0.113.7"),
        Accepted::Wish(_)
    ));
    let used: Vec<_> = it
        .registry
        .tokens(id)
        .unwrap()
        .into_iter()
        .map(|token| (token.until, token.used))
        .collect();
    assert_eq!(
        used,
        [(None, None), (Some(later), Some(NOW))],
        "the old one's use is noted"
    );

    let third = Token::random().unwrap();
    it.registry
        .rotate(id, &it.key.digest(&third), Span::ZERO, NOW)
        .unwrap();
    assert_eq!(found(&it, &token, NOW), None, "rotate/at-once");
    assert_eq!(found(&it, &second, NOW), None, "rotate/at-once");
    assert!(matches!(
        it.accept(id, &second, "203.0.113.9"),
        Accepted::Gone
    ));

    let other = new_host("other", Some(&third), &it.key);
    assert!(matches!(
        it.registry.add(&[other], Ttl::DEFAULT, NOW),
        Err(RegistryError::TokenTaken)
    ));
}

#[test]
fn adding_is_all_or_nothing() {
    let mut it = Fixture::new();
    it.add("home");
    let hosts = [
        new_host("nas", None, &it.key),
        new_host("home", None, &it.key),
    ];
    assert!(matches!(
        it.registry.add(&hosts, Ttl::DEFAULT, NOW),
        Err(RegistryError::Taken(_))
    ));
    assert!(
        it.registry
            .host_by_name(&name("nas"), NOW)
            .unwrap()
            .is_none()
    );
}

#[test]
fn disabled_hosts_keep_their_settings_and_lose_their_records() {
    let mut it = Fixture::new();
    let fixed = Some(addresses("203.0.113.7"));
    let host = NewHost {
        settings: Settings {
            fixed,
            ..Settings::default()
        },
        addresses: addresses("203.0.113.7"),
        ..new_host("static", None, &it.key)
    };
    let id = it.registry.add(&[host], Ttl::DEFAULT, NOW).unwrap()[0];
    it.confirm(id);
    it.registry.disable(id, NOW).unwrap();
    assert!(it.host(id).wish.records.addresses.is_empty());
    it.confirm(id);
    assert_eq!(shown(&it.host(id).held), "");
    it.registry.enable(id, Ttl::DEFAULT, NOW).unwrap();
    assert_eq!(it.host(id).wish.records.addresses, addresses("203.0.113.7"));
    let token = it.key.digest(&Token::random().unwrap());
    assert!(matches!(
        it.registry.rotate(id, &token, Span::ZERO, NOW),
        Err(RegistryError::Static(_))
    ));
}

#[test]
fn removal_is_a_wish_first_and_forgets_last() {
    let it = Fixture::new();
    let mut wanted = Wanted::NOTHING;
    wanted.channels = [Some(Events::ALL); Channel::ALL.len()];
    let mut it = Fixture {
        registry: it.registry.tell(wanted),
        ..it
    };
    let (id, token) = it.add("home");
    let settings = Settings {
        note: Some("Anna's cellar".to_owned()),
        mail: Some("anna@example.org".to_owned()),
        ..Settings::default()
    };
    let edit = Edit {
        settings,
        ..Edit::default()
    };
    let edited: Result<(), RegistryError> = (it.registry).edit(id, Ttl::DEFAULT, NOW, |_| Ok(edit));
    edited.unwrap();
    it.accept(id, &token, "203.0.113.7");
    it.confirm(id);
    let unsent = |it: &Fixture| it.registry.undelivered(NOW).unwrap().len();
    assert_eq!(unsent(&it), Channel::ALL.len());
    it.registry.remove(id, NOW).unwrap();
    let host = it.host(id);
    assert_eq!((host.state, host.is_pending()), (State::Removing, true));
    assert_eq!((host.settings.note, host.settings.mail), (None, None));
    assert_eq!(unsent(&it), 0);
    assert!(it.registry.holder_of(&token, NOW).unwrap().is_none());
    assert!(
        it.registry
            .history(Some(id), Timestamp::from_seconds(0))
            .unwrap()
            .is_empty()
    );
    assert!(matches!(
        it.accept(id, &token, "203.0.113.8"),
        Accepted::Gone
    ));

    // Its records can only go once more: one that may come late is not waited for.
    it.unconfirmed(id);
    it.confirm(id);
    assert!(it.registry.host_by_id(id).unwrap().is_none());
    let again = new_host("home", None, &it.key);
    assert!(matches!(
        it.registry
            .add(std::slice::from_ref(&again), Ttl::DEFAULT, NOW),
        Err(RegistryError::Removed { .. })
    ));
    let again = NewHost {
        reuse: Span::ZERO,
        ..again
    };
    // Also where the clock was ahead when it was removed.
    let before = NOW.minus(Span::from_days(1));
    it.registry.add(&[again], Ttl::DEFAULT, before).unwrap();
}

#[test]
fn a_removed_host_is_kept_while_an_old_update_may_still_come() {
    let mut it = Fixture::new();
    let (id, token) = it.add("home");
    it.accept(id, &token, "203.0.113.7");
    it.unconfirmed(id);
    it.registry.remove(id, NOW).unwrap();
    it.confirm(id);
    let host = it.host(id);
    assert_eq!(
        (host.state, shown(&host.held)),
        (State::Removing, "home".to_owned())
    );
    assert_eq!(
        it.registry.unsettled(NOW).unwrap().len(),
        1,
        "upkeep looks again"
    );

    let later = NOW.plus(Span::from_seconds(601));
    assert_eq!(
        it.registry.unsettled(later).unwrap().len(),
        1,
        "and once more at the end"
    );
    let wish = it.host(id).wish;
    it.confirm_wish(id, &wish, later);
    assert!(it.registry.host_by_id(id).unwrap().is_none());
}

#[test]
fn one_that_was_switched_off_before_is_kept_as_well() {
    let mut it = Fixture::new();
    let (id, token) = it.add("home");
    it.accept(id, &token, "203.0.113.7");
    it.unconfirmed(id);
    it.registry.disable(id, NOW).unwrap();
    it.confirm(id);
    for _ in 0..2 {
        it.registry.remove(id, NOW).unwrap();
        assert_eq!(it.host(id).state, State::Removing);
    }
    let later = NOW.plus(Span::from_seconds(601));
    assert_eq!(it.registry.unsettled(later).unwrap().len(), 1);
    let wish = it.host(id).wish;
    it.confirm_wish(id, &wish, later);
    assert!(it.registry.host_by_id(id).unwrap().is_none());
}

#[test]
fn a_token_replaced_twice_dies_when_it_was_to() {
    let mut it = Fixture::new();
    let (id, first) = it.add("home");
    let (anna, owners) = it.add_owner("anna");
    let owner = it.registry.owner(&anna).unwrap().id;
    let day = Span::from_days(1);
    for (keep, at) in [
        (day, NOW),
        (Span::from_days(7), NOW.plus(Span::from_seconds(60))),
    ] {
        let new = || it.key.digest(&Token::random().unwrap());
        it.registry.rotate(id, &new(), keep, at).unwrap();
        it.registry.rotate_owner(owner, &new(), keep, at).unwrap();
    }
    for token in [&first, &owners] {
        let holder = |at| it.registry.holder_of(token, at).unwrap();
        assert!(holder(NOW.plus(Span::from_seconds(86_399))).is_some());
        assert!(holder(NOW.plus(day)).is_none());
    }
}

#[test]
fn who_takes_over_a_name_that_is_being_removed_begins_anew() {
    let mut it = Fixture::new();
    let (site, _) = it.add("site");
    let (id, token) = it.add("home");
    let mut edit = Edit::default();
    edit.settings.behind = Some(Behind {
        site: name("site"),
        id: "::1:2:3:4".parse().unwrap(),
    });
    let edited: Result<(), RegistryError> = (it.registry).edit(id, Ttl::DEFAULT, NOW, |_| Ok(edit));
    edited.unwrap();
    it.accept(id, &token, "203.0.113.7");
    it.confirm(id);
    let db = rusqlite::Connection::open(it.directory.path().join("bowline.db")).unwrap();
    db.execute("UPDATE host SET networks = '192.0.2.0/24'", [])
        .unwrap();
    assert_eq!(it.host(id).networks.len(), 1);
    it.registry.remove(id, NOW).unwrap();

    let later = NOW.plus(Span::from_seconds(60));
    let new = NewHost {
        reuse: Span::ZERO,
        ..new_host("home", Some(&Token::random().unwrap()), &it.key)
    };
    let ids = it.registry.add(&[new], Ttl::DEFAULT, later).unwrap();
    assert_eq!(ids, [id]);
    let host = it.host(id);
    assert_eq!((host.state, host.created), (State::Active, later));
    assert_eq!((host.last_seen, host.last_change), (None, None));
    assert!(host.networks.is_empty(), "the former client asked for them");
    assert_eq!(host.settings.behind, None);
    assert!(it.registry.hosts_behind(site).unwrap().is_empty());
}
