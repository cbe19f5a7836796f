//! When a new TTL takes effect.

use crate::published::served;

/// The note is for those who wait for it.
#[test]
fn a_ttl_that_came_with_an_address_waits_for_none() {
    let (it, knot) = served();
    it.done("host add home --ipv4 203.0.113.7");
    let waits = |options: &str| {
        let ran = it.run(&format!("host set home {options}"));
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.err
            .contains("a new TTL takes effect with the next address change")
    };
    assert!(waits("--ttl 2m"));
    assert!(waits("--ttl 3m --ipv4 203.0.113.7"));
    assert!(!waits("--ttl 4m --ipv4 203.0.113.8"));
    assert!(!waits("--ttl 4m"));
    assert!(waits("--no-ttl"));
    assert_eq!(knot.kdig("home.dyn.example.org", "A"), ["203.0.113.8"]);
}
