//! Hosts alone: names, families, wildcards, former names.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::chance::{self, Chance};
use crate::support::knot::ZONE;
use crate::support::site::CLIENT;
use crate::world::{Away, World};

/// So many steps, without `BOWLINE_STEPS`.
const STEPS: usize = 150;
/// All names there ever are, one of them below another.
const NAMES: [&str; 5] = ["home", "nas.home", "nas", "shed", "villa"];

/// An address for each family, IPv4 first.
type Addresses = [Option<String>; 2];

/// What a visit says of each family: an address, that it is to have none, or nothing.
type Given = [Option<Option<String>>; 2];

/// What a host is and should have.
#[derive(Default)]
struct Host {
    secret: String,
    addresses: Addresses,
    /// The family that it has alone, as a position in its addresses.
    only: Option<usize>,
    off: bool,
    wildcard: bool,
    /// Names that it had before, and goes on to have.
    former: Vec<String>,
}

struct Model {
    world: World,
    hosts: BTreeMap<String, Host>,
}

#[test]
fn the_zone_is_what_was_asked_for() {
    let (seed, steps) = chance::run("BOWLINE_STEPS", STEPS);
    let mut model = Model {
        world: World::new(Chance::of(seed, 0)),
        hosts: BTreeMap::new(),
    };
    model.world.ways.push(Away::Frozen);
    for _ in 0..steps {
        model.step();
        if model.world.is_up() {
            model.check();
        }
    }
    model.world.settle();
    model.check();
}

impl Model {
    fn step(&mut self) {
        let all: Vec<String> = self.hosts.keys().cloned().collect();
        let host = self.world.chance.one_of(&all).cloned();
        match (self.world.chance.below(24), host) {
            (0..3, _) | (_, None) => self.add(),
            (3, _) if self.world.is_up() => self.world.stop(),
            (3 | 4, _) => self.world.round(),
            (5, Some(name)) => self.drift(&name),
            (6, Some(name)) => self.rename(&name),
            (7, Some(name)) => self.remove(&name),
            (8, Some(name)) => self.switch(&name),
            (9, Some(name)) => self.wildcard(&name),
            (10, Some(name)) => self.only(&name),
            (11 | 12, Some(name)) => self.set(&name),
            (_, Some(name)) => self.visit(&name),
        }
    }

