//! Comparing: what the name server shows is held against the facts, and mended.
//!
//! A zone restored from an old copy, a record edited by hand, a journal lost: no visit may
//! come for days. A zone whose serial is as it was has not changed; else all its hosts are
//! asked for, a part in each round when they are many, for a hundredth of the time at most.
//!
//! When many hosts differ and nothing shows that the zone is an older one, the registry may be
//! that: then nothing is mended until the operator has decided.

use std::time::Instant;

use super::due::{in_turn, is_due};
use super::look::{Differing, Looked};
use super::older;
use super::restored::{self, Restored};
use super::{Rules, Silent, adopt, mended, returned, worry};
use crate::config::{Config, LogLevel, Zone};
use crate::deadline::Deadline;
use crate::hint::Hint;
use crate::log::{Line, Logger};
use crate::name::ZoneName;
use crate::publish::{Portion, PublishError, Published, Publisher, Trouble};
use crate::registry::{Host, HostId, Registry, ZoneState};
use crate::time::Timestamp;

/// Whose word counts when name server and registry differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// The registry's, as long as it can be trusted.
    Registry,
    /// The zone's.
    Zone,
}

/// How many hosts differed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Published again.
    pub mended: usize,
    /// Taken over from the zone.
    pub adopted: usize,
    /// Left as they are.
    pub left: usize,
    /// Zones whose name server did not let itself be asked, and why.
    pub unasked: Vec<(ZoneName, String)>,
}

/// Compares the zones that are due, the one first whose turn was longest ago.
pub(super) fn run(
    config: &Config,
    registry: &mut Registry,
    publisher: &Publisher,
    logger: &Logger,
    rules: Rules,
    silent: &mut Silent,
) -> Result<Compared, PublishError> {
    let until = rules.until();
    let mut compared = Compared::default();
    for zone in in_turn(config, registry)? {
        if until.passed() {
            let why = "there was no time for it in this round".to_owned();
            compared.unasked.push((zone.name.clone(), why));
            continue;
        }
        if silent.servers.contains(&zone.server) || silent.zones.contains(&zone.name) {
            let why = "its name server did not answer in this round, or not in time".to_owned();
            compared.unasked.push((zone.name.clone(), why));
            continue;
        }
        let comparison = Comparison {
            config,
            zone,
            restored: restored::at(config, &zone.name),
            registry,
            publisher,
            logger,
            rules,
            silent,
            compared: &mut compared,
        };
        match comparison.run() {
            // What is wrong with one zone must not stop the others.
            Err(error) if error.is_of_zone() => {
                compared
                    .unasked
                    .push((zone.name.clone(), error.to_string()));
                complain(logger, zone, &error, error.hint());
                worry::need(registry, &format!("zone {}: {error}", zone.name))?;
            }
            other => other?,
        }
    }
    Ok(compared)
}

/// The comparison of one zone.
struct Comparison<'a> {
    config: &'a Config,
    zone: &'a Zone,
    /// When the registry was restored, if not all was compared since.
    restored: Option<Restored>,
    registry: &'a mut Registry,
    publisher: &'a Publisher,
    logger: &'a Logger,
    rules: Rules,
    silent: &'a mut Silent,
    compared: &'a mut Compared,
}

/// Hosts that still differ.
#[derive(Default)]
struct Left {
    /// Left alone, and told of.
    told: u32,
    /// Tried in vain.
    tried: u32,
    /// Whether there was no time for all.
    is_cut: bool,
}

