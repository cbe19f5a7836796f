//! Publishing: making the name server agree with a host's wish, and noting the fact.
//!
//! All of it happens under the host's lock, where wish, fact and state are read again:
//! whoever comes second finds what the first has done. Every UPDATE compares before it
//! swaps, so one that was applied late cannot silently undo a newer one: its comparison
//! fails, here or there, and then the name server is asked what it has.
//!
//! Only what the name server shows afterwards becomes a fact.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::{Config, Zone};
use crate::deadline::Deadline;
use crate::dns::{
    self, Answer, By, Doubt, Key, KeyError, LookupError, Refusal, Server, Swap, Verdict,
};
use crate::ip::{AddressSet, Family};
use crate::lock::{HostLocks, LockError};
use crate::name::{RecordName, ZoneName};
use crate::registry::{Host, HostId, Registry, RegistryError, Wish};
use crate::time::Timestamp;

/// How often an UPDATE is sent again with what the name server has by then.
const TRIES: usize = 3;
/// What an exchange leaves of the deadline for looking at its result.
const READ_BACK: Duration = Duration::from_secs(1);

/// Publishes hosts of the configured zones.
#[derive(Debug)]
pub struct Publisher {
    zones: BTreeMap<ZoneName, Server>,
    locks: HostLocks,
}

/// What became of a host's wish.
#[derive(Debug)]
pub enum Published {
    /// The name server shows it; it is a fact.
    Confirmed,
    /// The name server said no, or shows something else.
    Refused(Trouble),
    /// It may have been done, or may still be: the wish is kept.
    Unconfirmed(Trouble),
    /// There is no such host any more.
    Gone,
}

/// Why a wish is no fact.
#[derive(Debug)]
pub enum Trouble {
    /// The name server refused the UPDATE.
    Refused(Refusal),
    /// No verified answer to the UPDATE.
    Doubt(Doubt),
    /// The name server could not be asked what it has.
    Lookup(LookupError),
    /// Something else answers for the name.
    Hidden {
        /// The name.
        name: RecordName,
        /// What stands in the way.
        by: By,
    },
    /// The name server goes on showing something else.
    Differs(RecordName),
    /// Another visit to the host is still being settled.
    Busy,
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
        let locks = HostLocks::below(config.state_directory());
        Ok(Publisher { zones, locks })
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
        let _lock = match self.locks.lock(id, deadline) {
            Ok(lock) => lock,
            Err(LockError::Busy) => return Ok(Published::Unconfirmed(Trouble::Busy)),
            Err(error) => return Err(error.into()),
        };
        let Some(host) = registry.host_by_id(id)? else {
            return Ok(Published::Gone);
        };
        let server = self.server(&host)?;
        let exchange = Exchange {
            server,
            zone: host.name.zone(),
            deadline,
        };
        match exchange.settle(&host) {
            Ok(serial) => {
                let Wish {
                    number, records, ..
                } = &host.wish;
                registry.confirm(id, *number, records, serial, Timestamp::now())?;
                Ok(Published::Confirmed)
            }
            Err(trouble) if trouble.is_refusal() => Ok(Published::Refused(trouble)),
            Err(trouble) => {
                if trouble.may_be_applied() {
                    registry.unconfirmed(id, Timestamp::now())?;
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
        let zone = host.name.zone();
        let server = self.server(host)?;
        let Wish { records, .. } = &host.wish;
        let (questions, wanted): (Vec<_>, Vec<_>) = records
            .names
            .iter()
            .flat_map(|name| {
                records
                    .addresses
                    .iter()
                    .map(move |ip| ((name.clone(), Family::of(ip)), ip))
            })
            .unzip();
        let found = match dns::lookup(server, &zone, &questions, false, deadline.less(READ_BACK)) {
            Ok(found) => found.answers,
            Err(error) => return Ok(Err(Trouble::Lookup(error))),
        };
        Ok(Ok(found.iter().zip(wanted).all(|(answer, ip)| {
            *answer == Answer::Found(AddressSet::from(Some(ip)))
        })))
    }

    /// Every zone and its name server.
    pub fn servers(&self) -> impl Iterator<Item = (&ZoneName, &Server)> {
        self.zones.iter()
    }

    fn server(&self, host: &Host) -> Result<&Server, PublishError> {
        let zone = host.name.zone();
        self.zones.get(&zone).ok_or(PublishError::NoZone(zone))
    }
}

/// One host's business with its name server.
struct Exchange<'a> {
    server: &'a Server,
    zone: ZoneName,
    deadline: Deadline,
}

impl Exchange<'_> {
    /// Swaps, and looks; again with what it saw, while that is not what was wished.
    ///
    /// Says the zone's serial.
    fn settle(&self, host: &Host) -> Result<Option<u32>, Trouble> {
        let mut swaps = swaps(host);
        if swaps.is_empty() {
            return Ok(None);
        }
        // Where the fact says nothing is to be done, the name server is asked first.
        let mut changes = swaps.iter().any(Swap::changes);
        for _ in 0..TRIES {
            if changes {
                match dns::send_update(
                    self.server,
                    &self.zone,
                    &swaps,
                    self.deadline.less(READ_BACK),
                ) {
                    Verdict::Done | Verdict::Refused(Refusal::Differs(_)) => {}
                    Verdict::Refused(refusal) => return Err(Trouble::Refused(refusal)),
                    Verdict::Unconfirmed(doubt) => return Err(Trouble::Doubt(doubt)),
                }
            }
            let serial = self.look(&mut swaps)?;
            changes = swaps.iter().any(Swap::changes);
            if !changes {
                return Ok(serial);
            }
        }
        let differs = swaps.into_iter().find(Swap::changes);
        Err(differs.map_or(Trouble::Busy, |swap| Trouble::Differs(swap.name)))
    }

