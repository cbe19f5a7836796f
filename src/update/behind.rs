//! The hosts behind those of a request: the prefix in it moves them too, and how that ended
//! is part of the site's answer.

use std::net::IpAddr;

use super::outcome::{refusal, registry_trouble};
use super::{Answer, Decision, Lan, Target, Undecidable, Word};
use crate::config::Config;
use crate::ip::{Family, PublicAddress};
use crate::registry::{Host, HostId, Registry};

/// A host of a request, and what is decided for it.
pub(super) struct Planned<'a> {
    /// The host.
    pub(super) target: Target<'a>,
    /// What is to become of it, or the answer that refuses it.
    pub(super) decision: Result<Decision, Box<Answer>>,
    /// The host it is behind, where that alone is named.
    pub(super) site: Option<Site>,
}

/// A host that is named, and has others behind it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site {
    /// Its position among those named.
    pub(super) position: usize,
    /// Its number.
    pub(super) id: HostId,
}

/// Adds the hosts behind the named ones. Those that are switched off are left alone.
pub(super) fn add_behind<'a>(
    plans: &mut Vec<Planned<'a>>,
    lan: Lan,
    config: &'a Config,
    client: Option<IpAddr>,
    registry: &Registry,
) {
    let mut found = Vec::new();
    for (position, site) in plans.iter_mut().enumerate() {
        let id = site.target.host.id;
        let hosts = match registry.hosts_behind(id) {
            Ok(hosts) => hosts.into_iter().filter(Host::is_on),
            Err(error) => {
                site.decision = Err(Box::new(registry_trouble(&error)));
                continue;
            }
        };
        let before = found.len();
        found.extend(hosts.filter_map(|host| {
            let zone = config.zone(&host.name.zone())?;
            let target = Target { host, zone };
            Some(Planned {
                decision: decide_behind(lan, &target, client),
                target,
                site: Some(Site { position, id }),
            })
        }));
        if found.len() == before {
            site.check_dropped(client);
        }
    }
    for plan in found {
        let id = plan.target.host.id;
        match plans.iter_mut().find(|named| named.target.host.id == id) {
            Some(named) => named.merge(plan.decision),
            None => plans.push(plan),
        }
    }
}

/// Decides for a host behind another one: its own part of the address stays.
fn decide_behind(
    lan: Lan,
    Target { host, zone }: &Target<'_>,
    client: Option<IpAddr>,
) -> Result<Decision, Box<Answer>> {
    let mut decision = Decision::default();
    let Some(behind) = &host.settings.behind else {
        return Ok(decision);
    };
    let prefix = match lan {
        Lan::Prefix(prefix) => prefix,
        Lan::Gone => {
            decision.remove.push(Family::Ipv6);
            return Ok(decision);
        }
    };
    let Some(address) = behind.id.below(prefix) else {
        let reason = format!(
            "its interface identifier {} has bits inside {prefix}",
            behind.id
        );
        let hint = format!("`bowline host set {} --interface-id ID`", host.name);
        let answer = Answer::new(Word::BadIp).because(reason);
        return Err(Box::new(answer.hint(Some(hint))));
    };
    match PublicAddress::new(address.into(), host.policy(zone.policy())) {
        Ok(address) => {
            decision.set.put(address.ip());
            Ok(decision)
        }
        Err(unpublishable) => Err(Box::new(Answer {
            dropped: Some(unpublishable.address),
            ..refusal(Undecidable::because_of(unpublishable, client))
        })),
    }
}

impl Planned<'_> {
    /// What was left out was all there was, where there is nobody to move.
    fn check_dropped(&mut self, client: Option<IpAddr>) {
        if let Ok(decision) = &self.decision
            && let Some(dropped) = decision.dropped
            && decision.is_nothing()
        {
            self.decision = Err(Box::new(refusal(Undecidable::because_of(dropped, client))));
        }
    }

    /// Adds what is decided by the prefix; an address given outright stands before it.
    fn merge(&mut self, more: Result<Decision, Box<Answer>>) {
        let Ok(own) = &mut self.decision else { return };
        let family = Family::Ipv6;
        if own.set.get(family).is_some() || own.remove.contains(&family) {
            return;
        }
        match more {
            Ok(more) => {
                more.set.iter().for_each(|address| own.set.put(address));
                own.remove.extend(more.remove);
            }
            Err(answer) if own.is_nothing() => self.decision = Err(answer),
            Err(_) => {}
        }
    }
}

/// The answer for a site with those of the hosts behind it: the worst of them is told.
///
/// A prefix that may not be published counts as not given, as an address does, when
/// anything else was done.
pub(super) fn sum_up(own: Answer, behind: Vec<Answer>) -> Answer {
    let counts = |answer: &&Answer| answer.dropped.is_none() && answer.word != Word::Abuse;
    let mut dropped = behind.iter().find_map(|answer| answer.dropped);
    let mut worst = behind
        .iter()
        .filter(counts)
        .max_by_key(|one| weight(one.word));
    if worst.is_none() && own.prefix.is_some() {
        worst = behind.iter().find(|answer| answer.dropped.is_some());
        dropped = None;
    }
    let worst = worst.filter(|worst| weight(worst.word) > weight(own.word));
    let mut summed = match worst {
        None => own,
        Some(worst) if worst.word.is_success() => Answer {
            word: worst.word,
            ..own
        },
        Some(worst) => {
            let name = worst.host.as_ref().map(|name| format!("{name}: "));
            let reason = worst.reason.as_ref();
            Answer {
                host: own.host,
                wanted: own.addresses,
                reason: reason.map(|why| format!("{}{why}", name.unwrap_or_default())),
                hint: worst.hint.clone(),
                retry_after: worst.retry_after,
                ..Answer::new(worst.word)
            }
        }
    };
    summed.dropped = summed.dropped.or(dropped);
    summed.behind = behind;
    summed
}

/// What of several answers is told: the heaviest.
fn weight(word: Word) -> u8 {
    match word {
        Word::NoChange => 0,
        Word::Good => 1,
        Word::BadIp => 2,
        Word::TooManyChanges => 3,
        Word::Pending => 4,
        _ => 5,
    }
}
