//! An exchange with one name server, for one host or many: compare, swap, look.

use std::sync::Arc;
use std::time::Duration;

use super::Trouble;
use super::served::Served;
use crate::deadline::Deadline;
use crate::dns::{self, Answer, Answers, LookupError, Refusal, Server, Swap, Verdict, Wait};
use crate::ip::{AddressSet, Family};
use crate::name::{RecordName, ZoneName};
use crate::patience::Patience;
use crate::registry::{Host, MOST_BEHIND, Wish};

/// How often an UPDATE is sent again with what the name server has by then.
pub(super) const TRIES: usize = 3;
/// What an UPDATE leaves of the deadline for looking at its result.
const READ_BACK: Duration = Duration::from_secs(1);
/// So long a name server may take for a question that tells whether it is there.
const QUESTION: Duration = Duration::from_millis(500);
/// So many hosts are published in one UPDATE, and within one deadline: a site and all behind
/// it. With names of usual length they fit the largest message.
pub const TOGETHER: usize = MOST_BEHIND as usize + 1;
/// So many refusals are worth looking for the hosts they are about; then the rest is left.
const REFUSALS: usize = 64;

/// Business with the name server of a zone.
pub(super) struct Exchange<'a> {
    pub(super) served: &'a Served,
    pub(super) server: Arc<Server>,
    pub(super) deadline: Deadline,
    pub(super) patience: Patience<'a>,
    /// Patience with the zone's changes, once it is needed.
    pub(super) held: Option<Patience<'a>>,
    /// Called each time the name server has been silent for a while.
    pub(super) silent: &'a mut dyn FnMut(),
    /// The zone's serials as they were seen, oldest first.
    pub(super) serials: Vec<u32>,
}

/// How it ended for one host: the zone's serial, where it was asked for, or why not.
pub(super) type Settled = Result<Option<u32>, Trouble>;

/// One host's part of an exchange.
struct Part {
    swaps: Vec<Swap>,
    /// How it ended; `None`: it goes on.
    end: Option<Settled>,
}

