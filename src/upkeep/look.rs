//! Looking: what the name server shows of the hosts of a zone whose wish is a fact.

use std::time::Duration;

use super::older::Standing;
use crate::deadline::Deadline;
use crate::name::{HostName, ZoneName};
use crate::publish::{PublishError, Publisher, Shown, TOGETHER, Trouble};
use crate::registry::{Host, Registry, RegistryError, ZoneState};

/// A round looks for no longer than this.
const LONGEST: Duration = Duration::from_secs(20);
/// So few hosts are always mended.
const FEW: usize = 10;

/// A host that the name server shows otherwise.
pub(super) type Differing = (Host, Shown);

/// What the name server was asked for in one round.
pub(super) struct Looked {
    /// How many hosts could be seen.
    pub(super) hosts: usize,
    /// Those that differ.
    pub(super) differing: Vec<Differing>,
    /// Those that cannot be seen, while others of the zone can, and why.
    pub(super) unseen: Vec<(Host, Trouble)>,
    /// When the others changed.
    pub(super) standing: Vec<Standing>,
    /// Behind which host the next round goes on; `None`: that was the last.
    pub(super) cursor: Option<HostName>,
}

impl Looked {
    /// Asks for hosts from where the last round stopped; `own`: what a wildcard above answers in
    /// the place of a host does not count.
    pub(super) fn from(
        state: &ZoneState,
        zone: &ZoneName,
        own: bool,
        registry: &mut Registry,
        publisher: &Publisher,
    ) -> Result<Result<Self, Trouble>, PublishError> {
        let longest = Deadline::after(LONGEST);
        let mut mended = Vec::new();
        let mut looked = Looked {
            hosts: 0,
            differing: Vec::new(),
            unseen: Vec::new(),
            standing: Vec::new(),
            cursor: state.cursor.clone(),
        };
        while !longest.passed() {
            let hosts = registry.settled(zone, looked.cursor.as_ref(), TOGETHER)?;
            looked.cursor = hosts.last().map(|last| last.name.clone());
            if looked.cursor.is_none() {
                break;
            }
            let deadline = Deadline::after(Deadline::REQUEST);
            let all: Vec<&Host> = hosts.iter().collect();
            let seen = match own {
                true => publisher.show_own(zone, &all, deadline)?,
                false => publisher.show(zone, &all, &|_, _| true, deadline)?,
            };
            for (host, seen) in hosts.into_iter().zip(seen) {
                match seen {
                    Ok(shown) if shown.is_as_wished() => {
                        mended.extend(host.differs.is_some().then_some(host.id));
                        looked.standing.push(Standing {
                            changed: host.last_change.unwrap_or(host.created),
                            confirmed: host.fact.at.unwrap_or(host.created),
                        });
                    }
                    Ok(shown) => looked.differing.push((host, shown)),
                    Err(trouble) if trouble.is_of_zone() => return Ok(Err(trouble)),
                    Err(trouble) => looked.unseen.push((host, trouble)),
                }
            }
        }
        looked.hosts = looked.standing.len() + looked.differing.len();
        registry.note_as_confirmed(&mended)?;
        looked.leave_visited_out(registry)?;
        Ok(Ok(looked))
    }

    /// Leaves those out that a visit came to in between: what it does is not ours to judge.
    fn leave_visited_out(&mut self, registry: &Registry) -> Result<(), RegistryError> {
        for (host, shown) in std::mem::take(&mut self.differing) {
            let now = registry.host_by_id(host.id)?;
            if now.is_some_and(|now| now.wish.number == host.wish.number && !now.is_pending()) {
                self.differing.push((host, shown));
            }
        }
        Ok(())
    }

    /// Whether so many differ that the registry may be the older one.
    pub(super) fn are_many(&self) -> bool {
        let differing = self.differing.len();
        differing >= FEW && differing * 10 > self.hosts
    }
}
