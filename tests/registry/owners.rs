//! An owner goes with all hosts, however many, and others are served meanwhile.

use std::thread;
use std::time::Duration;

use bowline::deadline::Deadline;
use bowline::registry::{NewHost, Registry, RegistryError, Settings};
use bowline::token::Token;
use bowline::ttl::Ttl;

use crate::fixture::{Fixture, NOW, new_host};

#[test]
fn who_writes_meanwhile_gets_a_turn() {
    let mut it = Fixture::new();
    let digest = it.key.digest(&Token::random().unwrap());
    let anna = "anna".parse().unwrap();
    it.registry.add_owner(&anna, None, &digest, NOW).unwrap();
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
    let mut left = 0;
    it.registry
        .each_host(|host| {
            assert!(host.settings.owner.is_none() && host.name.as_str().starts_with("other"));
            left += 1;
            Ok::<_, RegistryError>(())
        })
        .unwrap();
    assert_eq!(left, turns);
}
