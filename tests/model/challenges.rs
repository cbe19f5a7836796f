//! Challenges for certificates, of hosts that are renamed, switched off and removed meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::chance::{self, Chance};
use crate::support::knot::ZONE;
use crate::world::{Away, World};

/// So many steps, without `BOWLINE_STEPS`.
const STEPS: usize = 120;
/// All names there ever are.
const NAMES: [&str; 4] = ["home", "nas", "shed", "villa"];
/// So many values each host's certificates ever have: with all names, as many as may be known
/// of a host at once.
const VALUES: u64 = 8;
/// What somebody else has put there.
const BY_HAND: &str = "by-hand";

/// The protocols, and how many values of each stand at a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Httpreq = 8,
    AcmeDns = 2,
    DuckDns = 1,
}

#[derive(Default)]
struct Host {
    secret: String,
    /// The first of its values.
    first: u64,
    off: bool,
    /// Names that it had before, and goes on to have.
    former: Vec<String>,
    /// What is to stand at each name, oldest first.
    wanted: BTreeMap<String, Vec<(Protocol, String)>>,
}

struct Model {
    world: World,
    hosts: BTreeMap<String, Host>,
    /// Names with a text of somebody else.
    others: BTreeSet<&'static str>,
    /// So many hosts there were.
    added: u64,
}

#[test]
fn what_stands_for_certificates_is_what_was_asked_for() {
    let (seed, steps) = chance::run("BOWLINE_STEPS", STEPS);
    let mut model = Model {
        world: World::new(Chance::of(seed, 0)),
        hosts: BTreeMap::new(),
        others: BTreeSet::new(),
        added: 0,
    };
    model.world.ways.push(Away::Frozen);
    let site = &model.world.site;
    site.configure("http://update.example.org", "acme = true\n");
    for _ in 0..steps {
        model.step();
        if model.world.is_up() {
            model.check();
        }
    }
    model.forget();
    model.check();
}

