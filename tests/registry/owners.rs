//! Owners are switched off and on with their hosts, and go with them, however many, while others
//! are served.

use std::thread;
use std::time::Duration;

use bowline::deadline::Deadline;
use bowline::ip::Addresses;
use bowline::registry::{Accepted, Edit, NewHost, Registry, RegistryError, Settings, State};
use bowline::ttl::Ttl;

use crate::fixture::{Fixture, NOW, addresses, new_host};

#[test]
fn who_writes_meanwhile_gets_a_turn() {
    let mut it = Fixture::new();
    let (anna, _) = it.add_owner("anna");
    let owned = |n: usize| NewHost {
        settings: Settings {
            owner: Some(anna.clone()),
            ..Settings::default()
        },
        ..new_host(&format!("h{n}"), None, &it.key)
    };
    let hosts: Vec<NewHost> = (0..2501).map(owned).collect();
    it.registry.add(&hosts, Ttl::DEFAULT, NOW).unwrap();
    let owner = it.registry.owner(&anna).unwrap();
    let file = it.directory.path().join("bowline.db");
    let key = it.key.clone();
    let turns = thread::scope(|scope| {
        let removing = scope.spawn(|| it.registry.remove_with_hosts(&owner, NOW).unwrap());
        let mut other = Registry::open(&file, key.clone()).unwrap();
        let mut turns = 0;
        while !removing.is_finished() {
            let _until = Registry::give_up_at(Deadline::after(Duration::from_secs(20)));
            let new = new_host(&format!("other{turns}"), None, &key);
            other.add(&[new], Ttl::DEFAULT, NOW).unwrap();
            for (owner, hosts) in other.owners().unwrap() {
                assert!(
                    owner.disabled || hosts == 2501,
                    "{hosts} are left, and visited"
                );
            }
            turns += 1;
        }
        assert_eq!(removing.join().unwrap().len(), 2501);
        turns
    });
    assert!(turns > 5, "others wrote {turns} times");
    assert!(matches!(
        it.registry.owner(&anna),
        Err(RegistryError::NoOwner(_))
    ));
    let (mut left, mut removing) = (0, 0);
    it.registry
        .each_host(|host| {
            assert!(host.settings.owner.is_none());
            match host.name.as_str().starts_with("other") {
                true => left += 1,
                // Until the name server has confirmed that nothing stands there.
                false => {
                    assert_eq!(host.state, State::Removing);
                    removing += 1;
                }
            }
            Ok::<_, RegistryError>(())
        })
        .unwrap();
    assert_eq!((left, removing), (turns, 2501));
}

#[test]
fn an_owner_that_is_switched_on_leaves_off_what_was_off_before() {
    let mut it = Fixture::new();
    let (anna, _) = it.add_owner("anna");
    let fixed = addresses("203.0.113.7");
    let owned = |text| NewHost {
        settings: Settings {
            owner: Some(anna.clone()),
            fixed: Some(fixed),
            ..Settings::default()
        },
        addresses: fixed,
        ..new_host(text, None, &it.key)
    };
    let hosts = [owned("off"), owned("on")];
    let ids = it.registry.add(&hosts, Ttl::DEFAULT, NOW).unwrap();
    it.registry.disable(ids[0], NOW).unwrap();
    let owner = it.registry.owner(&anna).unwrap().id;
    it.registry.disable_owner(owner, NOW).unwrap();
    it.registry
        .enable_owner(owner, |_| Ttl::DEFAULT, NOW)
        .unwrap();
    let wished = |id| it.host(id).wish.records.addresses;
    assert_eq!((wished(ids[0]), wished(ids[1])), (Addresses::NONE, fixed));
}

#[test]
fn a_host_that_is_being_removed_is_no_second_one_of_its_owner() {
    let mut it = Fixture::new();
    let (anna, _) = it.add_owner("anna");
    let owned = |text| NewHost {
        settings: Settings {
            owner: Some(anna.clone()),
            ..Settings::default()
        },
        addresses: addresses("203.0.113.7"),
        ..new_host(text, None, &it.key)
    };
    let hosts = [owned("old"), owned("new")];
    let ids = it.registry.add(&hosts, Ttl::DEFAULT, NOW).unwrap();
    let owner = it.registry.owner(&anna).unwrap().id;
    let only = |it: &Fixture| {
        let host = it.registry.only_host_of(owner).unwrap();
        host.map(|host| host.id)
    };
    assert_eq!(only(&it), None);
    it.confirm(ids[0]);
    it.registry.remove(ids[0], NOW).unwrap();
    assert_eq!(it.host(ids[0]).state, State::Removing);
    assert_eq!(only(&it), Some(ids[1]));
}

#[test]
fn a_host_that_becomes_static_during_a_visit_is_not_moved() {
    let mut it = Fixture::new();
    let (anna, token) = it.add_owner("anna");
    let mut new = new_host("home", None, &it.key);
    new.settings.owner = Some(anna.clone());
    let id = it.registry.add(&[new], Ttl::DEFAULT, NOW).unwrap()[0];
    let visits = [(); 2].map(|()| it.ask(id, &token, "203.0.113.8"));
    let [before, after] = visits;
    let before = it.registry.accept(&[before]).unwrap();
    assert!(matches!(before[0], Accepted::Wish(1)));
    let fixed = addresses("203.0.113.7");
    let edited: Result<(), RegistryError> = it.registry.edit(id, Ttl::DEFAULT, NOW, |host| {
        Ok(Edit {
            settings: Settings {
                fixed: Some(fixed),
                ..host.settings.clone()
            },
            addresses: Some(fixed),
            ..Edit::default()
        })
    });
    edited.unwrap();
    let after = it.registry.accept(&[after]).unwrap();
    assert!(matches!(after[0], Accepted::Gone));
    assert_eq!(it.host(id).wish.records.addresses, fixed);
}
