//! Which hosts the names in a request are, among those that its token is good for.

use super::{Answer, Word};
use crate::config::Config;
use crate::name::{HostName, NameError, ZoneName};
use crate::registry::{Holder, Host, Owner, Registry, RegistryError, State};
use crate::time::Timestamp;

/// What a name in a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// One of the hosts that the token is good for, by its position among those named.
    Host(usize),
    /// Another one, or none that there is.
    Other,
    /// What can be no host's name.
    Invalid,
}

/// The hosts that a request names, each once, and what each name in it is, in order.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) hosts: Vec<Host>,
    pub(super) named: Vec<Named>,
}

impl Names {
    /// Reads the names in a request with a token of that holder. No name at all means the
    /// host whose token it is, or the owner's only one.
    pub(super) fn read(
        names: &[Vec<u8>],
        holder: Holder,
        config: &Config,
        registry: &Registry,
        now: Timestamp,
    ) -> Result<Self, RegistryError> {
        match holder {
            Holder::Host(host) => Names::of_host(names, *host, registry, now),
            Holder::Owner(owner) => Names::of_owner(names, &owner, config, registry, now),
        }
    }

    fn of_host(
        names: &[Vec<u8>],
        host: Host,
        registry: &Registry,
        now: Timestamp,
    ) -> Result<Self, RegistryError> {
        let mut named = vec![Named::Host(0)];
        if !names.is_empty() {
            let former = registry.former_names(&host, now)?;
            let former = former.into_iter().map(|former| former.name);
            let own: Vec<HostName> = former.chain([host.name.clone()]).collect();
            let zone = host.name.zone();
            named = (names.iter())
                .map(|name| match meaning(name, &zone) {
                    Ok(Some(name)) if own.contains(&name) => Named::Host(0),
                    Ok(_) => Named::Other,
                    Err(Invalid) => Named::Invalid,
                })
                .collect();
        }
        let hosts = vec![host];
        Ok(Names { hosts, named })
    }

    fn of_owner(
        names: &[Vec<u8>],
        owner: &Owner,
        config: &Config,
        registry: &Registry,
        now: Timestamp,
    ) -> Result<Self, RegistryError> {
        let mut read = Names::default();
        if names.is_empty() {
            if let Some(host) = registry.only_host_of(owner.id)? {
                read.hosts.push(host);
                read.named.push(Named::Host(0));
            }
            return Ok(read);
        }
        for name in names {
            let mut found: Vec<Host> = Vec::new();
            let mut invalid = true;
            for zone in &config.zones {
                let Ok(meant) = meaning(name, &zone.name) else {
                    continue;
                };
                invalid = false;
                let host = match meant {
                    Some(name) => registry.host_by_name(&name, now)?,
                    None => None,
                };
                let own = |host: &Host| {
                    host.state != State::Removing
                        && host.settings.owner.as_ref() == Some(&owner.name)
                };
                let new = |host: &Host| found.iter().all(|other| other.id != host.id);
                if let Some(host) = host.filter(|host| own(host) && new(host)) {
                    found.push(host);
                }
            }
            let named = match (found.pop(), found.is_empty()) {
                (Some(host), true) => read.put(host),
                _ if invalid => Named::Invalid,
                _ => Named::Other,
            };
            read.named.push(named);
        }
        Ok(read)
    }

    fn put(&mut self, host: Host) -> Named {
        let known = self.hosts.iter().position(|other| other.id == host.id);
        Named::Host(known.unwrap_or_else(|| {
            self.hosts.push(host);
            self.hosts.len() - 1
        }))
    }
}

/// A name that can be no host's.
struct Invalid;

/// The host name that a text means in a zone, in full or relative to it; `None` when it can
/// only be one elsewhere.
fn meaning(name: &[u8], zone: &ZoneName) -> Result<Option<HostName>, Invalid> {
    let text = std::str::from_utf8(name).map_err(|_| Invalid)?;
    match HostName::new(text, zone) {
        Ok(name) => Ok(Some(name)),
        Err(NameError::Apex(_)) => Ok(None),
        // Too long in this zone, and yet some other zone's name.
        Err(NameError::Long(_)) if text.parse::<ZoneName>().is_ok() => Ok(None),
        Err(_) => Err(Invalid),
    }
}

/// An answer for every name, in order: those of the hosts where they are named.
///
/// What is refused is told of `host` in the log, where the token is one host's.
pub(super) fn answers(
    names: &[Named],
    own: &[Option<&Answer>],
    host: Option<&HostName>,
) -> Vec<Answer> {
    let refusal = |word, reason: &str| Answer {
        host: host.cloned(),
        ..Answer::new(word).because(reason)
    };
    names
        .iter()
        .map(|name| match name {
            Named::Host(position) => match own.get(*position).copied().flatten() {
                Some(answer) => answer.clone(),
                None => refusal(Word::NoHost, "the host or its token went meanwhile"),
            },
            Named::Other => refusal(
                Word::NoHost,
                "the name in the request is not the token's host",
            ),
            Named::Invalid => refusal(Word::NotFqdn, "the name in the request is no host name"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        let zone: ZoneName = "dyn.example.org".parse().unwrap();
        let long = "a".repeat(64);
        let foreign = format!("{}.{0}.{0}.{0}", "a".repeat(60));
        let meant = |name: &[u8]| match meaning(name, &zone) {
            Ok(Some(name)) => name
                .as_str()
                .trim_end_matches(".dyn.example.org")
                .to_owned(),
            Ok(None) => "elsewhere".to_owned(),
            Err(Invalid) => "invalid".to_owned(),
        };
        for (name, expected) in [
            ("home", "home"),
            ("HOME.dyn.Example.org.", "home"),
            ("b\u{fc}ro", "xn--bro-hoa"),
            ("B\u{dc}RO.dyn.example.org", "xn--bro-hoa"),
            ("home.example.com", "home.example.com"),
            ("dyn.example.org", "elsewhere"),
            ("xhome.dyn.example.org", "xhome"),
            (&foreign, "elsewhere"),
            ("*.home", "invalid"),
            ("a_b", "invalid"),
            ("a..b", "invalid"),
            ("-a", "invalid"),
            ("home\n", "invalid"),
            ("home\0", "invalid"),
            ("http://home", "invalid"),
            (&long, "invalid"),
        ] {
            assert_eq!(meant(name.as_bytes()), expected, "{name:?}");
        }
        assert_eq!(meant(b"\xff"), "invalid");
    }
}
