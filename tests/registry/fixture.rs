//! A registry of its own, and what the tests do with it.

use std::sync::Arc;

use bowline::ip::{Addresses, Family};
use bowline::name::{HostName, ZoneName};
use bowline::owner_name::OwnerName;
use bowline::registry::{
    Accepted, Ask, Conclusion, End, Host, HostId, NewHost, Registry, Rename, Settings, Wish,
};
use bowline::span::Span;
use bowline::time::Timestamp;
use bowline::token::{LookupKey, Token};
use bowline::ttl::Ttl;

/// When everything happens, or is counted from.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// A registry in a directory, and the key of its tokens.
pub(crate) struct Fixture {
    pub(crate) registry: Registry,
    pub(crate) key: LookupKey,
    pub(crate) directory: tempfile::TempDir,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let key = LookupKey::random().unwrap();
        let registry = Registry::create(&directory.path().join("bowline.db"), key.clone()).unwrap();
        Fixture {
            registry,
            key,
            directory,
        }
    }

    pub(crate) fn add(&mut self, text: &str) -> (HostId, Token) {
        let token = Token::random().unwrap();
        let new = new_host(text, Some(&token), &self.key);
        let id = self.registry.add(&[new], Ttl::DEFAULT, NOW).unwrap()[0];
        (id, token)
    }

    /// An owner without hosts, and the token.
    pub(crate) fn add_owner(&mut self, text: &str) -> (OwnerName, Token) {
        let (owner, token): (OwnerName, _) = (text.parse().unwrap(), Token::random().unwrap());
        let digest = self.key.digest(&token);
        self.registry.add_owner(&owner, None, &digest, NOW).unwrap();
        (owner, token)
    }

    /// Gives a host a name that is free; it keeps the old one for so long.
    pub(crate) fn rename(&mut self, id: HostId, to: &str, keep: Span) {
        let rename = rename(name(to), keep, Span::ZERO);
        let done = self.registry.rename(id, &rename, Ttl::DEFAULT, NOW);
        done.unwrap();
    }

    pub(crate) fn host(&self, id: HostId) -> Host {
        self.registry.host_by_id(id).unwrap().unwrap()
    }

    pub(crate) fn accept(&mut self, id: HostId, token: &Token, wanted: &str) -> Accepted {
        let ask = self.ask(id, token, wanted);
        self.registry.accept(&[ask]).unwrap().remove(0)
    }

    /// What a visit asks that wants these addresses.
    pub(crate) fn ask(&self, id: HostId, token: &Token, wanted: &str) -> Ask {
        let wanted = addresses(wanted);
        Ask {
            host: id,
            token: self.key.digest(token),
            site: None,
            ttl: Ttl::DEFAULT,
            client: Some("198.51.100.4".parse().unwrap()),
            dialect: "path".to_owned(),
            now: NOW,
            notify: None,
            not_before: None,
            families: wanted.iter().map(Family::of).collect(),
            addresses: Arc::new(move |_| wanted),
        }
    }

    /// The wish as it is, as if the name server had confirmed it.
    pub(crate) fn confirm(&mut self, id: HostId) {
        let wish = self.host(id).wish;
        self.confirm_wish(id, &wish, NOW);
    }

    /// That wish, as if the name server had confirmed it at `at`.
    pub(crate) fn confirm_wish(&mut self, id: HostId, wish: &Wish, at: Timestamp) {
        let end = End::Confirmed {
            number: wish.number,
            records: &wish.records,
            serial: Some(7),
        };
        let conclusion = Conclusion { host: id, end };
        let zone = name("home").zone();
        self.registry
            .conclude(&zone, &[7], &[conclusion], at)
            .unwrap();
    }

    /// An exchange for the host that ended without a verified answer.
    pub(crate) fn unconfirmed(&mut self, id: HostId) {
        self.failed(id, "no answer", true);
    }

    /// An exchange for the host that the name server refused.
    pub(crate) fn refused(&mut self, id: HostId) {
        self.failed(id, "refused", false);
    }

    fn failed(&mut self, id: HostId, reason: &str, may_be_applied: bool) {
        let end = End::Failed {
            reason: reason.to_owned(),
            may_be_applied,
        };
        let conclusion = Conclusion { host: id, end };
        let zone = name("home").zone();
        self.registry
            .conclude(&zone, &[], &[conclusion], NOW)
            .unwrap();
    }
}

pub(crate) fn new_host(text: &str, token: Option<&Token>, key: &LookupKey) -> NewHost {
    NewHost {
        name: name(text),
        settings: Settings::default(),
        token: token.map(|token| key.digest(token)),
        addresses: Addresses::NONE,
        reuse: Span::from_days(30),
        below: false,
    }
}

pub(crate) fn rename(to: HostName, keep: Span, reuse: Span) -> Rename {
    Rename {
        to,
        keep,
        reuse,
        below: false,
    }
}

pub(crate) fn name(text: &str) -> HostName {
    let zone: ZoneName = "dyn.example.org".parse().unwrap();
    HostName::new(text, &zone).unwrap()
}

pub(crate) fn addresses(text: &str) -> Addresses {
    text.split(',')
        .filter(|text| !text.is_empty())
        .map(|text| text.parse().unwrap())
        .collect()
}

pub(crate) fn shown(names: &[bowline::name::RecordName]) -> String {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    names.join(" ").replace(".dyn.example.org", "")
}
