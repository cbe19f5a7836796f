//! What `init` makes for each name server: doctor finds nothing wrong with it, and finds
//! the key of another name server.

use bowline::dns::Key;

use crate::instance::{Instance, Kind, for_each};
use crate::parent::Parent;
use crate::patient::{bowline, examine};

#[test]
fn every_name_server_as_it_is_set_up() {
    for_each(|dns| as_set_up(dns, &[]));
    for_each(|dns| as_set_up(dns, &["--acme", "--no-dnssec"]));
}

fn as_set_up(dns: Kind, more: &[&str]) {
    let instance = Instance::start(dns, more);
    instance.bowline(&["upkeep"]);
    let parent = Parent::with("dyn NS ns1\nns1 A 192.0.2.53\n");
    let via = parent.address.to_string();
    let doctor = || {
        let mut command = bowline(&instance.path("bowline.toml"));
        examine(command.args(["doctor", "--json", "--via", &via]))
    };
    let said = doctor();
    // There is no web server.
    assert_eq!(
        said.problems(),
        ["url"],
        "{dns:?} {more:?}: {:#}",
        said.document
    );
    for check in [
        "key-reach",
        "zone-untouched",
        "durability",
        "update-unsigned",
        "update-source",
    ] {
        assert!(
            said.about(check).starts_with("ok"),
            "{dns:?} {more:?}: {}",
            said.about(check)
        );
    }
    if dns != Kind::PowerDns {
        assert!(
            said.about("key-copy").starts_with("ok"),
            "{dns:?}: {:#}",
            said.document
        );
    }
    // Another key in our own file: the copy is not PowerDNS's way.
    let (_, text) = Key::generate("bowline").unwrap();
    std::fs::write(instance.path("tsig.key"), text).unwrap();
    let expected: &[&str] = match dns {
        Kind::PowerDns => &["key", "url"],
        _ => &["key-copy", "url"],
    };
    let said = doctor();
    assert_eq!(said.problems(), expected, "{dns:?}: {:#}", said.document);
}
