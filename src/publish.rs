//! Publishing: making the name server agree with hosts' wishes, and noting the facts.
//!
//! All of it happens under the hosts' locks, where wish, fact and state are read again:
//! whoever comes second finds what the first has done. Every UPDATE compares before it
//! swaps, so one that was applied late cannot silently undo a newer one: its comparison
//! fails, here or there, and then the name server is asked what it has.
//!
//! Only what the name server shows afterwards becomes a fact.
//!
//! Visits that wait at the same time in one process share their work: one transaction of
//! wishes, one UPDATE for each zone, one transaction of facts.

mod absent;
mod challenge;
mod exchange;
mod pace;
mod portion;
mod served;
mod shown;
mod trouble;

pub use challenge::Challenged;
pub use exchange::TOGETHER;
pub use portion::Portion;
pub use shown::{AskedFor, Seen, Shown, differing};
pub use trouble::{PublishError, Trouble};

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use self::exchange::{Exchange, Settled};
use self::served::Served;
use crate::config::Config;
use crate::deadline::Deadline;
use crate::dns::{LookupError, Server};
use crate::lock::HostLocks;
use crate::name::ZoneName;
use crate::patience::Patience;
use crate::registry::{
    Accepted, Ask, Conclusion, End, Host, HostId, Lease, Registry, RegistryError, State,
};
use crate::time::Timestamp;
use crate::together::{Together, Told};

/// Publishes hosts of the configured zones.
#[derive(Debug)]
pub struct Publisher {
    zones: BTreeMap<ZoneName, Served>,
    /// Visits whose wishes wait to be written.
    wishes: Together<Vec<Ask>, Vec<Accepted>>,
}

/// What became of a host's wish.
#[derive(Debug, Clone)]
pub enum Published {
    /// The name server shows it; it is a fact.
    Confirmed,
    /// Likewise, and what it wished was no records: meanwhile it or its owner was switched off.
    Off,
    /// The name server said no, or shows something else.
    Refused(Trouble),
    /// It may have been done, or may still be: the wish is kept.
    Unconfirmed(Trouble),
    /// There is no such host any more, or it is being removed.
    Gone,
}

/// What is to be done about hosts that another one is publishing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Busy {
    /// Wait for them.
    Wait,
    /// Leave them out.
    Leave,
}

impl Publisher {
    /// A publisher for all zones of the configuration.
    pub fn new(config: &Config) -> Self {
        let state = config.state_directory();
        Publisher {
            zones: config
                .zones
                .iter()
                .map(|zone| (zone.name.clone(), Served::new(zone, state)))
                .collect(),
            wishes: Together::default(),
        }
    }

    /// Accepts what a visit asks, together with others that wait to be accepted.
    ///
    /// # Errors
    /// As [`Registry::accept`].
    pub fn accept(
        &self,
        registry: &mut Lease<'_>,
        asks: &[Ask],
        deadline: Deadline,
    ) -> Result<Vec<Accepted>, RegistryError> {
        registry.rest();
        let mut failed = None;
        let told = self.wishes.join(asks.to_vec(), deadline, |all, _| {
            let sizes: Vec<usize> = all.iter().map(Vec::len).collect();
            match registry
                .get()
                .and_then(|registry| registry.accept(&all.concat()))
            {
                Ok(accepted) => {
                    let mut accepted = accepted.into_iter();
                    let own = |size: &usize| Some(accepted.by_ref().take(*size).collect());
                    sizes.iter().map(own).collect()
                }
                Err(error) => {
                    failed = Some(error);
                    Vec::new()
                }
            }
        });
        match (told, failed) {
            (Told::Done(accepted), _) => Ok(accepted),
            (_, Some(error)) => Err(error),
            // Another one's transaction failed: why, is to be heard first hand.
            (_, None) => registry.get()?.accept(asks),
        }
    }