impl Model {
    fn step(&mut self) {
        let all: Vec<String> = self.hosts.keys().cloned().collect();
        let host = self.world.chance.one_of(&all).cloned();
        match (self.world.chance.below(32), host) {
            (0..3, _) | (_, None) => self.add(),
            (3 | 4, _) if self.world.is_up() => self.world.stop(),
            (3..6, _) => self.world.round(),
            (6, _) => self.by_hand(),
            (7, _) if self.world.chance.once_in(3) => self.forget(),
            (8 | 9, Some(name)) => self.rename(&name),
            (10, Some(name)) => self.remove(&name),
            (11, Some(name)) => self.switch(&name),
            (12..17, Some(name)) => self.cleanup(&name),
            (17, Some(name)) => self.clear(&name),
            (_, Some(name)) => self.present(&name),
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
        if let Some(secret) = self.world.add(name, &[]) {
            let first = self.added * VALUES;
            self.added += 1;
            let host = Host {
                secret,
                first,
                ..Host::default()
            };
            self.hosts.insert(name.to_owned(), host);
        }
    }

    fn rename(&mut self, name: &str) {
        let Some(new) = self.free() else { return };
        if let Some(keep) = self.world.rename(name, new) {
            let mut host = self.hosts.remove(name).unwrap();
            if keep {
                host.former.push(name.to_owned());
            } else {
                host.wanted.remove(name);
            }
            self.hosts.insert(new.to_owned(), host);
        }
    }

    fn remove(&mut self, name: &str) {
        if self.world.verb(&["host", "remove", name], "") {
            self.hosts.remove(name);
        }
    }

    fn switch(&mut self, name: &str) {
        let off = !self.hosts[name].off;
        let verb = if off { "disable" } else { "enable" };
        if self.world.verb(&["host", verb, name], "") {
            let host = self.hosts.get_mut(name).unwrap();
            host.off = off;
            host.wanted.clear();
        }
    }

    /// Somebody else puts a text at a name, or takes it away.
    fn by_hand(&mut self) {
        let name = self.world.chance.one_of(&NAMES).copied().unwrap();
        if !self.world.is_up() {
            return;
        }
        let record = format!("_acme-challenge.{name}");
        let knot = &self.world.site.knot;
        if self.others.remove(name) {
            for words in [
                ["zone-begin", ZONE].as_slice(),
                &["zone-unset", ZONE, &record, "TXT", BY_HAND],
                &["zone-commit", ZONE],
            ] {
                knot.knotc(words);
            }
        } else {
            knot.set(&format!("{record} 10 TXT {BY_HAND}"));
            self.others.insert(name);
        }
        self.world.note(format!("{name} is changed by hand"));
    }

    /// The clients never come back: what they have set goes after an hour.
    fn forget(&mut self) {
        let db = rusqlite::Connection::open(self.world.site.registry_file()).unwrap();
        db.execute("UPDATE challenge SET at = at - 3601", [])
            .unwrap();
        drop(db);
        self.world.note("an hour passes".to_owned());
        self.world.settle();
        self.hosts.values_mut().for_each(|host| host.wanted.clear());
    }

    /// One of the host's names, the present one mostly.
    fn name_of(&mut self, name: &str) -> String {
        match self.world.chance.once_in(3) {
            true => self.world.chance.one_of(&self.hosts[name].former).cloned(),
            false => None,
        }
        .unwrap_or_else(|| name.to_owned())
    }

    /// One of the host's values.
    fn value_of(&mut self, name: &str) -> String {
        let n = self.hosts[name].first + self.world.chance.below(VALUES);
        format!("{n:a>43}")
    }

    fn present(&mut self, name: &str) {
        let (at, value) = (self.name_of(name), self.value_of(name));
        let protocol = match self.world.chance.below(4) {
            0 => Protocol::AcmeDns,
            1 => Protocol::DuckDns,
            _ => Protocol::Httpreq,
        };
        let secret = self.hosts[name].secret.clone();
        let said = match protocol {
            Protocol::Httpreq => self.httpreq("/present", name, &at, &value),
            Protocol::AcmeDns => {
                let body = format!(r#"{{"subdomain":"{at}","txt":"{value}"}}"#);
                let headers = [
                    ("HTTP_X_API_USER", "x"),
                    ("HTTP_X_API_KEY", secret.as_str()),
                ];
                self.post("/update", &headers, &body)
            }
            Protocol::DuckDns => {
                self.get(&format!("/update?domains={at}&token={secret}&txt={value}"))
            }
        };
        let host = self.expect(name, said);
        if host.off {
            return;
        }
        let values = host.wanted.entry(at).or_default();
        values.retain(|(_, other)| *other != value);
        values.push((protocol, value));
        let same = values.iter().filter(|(other, _)| *other == protocol);
        if same.count() > protocol as usize {
            let oldest = values.iter().position(|(other, _)| *other == protocol);
            values.remove(oldest.unwrap());
        }
    }

    fn cleanup(&mut self, name: &str) {
        let (at, value) = (self.name_of(name), self.value_of(name));
        let said = self.httpreq("/cleanup", name, &at, &value);
        let host = self.expect(name, said);
        if let Some(values) = host.wanted.get_mut(&at) {
            values.retain(|(_, other)| *other != value);
        }
    }

    /// Takes away what DuckDNS's clients have set.
    fn clear(&mut self, name: &str) {
        let at = self.name_of(name);
        let secret = &self.hosts[name].secret;
        let said = self.get(&format!(
            "/update?domains={at}&token={secret}&txt=&clear=true"
        ));
        let values = self.hosts[name].wanted.get(&at).into_iter().flatten();
        let is_any = { values }.any(|(protocol, _)| *protocol == Protocol::DuckDns);
        // Where nothing is known nothing is asked of the name server.
        if said == 200 && !self.world.is_up() && !is_any {
            return;
        }
        let host = self.expect(name, said);
        if let Some(values) = host.wanted.get_mut(&at) {
            values.retain(|(protocol, _)| *protocol != Protocol::DuckDns);
        }
    }

    fn httpreq(&mut self, path: &str, name: &str, at: &str, value: &str) -> u16 {
        let password = STANDARD.encode(format!("x:{}", self.hosts[name].secret));
        let body = format!(r#"{{"fqdn":"_acme-challenge.{at}.{ZONE}.","value":"{value}"}}"#);
        let basic = format!("Basic {password}");
        self.post(path, &[("HTTP_AUTHORIZATION", &basic)], &body)
    }

    fn post(&mut self, path: &str, headers: &[(&str, &str)], body: &str) -> u16 {
        let mut request = (self.world.site.get(path).method("POST"))
            .set("CONTENT_TYPE", "application/json")
            .set("CONTENT_LENGTH", body.len().to_string())
            .body(body.as_bytes());
        for (name, value) in headers {
            request = request.set(name, value);
        }
        let status = request.run().status;
        self.world.note(format!("{path} {body}: {status}"));
        status
    }

    fn get(&mut self, path: &str) -> u16 {
        let status = self.world.site.visit(path).status;
        self.world.note(format!("{path}: {status}"));
        status
    }

    /// The host, when it was said what was to be.
    fn expect(&mut self, name: &str, said: u16) -> &mut Host {
        let host = self.hosts.get_mut(name).unwrap();
        let expected: &[u16] = match (host.off, self.world.away) {
            // acme-dns has one word for all who may not.
            (true, _) => &[401, 403],
            (false, None) => &[200],
            (false, Some(_)) => &[503],
        };
        assert!(expected.contains(&said), "{}", self.world.told());
        host
    }

    /// Whether the name server shows what the model says.
    fn check(&self) {
        let text = |name: &str, text: &str| format!("_acme-challenge.{name}.{ZONE}. {text}");
        let mut expected: BTreeSet<String> = BTreeSet::new();
        for host in self.hosts.values() {
            for (name, values) in &host.wanted {
                expected.extend(values.iter().map(|(_, value)| text(name, value)));
            }
        }
        expected.extend(self.others.iter().map(|name| text(name, BY_HAND)));
        let zone = self.world.site.knot.knotc(&["zone-read", ZONE]);
        let records = zone.lines().filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [_, owner, _ttl, "TXT", value] = words.as_slice() else {
                return None;
            };
            Some(format!("{owner} {}", value.trim_matches('"')))
        });
        let records: BTreeSet<String> = records.collect();
        assert_eq!(records, expected, "{}", self.world.told());
    }
}