impl Exchange<'_> {
    /// Swaps, and looks; again with what it saw, where that is not what was wished.
    ///
    /// Says how it ended for each host. One that the name server does not take is found by
    /// halving, and does not stop the others.
    pub(super) fn settle(&mut self, hosts: &[Host]) -> Vec<Settled> {
        let mut parts: Vec<Part> = hosts.iter().map(Part::of).collect();
        let mut refusals = REFUSALS;
        // At first even where the fact says nothing is to be done: an UPDATE that only
        // compares waits its turn behind an older one, which a question would overtake.
        for _ in 0..TRIES {
            let mut going: Vec<&mut Part> = going(&mut parts).collect();
            for some in going.chunks_mut(TOGETHER) {
                self.swap(some, &mut refusals);
            }
            let mut going: Vec<&mut Part> = self::going(&mut parts).collect();
            if going.is_empty() {
                break;
            }
            self.look(&mut going);
        }
        parts.into_iter().map(Part::ended).collect()
    }

    /// One UPDATE for all parts, or by halves where it is refused.
    fn swap(&mut self, parts: &mut [&mut Part], refusals: &mut usize) {
        let swaps: Vec<Swap> = parts.iter().flat_map(|part| part.swaps.clone()).collect();
        match self.update(&swaps) {
            Verdict::Done | Verdict::Refused(Refusal::Differs(_)) => {}
            Verdict::Refused(refusal) => {
                *refusals = refusals.saturating_sub(1);
                let is_of_one = refusal.may_be_of_one();
                match halves(parts).filter(|_| is_of_one) {
                    Some((one, other)) if *refusals > 0 => {
                        self.swap(one, refusals);
                        self.swap(other, refusals);
                    }
                    Some(_) => end_all(parts, &Trouble::Among(refusal)),
                    None => end_all(parts, &Trouble::Refused(refusal)),
                }
            }
            Verdict::Unconfirmed(doubt) => end_all(parts, &Trouble::Doubt(doubt)),
        }
    }

    /// Asks what stands at each name and takes it as the swaps' other side.
    fn look(&mut self, parts: &mut [&mut Part]) {
        let swaps = parts.iter().flat_map(|part| &part.swaps);
        let questions: Vec<(&RecordName, Family)> =
            swaps.map(|swap| (&swap.name, swap.family)).collect();
        let found = match self.lookup(&questions, true) {
            Ok(found) => found,
            Err(trouble) => return end_all(parts, &trouble),
        };
        self.serials.extend(found.serial);
        let mut answers = found.answers.into_iter();
        for part in parts {
            let own: Vec<_> = answers.by_ref().take(part.swaps.len()).collect();
            let own: Result<Vec<Answer>, _> = own.into_iter().collect();
            let own = own.map_err(Trouble::Lookup);
            match own.and_then(|own| self.take_in(&mut part.swaps, own)) {
                Ok(()) if part.swaps.iter().any(Swap::changes) => {}
                Ok(()) => part.end = Some(Ok(found.serial)),
                Err(trouble) => part.end = Some(Err(trouble)),
            }
        }
    }

    /// Takes what stands there as the other side of one host's swaps.
    fn take_in(&mut self, swaps: &mut [Swap], answers: Vec<Answer>) -> Result<(), Trouble> {
        let mut hidden = Vec::new();
        for (swap, answer) in swaps.iter_mut().zip(answers) {
            swap.from = match answer {
                Answer::Found(set) => set,
                Answer::Hidden(by) => {
                    let name = swap.name.clone();
                    if swap.to.is_some() {
                        return Err(Trouble::Hidden { name, by });
                    }
                    hidden.push((name, by));
                    AddressSet::default()
                }
            };
        }
        self.clear_hidden(&hidden, self.before_read_back())?;
        let differs = |swap: &&Swap| swap.changes() && !swap.from.is_empty();
        let differing = swaps.iter().filter(differs);
        let differing: Vec<RecordName> = differing.map(|swap| swap.name.clone()).collect();
        let without = self.without_addresses(&differing, self.before_read_back())?;
        // A wildcard answers only for a name that has no records at all (RFC 4592 2.2.1).
        for swap in swaps.iter_mut().filter(|swap| without.contains(&swap.name)) {
            swap.from = AddressSet::default();
        }
        Ok(())
    }

    fn update(&mut self, swaps: &[Swap]) -> Verdict {
        let until = self.before_read_back();
        self.send(until, |server, zone, wait| {
            dns::send_update(server, zone, swaps, wait)
        })
    }

    /// Until when an UPDATE may take, so that time is left to look at its result.
    pub(super) fn before_read_back(&self) -> Deadline {
        self.deadline.less(READ_BACK)
    }

    /// Sends an UPDATE.
    pub(super) fn send(
        &mut self,
        until: Deadline,
        update: impl Fn(&Server, &ZoneName, Wait<'_>) -> Verdict,
    ) -> Verdict {
        let verdict = self.say(true, until, update, |verdict| match verdict {
            Verdict::Refused(refusal) => Some(refusal),
            _ => None,
        });
        if !matches!(&verdict, Verdict::Unconfirmed(doubt) if doubt.is_silence()) {
            self.patience.answered();
            self.held.iter_mut().for_each(Patience::answered);
        }
        verdict
    }

    pub(super) fn lookup(
        &mut self,
        questions: &[(&RecordName, Family)],
        serial: bool,
    ) -> Result<Answers, Trouble> {
        self.ask(|server, zone, wait| dns::lookup(server, zone, questions, serial, wait))
    }

    /// Asks the name server what it has.
    pub(super) fn ask<T>(
        &mut self,
        question: impl Fn(&Server, &ZoneName, Wait<'_>) -> Result<T, LookupError>,
    ) -> Result<T, Trouble> {
        let found = self.say(false, self.deadline, question, |found| match found {
            Err(LookupError::Refused(refusal)) => Some(refusal),
            _ => None,
        });
        if !matches!(&found, Err(LookupError::NoAnswer(doubt)) if doubt.is_silence()) {
            self.patience.answered();
        }
        found.map_err(Trouble::Lookup)
    }

    /// Says something; again where the name server may have another key by now, and so has the
    /// key's file. Where `changes` alone are not answered, patience is with the zone.
    fn say<T>(
        &mut self,
        changes: bool,
        until: Deadline,
        say: impl Fn(&Server, &ZoneName, Wait<'_>) -> T,
        refusal: impl Fn(&T) -> Option<&Refusal>,
    ) -> T {
        let mut say = |server: &Server| {
            let mut goes_on = || {
                let is_held = changes && answers(server, &self.served.zone);
                let patience = match is_held {
                    true => {
                        self.patience.answered();
                        let with = || Patience::with(&self.served.held).ok().flatten();
                        self.held = self.held.take().or_else(with);
                        self.held.as_mut()
                    }
                    false => Some(&mut self.patience),
                };
                let goes_on = patience.is_some_and(Patience::goes_on);
                // Those who wait for us hear of it.
                (self.silent)();
                goes_on
            };
            let wait = Wait::with(until, &mut goes_on);
            say(server, &self.served.zone, wait)
        };
        let heard = say(&self.server);
        if refusal(&heard).is_some_and(Refusal::may_be_of_key)
            && let Some(server) = self.served.with_new_key(&self.server)
        {
            let heard = say(&server);
            self.server = server;
            return heard;
        }
        heard
    }
}

/// Whether a name server that does not answer a change answers a question.
fn answers(server: &Server, zone: &ZoneName) -> bool {
    dns::lookup(server, zone, &[], true, Deadline::after(QUESTION)).is_ok()
}

impl Part {
    fn of(host: &Host) -> Self {
        let swaps = swaps(host);
        // A host that never had records, and is to have none.
        let end = swaps.is_empty().then_some(Ok(None));
        Part { swaps, end }
    }

    fn ended(self) -> Settled {
        self.end.unwrap_or_else(|| {
            let differs = self.swaps.into_iter().find(Swap::changes);
            Err(differs.map_or(Trouble::Busy, |swap| Trouble::Differs(swap.name)))
        })
    }
}

/// The parts that go on.
fn going(parts: &mut [Part]) -> impl Iterator<Item = &mut Part> {
    parts.iter_mut().filter(|part| part.end.is_none())
}

/// Two halves; `None` for what cannot be divided.
fn halves<'a, 'p>(
    parts: &'a mut [&'p mut Part],
) -> Option<(&'a mut [&'p mut Part], &'a mut [&'p mut Part])> {
    let half = parts.len() / 2;
    (half > 0).then(|| parts.split_at_mut(half))
}

fn end_all(parts: &mut [&mut Part], trouble: &Trouble) {
    for part in parts {
        part.end = Some(Err(trouble.clone()));
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
