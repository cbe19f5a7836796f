//! What is to become of a host: a pure decision.

use std::fmt;
use std::net::IpAddr;

use super::{Asked, Omitted};
use crate::ip::{Addresses, Family, Policy, PublicAddress, Unpublishable, with_article};

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

    /// The families of which it says what is to become.
    pub fn touched(&self) -> impl Iterator<Item = Family> {
        let families = Family::BOTH.into_iter();
        families.filter(|family| self.touches(*family))
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
                "the client's address is {} address and cannot be published",
                with_article(kind)
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
mod tests;
