//! A name server whose policy forbids changes of some names.

use std::fs;

use bowline::registry::{HostId, Settings};
use bowline::upkeep::Word;

use crate::support::knot::ZONE;
use crate::support::site::{Home, Site, set};

/// Has the name server take changes of these names only.
fn permit(site: &Site, homes: &[Home]) {
    let file = site.path("knot/knot.conf");
    let names: Vec<String> = (homes.iter())
        .map(|home| format!("{}.{ZONE}.", home.name))
        .collect();
    let text = fs::read_to_string(&file).unwrap();
    let (before, rest) = text.split_once("    update-owner: zone\n").unwrap();
    let (_, after) = rest.split_once("sub\n").unwrap();
    let names = names.join(", ");
    let rule = format!(
        "    update-owner: name\n    update-owner-match: equal\n    update-owner-name: [ {names} ]\n"
    );
    fs::write(&file, [before, &rule, after].concat()).unwrap();
    site.knot.reload();
}

#[test]
fn many_that_are_refused_keep_nobody_from_being_published() {
    let site = Site::new();
    let add = |name: &str, count| {
        (0..count)
            .map(|n| site.add(&format!("{name}{n}")))
            .collect()
    };
    let mut refused: Vec<Home> = add("older", 40);
    let mut permitted: Vec<Home> = Vec::new();
    // More than can be told apart in one round, and the others between them.
    for n in 0..20 {
        permitted.push(site.add(&format!("home{n}")));
        refused.push(site.add(&format!("other{n}")));
    }
    permit(&site, &permitted);
    let mut registry = site.registry();
    for home in refused.iter().chain(&permitted) {
        let address = ["203.0.113.1".parse().unwrap()].into_iter().collect();
        set(&mut registry, home.id, &Settings::default(), Some(address)).unwrap();
    }
    for _ in 0..5 {
        site.round(Word::Registry);
    }
    for home in &permitted {
        assert_eq!(site.dns(&home.name), "203.0.113.1", "{}", home.name);
        assert!(!site.host(home).is_pending());
    }
    let pending = registry.pending().unwrap();
    assert_eq!(pending.len(), refused.len());
    let pending: Vec<HostId> = pending.iter().map(|host| host.id).collect();
    for host in registry.whole_hosts(&pending).unwrap() {
        let trouble = host.trouble.unwrap_or_default();
        assert!(trouble.contains("the name server refused"), "{trouble}");
    }
}
