//! What the name server shows of a host, beside what the host wishes.

use std::fmt;

use super::Trouble;
use super::exchange::Exchange;
use crate::dns::Answer;
use crate::ip::{AddressSet, Addresses, Family};
use crate::name::RecordName;
use crate::registry::{Host, HostId};

/// What the name server shows of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Whether all of it is as the host wishes.
    as_wished: bool,
    /// What it shows at the host's own name, for each family.
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
    pub(super) fn show(&mut self, hosts: &[Host]) -> Result<Vec<Shown>, Trouble> {
        // A family without an address is asked for too: an UPDATE applied late, or a hand,
        // may have put one there.
        let questions: Vec<(RecordName, Family)> = hosts
            .iter()
            .flat_map(|host| &host.wish.records.names)
            .flat_map(|name| Family::BOTH.map(|family| (name.clone(), family)))
            .collect();
        let mut asked = questions.iter();
        let mut found = self.lookup(&questions, false)?.answers.into_iter();
        let show = |host: &Host| {
            let records = &host.wish.records;
            let count = Family::BOTH.len() * records.names.len();
            let mut as_wished = true;
            let mut own = Vec::new();
            for ((name, family), answer) in asked.by_ref().zip(found.by_ref()).take(count) {
                let wanted = records.addresses.get(*family);
                as_wished &= match &answer {
                    Answer::Found(found) => *found == AddressSet::from(wanted),
                    // Nothing of ours is to be there, and nothing of ours can be seen.
                    Answer::Hidden(_) => wanted.is_none(),
                };
                if *name == RecordName::exact(host.name.clone()) {
                    own.push(answer);
                }
            }
            Shown { as_wished, own }
        };
        Ok(hosts.iter().map(show).collect())
    }
}