    /// Makes the name server agree with the hosts' wishes, as they are once their locks are
    /// held; together with others of the zone that wait for it.
    ///
    /// Says what became of each, in the order given; all of them are in `zone`.
    ///
    /// # Errors
    /// When registry, locks or configuration cannot be used; the wishes are kept.
    pub fn publish(
        &self,
        registry: &mut Lease<'_>,
        zone: &ZoneName,
        hosts: &[HostId],
        deadline: Deadline,
    ) -> Result<Vec<Published>, PublishError> {
        registry.rest();
        let served = self.served(zone)?;
        let unconfirmed = |trouble| vec![Published::Unconfirmed(trouble); hosts.len()];
        let mut failed = None;
        let told = (served.visits).join(hosts.to_vec(), deadline, |visits, others| {
            let all = visits.concat();
            let mut silent = || others.send_away();
            let published = (registry.get().map_err(PublishError::from)).and_then(|registry| {
                self.settle(registry, served, &all, Busy::Leave, deadline, &mut silent)
            });
            match published {
                Ok(published) => {
                    let of = |hosts: &Vec<HostId>| pick(&published, hosts);
                    visits.iter().map(of).collect()
                }
                Err(error) => {
                    failed = Some(error);
                    Vec::new()
                }
            }
        });
        match (told, failed) {
            (Told::Done(published), _) => Ok(published),
            (Told::SentAway, _) => Ok(unconfirmed(Trouble::Waiting)),
            (Told::NotDone, Some(error)) => Err(error),
            // Another process has a host's lock: this visit waits, and no other one.
            (Told::NotDone, None) => {
                let registry = registry.get()?;
                let published =
                    self.settle(registry, served, hosts, Busy::Wait, deadline, &mut || ())?;
                Ok(pick(&published, hosts).unwrap_or_else(|| unconfirmed(Trouble::Busy)))
            }
        }
    }

    /// The same, but hosts that are just being published by another are left alone.
    ///
    /// # Errors
    /// As [`Publisher::publish`].
    pub fn try_publish(
        &self,
        registry: &mut Registry,
        zone: &ZoneName,
        hosts: &[HostId],
        deadline: Deadline,
    ) -> Result<Vec<Published>, PublishError> {
        let served = self.served(zone)?;
        let published = self.settle(registry, served, hosts, Busy::Leave, deadline, &mut || ())?;
        let busy = || Published::Unconfirmed(Trouble::Busy);
        let of = |host| published.get(host).cloned().unwrap_or_else(busy);
        Ok(hosts.iter().map(of).collect())
    }

    /// Publishes hosts under their locks; one that is missing in what is said was busy.
    fn settle(
        &self,
        registry: &mut Registry,
        served: &Served,
        ids: &[HostId],
        busy: Busy,
        deadline: Deadline,
        silent: &mut dyn FnMut(),
    ) -> Result<BTreeMap<HostId, Published>, PublishError> {
        let mut published = BTreeMap::new();
        let mut locks = Vec::new();
        let mut hosts = Vec::new();
        for (file, ids) in HostLocks::files(ids) {
            match served.lock(file, busy, deadline)? {
                Ok(lock) => locks.push(lock),
                Err(_) if busy == Busy::Leave => continue,
                Err(trouble) => {
                    let trouble = Published::Unconfirmed(trouble);
                    published.extend(ids.into_iter().map(|id| (id, trouble.clone())));
                    continue;
                }
            }
            for id in ids {
                match registry.host_by_id(id)? {
                    Some(host) => hosts.push(host),
                    None => drop(published.insert(id, Published::Gone)),
                }
            }
        }
        if hosts.is_empty() {
            return Ok(published);
        }
        // As they came: where many are refused, the first of them are found.
        let position = |host: &Host| ids.iter().position(|id| *id == host.id);
        hosts.sort_by_cached_key(position);
        // Before the name server is asked: what others see meanwhile may be newer.
        let known = registry.serial(&served.zone)?;
        match self.change(served, deadline, silent)? {
            Some(mut exchange) => {
                let ends = exchange.settle(&hosts);
                let serials: Vec<u32> = known.into_iter().chain(exchange.serials).collect();
                published.extend(conclude(registry, &served.zone, &serials, &hosts, ends)?);
            }
            None => published.extend(
                hosts
                    .iter()
                    .map(|host| (host.id, Published::Unconfirmed(Trouble::Waiting))),
            ),
        }
        drop(locks);
        Ok(published)
    }

