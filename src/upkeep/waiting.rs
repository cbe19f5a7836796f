//! What waits in each zone, and what its name server refuses of it.

use super::restored::Restored;
use crate::name::ZoneName;
use crate::publish::{Portion, Trouble};
use crate::registry::Host;

/// What waits in a zone.
pub(super) struct Waiting<'h> {
    pub(super) zone: &'h ZoneName,
    /// Those that were not tried yet.
    pub(super) hosts: &'h [Host],
    pub(super) portion: Portion,
    pub(super) refused: Refused<'h>,
    /// `None` before its first turn.
    pub(super) seen: Option<Seen>,
}

/// What was seen of a zone before anything was published there.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    /// Whether its name server answers questions.
    pub(super) answers: bool,
    /// Whether the zone's word may count, and so only for what is pending.
    pub(super) adopts: bool,
    /// When the registry was, if that is why.
    pub(super) restored: Option<Restored>,
}

impl<'h> Waiting<'h> {
    pub(super) fn of((zone, hosts): &'h (ZoneName, Vec<Host>)) -> Self {
        Waiting {
            zone,
            hosts,
            portion: Portion::first(),
            refused: Refused::default(),
            seen: None,
        }
    }
}

/// Hosts of a zone that are refused in a round.
#[derive(Default)]
pub(super) struct Refused<'h> {
    pub(super) hosts: Vec<(&'h Host, Trouble)>,
    /// Whether they are for what they are: of their zone something was taken.
    pub(super) is_of_each: bool,
}

impl<'h> Refused<'h> {
    pub(super) fn note(&mut self, host: &'h Host, trouble: &Trouble) {
        self.is_of_each |= matches!(trouble, Trouble::Hidden { .. } | Trouble::Differs(_));
        self.hosts.push((host, trouble.clone()));
    }

    /// Whether it may be their zone, or its key, that is refused.
    pub(super) fn is_of_zone(&self) -> bool {
        let may_be = match self.hosts.as_slice() {
            [(_, trouble)] => trouble.is_of_key(),
            _ => true,
        };
        may_be && !self.is_of_each
    }
}

/// The hosts of each zone in the order they came; the zone of the first one first.
pub(super) fn by_zone(hosts: Vec<Host>) -> Vec<(ZoneName, Vec<Host>)> {
    let mut zones: Vec<(ZoneName, Vec<Host>)> = Vec::new();
    for host in hosts {
        let zone = host.name.zone();
        match zones.iter_mut().find(|(other, _)| *other == zone) {
            Some((_, hosts)) => hosts.push(host),
            None => zones.push((zone, vec![host])),
        }
    }
    zones
}
