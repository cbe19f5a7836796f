//! Settling: every wish that is not a fact is published, the oldest of each zone first.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Display;

use super::restored::{self, Restored};
use super::waiting::{Refused, Seen, Waiting, by_zone};
use super::{LOOK, Rules, Silent, Word, adopt, mended};
use crate::config::{Config, LogLevel};
use crate::deadline::Deadline;
use crate::hint::Hint;
use crate::log::{Line, Logger};
use crate::name::{HostName, ZoneName};
use crate::publish::{PublishError, Published, Publisher, Trouble, differing};
use crate::registry::{Due, Host, HostId, Registry, RegistryError};
use crate::time::Timestamp;

/// How many wishes came to what.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Facts now.
    pub confirmed: usize,
    /// Not pending, but the name server showed something else.
    pub mended: usize,
    /// Pending, but it was the zone's word that counted.
    pub adopted: usize,
    /// Those of hosts that were tried in vain, or not because their name server does not answer.
    pub pending: BTreeSet<HostId>,
}

impl Settled {
    fn wait(&mut self, hosts: &[Due]) {
        let pending = hosts.iter().filter(|host| host.is_pending);
        self.pending.extend(pending.map(|host| host.id));
    }
}

/// Publishes what is pending. A name server that does not answer is asked once a round; a
/// host that a visit is just settling is left to the visit, and one whose records the name
/// server has refused time and again is tried every few minutes only.
pub(super) fn run(
    config: &Config,
    registry: &mut Registry,
    publisher: &Publisher,
    logger: &Logger,
    rules: Rules,
    silent: &mut Silent,
    settled: &mut Settled,
) -> Result<(), PublishError> {
    let (now, until, word) = (Timestamp::now(), rules.until(), rules.word);
    let mut hosts = registry.due(config.limits.changes.longest_wait(), now)?;
    hosts.extend(of_backup(config, registry, &hosts)?);
    // Where the zone has the word, what it shows of the others is not to be undone before.
    if word == Word::Registry {
        hosts.extend(registry.unsettled(now)?);
    }
    let mut settling = Settling {
        config,
        word,
        registry,
        publisher,
        logger,
        silent,
        settled,
    };
    let hosts = by_zone(hosts);
    let mut zones: VecDeque<Waiting<'_>> = hosts.iter().map(Waiting::of).collect();
    // By turns, so that a zone that takes long keeps no other waiting.
    while let Some(mut zone) = zones.pop_front() {
        if until.passed() {
            settling.leave_to_next(&zone);
        } else if settling.turn(&mut zone)? {
            zones.push_back(zone);
            continue;
        }
        settling.put_off(&zone.refused)?;
    }
    Ok(())
}

/// What waits out of a backup though it is not due: later, when its zone counts as compared, it
/// would undo what is newer there.
fn of_backup(config: &Config, registry: &Registry, due: &[Due]) -> Result<Vec<Due>, RegistryError> {
    let restored = config.zones.iter().map(|zone| &zone.name);
    let restored = restored.filter_map(|zone| Some((zone, restored::at(config, zone)?)));
    let restored: BTreeMap<&ZoneName, Restored> = restored.collect();
    if restored.is_empty() {
        return Ok(Vec::new());
    }
    let due: BTreeSet<HostId> = due.iter().map(|host| host.id).collect();
    let mut waiting = Vec::new();
    for host in registry.pending()? {
        let Some(restored) = restored.get(&host.zone).filter(|_| !due.contains(&host.id)) else {
            continue;
        };
        let now = registry.whole_hosts(&[host.id])?;
        waiting.extend(now.iter().any(|now| restored.has(now)).then_some(host));
    }
    Ok(waiting)
}

struct Settling<'a> {
    config: &'a Config,
    word: Word,
    registry: &'a mut Registry,
    publisher: &'a Publisher,
    logger: &'a Logger,
    silent: &'a mut Silent,
    settled: &'a mut Settled,
}

