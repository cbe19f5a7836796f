//! A registry out of a backup, and a zone out of a copy: of the two the newer one is right.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::thread::sleep;
use std::time::Duration;

use crate::support::chance::{self, Chance};
use crate::support::knot::ZONE;
use crate::world::World;

/// So many steps, without `BOWLINE_STEPS`.
const STEPS: usize = 60;
/// Fewer than make a registry doubtful.
const NAMES: [&str; 6] = ["home", "nas", "tv", "shed", "villa", "boat"];
/// Times are kept in seconds, and serials go by them.
const SECOND: Duration = Duration::from_millis(1100);

/// An address for each family, IPv4 first.
type Addresses = [Option<String>; 2];

#[derive(Clone, Default)]
struct Host {
    secret: String,
    addresses: Addresses,
    off: bool,
    /// Whether records stand at its name of which the registry does not know.
    is_news: bool,
    /// Whether it was ever said what it should have, if only nothing: then what stands at its name
    /// is its own.
    had: bool,
}

struct Model {
    world: World,
    hosts: BTreeMap<String, Host>,
    /// The hosts as they were when the backup was made, or in force until then.
    saved: Option<BTreeMap<String, Host>>,
    /// What was in the zone when it was copied.
    copy: Option<BTreeMap<String, Addresses>>,
    /// What the zone has of hosts that the registry does not know any more.
    left: BTreeMap<String, Addresses>,
}

#[test]
fn the_newer_of_registry_and_zone_is_right() {
    let (seed, steps) = chance::run("BOWLINE_STEPS", STEPS);
    let mut model = Model {
        world: World::new(Chance::of(seed, 2)),
        hosts: BTreeMap::new(),
        saved: None,
        copy: None,
        left: BTreeMap::new(),
    };
    for _ in 0..steps {
        model.step();
        model.check();
    }
}

impl Model {
    fn step(&mut self) {
        let all: Vec<String> = self.hosts.keys().cloned().collect();
        let host = self.world.chance.one_of(&all).cloned();
        match (self.world.chance.below(16), host) {
            (0..3, _) | (_, None) => self.add(),
            (3, Some(name)) => self.remove(&name),
            (4, Some(name)) => self.switch(&name),
            (5, Some(name)) => self.set(&name),
            (6, _) => self.world.settle(),
            (7, _) => self.back_up(),
            (8, _) => self.restore(),
            (9, _) => self.zone(),
            (_, Some(name)) => self.visit(&name),
        }
    }

    fn add(&mut self) {
        let hosts = &self.hosts;
        let free = self.world.free(&NAMES, |name| hosts.contains_key(name));
        let Some(name) = free else { return };
        let secret = self.world.add(name, &[]).unwrap();
        let left = self.left.remove(name);
        let host = Host {
            secret,
            is_news: left.is_some(),
            addresses: left.unwrap_or_default(),
            ..Host::default()
        };
        self.hosts.insert(name.to_owned(), host);
    }

    fn remove(&mut self, name: &str) {
        assert!(self.world.verb(&["host", "remove", name], ""));
        self.hosts.remove(name);
    }

    fn switch(&mut self, name: &str) {
        let host = &self.hosts[name];
        let verb = if host.off { "enable" } else { "disable" };
        assert!(self.world.verb(&["host", verb, name], ""));
        self.change(name, [None, None]);
        let host = self.hosts.get_mut(name).unwrap();
        host.off = !host.off;
    }

    /// A host has other addresses.
    fn change(&mut self, name: &str, addresses: Addresses) {
        let host = self.hosts.get_mut(name).unwrap();
        host.had = true;
        host.addresses = addresses;
        host.is_news = false;
    }

    fn set(&mut self, name: &str) {
        let host = &self.hosts[name];
        if host.off || host.is_news {
            return;
        }
        let mut addresses = host.addresses.clone();
        let family = usize::from(self.world.chance.once_in(2));
        addresses[family] = self.world.address(family);
        let value = addresses[family].as_deref().unwrap_or("-");
        let option = ["--ipv4", "--ipv6"][family];
        assert!(self.world.verb(&["host", "set", name, option, value], ""));
        self.change(name, addresses);
    }

    /// A visit that says something of both families, or of one alone.
    fn visit(&mut self, name: &str) {
        let host = &self.hosts[name];
        let both = host.is_news || self.world.chance.once_in(2);
        let one = usize::from(self.world.chance.once_in(2));
        let mut addresses = host.addresses.clone();
        let mut query = Vec::new();
        for family in [0, 1] {
            if both || family == one {
                addresses[family] = self.world.address(family);
                let value = addresses[family].as_deref().unwrap_or("-");
                query.push(format!("{}={value}", ["ipv4", "ipv6"][family]));
            }
        }
        let path = format!("/{}/{name}?{}", host.secret, query.join("&"));
        let off = host.off;
        let said = self.world.site.visit(&path).said();
        self.world.note(format!("{name}?{query:?}: {said}"));
        if off {
            assert_eq!(said, "403 abuse", "{}", self.world.told());
        } else {
            assert!(said.starts_with("200 "), "{}", self.world.told());
            self.change(name, addresses);
        }
    }

