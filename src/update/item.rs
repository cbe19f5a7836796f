//! One host on its way through a change, from what is decided to its answer.

use std::collections::BTreeMap;

use super::behind::{Site, sum_up};
use super::{Answer, Decision, Word};
use crate::config::Zone;
use crate::name::ZoneName;
use crate::registry::Host;
use crate::time::Timestamp;

/// A host that a request is about, and its zone.
pub struct Target<'a> {
    /// The host.
    pub host: Host,
    /// Its zone.
    pub zone: &'a Zone,
}

/// One host on its way through a change.
pub(super) struct Item<'a> {
    pub(super) target: Target<'a>,
    pub(super) next: Next,
    /// How its change stands to the limit.
    pub(super) limited: Limited,
    /// The host it is behind, where that alone is named.
    pub(super) site: Option<Site>,
}

/// How a change stands to the limit of its host.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Limited {
    /// It is not counted.
    No,
    /// It is counted, and within.
    Counted,
    /// It is beyond, and not to be published before then.
    Until(Timestamp),
}

/// What is to be done next for a host.
pub(super) enum Next {
    /// Nothing changes: only the name server knows whether it is still so.
    Look(Decision),
    /// It changes: write it down.
    Accept(Decision),
    /// It is written down: make the name server agree; the word is for when it does.
    Publish(Decision, Word),
    /// The answer; `None`: the host or its token went meanwhile.
    Tell(Option<Box<Answer>>),
}

/// The answers for the hosts that are named; those of the others are part of them.
pub(super) fn answers(items: Vec<Item<'_>>) -> Vec<Option<Answer>> {
    let (mut named, mut behind) = (Vec::new(), BTreeMap::<usize, Vec<Answer>>::new());
    for Item {
        target, next, site, ..
    } in items
    {
        let answer = match next {
            Next::Tell(answer) => answer.map(|answer| *answer),
            _ => None,
        };
        match site {
            None => named.push(answer),
            Some(site) => {
                let answer = answer.map(|answer| answer.about(&target.host.name));
                behind.entry(site.position).or_default().extend(answer);
            }
        }
    }
    let mut of = |position| behind.remove(&position).unwrap_or_default();
    let with_behind = |(position, answer): (usize, Option<Answer>)| {
        answer.map(|answer| sum_up(answer, of(position)))
    };
    named.into_iter().enumerate().map(with_behind).collect()
}

impl Item<'_> {
    /// Whether that makes it what the name server has confirmed, so that no change is left.
    pub(super) fn is_back(&self, decision: &Decision) -> bool {
        let Host { wish, fact, .. } = &self.target.host;
        fact.number != 0 && decision.apply(wish.records.addresses) == fact.addresses
    }

    /// Takes a host that has no answer yet one step on.
    pub(super) fn advance(&mut self, step: impl FnOnce(Decision, Word) -> Next) {
        self.next = match std::mem::replace(&mut self.next, Next::Tell(None)) {
            Next::Look(decision) | Next::Accept(decision) => step(decision, Word::Good),
            Next::Publish(decision, word) => step(decision, word),
            told @ Next::Tell(_) => told,
        };
    }
}

/// The end of a host's way.
pub(super) fn tell(answer: Answer) -> Next {
    Next::Tell(Some(Box::new(answer)))
}

/// By what the limit knows a host: its number is never given out twice.
pub(super) fn whose(item: &Item<'_>) -> [u8; 8] {
    item.target.host.id.number().to_le_bytes()
}

/// The hosts that have the same next step, by their zones.
pub(super) fn by_zone<'i, 'a>(
    items: &'i mut [Item<'a>],
    next: impl Fn(&Next) -> bool,
) -> BTreeMap<ZoneName, Vec<&'i mut Item<'a>>> {
    let mut zones: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for item in items.iter_mut().filter(|item| next(&item.next)) {
        zones
            .entry(item.target.zone.name.clone())
            .or_default()
            .push(item);
    }
    zones
}
