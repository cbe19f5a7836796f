//! The registry as its callers use it: wishes, facts, tokens and names.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;

use bowline::ip::Addresses;
use bowline::name::{HostName, ZoneName};
use bowline::registry::{
    Accepted, Ask, Conclusion, End, Holder, Host, HostId, NewHost, Registry, RegistryError, Rename,
    Settings, State, Wish,
};
use bowline::span::Span;
use bowline::time::Timestamp;
use bowline::token::{LookupKey, Token};
use bowline::ttl::Ttl;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

struct Fixture {
    registry: Registry,
    key: LookupKey,
    directory: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let key = LookupKey::random().unwrap();
        let registry = Registry::create(&directory.path().join("bowline.db"), key.clone()).unwrap();
        Fixture {
            registry,
            key,
            directory,
        }
    }

    fn add(&mut self, text: &str) -> (HostId, Token) {
        let token = Token::random().unwrap();
        let new = new_host(text, Some(&token), &self.key);
        let id = self.registry.add(&[new], Ttl::DEFAULT, NOW).unwrap()[0];
        (id, token)
    }

    fn host(&self, id: HostId) -> Host {
        self.registry.host_by_id(id).unwrap().unwrap()
    }

    fn accept(&mut self, id: HostId, token: &Token, wanted: &str) -> Accepted {
        let digest = self.key.digest(token);
        let wanted = addresses(wanted);
        let ask = Ask {
            host: id,
            token: digest,
            site: None,
            ttl: Ttl::DEFAULT,
            client: Some("198.51.100.4".parse().unwrap()),
            dialect: "path".to_owned(),
            now: NOW,
            notify: None,
            not_before: None,
            addresses: Arc::new(move |_| wanted),
        };
        self.registry.accept(&[ask]).unwrap().remove(0)
    }

    /// The wish as it is, as if the name server had confirmed it.
    fn confirm(&mut self, id: HostId) {
        let wish = self.host(id).wish;
        self.confirm_wish(id, &wish, NOW);
    }
}

impl Fixture {
    /// That wish, as if the name server had confirmed it at `at`.
    fn confirm_wish(&mut self, id: HostId, wish: &Wish, at: Timestamp) {
        let end = End::Confirmed {
            number: wish.number,
            records: &wish.records,
            serial: Some(7),
        };
        let conclusion = Conclusion { host: id, end };
        let zone = name("home").zone();
        self.registry
            .conclude(&zone, &[7], &[conclusion], at)
            .unwrap();
    }

    /// An exchange for the host that ended without a verified answer.
    fn unconfirmed(&mut self, id: HostId) {
        let end = End::Failed {
            reason: "no answer".to_owned(),
            may_be_applied: true,
        };
        let conclusion = Conclusion { host: id, end };
        let zone = name("home").zone();
        self.registry
            .conclude(&zone, &[], &[conclusion], NOW)
            .unwrap();
    }
}

fn new_host(text: &str, token: Option<&Token>, key: &LookupKey) -> NewHost {
    NewHost {
        name: name(text),
        settings: Settings::default(),
        token: token.map(|token| key.digest(token)),
        addresses: Addresses::NONE,
        reuse: Span::from_days(30),
        below: false,
    }
}

fn rename(to: HostName, keep: Span, reuse: Span) -> Rename {
    Rename {
        to,
        keep,
        reuse,
        below: false,
    }
}

fn name(text: &str) -> HostName {
    let zone: ZoneName = "dyn.example.org".parse().unwrap();
    HostName::new(text, &zone).unwrap()
}

fn addresses(text: &str) -> Addresses {
    text.split(',')
        .filter(|text| !text.is_empty())
        .map(|text| text.parse().unwrap())
        .collect()
}

fn shown(names: &[bowline::name::RecordName]) -> String {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    names.join(" ").replace(".dyn.example.org", "")
}

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
}

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
fn names_stand_where_they_should() {
    let mut it = Fixture::new();
    let (id, token) = it.add("home");
    it.accept(id, &token, "203.0.113.7");
    it.confirm(id);

    let settings = Settings {
        wildcard: true,
        ..Settings::default()
    };
    it.registry
        .set(id, &settings, None, Ttl::DEFAULT, NOW)
        .unwrap();
    assert_eq!(shown(&it.host(id).wish.records.names), "home *.home");
    it.confirm(id);

    it.registry
        .rename(
            id,
            &rename(name("house"), Span::from_days(1), Span::ZERO),
            Ttl::DEFAULT,
            NOW,
        )
        .unwrap();
    assert_eq!(
        shown(&it.host(id).wish.records.names),
        "house *.house home *.home"
    );
    let by_name = |it: &Fixture, text, now| {
        it.registry
            .host_by_name(&name(text), now)
            .unwrap()
            .map(|host| host.id)
    };
    assert_eq!(by_name(&it, "home", NOW), Some(id));
    assert!(matches!(
        it.registry.add(
            &[new_host("home", None, &LookupKey::random().unwrap())],
            Ttl::DEFAULT,
            NOW
        ),
        Err(RegistryError::Former { .. })
    ));

    let later = NOW.plus(Span::from_days(2));
    assert_eq!(by_name(&it, "home", later), None);
    let host = it.host(id);
    assert!(
        !it.registry
            .wishes_already(&host, host.wish.records.addresses, later)
            .unwrap()
    );
}