    fn backup(&self) -> String {
        self.world.site.path("backup.tar").display().to_string()
    }

    fn back_up(&mut self) {
        let backup = self.backup();
        let _ = fs::remove_file(&backup);
        assert!(self.world.verb(&["backup", &backup], ""));
        // What stands at a new name is not known there either.
        self.saved = Some(self.hosts.clone());
    }

    /// The registry is lost and restored; perhaps somebody comes before upkeep does.
    fn restore(&mut self) {
        let Some(saved) = self.saved.clone() else {
            return;
        };
        sleep(SECOND);
        for name in ["bowline.db", "bowline.db-wal", "bowline.db-shm"] {
            let _ = fs::remove_file(self.world.site.path(&format!("state/{name}")));
        }
        let backup = self.backup();
        assert!(self.world.verb(&["restore", &backup], ""));
        let lost = std::mem::replace(&mut self.hosts, saved);
        // What stands at a name that was nobody's is what the zone has, and not what it had.
        for host in self.hosts.values_mut().filter(|host| !host.had) {
            host.addresses = [None, None];
            host.is_news = false;
        }
        for (name, host) in lost {
            let has_any = host.addresses.iter().any(Option::is_some);
            match self.hosts.get_mut(&name) {
                // Where the zone has any of it, that is the newer.
                // Of one that never had any nobody can tell whose they are.
                Some(known) if has_any && !known.off => {
                    known.addresses = host.addresses;
                    known.is_news = !known.had;
                }
                Some(_) => {}
                None if has_any => drop(self.left.insert(name, host.addresses)),
                None => {}
            }
        }
        for (name, host) in &mut self.hosts {
            if let Some(left) = self.left.remove(name) {
                host.addresses = left;
                host.is_news = !host.had;
            }
        }
        let all: Vec<String> = self.hosts.keys().cloned().collect();
        if self.world.chance.once_in(2)
            && let Some(name) = self.world.chance.one_of(&all).cloned()
        {
            self.visit(&name);
        }
        self.world.settle();
    }

    /// A copy of the zone is made, or put back.
    fn zone(&mut self) {
        // What is not in the registry's hosts cannot be known to have gone back.
        if self.hosts.values().any(|host| host.is_news) {
            return;
        }
        sleep(SECOND);
        let Some(copy) = self.copy.take() else {
            self.world.site.knot.keep_copy();
            self.world.note("the zone is copied".to_owned());
            let hosts = self.hosts.iter();
            let hosts = hosts.map(|(name, host)| (name.clone(), host.addresses.clone()));
            let left = self.left.clone();
            self.copy = Some(hosts.chain(left).collect());
            return;
        };
        self.world.site.knot.put_copy_back();
        self.world.note("the zone goes back".to_owned());
        self.world.settle();
        for (name, host) in self
            .hosts
            .iter_mut()
            .filter(|(_, host)| !host.had && !host.off)
        {
            host.addresses = copy.get(name).cloned().unwrap_or_default();
            host.is_news = host.addresses != [None, None];
        }
        // Hosts that were removed since may be back with it, which upkeep need not know any more.
        let records = self.world.records();
        self.left = copy;
        // By its serial the zone is older than that backup now.
        self.saved = None;
        self.left.retain(|name, addresses| {
            let mut addresses = addresses.iter().flatten();
            let is_there =
                |address: &String| records.contains(&format!("{name}.{ZONE}. {address}"));
            !self.hosts.contains_key(name) && addresses.any(is_there)
        });
    }

    /// Whether name server and `host list` say the same as the model.
    fn check(&self) {
        let mut expected = BTreeSet::new();
        let hosts = self
            .hosts
            .iter()
            .map(|(name, host)| (name, &host.addresses));
        for (name, addresses) in hosts.chain(&self.left) {
            for address in addresses.iter().flatten() {
                expected.insert(format!("{name}.{ZONE}. {address}"));
            }
        }
        assert_eq!(self.world.records(), expected, "{}", self.world.told());
        for (name, host) in &self.hosts {
            let full = format!("{name}.{ZONE}");
            let list = self.world.listed();
            let listed = list.iter().find(|listed| listed["name"] == full.as_str());
            let listed = listed.unwrap_or_else(|| panic!("{name}: {}", self.world.told()));
            assert_eq!(listed["pending"], false, "{name}: {}", self.world.told());
            let known = if host.is_news {
                &[None, None]
            } else {
                &host.addresses
            };
            for (family, address) in ["ipv4", "ipv6"].into_iter().zip(known) {
                let listed = listed[family].as_str();
                assert_eq!(listed, address.as_deref(), "{name}: {}", self.world.told());
            }
        }
    }
}
