//! One host's exchange with its name server: compare, swap, look.

use std::time::Duration;

use super::Trouble;
use crate::deadline::Deadline;
use crate::dns::{self, Answer, Answers, Doubt, LookupError, Refusal, Server, Swap, Verdict, Wait};
use crate::ip::{AddressSet, Family};
use crate::name::{RecordName, ZoneName};
use crate::patience::Patience;
use crate::registry::{Host, Wish};

/// How often an UPDATE is sent again with what the name server has by then.
const TRIES: usize = 3;
/// What an UPDATE leaves of the deadline for looking at its result.
const READ_BACK: Duration = Duration::from_secs(1);

/// One host's business with its name server.
pub(super) struct Exchange<'a> {
    pub(super) server: &'a Server,
    pub(super) zone: ZoneName,
    pub(super) deadline: Deadline,
    pub(super) patience: Patience,
}

impl Exchange<'_> {
    /// Swaps, and looks; again with what it saw, while that is not what was wished.
    ///
    /// Says the zone's serial.
    pub(super) fn settle(&mut self, host: &Host) -> Result<Option<u32>, Trouble> {
        let mut swaps = swaps(host);
        if swaps.is_empty() {
            return Ok(None);
        }
        // Where the fact says nothing is to be done, an UPDATE that only compares goes out:
        // it waits its turn behind an older one, which a question would overtake.
        let mut changes = true;
        for _ in 0..TRIES {
            if changes {
                match self.update(&swaps) {
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
    fn look(&mut self, swaps: &mut [Swap]) -> Result<Option<u32>, Trouble> {
        let questions: Vec<(RecordName, Family)> = swaps
            .iter()
            .map(|swap| (swap.name.clone(), swap.family))
            .collect();
        let found = self.lookup(&questions, true)?;
        let mut absent = Vec::new();
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
                absent.push(swap.name.clone());
            }
        }
        // A wildcard answers only for a name that has no records at all (RFC 4592 2.2.1).
        for swap in swaps.iter_mut().filter(|swap| absent.contains(&swap.name)) {
            swap.from = AddressSet::default();
        }
        Ok(found.serial)
    }

    /// Whether there is no such RRset, though a question for it was answered.
    ///
    /// A wildcard above answers for a name that is not there (RFC 4592); a prerequisite
    /// looks at the name itself.
    fn is_absent(&mut self, swap: &Swap) -> Result<bool, Trouble> {
        let nothing = Swap {
            from: AddressSet::default(),
            to: None,
            ..swap.clone()
        };
        match self.update(&[nothing]) {
            Verdict::Done => Ok(true),
            Verdict::Refused(Refusal::Differs(_)) => Ok(false),
            Verdict::Refused(refusal) => Err(Trouble::Refused(refusal)),
            Verdict::Unconfirmed(doubt) => Err(Trouble::Doubt(doubt)),
        }
    }

    fn update(&mut self, swaps: &[Swap]) -> Verdict {
        let mut goes_on = || self.patience.goes_on();
        let wait = Wait::with(self.deadline.less(READ_BACK), &mut goes_on);
        let verdict = dns::send_update(self.server, &self.zone, swaps, wait);
        if !matches!(
            verdict,
            Verdict::Unconfirmed(Doubt::Silent | Doubt::Unverified)
        ) {
            self.patience.answered();
        }
        verdict
    }

    pub(super) fn lookup(
        &mut self,
        questions: &[(RecordName, Family)],
        serial: bool,
    ) -> Result<Answers, Trouble> {
        let mut goes_on = || self.patience.goes_on();
        let wait = Wait::with(self.deadline, &mut goes_on);
        let found = dns::lookup(self.server, &self.zone, questions, serial, wait);
        if !matches!(
            found,
            Err(LookupError::NoAnswer(Doubt::Silent | Doubt::Unverified))
        ) {
            self.patience.answered();
        }
        found.map_err(Trouble::Lookup)
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