    /// Asks what stands at each name and takes it as the swaps' other side.
    fn look(&self, swaps: &mut [Swap]) -> Result<Option<u32>, Trouble> {
        let questions: Vec<(RecordName, Family)> = swaps
            .iter()
            .map(|swap| (swap.name.clone(), swap.family))
            .collect();
        let found = dns::lookup(self.server, &self.zone, &questions, true, self.deadline)
            .map_err(Trouble::Lookup)?;
        for (swap, answer) in swaps.iter_mut().zip(found.answers) {
            swap.from = match answer {
                Answer::Found(set) => set,
                // Nothing of ours is to be there, and nothing of ours can be seen.
                Answer::Hidden(_) if swap.to.is_none() => AddressSet::default(),
                Answer::Hidden(by) => {
                    let name = swap.name.clone();
                    return Err(Trouble::Hidden { name, by });
                }
            };
            if swap.changes() && !swap.from.is_empty() && self.is_absent(swap)? {
                swap.from = AddressSet::default();
            }
        }
        Ok(found.serial)
    }

    /// Whether there is no such RRset, though a question for it was answered.
    ///
    /// A wildcard above answers for a name that is not there (RFC 4592); a prerequisite
    /// looks at the name itself.
    fn is_absent(&self, swap: &Swap) -> Result<bool, Trouble> {
        let nothing = Swap {
            from: AddressSet::default(),
            to: None,
            ..swap.clone()
        };
        match dns::send_update(self.server, &self.zone, &[nothing], self.deadline) {
            Verdict::Done => Ok(true),
            Verdict::Refused(Refusal::Differs(_)) => Ok(false),
            Verdict::Refused(refusal) => Err(Trouble::Refused(refusal)),
            Verdict::Unconfirmed(doubt) => Err(Trouble::Doubt(doubt)),
        }
    }
}

