//! Hosts of owners, and behind one another: one token or one prefix moves several of them.

#[path = "moves.rs"]
mod moves;

use std::collections::{BTreeMap, BTreeSet};

use crate::support::chance::{self, Chance};
use crate::support::knot::ZONE;
use crate::world::World;

/// So many steps, without `BOWLINE_STEPS`.
const STEPS: usize = 150;
const NAMES: [&str; 7] = ["home", "nas", "tv", "shed", "villa", "boat", "flat"];
const OWNERS: [&str; 2] = ["anna", "ben"];

#[derive(Default)]
struct Host {
    secret: String,
    owner: Option<String>,
    ipv4: Option<String>,
    ipv6: Option<String>,
    off: bool,
    /// The host it is behind, and its interface identifier.
    behind: Option<(String, u64)>,
}

struct Owner {
    secret: String,
    off: bool,
}

struct Model {
    world: World,
    hosts: BTreeMap<String, Host>,
    owners: BTreeMap<String, Owner>,
}

#[test]
fn whoever_moves_several_moves_all_of_them() {
    let (seed, steps) = chance::run("BOWLINE_STEPS", STEPS);
    let mut model = Model {
        world: World::new(Chance::of(seed, 1)),
        hosts: BTreeMap::new(),
        owners: BTreeMap::new(),
    };
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
        let owners: Vec<String> = self.owners.keys().cloned().collect();
        let owner = self.world.chance.one_of(&owners).cloned();
        match (self.world.chance.below(32), host, owner) {
            (0..2, _, owner) => self.add(owner),
            (2 | 3, _, _) => self.add(None),
            (4, _, _) => self.add_owner(),
            (5, _, _) if self.world.is_up() => self.world.stop(),
            (5 | 6, _, _) => self.world.settle(),
            (7, Some(name), _) => self.rename(&name),
            (8, Some(name), _) => self.remove(&name),
            (9, Some(name), _) => self.switch(&name),
            (10, Some(name), owner) => self.give(&name, owner),
            (11 | 12, Some(name), _) => self.put_behind(&name),
            (13, Some(name), _) => self.rotate(&name),
            (14, _, Some(owner)) => self.switch_owner(&owner),
            (15, _, Some(owner)) => self.remove_owner(&owner),
            (16, _, Some(owner)) => self.rotate_owner(&owner),
            (17, Some(name), _) => self.drift(&name),
            (18..22, Some(name), _) => self.visit(&name),
            (22..27, Some(name), _) => self.tell_prefix(&name),
            (_, _, Some(owner)) => self.visit_all(&owner),
            (_, Some(name), None) => self.visit(&name),
            (_, None, None) => {}
        }
    }

    fn free(&mut self) -> Option<&'static str> {
        let hosts = &self.hosts;
        self.world.free(&NAMES, |name| hosts.contains_key(name))
    }

    fn secret(&self) -> String {
        self.world.site.token().secret().to_owned()
    }

    fn host(&mut self, name: &str) -> &mut Host {
        self.hosts.get_mut(name).unwrap()
    }

    fn is_site(&self, name: &str) -> bool {
        let behind = |host: &Host| host.behind.as_ref().is_some_and(|(site, _)| site == name);
        self.hosts.values().any(behind)
    }

    /// Whether a host or its owner is switched off.
    fn is_off(&self, name: &str) -> bool {
        let host = &self.hosts[name];
        let owner = host.owner.as_ref();
        host.off || owner.is_some_and(|owner| self.owners[owner].off)
    }

    fn of(&self, owner: &str) -> Vec<String> {
        let hosts = self.hosts.iter();
        let of = hosts.filter(|(_, host)| host.owner.as_deref() == Some(owner));
        of.map(|(name, _)| name.clone()).collect()
    }

    fn add(&mut self, owner: Option<String>) {
        let Some(name) = self.free() else { return };
        // One that is switched off gets no more hosts.
        let owner = owner.filter(|owner| !self.owners[owner].off);
        let options = owner.as_ref().map(|owner| ["--owner", owner]);
        if let Some(secret) = self
            .world
            .add(name, options.as_ref().map_or(&[], |two| two))
        {
            let host = Host {
                secret,
                owner,
                ..Host::default()
            };
            self.hosts.insert(name.to_owned(), host);
        }
    }

    fn add_owner(&mut self) {
        let new = |owner: &&str| !self.owners.contains_key(*owner);
        let Some(owner) = OWNERS.into_iter().find(new) else {
            return;
        };
        let secret = self.secret();
        if self
            .world
            .verb(&["owner", "add", owner, "--token=-"], &secret)
        {
            let it = Owner { secret, off: false };
            self.owners.insert(owner.to_owned(), it);
        }
    }

    fn rename(&mut self, name: &str) {
        let Some(new) = self.free() else { return };
        let words = ["host", "rename", name, new, "--keep-old=0", "--again"];
        if self.world.verb(&words, "") {
            let host = self.hosts.remove(name).unwrap();
            self.hosts.insert(new.to_owned(), host);
            for host in self.hosts.values_mut() {
                if let Some((site, _)) = &mut host.behind
                    && site == name
                {
                    new.clone_into(site);
                }
            }
        }
    }

    fn remove(&mut self, name: &str) {
        if self.world.verb(&["host", "remove", name], "") {
            self.forget(name);
        }
    }

    /// A host is gone; those behind it are behind nothing.
    fn forget(&mut self, name: &str) {
        self.hosts.remove(name);
        for host in self.hosts.values_mut() {
            host.behind.take_if(|(site, _)| site == name);
        }
    }

    fn switch(&mut self, name: &str) {
        let verb = if self.hosts[name].off {
            "enable"
        } else {
            "disable"
        };
        if self.world.verb(&["host", verb, name], "") {
            let host = self.host(name);
            host.off = !host.off;
            (host.ipv4, host.ipv6) = (None, None);
        }
    }

    fn switch_owner(&mut self, owner: &str) {
        let verb = if self.owners[owner].off {
            "enable"
        } else {
            "disable"
        };
        if self.world.verb(&["owner", verb, owner], "") {
            let it = self.owners.get_mut(owner).unwrap();
            it.off = !it.off;
            for name in self.of(owner) {
                let host = self.host(&name);
                (host.ipv4, host.ipv6) = (None, None);
            }
        }
    }

    fn remove_owner(&mut self, owner: &str) {
        let words = ["owner", "remove", owner, "--with-hosts"];
        if self.world.verb(&words, "") {
            for name in self.of(owner) {
                self.forget(&name);
            }
            self.owners.remove(owner);
        }
    }

    fn rotate(&mut self, name: &str) {
        let printed = self.printed(&["host", "rotate", name, "--json"]);
        let url = printed["url"].as_str().unwrap().to_owned();
        let secret = url.split('/').find(|part| part.len() >= 20);
        self.host(name).secret = secret.unwrap().to_owned();
    }

    fn rotate_owner(&mut self, owner: &str) {
        let printed = self.printed(&["owner", "rotate", owner, "--json"]);
        let secret = printed["token"].as_str().unwrap().to_owned();
        self.owners.get_mut(owner).unwrap().secret = secret;
    }

    fn printed(&mut self, words: &[&str]) -> serde_json::Value {
        self.world.note(format!("{words:?}"));
        serde_json::from_str(&self.world.site.bowline(words)).unwrap()
    }

    /// Another owner, or none. Where a host is behind another they have the same one.
    fn give(&mut self, name: &str, owner: Option<String>) {
        if self.is_site(name) || self.hosts[name].behind.is_some() {
            return;
        }
        let owner = owner.filter(|owner| !self.owners[owner].off);
        let words = [
            "host",
            "set",
            name,
            "--owner",
            owner.as_deref().unwrap_or("-"),
        ];
        if self.world.verb(&words, "") {
            self.host(name).owner = owner;
        }
    }

    /// Puts a host behind another of the same owner, or away from there.
    fn put_behind(&mut self, name: &str) {
        let is_near = |(other, host): &(&String, &Host)| {
            other.as_str() != name
                && host.behind.is_none()
                && host.owner == self.hosts[name].owner
                && !self.is_site(name)
        };
        let sites = self.hosts.iter().filter(is_near);
        let sites: Vec<String> = sites.map(|(site, _)| site.clone()).collect();
        match self.world.chance.one_of(&sites).cloned() {
            Some(site) if !self.world.chance.once_in(4) => {
                let id = 1 + self.world.chance.below(99);
                let written = format!("--interface-id=::{id:x}");
                if self
                    .world
                    .verb(&["host", "set", name, "--behind", &site, &written], "")
                {
                    self.host(name).behind = Some((site, id));
                }
            }
            _ => {
                if self.world.verb(&["host", "set", name, "--behind", "-"], "") {
                    self.host(name).behind = None;
                }
            }
        }
    }

    fn drift(&mut self, name: &str) {
        let host = &self.hosts[name];
        if self.world.is_up() && (host.ipv4.is_some() || host.ipv6.is_some()) {
            self.world.drift(name);
        }
    }

    /// Whether name server and `host list` say the same as the model.
    fn check(&self) {
        let mut expected = BTreeSet::new();
        for (name, host) in &self.hosts {
            for address in [&host.ipv4, &host.ipv6].into_iter().flatten() {
                expected.insert(format!("{name}.{ZONE}. {address}"));
            }
        }
        assert_eq!(self.world.records(), expected, "{}", self.world.told());
        let list = self.world.listed();
        assert_eq!(list.len(), self.hosts.len(), "{}", self.world.told());
        for (name, host) in &self.hosts {
            let full = format!("{name}.{ZONE}");
            let listed = list.iter().find(|listed| listed["name"] == full.as_str());
            let listed = listed.unwrap_or_else(|| panic!("{name}: {}", self.world.told()));
            assert_eq!(listed["pending"], false, "{name}: {}", self.world.told());
            assert_eq!(listed["owner"].as_str(), host.owner.as_deref());
            for (family, address) in [("ipv4", &host.ipv4), ("ipv6", &host.ipv6)] {
                let listed = listed[family].as_str();
                assert_eq!(listed, address.as_deref(), "{name}: {}", self.world.told());
            }
        }
    }
}