impl Settling<'_> {
    /// Publishes the next hosts of a zone. Says whether there are more to be tried: none are once
    /// its name server refuses them or does not answer any more.
    fn turn(&mut self, waiting: &mut Waiting<'_>) -> Result<bool, PublishError> {
        let zone = waiting.zone;
        let address = self.publisher.address(zone);
        if address.is_some_and(|address| self.silent.servers.contains(&address)) {
            self.settled.wait(waiting.hosts);
            return Ok(false);
        }
        let seen = match waiting.seen {
            Some(seen) => seen,
            None => match self.begin(waiting)? {
                Some(seen) => *waiting.seen.insert(seen),
                None => return Ok(false),
            },
        };
        let (some, rest) = waiting.portion.of(waiting.hosts);
        let ids: Vec<HostId> = some.iter().map(|host| host.id).collect();
        let hosts = self.registry.whole_hosts(&ids)?;
        let counts = |host: &&Host| host.is_pending() || !seen.adopts;
        let mut some: Vec<&Host> = hosts.iter().filter(counts).collect();
        if seen.adopts {
            match self.adopt(zone, &some, seen.restored)? {
                Ok(unseen) => some.retain(|host| !unseen.contains(&host.id)),
                Err(trouble) => {
                    self.leave(zone, waiting.hosts, &trouble, seen.answers);
                    return Ok(false);
                }
            }
        }
        let shown = self.show(zone, &mut some)?;
        let ids: Vec<HostId> = some.iter().map(|host| host.id).collect();
        let deadline = Deadline::after(Deadline::REQUEST);
        let published = match self
            .publisher
            .try_publish(self.registry, zone, &ids, deadline)
        {
            Ok(published) => published,
            // What is wrong with one zone must not stop the others.
            Err(error) if error.is_of_zone() => {
                self.settled.wait(waiting.hosts);
                self.complain(("zone", zone), "911", &error, error.hint());
                return Ok(false);
            }
            Err(error) => return Err(error),
        };
        let stopped = self.take_in(&some, &shown, &published, &mut waiting.refused);
        waiting.hosts = rest;
        if let Some(trouble) = &stopped {
            self.silent.note(zone, address, trouble, seen.answers);
        }
        if waiting.portion.is_last(&published) || stopped.is_some() {
            self.settled.wait(rest);
            return Ok(false);
        }
        Ok(!rest.is_empty())
    }

    /// What counts for a zone; `None` where its word is wanted and cannot be heard.
    fn begin(&mut self, waiting: &Waiting<'_>) -> Result<Option<Seen>, PublishError> {
        let zone = waiting.zone;
        let restored = restored::at(self.config, zone);
        let seen = self.see(zone)?;
        let answers = seen.is_ok();
        let behind = match seen {
            Ok(behind) => behind,
            Err(trouble) if restored.is_some() => {
                self.leave(zone, waiting.hosts, &trouble, answers);
                return Ok(None);
            }
            // Where it cannot be seen, the UPDATE is told why.
            Err(_) => false,
        };
        let restored = restored.filter(|_| !behind);
        Ok(Some(Seen {
            answers,
            adopts: self.word == Word::Zone || restored.is_some(),
            restored,
        }))
    }

    /// Leaves to the next round what there is no time for in this one. Where the zone's word counts
    /// for that, the zone does not count as compared before.
    fn leave_to_next(&mut self, waiting: &Waiting<'_>) {
        self.settled.wait(waiting.hosts);
        let adopts = match waiting.seen {
            Some(seen) => seen.adopts,
            None => self.word == Word::Zone || restored::at(self.config, waiting.zone).is_some(),
        };
        if adopts {
            self.silent.zones.insert(waiting.zone.clone());
        }
    }

    /// Looks at the zone's serial before any UPDATE moves it: after that nobody could tell by it
    /// whether the zone went back. Says whether it has.
    fn see(&mut self, zone: &ZoneName) -> Result<Result<bool, Trouble>, PublishError> {
        // Before it is asked: what others see meanwhile may be newer.
        let known = self.registry.zone_state(zone)?;
        match self.publisher.serial(zone, Deadline::after(LOOK)) {
            Ok(Ok(serial)) => {
                let now = Timestamp::now();
                self.registry.see(zone, known.serial, serial, now)?;
                Ok(Ok(known.went_back.is_some() || known.is_behind(serial)))
            }
            Ok(Err(trouble)) => Ok(Err(trouble)),
            // Those who publish tell of it.
            Err(error) if error.is_of_zone() => Ok(Ok(false)),
            Err(error) => Err(error),
        }
    }

    /// Leaves hosts as they are until the zone, which may have the newer, can be heard; not before
    /// then does it count as compared.
    fn leave(&mut self, zone: &ZoneName, hosts: &[Due], trouble: &Trouble, answers: bool) {
        self.settled.wait(hosts);
        self.silent.zones.insert(zone.clone());
        let address = self.publisher.address(zone);
        self.silent.note(zone, address, trouble, answers);
        self.complain(("zone", zone), "dnserr", trouble, trouble.hint());
    }

    /// What the name server shows instead of the records of hosts that are looked at again though
    /// they are not pending. That is undone below, and must not be undone in silence: it may be an
    /// UPDATE that came late, or the newer one where the registry is older than the zone. Those of
    /// which it does not say are left out: they have time until the next round.
    fn show(
        &mut self,
        zone: &ZoneName,
        hosts: &mut Vec<&Host>,
    ) -> Result<BTreeMap<HostId, String>, PublishError> {
        let again = hosts.iter().copied().filter(|host| !host.is_pending());
        let again: Vec<&Host> = again.collect();
        if again.is_empty() {
            return Ok(BTreeMap::new());
        }
        // What asks whether a wildcard answered is an UPDATE, and Knot may hold it back for a
        // second.
        let deadline = Deadline::after(2 * LOOK);
        let seen = match self.publisher.show(zone, &again, &|_, _| true, deadline) {
            Ok(seen) => seen,
            Err(error) if error.is_of_zone() => Vec::new(),
            Err(error) => return Err(error),
        };
        let differing = differing(&again, &seen);
        self.registry.note_differing(&differing)?;
        let seen = again.iter().zip(&seen).filter(|(_, seen)| seen.is_ok());
        let seen: BTreeSet<HostId> = seen.map(|(host, _)| host.id).collect();
        hosts.retain(|host| host.is_pending() || seen.contains(&host.id));
        Ok(differing.into_iter().collect())
    }

    /// Takes the zone's word for those where it has neither what was confirmed nor what waits: a
    /// registry that is the older one has waiting what was overtaken long ago. What was accepted
    /// since it was `restored` is the newest. Says which cannot be seen, and wait for that; it is
    /// an error where the zone cannot.
    fn adopt(
        &mut self,
        zone: &ZoneName,
        hosts: &[&Host],
        restored: Option<Restored>,
    ) -> Result<Result<BTreeSet<HostId>, Trouble>, PublishError> {
        let is_older = |host: &Host| match self.word {
            Word::Zone => true,
            Word::Registry => restored.is_some_and(|restored| restored.has(host)),
        };
        let has_client = |host: &Host| host.is_on() && host.settings.fixed.is_none();
        let may_adopt = |host: &&Host| has_client(host) && is_older(host);
        let hosts: Vec<&Host> = hosts.iter().copied().filter(may_adopt).collect();
        // Who asks for nothing has heard nothing.
        let mut unseen = BTreeSet::new();
        let Some(zone) = self.config.zone(zone).filter(|_| !hosts.is_empty()) else {
            return Ok(Ok(unseen));
        };
        let deadline = Deadline::after(Deadline::REQUEST);
        let seen = match self.publisher.show_own(&zone.name, &hosts, deadline) {
            Ok(seen) => seen,
            // Those who publish tell of it.
            Err(error) if error.is_of_zone() => return Ok(Ok(unseen)),
            Err(error) => return Err(error),
        };
        let waits = restored.is_none_or(|restored| restored.waits(Timestamp::now()));
        let mut others = Vec::new();
        for (host, seen) in hosts.into_iter().zip(seen) {
            match seen {
                Ok(shown) if adopt::is_news(host, &shown) => others.push((host.clone(), shown)),
                Ok(_) => {}
                Err(trouble) if trouble.is_of_zone() => return Ok(Err(trouble)),
                Err(trouble) if waits => {
                    self.complain_of(&host.name, &trouble);
                    self.settled.pending.insert(host.id);
                    unseen.insert(host.id);
                }
                Err(_) => {}
            }
        }
        if !unseen.is_empty() {
            self.silent.unseen.insert(zone.name.clone());
        }
        let taken = adopt::run(zone, self.registry, self.logger, others)?;
        self.settled.adopted += taken.adopted;
        Ok(Ok(unseen))
    }

    /// Counts and tells what became of hosts, given what was shown of them before, but for the
    /// `refused`; what is in the way of all others of their zone.
    fn take_in(
        &mut self,
        hosts: &[&Host],
        shown: &BTreeMap<HostId, String>,
        published: &[Published],
        refused: &mut Refused,
    ) -> Option<Trouble> {
        let mut stopped = None;
        for (host, published) in hosts.iter().zip(published) {
            match published {
                Published::Confirmed | Published::Off | Published::Gone => {
                    refused.is_of_each = true;
                    self.settled.pending.remove(&host.id);
                    if host.is_pending() {
                        self.settled.confirmed += 1;
                        let line = Line::new(LogLevel::Notice, "upkeep").field("host", &host.name);
                        self.logger.write(&line.field("result", "good"));
                    } else if let Some(shown) = shown.get(&host.id) {
                        self.settled.mended += 1;
                        mended::tell(self.logger, host, shown);
                    }
                }
                Published::Refused(trouble) | Published::Unconfirmed(trouble) => {
                    if host.is_pending() {
                        self.settled.pending.insert(host.id);
                    }
                    match trouble {
                        Trouble::Busy | Trouble::Among(_) => {}
                        trouble if trouble.is_of_zone() => {
                            // One line for all that it is about.
                            if stopped.is_none() {
                                self.complain_of(&host.name, trouble);
                            }
                            stopped.get_or_insert_with(|| trouble.clone());
                        }
                        trouble => refused.note(host, trouble),
                    }
                }
            }
        }
        stopped
    }

    /// Tells what was refused, and has it tried more rarely; what may be refused for its zone is
    /// tried again in the next round, and told once.
    fn put_off(&mut self, refused: &Refused) -> Result<(), PublishError> {
        let is_of_zone = refused.is_of_zone();
        let lines = if is_of_zone { 1 } else { usize::MAX };
        for (_, name, trouble) in refused.hosts.iter().take(lines) {
            self.complain_of(name, trouble);
        }
        if !is_of_zone {
            let hosts: Vec<HostId> = refused.hosts.iter().map(|(id, ..)| *id).collect();
            self.registry.put_off(&hosts, Timestamp::now())?;
        }
        Ok(())
    }

    fn complain_of(&self, name: &HostName, trouble: &Trouble) {
        self.complain(("host", name), "dnserr", trouble, trouble.hint());
    }

    fn complain(
        &self,
        (what, name): (&'static str, &dyn Display),
        word: &str,
        reason: &dyn Display,
        hint: Option<String>,
    ) {
        let line = Line::new(LogLevel::Warning, "upkeep")
            .field(what, name)
            .field("result", word)
            .words("reason", reason);
        self.logger.write(&line.hint(hint));
    }
}