#[test]
fn removal_is_a_wish_first_and_forgets_last() {
    let mut it = Fixture::new();
    let (id, token) = it.add("home");
    it.accept(id, &token, "203.0.113.7");
    it.confirm(id);
    it.registry.remove(id, NOW).unwrap();
    let host = it.host(id);
    assert_eq!((host.state, host.is_pending()), (State::Removing, true));
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
    it.registry.add(&[again], Ttl::DEFAULT, NOW).unwrap();
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
fn a_registry_of_another_kind_is_never_used() {
    let it = Fixture::new();
    let file = it.directory.path().join("bowline.db");
    let other = LookupKey::random().unwrap();
    assert!(matches!(
        Registry::open(&file, other.clone()),
        Err(RegistryError::OtherKey(_))
    ));
    assert!(matches!(
        Registry::create(&file, other.clone()),
        Err(RegistryError::Exists(_))
    ));
    let missing = it.directory.path().join("none.db");
    assert!(matches!(
        Registry::open(&missing, other.clone()),
        Err(RegistryError::Missing(_))
    ));
    assert!(!missing.exists());

    let db = rusqlite::Connection::open(&file).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(
        Registry::open(&file, it.key.clone()),
        Err(RegistryError::Newer { version: 99, .. })
    ));
    let text = it.directory.path().join("text.db");
    std::fs::write(
        &text,
        "not a database at all, but long enough to be read as one".repeat(20),
    )
    .unwrap();
    assert!(Registry::open(&text, other).is_err());
}

#[test]
fn nothing_in_the_file_is_a_token() {
    let mut it = Fixture::new();
    let (id, token) = it.add("home");
    it.accept(id, &token, "203.0.113.7");
    for file in std::fs::read_dir(it.directory.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(
            !bytes
                .windows(24)
                .any(|part| part == token.secret().as_bytes())
        );
    }
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
fn former_names_lapse_into_a_wish() {
    let mut it = Fixture::new();
    let (id, token) = it.add("home");
    it.accept(id, &token, "203.0.113.7");
    it.registry
        .rename(
            id,
            &rename(name("house"), Span::from_days(1), Span::ZERO),
            Ttl::DEFAULT,
            NOW,
        )
        .unwrap();
    it.confirm(id);
    let ttl = |_: &ZoneName| Ttl::DEFAULT;
    assert_eq!(it.registry.lapse(ttl, NOW).unwrap(), 0);
    assert_eq!(
        it.registry
            .lapse(ttl, NOW.plus(Span::from_days(1)))
            .unwrap(),
        1
    );
    let host = it.host(id);
    assert!(host.is_pending());
    assert_eq!(shown(&host.wish.records.names), "house");
    assert_eq!(shown(&host.held), "home house");
}

#[test]
fn a_name_with_records_of_another_host_is_not_given_out() {
    let mut it = Fixture::new();
    let (id, token) = it.add("home");
    it.accept(id, &token, "203.0.113.7");
    it.confirm(id);
    it.registry
        .rename(
            id,
            &rename(name("house"), Span::ZERO, Span::ZERO),
            Ttl::DEFAULT,
            NOW,
        )
        .unwrap();
    let add = |it: &mut Fixture| {
        let home = new_host("home", None, &it.key);
        it.registry.add(&[home], Ttl::DEFAULT, NOW)
    };
    assert!(matches!(add(&mut it), Err(RegistryError::Held { .. })));
    // The host itself may have it back.
    it.confirm(id);
    it.registry
        .rename(
            id,
            &rename(name("home"), Span::ZERO, Span::ZERO),
            Ttl::DEFAULT,
            NOW,
        )
        .unwrap();
    it.confirm(id);
    it.registry
        .rename(
            id,
            &rename(name("house"), Span::ZERO, Span::ZERO),
            Ttl::DEFAULT,
            NOW,
        )
        .unwrap();
    it.confirm(id);
    add(&mut it).unwrap();

    it.registry.remove(id, NOW).unwrap();
    it.confirm(id);
    let other = it
        .registry
        .host_by_name(&name("home"), NOW)
        .unwrap()
        .unwrap()
        .id;
    let taken = it.registry.rename(
        other,
        &rename(name("house"), Span::ZERO, Span::from_days(30)),
        Ttl::DEFAULT,
        NOW,
    );
    assert!(matches!(taken, Err(RegistryError::Removed { .. })));
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