/// From what the fact says to what the wish wants, at every name that may hold records.
fn swaps(host: &Host) -> Vec<Swap> {
    let Wish { records, .. } = &host.wish;
    let mut names: Vec<&RecordName> = host.held.iter().chain(&records.names).collect();
    names.sort();
    names.dedup();
    let swap = |name: &RecordName, family| {
        let stands = host.fact.names.contains(name);
        let wanted = records.names.contains(name);
        let from = host.fact.addresses.get(family).filter(|_| stands);
        let to = records.addresses.get(family).filter(|_| wanted);
        Swap {
            name: name.clone(),
            family,
            from: from.into(),
            to: to.map(|address| (address, records.ttl)),
        }
    };
    names
        .into_iter()
        .flat_map(|name| Family::BOTH.map(|family| swap(name, family)))
        .collect()
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

impl Trouble {
    /// Whether the name server has given its last word.
    fn is_refusal(&self) -> bool {
        match self {
            Trouble::Refused(_) | Trouble::Hidden { .. } | Trouble::Differs(_) => true,
            Trouble::Doubt(_) | Trouble::Lookup(_) | Trouble::Busy => false,
        }
    }

    /// Whether an UPDATE may have been applied, or may still be.
    fn may_be_applied(&self) -> bool {
        match self {
            Trouble::Doubt(doubt) => doubt.may_be_applied(),
            Trouble::Lookup(_) => true,
            _ => false,
        }
    }

    /// What an operator can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Trouble::Refused(refusal) => refusal.hint().map(str::to_owned),
            Trouble::Doubt(doubt) => doubt.hint().map(str::to_owned),
            Trouble::Lookup(error) => error.hint().map(str::to_owned),
            Trouble::Hidden { name, .. } => {
                Some(format!("remove what stands at or above {name} in the zone"))
            }
            Trouble::Differs(_) | Trouble::Busy => None,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Refused(refusal) => refusal.fmt(f),
            Trouble::Doubt(doubt) => doubt.fmt(f),
            Trouble::Lookup(error) => write!(f, "could not ask for the records: {error}"),
            Trouble::Hidden { name, by } => write!(f, "{name} is hidden by {by}"),
            Trouble::Differs(name) => {
                write!(
                    f,
                    "the name server goes on showing other addresses for {name}"
                )
            }
            Trouble::Busy => f.write_str("another visit to the host is still being settled"),
        }
    }
}

/// Why nothing could be published at all.
#[derive(Debug)]
pub enum PublishError {
    /// The host's zone is not in the configuration.
    NoZone(ZoneName),
    /// A key's file cannot be read.
    KeyFile {
        /// The file.
        file: PathBuf,
        /// What the system says.
        why: String,
    },
    /// A key's file holds no usable key.
    Key {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        error: KeyError,
    },
    /// The locks cannot be used.
    Lock(LockError),
    /// The registry cannot be used.
    Registry(RegistryError),
}

impl PublishError {
    /// What an operator can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            PublishError::NoZone(zone) => Some(format!("bowline zone add {zone}")),
            PublishError::KeyFile { .. } => {
                Some("check key_file in bowline.toml, and who may read the file".to_owned())
            }
            PublishError::Key { .. } => None,
            PublishError::Lock(_) => {
                Some("the state directory must be writable for the user bowline runs as".to_owned())
            }
            PublishError::Registry(error) => error.hint(),
        }
    }
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PublishError::NoZone(zone) => write!(f, "zone {zone} is not in the configuration"),
            PublishError::KeyFile { file, why } => write!(f, "key {}: {why}", file.display()),
            PublishError::Key { file, error } => write!(f, "key {}: {error}", file.display()),
            PublishError::Lock(error) => error.fmt(f),
            PublishError::Registry(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PublishError {}

impl From<LockError> for PublishError {
    fn from(error: LockError) -> Self {
        PublishError::Lock(error)
    }
}

impl From<RegistryError> for PublishError {
    fn from(error: RegistryError) -> Self {
        PublishError::Registry(error)
    }
}
