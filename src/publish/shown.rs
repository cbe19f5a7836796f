//! What the name server shows of a host, beside what the host wishes.

use std::fmt;

use super::Trouble;
use super::exchange::Exchange;
use crate::dns::Answer;
use crate::ip::{AddressSet, Addresses, Family};
use crate::name::RecordName;
use crate::registry::{Host, HostId};

/// How much of a host the name server is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// The addresses it wishes, one question each; both families where it wishes none. An
    /// address that somebody else has added is upkeep's to find, from the zone's serial.
    Wished,
    /// Both families, whatever it wishes: an UPDATE applied late, or a hand, may have put an
    /// address there.
    All,
}

/// What the name server shows of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Whether all of it is as the host wishes.
    as_wished: bool,
    /// What it shows at the host's own name, for each family that was asked for.
    own: Vec<Answer>,
}

impl Shown {
    /// Whether all of it is as the host wishes.
    pub fn is_as_wished(&self) -> bool {
        self.as_wished
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
        let texts = self.own.iter().flat_map(|answer| match answer {
            Answer::Hidden(by) => vec![by.to_string()],
            Answer::Found(set) => set.iter().map(|address| address.to_string()).collect(),
        });
        let texts: Vec<String> = texts.collect();
        match texts.is_empty() {
            true => f.write_str("no address"),
            false => f.write_str(&texts.join(",")),
        }
    }
}

/// The hosts that are not shown as wished, and what is shown of each.
pub fn differing(hosts: &[Host], shown: &[Shown]) -> Vec<(HostId, String)> {
    let pairs = hosts.iter().zip(shown);
    pairs
        .filter(|(_, shown)| !shown.is_as_wished())
        .map(|(host, shown)| (host.id, shown.to_string()))
        .collect()
}

impl Exchange<'_> {
    /// Asks what the name server shows of hosts.
    pub(super) fn show(&mut self, hosts: &[Host], look: Look) -> Result<Vec<Shown>, Trouble> {
        let questions: Vec<Vec<(RecordName, Family)>> =
            hosts.iter().map(|host| look.questions(host)).collect();
        let mut found = self.lookup(&questions.concat(), false)?.answers.into_iter();
        let show = |(host, questions): (&Host, &Vec<_>)| {
            let mut shown = Shown {
                as_wished: true,
                own: Vec::new(),
            };
            for ((name, family), answer) in questions.iter().zip(found.by_ref()) {
                let wanted = host.wish.records.addresses.get(*family);
                shown.as_wished &= match &answer {
                    Answer::Found(found) => *found == AddressSet::from(wanted),
                    // Nothing of ours is to be there, and nothing of ours can be seen.
                    Answer::Hidden(_) => wanted.is_none(),
                };
                if *name == RecordName::exact(host.name.clone()) {
                    shown.own.push(answer);
                }
            }
            shown
        };
        Ok(hosts.iter().zip(&questions).map(show).collect())
    }
}

impl Look {
    /// What is asked for a host: each of its names with each family.
    fn questions(self, host: &Host) -> Vec<(RecordName, Family)> {
        let records = &host.wish.records;
        let all = self == Look::All || records.addresses.is_empty();
        let families: Vec<Family> = (Family::BOTH.into_iter())
            .filter(|family| all || records.addresses.get(*family).is_some())
            .collect();
        let names = records.names.iter();
        names
            .flat_map(|name| families.iter().map(|family| (name.clone(), *family)))
            .collect()
    }
}
