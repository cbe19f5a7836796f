//! How families are moved: visits of a host, of a router for those behind it, of an owner.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Host, Model};
use crate::support::knot::ZONE;
use crate::support::site::CLIENT;

impl Model {
    /// A visit of one host, with its own token or its owner's.
    pub(super) fn visit(&mut self, name: &str) {
        let (ipv4, ipv6) = (self.world.address(0), self.world.address(1));
        let given = [("ipv4", &ipv4), ("ipv6", &ipv6)];
        let pairs = given
            .iter()
            .map(|(family, address)| format!("{family}={}", address.as_deref().unwrap_or("-")));
        let query = pairs.collect::<Vec<_>>().join("&");
        let host = &self.hosts[name];
        let owner = host.owner.as_ref().map(|owner| &self.owners[owner]);
        let owner = owner.filter(|_| self.world.chance.once_in(2));
        let secret = owner.map_or(&host.secret, |owner| &owner.secret);
        let path = format!("/{secret}/{name}?{query}");
        let said = self.world.site.visit(&path).said();
        self.world.note(format!("{name}?{query}: {said}"));
        if self.hear(name, &said) {
            let host = self.host(name);
            (host.ipv4, host.ipv6) = (ipv4, ipv6);
        }
    }

    /// Whether a host has what it asked for, now or once the name server is back.
    fn hear(&self, name: &str, said: &str) -> bool {
        let is_off = self.is_off(name);
        let words: &[&str] = match (is_off, self.world.is_up()) {
            (true, _) => &["403 abuse"],
            (false, true) => &["200 good", "200 nochg"],
            (false, false) => &["503 dnserr"],
        };
        let is_right = words.iter().any(|word| said.starts_with(word));
        assert!(is_right, "{words:?}: {}", self.world.told());
        !is_off
    }

    /// A visit of a router that tells its LAN prefix, and perhaps an address of its own.
    pub(super) fn tell_prefix(&mut self, name: &str) {
        let n = self.world.chance.below(5);
        let prefix = (n > 0).then(|| format!("2001:db8:{n:x}"));
        let ipv4 = self.world.address(0).filter(|_| n.is_multiple_of(2));
        let mut query = match &prefix {
            Some(prefix) => format!("ip6lanprefix={prefix}::/56"),
            None => "ip6lanprefix=-".to_owned(),
        };
        query.extend(ipv4.iter().map(|ipv4| format!("&ipv4={ipv4}")));
        let path = format!("/{}/{name}?{query}", self.hosts[name].secret);
        let said = self.world.site.visit(&path).said();
        self.world.note(format!("{name}?{query}: {said}"));
        // Where nothing is to be changed nobody is asked.
        let moves = ipv4.is_some() || self.moves(name);
        if !moves && !self.is_off(name) {
            assert!(said.starts_with("200 "), "{}", self.world.told());
        } else if self.hear(name, &said) {
            self.host(name).ipv4 = ipv4.or(self.host(name).ipv4.take());
            self.move_behind(name, prefix.as_deref());
        }
    }

    /// Whether a prefix moves anybody.
    fn moves(&self, site: &str) -> bool {
        let is_behind = |host: &Host| host.behind.as_ref().is_some_and(|(its, _)| its == site);
        let mut hosts = self.hosts.iter();
        hosts.any(|(name, host)| is_behind(host) && !self.is_off(name))
    }

    /// All that are behind a host, and on, have the prefix now.
    fn move_behind(&mut self, site: &str, prefix: Option<&str>) {
        let all: Vec<String> = self.hosts.keys().cloned().collect();
        for name in all {
            let is_off = self.is_off(&name);
            let host = self.host(&name);
            match &host.behind {
                Some((its, id)) if its == site && !is_off => {
                    host.ipv6 = prefix.map(|prefix| format!("{prefix}::{id:x}"));
                }
                _ => {}
            }
        }
    }

    /// A visit of some hosts with the owner's token, by dyndns2.
    pub(super) fn visit_all(&mut self, owner: &str) {
        let mut names = self.of(owner);
        names.retain(|_| !self.world.chance.once_in(3));
        if names.is_empty() {
            return;
        }
        let (ipv4, ipv6) = (self.world.address(0), self.world.address(1));
        let full: Vec<String> = names.iter().map(|name| format!("{name}.{ZONE}")).collect();
        let given: Vec<&str> = [&ipv4, &ipv6]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        let given = if given.is_empty() {
            vec![CLIENT]
        } else {
            given
        };
        let query = format!("hostname={}&myip={}", full.join(","), given.join(","));
        let credentials = STANDARD.encode(format!("x:{}", self.owners[owner].secret));
        let request = self.world.site.get(&format!("/nic/update?{query}"));
        let heard = request
            .set("HTTP_AUTHORIZATION", format!("Basic {credentials}"))
            .run();
        let said = heard.said();
        self.world.note(format!("{owner}: {query}: {said}"));
        let lines: Vec<&str> = said.split_once(' ').unwrap().1.lines().collect();
        // Where none may be changed it is said once.
        let lines = if lines.len() == 1 {
            vec![lines[0]; names.len()]
        } else {
            lines
        };
        assert_eq!(lines.len(), names.len(), "{}", self.world.told());
        for (name, line) in names.iter().zip(lines) {
            let words: &[&str] = match (self.is_off(name), self.world.is_up()) {
                (true, _) => &["abuse"],
                (false, true) => &["good", "nochg"],
                (false, false) => &["dnserr"],
            };
            let is_right = words.iter().any(|word| line.starts_with(word));
            assert!(is_right, "{name}: {words:?}: {}", self.world.told());
            if !self.is_off(name) {
                let host = self.host(name);
                for address in &given {
                    let address = Some((*address).to_owned());
                    if address.as_ref().unwrap().contains(':') {
                        host.ipv6 = address;
                    } else {
                        host.ipv4 = address;
                    }
                }
            }
        }
    }
}
