//! What is to become of a host: a pure decision.

use std::fmt;
use std::net::IpAddr;

use super::{Asked, Omitted};
use crate::ip::{Addresses, Family, Policy, PublicAddress, Unpublishable};

/// What a request does to a host's addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// Addresses to have; a family that is missing here is kept.
    pub set: Addresses,
    /// Families to have none of.
    pub remove: Vec<Family>,
    /// What was given beside a publishable address and left out.
    pub dropped: Option<Unpublishable>,
}

impl Decision {
    /// Whether it leaves everything as it is.
    pub fn is_nothing(&self) -> bool {
        self.set.is_empty() && self.remove.is_empty()
    }

    /// Whether it says what is to become of a family.
    pub fn touches(&self, family: Family) -> bool {
        self.set.get(family).is_some() || self.remove.contains(&family)
    }

    /// The addresses of a host that had `before`.
    pub fn apply(&self, before: Addresses) -> Addresses {
        let mut after = before;
        self.remove.iter().for_each(|family| after.clear(*family));
        self.set.iter().for_each(|address| after.put(address));
        after
    }
}

/// Decides by what was asked, who asks, and what the host may have.
///
/// An explicit address touches its own family only, unless an omitted one means removal.
/// Nothing given means the client's address, its own family only; an explicit one is never
/// replaced by it.
///
/// # Errors
/// When no publishable address remains, or the client's is needed and not known.
pub fn decide(
    asked: &Asked,
    client: Option<IpAddr>,
    only: Option<Family>,
    policy: Policy,
) -> Result<Decision, Undecidable> {
    let mine = |address: &IpAddr| only.is_none_or(|only| only == Family::of(*address));
    let mut decision = Decision {
        remove: (asked.remove.iter().copied())
            .filter(|family| only.is_none_or(|only| only == *family))
            .collect(),
        dropped: asked.scoped.filter(|scoped| mine(&scoped.address)),
        ..Decision::default()
    };
    for address in asked.addresses.iter().filter(mine) {
        match PublicAddress::new(address, policy) {
            Ok(address) => decision.set.put(address.ip()),
            Err(unpublishable) => decision.dropped = Some(unpublishable),
        }
    }
    match decision.dropped {
        Some(unpublishable) if decision.is_nothing() && asked.lan.is_none() => {
            return Err(Undecidable::because_of(unpublishable, client));
        }
        None if decision.set.is_empty() && asked.remove.is_empty() && asked.lan.is_none() => {
            let client = client.ok_or(Undecidable::ClientUnknown)?;
            if !mine(&client) {
                return Err(Undecidable::OtherFamily);
            }
            let client = PublicAddress::new(client, policy)
                .map_err(|unpublishable| Undecidable::Client(unpublishable.kind))?;
            decision.set.put(client.ip());
        }
        _ if asked.omitted == Omitted::Remove && !decision.set.is_empty() => {
            decision.remove = Family::BOTH.to_vec();
        }
        _ => {}
    }
    let set = decision.set;
    // Given and removed at once: what is given stands.
    decision.remove.retain(|family| set.get(*family).is_none());
    Ok(decision)
}

/// Why nothing can be decided. None tells the client's address: how much of that the log may
/// have is the log's to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undecidable {
    /// No publishable address among those given.
    Unpublishable(Unpublishable),
    /// The client's address, given or not, is of a kind that may not be published.
    Client(&'static str),
    /// The client's address is needed, and of the family that the host does not have.
    OtherFamily,
    /// The client's address is needed, and the trusted proxy did not say it.
    ClientUnknown,
}

impl Undecidable {
    /// Because of that address, which is perhaps the client's.
    pub fn because_of(unpublishable: Unpublishable, client: Option<IpAddr>) -> Self {
        match client.map(|client| client.to_canonical()) == Some(unpublishable.address) {
            true => Undecidable::Client(unpublishable.kind),
            false => Undecidable::Unpublishable(unpublishable),
        }
    }
}

impl fmt::Display for Undecidable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Undecidable::Unpublishable(unpublishable) => unpublishable.fmt(f),
            Undecidable::Client(kind) => write!(
                f,
                "the client's address is a {kind} address and cannot be published"
            ),
            Undecidable::OtherFamily => {
                f.write_str("the client's address is of the family that the host does not have")
            }
            Undecidable::ClientUnknown => {
                f.write_str("the client's address is not known: the web server, or the trusted proxy, does not say it")
            }
        }
    }
}

impl std::error::Error for Undecidable {}

#[cfg(test)]
mod tests {
    use super::super::Lan;
    use super::*;

    fn asked(addresses: &str, remove: &[Family]) -> Asked {
        Asked {
            addresses: addresses
                .split(',')
                .filter(|text| !text.is_empty())
                .map(|text| text.parse().unwrap())
                .collect(),
            remove: remove.to_vec(),
            ..Asked::default()
        }
    }

    fn shown(decision: Result<Decision, Undecidable>) -> String {
        match decision {
            Ok(Decision {
                set,
                remove,
                dropped,
            }) => {
                let remove: String = remove.iter().map(|family| format!(" -{family}")).collect();
                let dropped = dropped.map(|dropped| format!(" dropped {}", dropped.kind));
                format!("{set}{remove}{}", dropped.unwrap_or_default())
            }
            Err(Undecidable::Unpublishable(unpublishable)) => {
                format!("badip {}", unpublishable.kind)
            }
            Err(Undecidable::Client(kind)) => format!("badip client {kind}"),
            Err(Undecidable::OtherFamily) => "badip family".to_owned(),
            Err(Undecidable::ClientUnknown) => "911".to_owned(),
        }
    }

