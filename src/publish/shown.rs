//! What the name server shows of a host, beside what the host wishes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::exchange::Exchange;
use super::{PublishError, Publisher, Trouble};
use crate::deadline::Deadline;
use crate::dns::{Answer, LookupError};
use crate::ip::{AddressSet, Addresses, Family};
use crate::name::{HostName, RecordName, ZoneName};
use crate::registry::{Host, HostId, Wish};

/// Whether a family is asked for in which a host wishes no address. An UPDATE applied late, or
/// a hand, may have put one there.
pub type AskedFor<'a> = &'a dyn Fn(&Host, Family) -> bool;

/// What is shown of a host, or why that cannot be seen: of this one, or of all that were asked for.
pub type Seen = Result<Shown, Trouble>;

/// What the name server shows of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// What it shows at the host's own name, for each family that was asked for.
    own: Vec<Answer>,
    /// Where it is not as the host wishes.
    differs: Option<Differs>,
}

/// Where something else than a host's wish is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Differs {
    /// At its own name.
    Here,
    /// At another of its names only, and what.
    There(RecordName, Vec<Answer>),
}

impl Shown {
    /// Whether all of it is as the host wishes.
    pub fn is_as_wished(&self) -> bool {
        self.differs.is_none()
    }

    /// The addresses at the host's own name; `None` when they can be no host's: several of a
    /// family, or hidden by something else.
    pub fn addresses(&self) -> Option<Addresses> {
        let mut addresses = Addresses::NONE;
        for answer in &self.own {
            match answer {
                Answer::Hidden(_) => return None,
                Answer::Found(set) => {
                    let mut found = set.iter();
                    found
                        .next()
                        .into_iter()
                        .for_each(|address| addresses.put(address));
                    if found.next().is_some() {
                        return None;
                    }
                }
            }
        }
        Some(addresses)
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (answers, name) = match &self.differs {
            Some(Differs::There(name, answers)) => (answers, Some(name)),
            Some(Differs::Here) | None => (&self.own, None),
        };
        let texts = answers.iter().flat_map(|answer| match answer {
            Answer::Hidden(by) => vec![by.to_string()],
            Answer::Found(set) => set.iter().map(|address| address.to_string()).collect(),
        });
        let mut texts: Vec<String> = texts.collect();
        // What hides one family hides the other.
        texts.dedup();
        match texts.is_empty() {
            true => f.write_str("no address")?,
            false => f.write_str(&texts.join(","))?,
        }
        name.map_or(Ok(()), |name| write!(f, " at {name}"))
    }
}

impl Publisher {
    /// What the name server has of hosts of a zone themselves, in both families: what a wildcard
    /// above answers in the place of a host is nobody's address.
    ///
    /// # Errors
    /// When the zone is not configured.
    pub fn show_own(
        &self,
        zone: &ZoneName,
        hosts: &[&Host],
        deadline: Deadline,
    ) -> Result<Vec<Seen>, PublishError> {
        self.see(zone, hosts, deadline, |exchange| exchange.show_own(hosts))
    }

    /// What the name server shows of hosts of a zone, for each.
    ///
    /// # Errors
    /// When the zone is not configured.
    pub fn show(
        &self,
        zone: &ZoneName,
        hosts: &[&Host],
        asked_for: AskedFor<'_>,
        deadline: Deadline,
    ) -> Result<Vec<Seen>, PublishError> {
        let show = |exchange: &mut Exchange<'_>| exchange.show(hosts, asked_for);
        self.see(zone, hosts, deadline, show)
    }

