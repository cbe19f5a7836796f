//! Names: where they stand, when they lapse, and who may have them next.

use bowline::name::ZoneName;
use bowline::registry::{RegistryError, Settings};
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

    let settings = Settings {
        wildcard: true,
        ..Settings::default()
    };
    it.registry
        .set(id, &settings, None, Ttl::DEFAULT, NOW)
        .unwrap();
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
