//! Names: where they stand, when they lapse, and who may have them next.

use bowline::name::ZoneName;
use bowline::registry::{Edit, RegistryError};
use bowline::span::Span;
use bowline::token::LookupKey;
use bowline::ttl::Ttl;

use crate::fixture::{Fixture, NOW, name, new_host, rename, shown};

#[test]
fn names_stand_where_they_should() {
    let mut it = Fixture::new();
    let (id, token) = it.add("home");
    it.accept(id, &token, "203.0.113.7");
    it.confirm(id);

    let mut edit = Edit::default();
    edit.settings.wildcard = true;
    let edited: Result<(), RegistryError> = (it.registry).edit(id, Ttl::DEFAULT, NOW, |_| Ok(edit));
    edited.unwrap();
    assert_eq!(shown(&it.host(id).wish.records.names), "home *.home");
    it.confirm(id);

    it.rename(id, "house", Span::from_days(1));
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
fn former_names_lapse_into_a_wish() {
    let mut it = Fixture::new();
    let (id, token) = it.add("home");
    it.accept(id, &token, "203.0.113.7");
    it.rename(id, "house", Span::from_days(1));
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
    it.rename(id, "house", Span::ZERO);
    let add = |it: &mut Fixture| {
        let home = new_host("home", None, &it.key);
        it.registry.add(&[home], Ttl::DEFAULT, NOW)
    };
    assert!(matches!(add(&mut it), Err(RegistryError::Held { .. })));
    // The host itself may have it back.
    it.confirm(id);
    it.rename(id, "home", Span::ZERO);
    it.confirm(id);
    it.rename(id, "house", Span::ZERO);
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
fn a_former_name_that_had_records_to_the_end_rests_too() {
    let mut it = Fixture::new();
    let (id, token) = it.add("home");
    it.accept(id, &token, "203.0.113.7");
    it.confirm(id);
    it.rename(id, "house", Span::ZERO);
    assert_eq!(shown(&it.host(id).held), "home house");
    it.registry.remove(id, NOW).unwrap();
    let later = NOW.plus(Span::from_seconds(601));
    let wish = it.host(id).wish;
    it.confirm_wish(id, &wish, later);
    assert!(it.registry.host_by_id(id).unwrap().is_none());
    for name in ["home", "house"] {
        let new = new_host(name, None, &it.key);
        let added = it.registry.add(&[new], Ttl::DEFAULT, later);
        assert!(
            matches!(added, Err(RegistryError::Removed { .. })),
            "{name}"
        );
    }
}

#[test]
fn a_name_given_up_while_an_update_may_still_come_is_free_later() {
    let mut it = Fixture::new();
    let (id, token) = it.add("home");
    it.accept(id, &token, "203.0.113.7");
    it.confirm(id);
    it.unconfirmed(id);
    it.rename(id, "house", Span::ZERO);
    it.confirm(id);
    assert_eq!(shown(&it.host(id).held), "home house");

    let later = NOW.plus(Span::from_seconds(601));
    it.registry
        .prune_names_and_tokens(later, Span::ZERO)
        .unwrap();
    let again = it.registry.unsettled(later).unwrap();
    assert_eq!(again.len(), 1, "upkeep looks once more");
    let wish = it.host(id).wish;
    it.confirm_wish(id, &wish, later);
    assert_eq!(shown(&it.host(id).held), "house");
    it.registry
        .prune_names_and_tokens(later, Span::ZERO)
        .unwrap();
    assert_eq!(it.host(id).unconfirmed, None);
    assert!(it.registry.unsettled(later).unwrap().is_empty());
    it.add("home");
}

#[test]
fn a_damaged_host_keeps_no_other_from_giving_a_name_up() {
    let mut it = Fixture::new();
    let day = Span::from_days(1);
    for (from, to) in [("one", "uno"), ("two", "due"), ("three", "tre")] {
        let (id, _) = it.add(from);
        it.rename(id, to, day);
    }
    let db = rusqlite::Connection::open(it.directory.path().join("bowline.db")).unwrap();
    let damage = "UPDATE host SET wish_ipv4 = 'x' WHERE name = 'due.dyn.example.org'";
    assert_eq!(db.execute(damage, []).unwrap(), 1);
    let later = NOW.plus(Span::from_days(2));
    it.registry.lapse(|_| Ttl::DEFAULT, later).unwrap();
    for (name, there) in [("uno", 0), ("due", 1), ("tre", 0)] {
        let count = "SELECT count(*) FROM former_name, host
                     WHERE former_name.host = host.id AND host.name = ?1 || '.dyn.example.org'";
        let former: u32 = db.query_row(count, [name], |row| row.get(0)).unwrap();
        assert_eq!(former, there, "{name}");
    }
}

#[test]
fn what_is_gone_from_below_a_name_keeps_nobody_from_it() {
    let mut it = Fixture::new();
    let (anna, _) = it.add_owner("anna");
    let upper = |name| {
        let mut new = new_host(name, None, &it.key);
        new.settings.owner = Some(anna.clone());
        new
    };
    let (uppers, later) = ([upper("one"), upper("two")], NOW.plus(Span::from_days(1)));
    let (renamed, _) = it.add("a.one");
    let (removed, token) = it.add("b.two");
    it.rename(renamed, "elsewhere", Span::from_days(1));
    it.accept(removed, &token, "203.0.113.7");
    it.confirm(removed);
    for new in &uppers {
        let added = it
            .registry
            .add(std::slice::from_ref(new), Ttl::DEFAULT, NOW);
        assert!(matches!(added, Err(RegistryError::Above { .. })));
    }
    it.registry.remove(removed, NOW).unwrap();
    assert!(it.registry.host_by_id(removed).unwrap().is_some());
    it.registry.add(&uppers, Ttl::DEFAULT, later).unwrap();
}

#[test]
fn former_names_rest_too_where_a_host_is_taken_out_at_once() {
    let mut it = Fixture::new();
    let (id, _) = it.add("a1");
    it.rename(id, "a2", Span::from_days(7));
    it.registry.remove_at_once(&name("a2"), NOW).unwrap();
    for text in ["a1", "a2"] {
        let new = new_host(text, None, &it.key);
        let added = it.registry.add(&[new], Ttl::DEFAULT, NOW);
        assert!(
            matches!(added, Err(RegistryError::Removed { .. })),
            "{added:?}"
        );
    }
}