    #[test]
    fn table() {
        use Family::{Ipv4, Ipv6};
        const V4: &str = "198.51.100.4";
        const V6: &str = "2001:db8:c::4";
        for (name, given, remove, client, only, expected) in [
            ("nothing/client-v4", "", &[][..], V4, None, "198.51.100.4"),
            ("nothing/client-v6", "", &[], V6, None, "2001:db8:c::4"),
            ("nothing/client-unknown", "", &[], "", None, "911"),
            (
                "nothing/client-private",
                "",
                &[],
                "192.168.1.1",
                None,
                "badip client private",
            ),
            (
                "bad/the-client's",
                "192.168.1.1",
                &[],
                "::ffff:192.168.1.1",
                None,
                "badip client private",
            ),
            (
                "nothing/client-loopback",
                "",
                &[],
                "127.0.0.1",
                None,
                "badip client loopback",
            ),
            (
                "one/other-kept",
                "203.0.113.7",
                &[],
                V6,
                None,
                "203.0.113.7",
            ),
            (
                "one/client-unknown",
                "203.0.113.7",
                &[],
                "",
                None,
                "203.0.113.7",
            ),
            (
                "both",
                "203.0.113.7,2001:db8::1",
                &[],
                V4,
                None,
                "203.0.113.7,2001:db8::1",
            ),
            (
                "one-bad/other-good",
                "192.168.1.1,2001:db8::1",
                &[],
                V4,
                None,
                "2001:db8::1 dropped private",
            ),
            (
                "both-bad",
                "192.168.1.1,fe80::1",
                &[],
                V4,
                None,
                "badip link-local",
            ),
            (
                "bad/never-the-client's",
                "10.0.0.1",
                &[],
                V4,
                None,
                "badip private",
            ),
            (
                "only/other-not-given",
                "203.0.113.7,2001:db8::1",
                &[],
                V4,
                Some(Ipv6),
                "2001:db8::1",
            ),
            (
                "only/client",
                "2001:db8::1",
                &[],
                V4,
                Some(Ipv4),
                "198.51.100.4",
            ),
            (
                "only/client-of-the-other",
                "2001:db8::1",
                &[],
                V6,
                Some(Ipv4),
                "badip family",
            ),
            (
                "only/bad-of-the-other",
                "203.0.113.7,fe80::1",
                &[],
                V4,
                Some(Ipv4),
                "203.0.113.7",
            ),
            ("remove/all", "", &[Ipv4, Ipv6], V4, None, " -ipv4 -ipv6"),
            (
                "remove/one-set-other",
                "203.0.113.7",
                &[Ipv6],
                V4,
                None,
                "203.0.113.7 -ipv6",
            ),
            (
                "remove/given-too",
                "203.0.113.7",
                &[Ipv4],
                V4,
                None,
                "203.0.113.7",
            ),
        ] {
            let decision = decide(
                &asked(given, remove),
                client.parse().ok(),
                only,
                Policy::Public,
            );
            assert_eq!(shown(decision), expected, "{name}");
        }
        let private = decide(&asked("192.168.1.1", &[]), None, None, Policy::Private);
        assert_eq!(shown(private), "192.168.1.1", "allow-private");
    }

    #[test]
    fn an_omitted_family_may_be_removed() {
        for (name, given, only, expected) in [
            ("one", "203.0.113.7", None, "203.0.113.7 -ipv6"),
            (
                "both",
                "203.0.113.7,2001:db8::1",
                None,
                "203.0.113.7,2001:db8::1",
            ),
            ("nothing/other-kept", "", None, "198.51.100.4"),
            ("bad", "10.0.0.1", None, "badip private"),
            (
                "bad-and-good",
                "203.0.113.7,fe80::1",
                None,
                "203.0.113.7 -ipv6 dropped link-local",
            ),
            (
                "only/other-not-given",
                "2001:db8::1",
                Some(Family::Ipv4),
                "198.51.100.4",
            ),
        ] {
            let asked = Asked {
                omitted: Omitted::Remove,
                ..asked(given, &[])
            };
            let client = "198.51.100.4".parse().ok();
            let decision = decide(&asked, client, only, Policy::Public);
            assert_eq!(shown(decision), expected, "{name}");
        }
    }

    #[test]
    fn a_prefix_alone_does_not_mean_the_clients_address() {
        let asked = Asked {
            lan: Some(Lan::Gone),
            ..asked("", &[])
        };
        let client = "2001:db8:c::4".parse().ok();
        let decision = decide(&asked, client, None, Policy::Public);
        assert_eq!(shown(decision), "");
        let private = Asked {
            addresses: "192.168.1.1".parse().into_iter().collect(),
            ..asked
        };
        let decision = decide(&private, client, None, Policy::Public);
        assert_eq!(shown(decision), " dropped private");
    }

    #[test]
    fn applied_to_what_was_there() {
        let before = asked("203.0.113.1,2001:db8::1", &[]).addresses;
        let decision = Decision {
            set: asked("203.0.113.7", &[]).addresses,
            ..Decision::default()
        };
        assert_eq!(
            decision.apply(before).to_string(),
            "203.0.113.7,2001:db8::1"
        );
        let decision = Decision {
            remove: vec![Family::Ipv6],
            ..decision
        };
        assert_eq!(decision.apply(before).to_string(), "203.0.113.7");
    }
}
