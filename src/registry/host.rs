//! A host as the registry has it: settings, wish and fact.

use ipnetwork::IpNetwork;

use super::{Behind, Heard, UNSETTLED};
use crate::event::Events;
use crate::ip::{Addresses, Family, Policy};
use crate::name::{HostName, RecordName};
use crate::owner_name::OwnerName;
use crate::span::Span;
use crate::time::Timestamp;
use crate::ttl::Ttl;

/// A host's number; never given out twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub(super) i64);

impl HostId {
    /// The number.
    pub fn number(self) -> i64 {
        self.0
    }
}

impl From<HostId> for i64 {
    fn from(id: HostId) -> i64 {
        id.0
    }
}

/// One host.
#[derive(Debug, Clone)]
pub struct Host {
    /// Its number.
    pub id: HostId,
    /// Its name.
    pub name: HostName,
    /// Whether visits and records are wanted.
    pub state: State,
    /// What the operator set.
    pub settings: Settings,
    /// What was accepted last.
    pub wish: Wish,
    /// What was confirmed last.
    pub fact: Fact,
    /// Every name that may hold records of this host.
    pub held: Vec<RecordName>,
    /// When an exchange last ended without a verified answer.
    pub unconfirmed: Option<Timestamp>,
    /// Why its wish is no fact.
    pub trouble: Option<String>,
    /// What the name server was found to show instead of its fact, until that is mended.
    pub differs: Option<String>,
    /// Whether its owner is switched off, and so is it.
    pub owner_disabled: bool,
    /// When it was added.
    pub created: Timestamp,
    /// When its client was last heard, exact to an hour.
    pub last_seen: Option<Timestamp>,
    /// When it was last heard of each family.
    pub heard: Heard,
    /// When its addresses last changed.
    pub last_change: Option<Timestamp>,
    /// The networks from which alone it may be visited, where its client has asked for that.
    pub networks: Vec<IpNetwork>,
}

/// Whether a host takes visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It does.
    Active,
    /// The operator has switched it off; its records are removed.
    Disabled,
    /// It is gone but for records that could not be removed yet.
    Removing,
}

impl State {
    /// As a column has it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            State::Active => "active",
            State::Disabled => "disabled",
            State::Removing => "removing",
        }
    }
}

/// What the operator set for a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// A remark.
    pub note: Option<String>,
    /// Where its person is reached.
    pub mail: Option<String>,
    /// What is told of it, on all channels; nothing: as configured.
    pub notify: Option<Events>,
    /// Its own TTL.
    pub ttl: Option<Ttl>,
    /// Its own expiry; zero: never.
    pub expire: Option<Span>,
    /// The only family it has.
    pub only: Option<Family>,
    /// Whether private addresses may be published.
    pub allow_private: bool,
    /// Whether `*.` below it follows it.
    pub wildcard: bool,
    /// Whether its token is accepted over plain HTTP.
    pub plain_http: bool,
    /// The addresses of a static host, which has no token.
    pub fixed: Option<Addresses>,
    /// Whose host it is: the owner's token is good for it too.
    pub owner: Option<OwnerName>,
    /// The host whose LAN prefix it has its IPv6 address from.
    pub behind: Option<Behind>,
}

/// Records as a host wants them: one address of each family at each name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Records {
    /// Where: the host's name, perhaps its wildcard and former names.
    pub names: Vec<RecordName>,
    /// Which addresses; none: no records.
    pub addresses: Addresses,
    /// How long resolvers may keep them.
    pub ttl: Ttl,
}

/// What was accepted last, numbered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Grows with every wish; 0: there was none.
    pub number: i64,
    /// The records wanted.
    pub records: Records,
    /// When it was accepted.
    pub at: Timestamp,
}

/// What the name server confirmed last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Which wish that was; 0: none.
    pub number: i64,
    /// The names that have the records.
    pub names: Vec<RecordName>,
    /// The addresses they have.
    pub addresses: Addresses,
    /// The zone's serial then.
    pub serial: Option<u32>,
    /// When that was.
    pub at: Option<Timestamp>,
}

/// A name a host had before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerName {
    /// The name.
    pub name: HostName,
    /// Until when it means the host.
    pub until: Timestamp,
}

impl Host {
    /// Accepted, but not yet confirmed by the name server.
    pub fn is_pending(&self) -> bool {
        self.wish.number != self.fact.number
    }

    /// What the name server shows instead of what it had confirmed, as far as is known; one that
    /// is pending is to have other records anyway.
    pub fn shown_otherwise(&self) -> Option<&str> {
        self.differs.as_deref().filter(|_| !self.is_pending())
    }

    /// Whether an UPDATE that was never answered may still be applied.
    pub fn is_unsettled(&self, now: Timestamp) -> bool {
        // A clock that was ahead does not make it last.
        let is_near = |at: Timestamp| now.since(at) < UNSETTLED && at.since(now) < UNSETTLED;
        self.unconfirmed.is_some_and(is_near)
    }

    /// Whether it takes visits and has records: neither it nor its owner is switched off.
    pub fn is_on(&self) -> bool {
        self.state == State::Active && !self.owner_disabled
    }

    /// Which addresses it may have, given the zone's policy.
    pub fn policy(&self, zone: Policy) -> Policy {
        if self.settings.allow_private {
            Policy::Private
        } else {
            zone
        }
    }
}