    /// What is in the way of the question is in the way of all.
    fn see(
        &self,
        zone: &ZoneName,
        hosts: &[&Host],
        deadline: Deadline,
        show: impl FnOnce(&mut Exchange<'_>) -> Result<Vec<Seen>, Trouble>,
    ) -> Result<Vec<Seen>, PublishError> {
        let mut silent = || ();
        let seen = match self.exchange(self.served(zone)?, deadline, &mut silent)? {
            Some(mut exchange) => show(&mut exchange),
            None => Err(Trouble::Waiting),
        };
        Ok(seen.unwrap_or_else(|trouble| vec![Err(trouble); hosts.len()]))
    }
}

/// The hosts that are not shown as wished, and what is shown of each.
pub fn differing(hosts: &[&Host], seen: &[Seen]) -> Vec<(HostId, String)> {
    let shown = hosts.iter().zip(seen);
    let shown = shown.filter_map(|(host, seen)| Some((host.id, seen.as_ref().ok()?)));
    shown
        .filter(|(_, shown)| !shown.is_as_wished())
        .map(|(id, shown)| (id, shown.to_string()))
        .collect()
}

impl Exchange<'_> {
    /// Asks what the name server shows of hosts, at each of their names.
    pub(super) fn show(
        &mut self,
        hosts: &[&Host],
        asked_for: AskedFor<'_>,
    ) -> Result<Vec<Seen>, Trouble> {
        let mut questions: Vec<(&RecordName, Family)> = Vec::with_capacity(2 * hosts.len());
        for host in hosts {
            for name in &host.wish.records.names {
                questions.extend(families(host, asked_for).map(|family| (name, family)));
            }
        }
        let mut found = self.lookup(&questions, false)?.answers;
        self.leave_wildcards_out(hosts, &questions, &mut found)?;
        let mut found = found.into_iter();
        let see = |host: &&Host| {
            let asked = families(host, asked_for).count() * host.wish.records.names.len();
            let answers: Vec<_> = found.by_ref().take(asked).collect();
            let answers: Result<Vec<Answer>, _> = answers.into_iter().collect();
            Ok(shown(host, asked_for, answers.map_err(Trouble::Lookup)?))
        };
        Ok(hosts.iter().map(see).collect())
    }

    /// The same, but for what wildcards above have answered in the place of a host.
    ///
    /// One is there where a name beside the host, which nobody has, is answered likewise. To ask
    /// for the host itself is an UPDATE: that is done only then.
    fn show_own(&mut self, hosts: &[&Host]) -> Result<Vec<Seen>, Trouble> {
        let mut seen = self.show(hosts, &|_, _| true)?;
        let is_found = |own: &Answer| matches!(own, Answer::Found(_));
        let has_some = |own: &Answer| matches!(own, Answer::Found(set) if !set.is_empty());
        let differs = |shown: &Shown| {
            !shown.is_as_wished()
                && shown.own.iter().all(is_found)
                && shown.own.iter().any(has_some)
        };
        let pairs = || {
            let shown = hosts.iter().zip(&seen);
            let shown = shown.filter_map(|(host, seen)| Some((host, seen.as_ref().ok()?)));
            shown.filter(|(_, shown)| differs(shown))
        };
        let beside: BTreeMap<&str, RecordName> = pairs()
            .filter_map(|(host, _)| Some((above(&host.name), beside(&host.name)?)))
            .collect();
        if beside.is_empty() {
            return Ok(seen);
        }
        let questions = beside.values();
        let questions: Vec<(&RecordName, Family)> = questions
            .flat_map(|name| Family::BOTH.map(|family| (name, family)))
            .collect();
        let answers = self.lookup(&questions, false)?.answers;
        let answers = answers.chunks(2).map(|both| both.iter().cloned().collect());
        let wild: BTreeMap<&str, Result<Vec<Answer>, LookupError>> =
            beside.keys().copied().zip(answers).collect();
        let is_wild = |host: &Host, own: &Vec<Answer>| {
            let wild = wild.get(above(&host.name));
            wild.is_some_and(|wild| wild.as_ref() == Ok(own))
        };
        let suspects: Vec<RecordName> = pairs()
            .filter(|(host, shown)| is_wild(host, &shown.own))
            .map(|(host, _)| RecordName::exact(host.name.clone()))
            .collect();
        let without = self.without_addresses(&suspects, self.deadline)?;
        let without: BTreeSet<&HostName> = without.into_iter().map(RecordName::host).collect();
        for (host, seen) in hosts.iter().zip(&mut seen) {
            if let Ok(shown) = seen
                && without.contains(&host.name)
            {
                shown.own.clear();
            }
        }
        Ok(seen)
    }