    /// A name that no host has, and none had that goes on to have it.
    fn free(&mut self) -> Option<&'static str> {
        let hosts = &self.hosts;
        let had = |host: &Host, name: &str| host.former.iter().any(|former| former == name);
        let is_taken =
            |name: &str| hosts.contains_key(name) || hosts.values().any(|host| had(host, name));
        self.world.free(&NAMES, is_taken)
    }

    fn add(&mut self) {
        let Some(name) = self.free() else { return };
        let wildcard = self.world.chance.once_in(3);
        let options = ["--wildcard"];
        let options = if wildcard { &options[..] } else { &[] };
        if let Some(secret) = self.world.add(name, options) {
            let host = Host {
                secret,
                wildcard,
                ..Host::default()
            };
            self.hosts.insert(name.to_owned(), host);
        }
    }

    fn rename(&mut self, name: &str) {
        let Some(new) = self.free() else { return };
        if let Some(keep) = self.world.rename(name, new) {
            let mut host = self.hosts.remove(name).unwrap();
            host.former.extend(keep.then(|| name.to_owned()));
            self.hosts.insert(new.to_owned(), host);
        }
    }

    fn remove(&mut self, name: &str) {
        if self.world.verb(&["host", "remove", name], "") {
            self.hosts.remove(name);
        }
    }

    /// Switches a host off, or on again; then it has nothing until its next visit.
    fn switch(&mut self, name: &str) {
        let verb = if self.host(name).off {
            "enable"
        } else {
            "disable"
        };
        if self.world.verb(&["host", verb, name], "") {
            let host = self.host(name);
            host.off = !host.off;
            host.addresses = Addresses::default();
        }
    }

    fn wildcard(&mut self, name: &str) {
        let wildcard = !self.host(name).wildcard;
        let option = if wildcard {
            "--wildcard"
        } else {
            "--no-wildcard"
        };
        if self.world.verb(&["host", "set", name, option], "") {
            self.host(name).wildcard = wildcard;
        }
    }

    /// Takes a family away from a host, or lets it have both again.
    fn only(&mut self, name: &str) {
        let (only, option) = match (self.host(name).only, self.world.chance.once_in(2)) {
            (Some(_), _) => (None, "--no-only"),
            (None, true) => (Some(0), "--only=ipv4"),
            (None, false) => (Some(1), "--only=ipv6"),
        };
        if self.world.verb(&["host", "set", name, option], "") {
            let host = self.host(name);
            host.only = only;
            only.into_iter()
                .for_each(|only| host.addresses[1 - only] = None);
        }
    }

    /// Sets an address, or none.
    fn set(&mut self, name: &str) {
        let family = usize::from(self.world.chance.once_in(2));
        let Host { only, off, .. } = self.host(name);
        // Both are refused.
        if *off || only.is_some_and(|only| only != family) {
            return;
        }
        let address = self.world.address(family);
        let value = address.as_deref().unwrap_or("-");
        let option = if family == 0 { "--ipv4" } else { "--ipv6" };
        if self.world.verb(&["host", "set", name, option, value], "") {
            self.host(name).addresses[family] = address;
        }
    }

    /// A visit that says something of one family, of both, or of none.
    fn visit(&mut self, name: &str) {
        let given: Given = [0, 1].map(|family| {
            let is_given = !self.world.chance.once_in(3);
            is_given.then(|| self.world.address(family))
        });
        let pairs = ["ipv4", "ipv6"].iter().zip(&given);
        let query = pairs.filter_map(|(parameter, address)| {
            let value = address.as_ref()?.as_deref().unwrap_or("-");
            Some(format!("{parameter}={value}"))
        });
        let query = query.collect::<Vec<_>>().join("&");
        let Host { secret, .. } = self.host(name);
        let path = format!("/{secret}/{name}?{query}");
        let said = self.world.site.visit(&path).said().replace('\n', "");
        self.world.note(format!("{name}?{query}: {said}"));
        let expected = self.expected(name, given);
        assert!(
            expected.contains(&said),
            "{expected:?}: {}",
            self.world.told()
        );
    }

    /// What a visit may hear; the host has what it says from now on.
    fn expected(&mut self, name: &str, mut given: Given) -> Vec<String> {
        let away = self.world.away;
        let host = self.host(name);
        if host.off {
            return vec!["403 abuse".to_owned()];
        }
        if let Some(only) = host.only {
            // Of the family that it has not, only a removal counts.
            given[1 - only].take_if(|other| other.is_some());
        }
        if given == [None, None] {
            if host.only == Some(1) {
                return vec!["503 badip".to_owned()];
            }
            given[0] = Some(Some(CLIENT.to_owned()));
        }
        let had = host.addresses.clone();
        for (has, given) in host.addresses.iter_mut().zip(&given) {
            if let Some(address) = given {
                has.clone_from(address);
            }
        }
        let addresses: Vec<String> = given.into_iter().flatten().flatten().collect();
        let with = |word: &str| {
            let answer = format!("200 {word} {}", addresses.join(","));
            answer.trim_end().to_owned()
        };
        let dnserr = "503 dnserr".to_owned();
        match (away, host.addresses != had) {
            // One that is frozen tells that nothing is to be changed.
            (Some(Away::Frozen), false) => vec![dnserr, with("nochg"), with("good")],
            (Some(_), _) => vec![dnserr],
            (None, true) => vec![with("good")],
            (None, false) if !addresses.is_empty() => vec![with("nochg")],
            // The first that is heard of a host is good.
            (None, false) => vec![with("nochg"), with("good")],
        }
    }

    /// Somebody changes a host's records by hand, and upkeep mends them.
    fn drift(&mut self, name: &str) {
        let host = &self.hosts[name];
        let has_any = host.addresses.iter().any(Option::is_some);
        if self.world.is_up() && has_any {
            let record = host.former.first().map_or(name, String::as_str).to_owned();
            self.world.drift(&record);
        }
    }

    fn host(&mut self, name: &str) -> &mut Host {
        self.hosts.get_mut(name).unwrap()
    }

    /// Whether name server and `host list` say the same as the model.
    fn check(&self) {
        let mut expected = BTreeSet::new();
        for (name, host) in &self.hosts {
            for name in host.former.iter().chain([name]) {
                for address in host.addresses.iter().flatten() {
                    expected.insert(format!("{name}.{ZONE}. {address}"));
                    if host.wildcard {
                        expected.insert(format!("*.{name}.{ZONE}. {address}"));
                    }
                }
            }
        }
        assert_eq!(self.world.records(), expected, "{}", self.world.told());

        let list = self.world.listed();
        assert_eq!(list.len(), self.hosts.len(), "{}", self.world.told());
        for (name, host) in &self.hosts {
            let name = format!("{name}.{ZONE}");
            let listed = list.iter().find(|listed| listed["name"] == name.as_str());
            let listed = listed.unwrap_or_else(|| panic!("{name}: {}", self.world.told()));
            assert_eq!(listed["pending"], false, "{}", self.world.told());
            assert_eq!(listed["disabled"], host.off, "{}", self.world.told());
            for (family, address) in ["ipv4", "ipv6"].into_iter().zip(&host.addresses) {
                assert_eq!(
                    listed[family].as_str(),
                    address.as_deref(),
                    "{name}: {}",
                    self.world.told()
                );
            }
        }
    }
}
