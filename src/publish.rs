//! Publishing: making the name server agree with a host's wish, and noting the fact.
//!
//! All of it happens under the host's lock, where wish, fact and state are read again:
//! whoever comes second finds what the first has done. Every UPDATE compares before it
//! swaps, so one that was applied late cannot silently undo a newer one: its comparison
//! fails, here or there, and then the name server is asked what it has.
//!
//! Only what the name server shows afterwards becomes a fact.

mod exchange;
mod trouble;

pub use trouble::{PublishError, Trouble};

use std::collections::BTreeMap;
use std::path::PathBuf;

use self::exchange::Exchange;
use crate::config::{Config, Zone};
use crate::deadline::Deadline;
use crate::dns::{Answer, Key, Server};
use crate::ip::{AddressSet, Family};
use crate::lock::{HostLock, HostLocks, LockError};
use crate::name::ZoneName;
use crate::patience::Patience;
use crate::registry::{Host, HostId, Registry, State, Wish};
use crate::time::Timestamp;

/// Publishes hosts of the configured zones.
#[derive(Debug)]
pub struct Publisher {
    zones: BTreeMap<ZoneName, Server>,
    locks: HostLocks,
    state: PathBuf,
}

/// What became of a host's wish.
#[derive(Debug)]
pub enum Published {
    /// The name server shows it; it is a fact.
    Confirmed,
    /// Likewise, and what it wished was no records: meanwhile it was switched off or removed.
    Off(State),
    /// The name server said no, or shows something else.
    Refused(Trouble),
    /// It may have been done, or may still be: the wish is kept.
    Unconfirmed(Trouble),
    /// There is no such host any more.
    Gone,
}

impl Publisher {
    /// A publisher for all zones of the configuration; reads their keys.
    ///
    /// # Errors
    /// When a key cannot be read.
    pub fn new(config: &Config) -> Result<Self, PublishError> {
        let mut zones = BTreeMap::new();
        for zone in &config.zones {
            zones.insert(zone.name.clone(), server(zone)?);
        }
        let state = config.state_directory().to_owned();
        Ok(Publisher {
            zones,
            locks: HostLocks::below(&state),
            state,
        })
    }

    /// Makes the name server agree with the host's wish, as it is once the lock is held.
    ///
    /// # Errors
    /// When registry, locks or configuration cannot be used; the wish is kept.
    pub fn publish(
        &self,
        registry: &mut Registry,
        id: HostId,
        deadline: Deadline,
    ) -> Result<Published, PublishError> {
        let Some(host) = registry.host_by_id(id)? else {
            return Ok(Published::Gone);
        };
        // Whoever has the lock may be the one who waits for a silent server.
        let server = self.server(&host)?.address;
        let hopeful = || Ok(Patience::with(server, &self.state)?.is_some());
        match self.locks.lock(id, deadline, hopeful) {
            Ok(lock) => self.settle(registry, id, &lock, deadline),
            Err(LockError::Busy) => Ok(Published::Unconfirmed(Trouble::Busy)),
            Err(LockError::GivenUp) => Ok(Published::Unconfirmed(Trouble::Waiting)),
            Err(error) => Err(error.into()),
        }
    }

    /// The same, but a host that is just being published by another is left alone.
    ///
    /// # Errors
    /// As [`Publisher::publish`].
    pub fn try_publish(
        &self,
        registry: &mut Registry,
        id: HostId,
        deadline: Deadline,
    ) -> Result<Published, PublishError> {
        match self.locks.lock(id, deadline, || Ok(false)) {
            Ok(lock) => self.settle(registry, id, &lock, deadline),
            Err(LockError::Busy | LockError::GivenUp) => Ok(Published::Unconfirmed(Trouble::Busy)),
            Err(error) => Err(error.into()),
        }
    }

    /// Publishes a host whose lock is held.
    fn settle(
        &self,
        registry: &mut Registry,
        id: HostId,
        _lock: &HostLock,
        deadline: Deadline,
    ) -> Result<Published, PublishError> {
        let Some(host) = registry.host_by_id(id)? else {
            return Ok(Published::Gone);
        };
        let mut exchange = match self.exchange(&host, deadline)? {
            Some(exchange) => exchange,
            None => return Ok(Published::Unconfirmed(Trouble::Waiting)),
        };
        match exchange.settle(&host) {
            Ok(serial) => {
                let Wish {
                    number, records, ..
                } = &host.wish;
                registry.confirm(id, *number, records, serial, Timestamp::now())?;
                Ok(match host.state {
                    State::Active => Published::Confirmed,
                    state => Published::Off(state),
                })
            }
            Err(trouble) if trouble.is_refusal() => Ok(Published::Refused(trouble)),
            Err(trouble) => {
                if trouble.may_be_applied() {
                    // Where it cannot be noted, the wish that is no fact is a note in itself.
                    let _ = registry.unconfirmed(id, Timestamp::now());
                }
                Ok(Published::Unconfirmed(trouble))
            }
        }
    }

    /// Whether the name server shows what the host wishes.
    ///
    /// # Errors
    /// When the host's zone is not configured.
    pub fn shows(
        &self,
        host: &Host,
        deadline: Deadline,
    ) -> Result<Result<bool, Trouble>, PublishError> {
        let Some(mut exchange) = self.exchange(host, deadline)? else {
            return Ok(Err(Trouble::Waiting));
        };
        let Wish { records, .. } = &host.wish;
        // A family without an address is asked for too: an UPDATE applied late, or a hand,
        // may have put one there.
        let questions: Vec<_> = records
            .names
            .iter()
            .flat_map(|name| Family::BOTH.map(|family| (name.clone(), family)))
            .collect();
        let found = match exchange.lookup(&questions, false) {
            Ok(found) => found.answers,
            Err(trouble) => return Ok(Err(trouble)),
        };
        Ok(Ok(found.iter().zip(&questions).all(
            |(answer, (_, family))| match (answer, records.addresses.get(*family)) {
                (Answer::Found(found), wanted) => *found == AddressSet::from(wanted),
                // Nothing of ours is to be there, and nothing of ours can be seen.
                (Answer::Hidden(_), wanted) => wanted.is_none(),
            },
        )))
    }

    /// Every zone and its name server.
    pub fn servers(&self) -> impl Iterator<Item = (&ZoneName, &Server)> {
        self.zones.iter()
    }

    /// An exchange with the host's name server; `None` when that is silent and another
    /// visit waits for it.
    fn exchange(
        &self,
        host: &Host,
        deadline: Deadline,
    ) -> Result<Option<Exchange<'_>>, PublishError> {
        let server = self.server(host)?;
        let patience = Patience::with(server.address, &self.state)?;
        Ok(patience.map(|patience| Exchange {
            server,
            zone: host.name.zone(),
            deadline,
            patience,
        }))
    }

    /// The name server of the host's zone.
    fn server(&self, host: &Host) -> Result<&Server, PublishError> {
        let zone = host.name.zone();
        self.zones.get(&zone).ok_or(PublishError::NoZone(zone))
    }
}

fn server(zone: &Zone) -> Result<Server, PublishError> {
    let file = &zone.key_file;
    let text = std::fs::read_to_string(file).map_err(|error| PublishError::KeyFile {
        file: file.clone(),
        why: error.to_string(),
    })?;
    let key = Key::read(&text).map_err(|error| PublishError::Key {
        file: file.clone(),
        error,
    })?;
    Ok(Server {
        address: zone.server,
        key,
    })
}