    /// The serial that the name server shows for a zone.
    ///
    /// # Errors
    /// When the zone is not configured.
    pub fn serial(
        &self,
        zone: &ZoneName,
        deadline: Deadline,
    ) -> Result<Result<u32, Trouble>, PublishError> {
        let mut silent = || ();
        let Some(mut exchange) = self.exchange(self.served(zone)?, deadline, &mut silent)? else {
            return Ok(Err(Trouble::Waiting));
        };
        Ok(exchange.lookup(&[], true).and_then(|found| {
            let missing = Trouble::Lookup(LookupError::NotAuthoritative);
            found.serial.ok_or(missing)
        }))
    }

    /// Where the name server of a zone takes updates.
    pub fn address(&self, zone: &ZoneName) -> Option<SocketAddr> {
        self.zones.get(zone).map(|served| served.address)
    }

    /// Every zone and its name server, with the keys.
    ///
    /// # Errors
    /// When a key cannot be read.
    pub fn servers(&self) -> Result<Vec<(&ZoneName, Arc<Server>)>, PublishError> {
        self.zones
            .values()
            .map(|served| Ok((&served.zone, served.server()?)))
            .collect()
    }

    /// An exchange with a name server; `None` when that is silent and another visit waits
    /// for it.
    fn exchange<'a>(
        &self,
        served: &'a Served,
        deadline: Deadline,
        silent: &'a mut dyn FnMut(),
    ) -> Result<Option<Exchange<'a>>, PublishError> {
        let server = served.server()?;
        let patience = Patience::with(&served.silence)?;
        Ok(patience.map(|patience| Exchange {
            served,
            server,
            deadline,
            patience,
            held: None,
            silent,
            serials: Vec::new(),
        }))
    }

    /// The same to change something; `None` also when only changes of the zone are not answered.
    fn change<'a>(
        &self,
        served: &'a Served,
        deadline: Deadline,
        silent: &'a mut dyn FnMut(),
    ) -> Result<Option<Exchange<'a>>, PublishError> {
        let Some(held) = Patience::with(&served.held)? else {
            return Ok(None);
        };
        let exchange = self.exchange(served, deadline, silent)?;
        Ok(exchange.map(|exchange| Exchange {
            held: Some(held),
            ..exchange
        }))
    }

    fn served(&self, zone: &ZoneName) -> Result<&Served, PublishError> {
        let served = self.zones.get(zone);
        served.ok_or_else(|| PublishError::NoZone(zone.clone()))
    }
}

/// Notes how the exchange ended for each host, and says what that means.
fn conclude(
    registry: &mut Registry,
    zone: &ZoneName,
    serials: &[u32],
    hosts: &[Host],
    ends: Vec<Settled>,
) -> Result<Vec<(HostId, Published)>, PublishError> {
    let conclusions: Vec<Conclusion<'_>> = hosts
        .iter()
        .zip(&ends)
        .map(|(host, end)| Conclusion {
            host: host.id,
            end: match end {
                Ok(serial) => End::Confirmed {
                    number: host.wish.number,
                    records: &host.wish.records,
                    serial: *serial,
                },
                Err(trouble) => End::Failed {
                    reason: trouble.to_string(),
                    may_be_applied: trouble.may_be_applied(),
                },
            },
        })
        .collect();
    match registry.conclude(zone, serials, &conclusions, Timestamp::now()) {
        Err(error) if ends.iter().any(Result::is_ok) => return Err(error.into()),
        // Where a trouble cannot be noted, the wish that is no fact is a note in itself.
        _ => {}
    }
    let published = |(host, end): (&Host, Settled)| match end {
        Ok(_) if host.is_on() => (host.id, Published::Confirmed),
        Ok(_) if host.state == State::Removing => (host.id, Published::Gone),
        Ok(_) => (host.id, Published::Off),
        Err(trouble) if trouble.is_refusal() => (host.id, Published::Refused(trouble)),
        Err(trouble) => (host.id, Published::Unconfirmed(trouble)),
    };
    Ok(hosts.iter().zip(ends).map(published).collect())
}

/// What became of `hosts`, when that is known of all of them.
fn pick(published: &BTreeMap<HostId, Published>, hosts: &[HostId]) -> Option<Vec<Published>> {
    let of = |host| published.get(host).cloned();
    hosts.iter().map(of).collect()
}
