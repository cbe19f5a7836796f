//! What waits in each zone, and what its name server refuses of it.

use super::restored::Restored;
use crate::name::{HostName, ZoneName};
use crate::publish::{Portion, Trouble};
use crate::registry::{Due, Host, HostId};

/// What waits in a zone.
pub(super) struct Waiting<'h> {
    pub(super) zone: &'h ZoneName,
    /// Those that were not tried yet. They may be many: each is read when its turn comes.
    pub(super) hosts: &'h [Due],
    pub(super) portion: Portion,
    pub(super) refused: Refused,
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
    pub(super) fn of((zone, hosts): &'h (ZoneName, Vec<Due>)) -> Self {
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
pub(super) struct Refused {
    pub(super) hosts: Vec<(HostId, HostName, Trouble)>,
    /// Whether they are for what they are: of their zone something was taken.
    pub(super) is_of_each: bool,
}

impl Refused {
    pub(super) fn note(&mut self, host: &Host, trouble: &Trouble) {
        self.is_of_each |= matches!(trouble, Trouble::Hidden { .. } | Trouble::Differs(_));
        let refused = (host.id, host.name.clone(), trouble.clone());
        self.hosts.push(refused);
    }

    /// Whether it may be their zone, or its key, that is refused.
    pub(super) fn is_of_zone(&self) -> bool {
        let may_be = match self.hosts.as_slice() {
            [(.., trouble)] => trouble.is_of_key(),
            _ => true,
        };
        may_be && !self.is_of_each
    }
}

/// The hosts of each zone in the order they came; the zone of the first one first.
pub(super) fn by_zone(hosts: Vec<Due>) -> Vec<(ZoneName, Vec<Due>)> {
    let mut zones: Vec<(ZoneName, Vec<Due>)> = Vec::new();
    for host in hosts {
        match zones.iter_mut().find(|(zone, _)| *zone == host.zone) {
            Some((_, hosts)) => hosts.push(host),
            None => zones.push((host.zone.clone(), vec![host])),
        }
    }
    zones
}