    /// Empties what was found where nothing is wished and a wildcard above has answered.
    ///
    /// That is asked for names of hosts without any address only: at a name that has one family
    /// a wildcard does not answer for the other (RFC 4592 2.2.1).
    fn leave_wildcards_out(
        &mut self,
        hosts: &[&Host],
        questions: &[(&RecordName, Family)],
        found: &mut [Result<Answer, LookupError>],
    ) -> Result<(), Trouble> {
        let none = hosts
            .iter()
            .map(|host| &host.wish.records)
            .filter(|records| records.addresses.is_empty());
        let bare: BTreeSet<&RecordName> = none.flat_map(|records| &records.names).collect();
        let has_some = |answer: &Result<Answer, _>| matches!(answer, Ok(Answer::Found(set)) if !set.is_empty());
        let answered = questions.iter().zip(found.iter());
        let answered =
            answered.filter(|((name, _), answer)| bare.contains(name) && has_some(answer));
        let names = answered.map(|((name, _), _)| *name);
        let without = self.without_addresses(names, self.deadline)?;
        for ((name, _), answer) in questions.iter().zip(found) {
            if without.contains(name) {
                *answer = Ok(Answer::Found(AddressSet::default()));
            }
        }
        Ok(())
    }
}

/// Holds what was found at each name of a host, in the families asked for, against its wish.
fn shown(host: &Host, asked_for: AskedFor<'_>, found: Vec<Answer>) -> Shown {
    let Wish { records, .. } = &host.wish;
    let is_wished = |family, answer: &Answer| {
        let wanted = records.addresses.get(family);
        match answer {
            Answer::Found(found) => *found == AddressSet::from(wanted),
            // Nothing of ours is to be there, and nothing of ours can be seen.
            Answer::Hidden(_) => wanted.is_none(),
        }
    };
    let mut shown = Shown {
        own: Vec::new(),
        differs: None,
    };
    let mut found = found.into_iter();
    for name in &records.names {
        let asked = || families(host, asked_for);
        let answers: Vec<Answer> = found.by_ref().take(asked().count()).collect();
        let mut pairs = asked().zip(&answers);
        let differs = pairs.any(|(family, answer)| !is_wished(family, answer));
        if name.is_of(&host.name) {
            shown.own = answers;
            shown.differs = differs.then_some(Differs::Here).or(shown.differs);
        } else if differs && shown.differs.is_none() {
            shown.differs = Some(Differs::There(name.clone(), answers));
        }
    }
    shown
}

/// Where a wildcard would stand that answers for a host, relative to the zone; empty: at its apex.
fn above(host: &HostName) -> &str {
    host.relative()
        .split_once('.')
        .map_or("", |(_, above)| above)
}

/// A name there that nobody has.
fn beside(host: &HostName) -> Option<RecordName> {
    let label = HostName::random_label().ok()?;
    let name = format!("{label}.{}", above(host));
    let beside = HostName::new(name.trim_end_matches('.'), &host.zone());
    beside.ok().map(RecordName::exact)
}

/// The families that are asked for at each name of a host: those it has, and those of interest.
fn families<'a>(host: &'a Host, asked_for: AskedFor<'a>) -> impl Iterator<Item = Family> + 'a {
    let asked = move |family: &Family| {
        host.wish.records.addresses.get(*family).is_some() || asked_for(host, *family)
    };
    Family::BOTH.into_iter().filter(asked)
}
