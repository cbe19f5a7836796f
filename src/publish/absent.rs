//! Whether a name itself has addresses, whatever is answered for it: a prerequisite looks at the
//! name (RFC 2136 2.4.3), while an answer may come from a wildcard above it (RFC 4592).

use std::collections::BTreeSet;

use super::exchange::{Exchange, TOGETHER};
use super::{PublishError, Publisher, Trouble};
use crate::deadline::Deadline;
use crate::dns::{self, Answer, By, Refusal, Swap, Verdict};
use crate::ip::{AddressSet, Family};
use crate::name::{RecordName, ZoneName};

impl Publisher {
    /// Those of `names` in a zone at which addresses stand that can be seen.
    ///
    /// # Errors
    /// When the zone is not configured.
    pub fn standing<'n>(
        &self,
        zone: &ZoneName,
        names: &'n [RecordName],
        deadline: Deadline,
    ) -> Result<Result<Vec<&'n RecordName>, Trouble>, PublishError> {
        let mut silent = || ();
        Ok(
            match self.exchange(self.served(zone)?, deadline, &mut silent)? {
                Some(mut exchange) => exchange.shown_at(names),
                None => Err(Trouble::Waiting),
            },
        )
    }
}

impl Exchange<'_> {
    /// Those of `names` that show addresses of their own.
    fn shown_at<'n>(&mut self, names: &'n [RecordName]) -> Result<Vec<&'n RecordName>, Trouble> {
        let both = |name| Family::BOTH.map(|family| (name, family));
        let questions: Vec<(&RecordName, Family)> = names.iter().flat_map(both).collect();
        let found = self.lookup(&questions, false)?.answers;
        let has_some = |answer: &Result<Answer, _>| matches!(answer, Ok(Answer::Found(set)) if !set.is_empty());
        let pairs = names.iter().zip(found.chunks(2));
        let shown = pairs.filter(|(_, answers)| answers.iter().any(has_some));
        let mut shown: Vec<&RecordName> = shown.map(|(name, _)| name).collect();
        // A wildcard above answers for all of them.
        let without = self.without_addresses(shown.iter().copied(), self.deadline)?;
        shown.retain(|name| !without.contains(*name));
        Ok(shown)
    }

    /// Those of `names` that have no addresses themselves.
    ///
    /// One UPDATE that changes nothing asks for many names; where some have addresses, they are
    /// found by halving.
    pub(super) fn without_addresses<'n>(
        &mut self,
        names: impl IntoIterator<Item = &'n RecordName>,
        until: Deadline,
    ) -> Result<BTreeSet<&'n RecordName>, Trouble> {
        let names: BTreeSet<&RecordName> = names.into_iter().collect();
        let names = Vec::from_iter(names);
        let mut without = BTreeSet::new();
        for some in names.chunks(TOGETHER) {
            self.sift(some, until, &mut without)?;
        }
        Ok(without)
    }

    /// Sees to it that no addresses stand at names where none are to be and none can be seen:
    /// with the end of what hides them they would be shown again.
    ///
    /// The one UPDATE that compares with nothing, since nobody can see what it would compare with.
    /// Should one come so late that it undoes a newer one, the zone's serial has moved, and upkeep
    /// compares.
    pub(super) fn clear_hidden(
        &mut self,
        hidden: &[(RecordName, By)],
        until: Deadline,
    ) -> Result<(), Trouble> {
        let standing = self.standing(hidden, until)?;
        if standing.is_empty() {
            return Ok(());
        }
        let names: Vec<&RecordName> = standing.iter().map(|(name, _)| name).collect();
        match self.send(until, |server, zone, wait| {
            dns::send_clearing(server, zone, &names, wait)
        }) {
            Verdict::Done => {}
            Verdict::Refused(refusal) => return Err(Trouble::Refused(refusal)),
            Verdict::Unconfirmed(doubt) => return Err(Trouble::Doubt(doubt)),
        }
        // A success may mean nothing below a DNAME or where a policy forbids it.
        match self.standing(hidden, until)?.first().copied().cloned() {
            Some((name, by)) => Err(Trouble::Hidden { name, by }),
            None => Ok(()),
        }
    }

    /// Those of the hidden names at which addresses stand all the same.
    fn standing<'h>(
        &mut self,
        hidden: &'h [(RecordName, By)],
        until: Deadline,
    ) -> Result<Vec<&'h (RecordName, By)>, Trouble> {
        // Beside a CNAME there is nothing else (RFC 1034 3.6.2).
        let may_have = hidden.iter().filter(|(_, by)| *by != By::Cname);
        let without = self.without_addresses(may_have.clone().map(|(name, _)| name), until)?;
        let mut standing: Vec<_> = may_have
            .filter(|(name, _)| !without.contains(name))
            .collect();
        standing.dedup_by_key(|(name, _)| name);
        Ok(standing)
    }

    fn sift<'n>(
        &mut self,
        names: &[&'n RecordName],
        until: Deadline,
        without: &mut BTreeSet<&'n RecordName>,
    ) -> Result<(), Trouble> {
        let nothing = names.iter().flat_map(|name| nothing_at(name));
        let nothing: Vec<Swap> = nothing.collect();
        let refusal = match self.send(until, |server, zone, wait| {
            dns::send_update(server, zone, &nothing, wait)
        }) {
            Verdict::Done => {
                without.extend(names);
                return Ok(());
            }
            Verdict::Refused(refusal) => refusal,
            Verdict::Unconfirmed(doubt) => return Err(Trouble::Doubt(doubt)),
        };
        match (names.split_at(names.len() / 2), &refusal) {
            (([], _), Refusal::Differs(_)) => Ok(()),
            // Too long for one message, or one that has some is among them.
            ((one @ [_, ..], other), Refusal::Differs(_) | Refusal::Unsendable(_)) => {
                self.sift(one, until, without)?;
                self.sift(other, until, without)
            }
            _ => Err(Trouble::Refused(refusal)),
        }
    }
}

/// That there are no addresses at a name, and none are to come.
fn nothing_at(name: &RecordName) -> [Swap; 2] {
    Family::BOTH.map(|family| Swap {
        name: name.clone(),
        family,
        from: AddressSet::default(),
        to: None,
    })
}