impl Comparison<'_> {
    fn run(mut self) -> Result<(), PublishError> {
        let name = &self.zone.name;
        let state = self.registry.zone_state(name)?;
        let deadline = Deadline::after(Deadline::REQUEST);
        let serial = match self.publisher.serial(name, deadline)? {
            Ok(serial) => serial,
            Err(trouble) => {
                self.complain(&trouble, false);
                return Ok(());
            }
        };
        let now = Timestamp::now();
        let behind = state.went_back.is_some() || state.is_behind(serial);
        let is_news = state.is_behind(serial) || state.went_back > state.compared_at;
        let is_first = |restored: Restored| state.compared_at.is_none_or(|at| at <= restored.at());
        let is_news = is_news || self.restored.is_some_and(is_first);
        let is_due = is_news || is_due(&state, serial, now);
        if self.rules.word == Word::Registry && !is_due {
            return Ok(());
        }
        // Before anything is mended: that this round, too, finds it so is no further news.
        let went_back = ZoneState {
            serial: Some(serial),
            went_back: Some(now),
            ..state.clone()
        };
        if state.is_behind(serial) {
            self.registry.compared(name, &went_back, now)?;
        }
        let began = Instant::now();
        let own = self.rules.word == Word::Zone || self.restored.is_some();
        let (registry, publisher) = (&mut *self.registry, self.publisher);
        let looked = match Looked::from(&state, name, own, registry, publisher)? {
            Ok(looked) => looked,
            Err(trouble) => {
                self.complain(&trouble, true);
                return Ok(());
            }
        };
        let cursor = looked.cursor.clone();
        let waits = self.waits(&looked.unseen, now);
        let unclear = !behind && self.restored.is_none() && looked.are_many();
        let older = unclear && self.is_older(&state, &looked)?;
        if older {
            self.registry.compared(name, &went_back, now)?;
        }
        // What is mended now is not mended again each time: only the look counts.
        let took = u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX);
        let behind = behind || older;
        let left = self.settle(looked, behind)?;
        // One that is not through goes on with what it has.
        let before = match state.cursor {
            Some(_) => (state.took, state.unmended),
            None => (0, 0),
        };
        if left.is_cut {
            // The next round looks again at what this one did, after other zones.
            let again = ZoneState {
                serial: Some(serial),
                went_back: behind.then_some(now),
                compared_serial: None,
                compared_at: Some(now),
                took: before.0,
                unmended: before.1,
                cursor: state.cursor,
            };
            return Ok(self.registry.compared(&self.zone.name, &again, now)?);
        }
        // The serial it began with, as long as all could be mended: what could not is tried again,
        // and what out of a backup could not be seen.
        let compared_serial = match state.cursor {
            Some(_) => state.compared_serial,
            None => Some(serial),
        }
        .filter(|_| left.tried == 0 && !waits);
        if behind && cursor.is_none() {
            returned::tell(self.zone, self.registry, self.publisher, self.logger)?;
        }
        let is_mended = cursor.is_none() && compared_serial.is_some();
        if self.restored.is_some() && is_mended {
            restored::done(self.config, &self.zone.name)?;
        }
        let next = ZoneState {
            serial: Some(serial),
            // Else the next round would take a zone that went back for one that others changed.
            went_back: (behind && !is_mended).then_some(now),
            compared_serial,
            took: before.0.saturating_add(took),
            unmended: before.1.saturating_add(left.told),
            ..match cursor {
                Some(_) => ZoneState { cursor, ..state },
                None => ZoneState {
                    compared_at: Some(Timestamp::now()),
                    ..ZoneState::default()
                },
            }
        };
        Ok(self.registry.compared(&self.zone.name, &next, now)?)
    }

    /// Says that the name server did not let itself be asked; where it `answers` other questions,
    /// that is the zone's trouble alone.
    fn complain(&mut self, trouble: &Trouble, answers: bool) {
        let Zone { name, server, .. } = self.zone;
        self.silent.note(name, Some(*server), trouble, answers);
        let unasked = (self.zone.name.clone(), trouble.to_string());
        self.compared.unasked.push(unasked);
        complain(self.logger, self.zone, trouble, trouble.hint());
    }

    /// Tells of hosts that cannot be seen. Says whether they, or others that wait, may have
    /// something newer than a backup, so that the zone does not count as compared.
    fn waits(&mut self, unseen: &[(Host, Trouble)], now: Timestamp) -> bool {
        let Zone { name, .. } = self.zone;
        if let Some((host, trouble)) = unseen.first() {
            let others = match unseen.len() - 1 {
                0 => String::new(),
                others => format!(", and {others} others alike"),
            };
            let reason = format!("{}: {trouble}{others}", host.name);
            complain(self.logger, self.zone, &reason, trouble.hint());
            self.compared.unasked.push((name.clone(), reason));
        }
        let is_blind = !unseen.is_empty() || self.silent.unseen.contains(name);
        is_blind && self.restored.is_some_and(|restored| restored.waits(now))
    }

    /// Whether what is shown tells that the zone is an older one, whatever its serial.
    fn is_older(&self, state: &ZoneState, looked: &Looked) -> Result<bool, PublishError> {
        let mut had = Vec::with_capacity(looked.differing.len());
        // At the end of a comparison that left nothing, all stood there.
        let left_nothing = state.unmended == 0 && state.compared_serial.is_some();
        let mut lost = state.compared_at.filter(|_| left_nothing);
        for (host, shown) in &looked.differing {
            lost = lost.max(host.fact.at);
            had.push(match shown.addresses() {
                Some(shown) => {
                    let since = Timestamp::from_seconds(0);
                    let changes = self.registry.history(Some(host.id), since)?;
                    older::had(&changes, host.created, host.wish.at, shown)
                }
                None => Vec::new(),
            });
        }
        Ok(lost.is_some_and(|lost| older::is_zone(&had, &looked.standing, lost)))
    }

    /// Decides what becomes of those that differ, and does it.
    fn settle(&mut self, looked: Looked, behind: bool) -> Result<Left, PublishError> {
        let (many, hosts, still) = (looked.are_many(), looked.hosts, looked.differing);
        let word = match self.rules.word {
            Word::Registry if self.restored.is_some() && !behind => Word::Zone,
            word => word,
        };
        match word {
            Word::Zone => {
                let (own, others) = adopt::split(still);
                let taken = adopt::run(self.zone, self.registry, self.logger, others)?;
                self.compared.adopted += taken.adopted;
                self.compared.left += taken.left;
                Ok(Left {
                    told: u32::try_from(taken.left).unwrap_or(u32::MAX),
                    ..self.mend(&own)?
                })
            }
            Word::Registry if many && !behind => {
                let line = Line::new(LogLevel::Warning, "upkeep").field("zone", &self.zone.name);
                let reason = format!(
                    "{} of {hosts} hosts differ from the zone, and nothing shows that the zone \
                     is the older one: the registry may be",
                    still.len()
                );
                let hint = "nothing was mended; `bowline upkeep --adopt` takes the zone's word";
                let need = format!("zone {}: {reason}; {hint}", self.zone.name);
                worry::need(self.registry, &need)?;
                let line = line.field("result", "911").words("reason", reason);
                self.logger.write(&line.words("hint", hint));
                self.note(&still)?;
                self.compared.left += still.len();
                Ok(Left {
                    told: u32::try_from(still.len()).unwrap_or(u32::MAX),
                    ..Left::default()
                })
            }
            Word::Registry => self.mend(&still),
        }
    }

    /// Notes what is shown of hosts, until that is mended.
    fn note(&mut self, differing: &[Differing]) -> Result<(), PublishError> {
        let shown = differing
            .iter()
            .map(|(host, shown)| (host.id, shown.to_string()));
        Ok(self.registry.note_differing(&shown.collect::<Vec<_>>())?)
    }

    /// Publishes what the registry says, until the name server takes nothing of it or there is no
    /// more time: then the next round compares the zone again.
    fn mend(&mut self, differing: &[Differing]) -> Result<Left, PublishError> {
        let mut left = Left::default();
        let until = self.rules.until();
        let mut is_over = false;
        let (mut rest, mut portion) = (differing, Portion::first());
        while !rest.is_empty() {
            let (some, others) = portion.of(rest);
            rest = others;
            let ids: Vec<HostId> = some.iter().map(|(host, _)| host.id).collect();
            self.note(some)?;
            if is_over || left.is_cut {
                left.tried = (left.tried).saturating_add(ids.len().try_into().unwrap_or(u32::MAX));
                self.compared.left += ids.len();
                continue;
            }
            let wait = Deadline::after(Deadline::REQUEST);
            let published =
                self.publisher
                    .try_publish(self.registry, &self.zone.name, &ids, wait)?;
            is_over = portion.is_last(&published);
            left.is_cut = !is_over && !rest.is_empty() && until.passed();
            let mut is_told = false;
            for ((host, shown), published) in some.iter().zip(published) {
                let line = |level| Line::new(level, "upkeep").field("host", &host.name);
                match published {
                    Published::Confirmed | Published::Off => {
                        self.compared.mended += 1;
                        mended::tell(self.logger, host, shown);
                    }
                    Published::Gone => {}
                    Published::Refused(trouble) | Published::Unconfirmed(trouble) => {
                        left.tried += 1;
                        self.compared.left += 1;
                        // One line for all that it is about.
                        let is_of_zone = trouble.is_of_zone();
                        if is_of_zone && is_told {
                            continue;
                        }
                        is_told |= is_of_zone;
                        let line = line(LogLevel::Warning).field("result", "dnserr");
                        self.logger.write(&line.words("reason", trouble));
                    }
                }
            }
        }
        Ok(left)
    }
}

fn complain(logger: &Logger, zone: &Zone, reason: &dyn std::fmt::Display, hint: Option<String>) {
    let line = Line::new(LogLevel::Warning, "upkeep").field("zone", &zone.name);
    let line = line.field("result", "911").words("reason", reason);
    logger.write(&line.hint(hint));
}
