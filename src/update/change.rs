//! The hosts of one request, and those behind them, made as asked: decide, accept,
//! publish, tell.
//!
//! All wishes of a request are one transaction, all hosts of a zone one UPDATE.

use std::sync::Arc;
use std::time::Duration;

use super::behind::{Planned, add_behind};
use super::item::{Item, Limited, Next, Target, answers, by_zone, tell, whose};
use super::outcome::{
    outcome, pending, publish_trouble, refusal, registry_trouble, switched_off, told,
};
use super::{Answer, Asked, Decision, Lan, Visit, Word, decide};
use crate::deadline::Deadline;
use crate::ip::Family;
use crate::limit::Limit;
use crate::publish::differing;
use crate::rate::Rate;
use crate::registry::{Accepted, Ask, Host, HostId, Registry};
use crate::span::Span;
use crate::time::Timestamp;
use crate::token::Digest;
use crate::upkeep::catch_up;

/// So long a visit waits for other writers to note what it could do without.
const REMARK: Duration = Duration::from_millis(250);

/// No share of the time is shorter: a name server that takes longer for an UPDATE counts as silent,
/// and a second is left for a look at the result.
const SHARE: Duration = Duration::from_millis(2500);

/// No visit takes longer.
const VISIT: Span = Span::from_seconds(10);

/// A change that a proven visit makes.
pub(super) struct Change<'v, 'a> {
    /// The visit.
    pub(super) visit: &'v mut Visit<'a>,
    /// The name of the dialect it speaks.
    pub(super) dialect: &'v str,
    /// Its token.
    pub(super) token: Digest,
    /// Whether it wants its change told; `None`: it does not say.
    pub(super) notify: Option<bool>,
}

impl<'a> Change<'_, 'a> {
    /// Makes the hosts as asked: an answer for each, in order; `None` for one that went, or
    /// whose token did.
    pub(super) fn run(mut self, asked: &Asked, targets: Vec<Target<'a>>) -> Vec<Option<Answer>> {
        let mut items: Vec<Item<'a>> = Vec::with_capacity(targets.len());
        for plan in self.plan(asked, targets) {
            items.push(Item {
                next: self.next(asked.lan, plan.decision, &plan.target),
                limited: Limited::No,
                target: plan.target,
                site: plan.site,
            });
        }
        self.look(&mut items);
        self.catch_up(&mut items);
        let limit = Limit::of_changes(self.visit.config);
        self.count(&limit, &mut items);
        self.accept(&mut items);
        self.publish(&mut items);
        self.take_back(&limit, &items);
        answers(items)
    }

    /// What is decided for each host, and for those behind it.
    fn plan(&mut self, asked: &Asked, targets: Vec<Target<'a>>) -> Vec<Planned<'a>> {
        let named = targets.into_iter().map(|target| {
            let Target { host, zone } = &target;
            let policy = host.policy(zone.policy());
            let decision = match host.settings.fixed {
                // An owner's token is known for it too, and good for its challenges.
                Some(_) => {
                    let answer = Answer::new(Word::NoHost);
                    Err(answer.because("the host is static: its addresses are set by the operator"))
                }
                None => {
                    decide(asked, self.visit.client, host.settings.only, policy).map_err(refusal)
                }
            };
            Planned {
                decision: decision.map_err(Box::new),
                target,
                site: None,
            }
        });
        let mut plans: Vec<_> = named.collect();
        if let Some(lan) = asked.lan {
            let Visit { config, client, .. } = *self.visit;
            match self.visit.registry.get() {
                Ok(registry) => add_behind(&mut plans, lan, config, client, registry),
                Err(error) => {
                    for plan in &mut plans {
                        plan.decision = Err(Box::new(registry_trouble(&error)));
                    }
                }
            }
        }
        plans
    }

    fn next(
        &mut self,
        lan: Option<Lan>,
        decision: Result<Decision, Box<Answer>>,
        target: &Target<'_>,
    ) -> Next {
        let decision = match decision {
            Ok(decision) => decision,
            Err(answer) => return Next::Tell(Some(answer)),
        };
        if let Some(lan) = lan.filter(|_| decision.is_nothing()) {
            self.heard(target, &decision);
            return tell(Answer {
                prefix: match lan {
                    Lan::Prefix(prefix) => Some(prefix),
                    Lan::Gone => None,
                },
                ..told(Word::NoChange, &decision)
            });
        }
        let host = &target.host;
        let wanted = decision.apply(host.wish.records.addresses);
        let registry = self.visit.registry.get();
        let soon = self.visit.now.plus(VISIT);
        match registry.and_then(|registry| registry.wishes_already(host, wanted, self.visit.now)) {
            // It may expire before it is noted that it was heard: what is accepted does not.
            Ok(true) if host.may_expire(target.zone.expire, soon) => Next::Accept(decision),
            Ok(true) if host.is_pending() => {
                // However long the name server is away, who comes all the time does not expire.
                self.heard(target, &decision);
                Next::Publish(decision, Word::Good)
            }
            Ok(true) => Next::Look(decision),
            Ok(false) => Next::Accept(decision),
            Err(error) => tell(registry_trouble(&error)),
        }
    }

    /// The deadline for one of so many exchanges with name servers that are still to come: a
    /// silent one takes its share of the time, and leaves the others theirs. However many there
    /// are, it is long enough for one that answers.
    fn share(&self, exchanges: usize) -> Deadline {
        let left = self.visit.deadline.left();
        let share = left / u32::try_from(exchanges).unwrap_or(u32::MAX).max(1);
        self.visit.deadline.at_most(share.max(SHARE))
    }

    /// Asks the name servers whether what is wished already is still so.
    fn look(&mut self, items: &mut [Item<'_>]) {
        let changing = |next: &Next| matches!(next, Next::Accept(_) | Next::Publish(..));
        let later = by_zone(items, changing).len();
        let zones = by_zone(items, |next| matches!(next, Next::Look(_)));
        let exchanges = zones.len() + later;
        for (done, (zone, mut items)) in zones.into_iter().enumerate() {
            let hosts: Vec<&Host> = items.iter().map(|item| &item.target.host).collect();
            // A family that it neither touches nor has is upkeep's to look at, once the zone
            // has another serial.
            let asked_for = |host: &Host, family| {
                host.is_unsettled(self.visit.now)
                    || items.iter().any(|item| match &item.next {
                        Next::Look(decision) => {
                            // Nothing is what is left of a removal that the host needs not.
                            item.target.host.id == host.id
                                && (decision.is_nothing() || decision.touches(family))
                        }
                        _ => false,
                    })
            };
            self.visit.registry.rest();
            let deadline = self.share(exchanges - done);
            let seen = (self.visit.publisher).show(&zone, &hosts, &asked_for, deadline);
            // After the question: whoever writes just now must not take its time.
            for item in &items {
                if let Next::Look(decision) = &item.next {
                    self.heard(&item.target, decision);
                }
            }
            if let Ok(seen) = &seen {
                self.note(&differing(&hosts, seen));
            }
            for (position, item) in items.iter_mut().enumerate() {
                let seen = seen.as_ref().map(|seen| seen.get(position));
                item.advance(|decision, _| match seen {
                    Ok(Some(Ok(shown))) if shown.is_as_wished() => {
                        tell(told(Word::NoChange, &decision))
                    }
                    Ok(Some(Err(trouble))) => tell(pending(trouble, &decision)),
                    Ok(_) => Next::Publish(decision, Word::Good),
                    Err(error) => tell(publish_trouble(error)),
                });
            }
        }
    }

    /// After a restore: a host that the request speaks of in part has what the name server has
    /// of the rest, which is newer than the backup.
    fn catch_up(&mut self, items: &mut [Item<'_>]) {
        let changes = |next: &Next| matches!(next, Next::Accept(_) | Next::Publish(..));
        let in_part = |next: &Next| match next {
            Next::Accept(decision) | Next::Publish(decision, _) => {
                !Family::BOTH.iter().all(|family| decision.touches(*family))
            }
            Next::Look(_) | Next::Tell(_) => false,
        };
        let zones = by_zone(items, changes);
        let exchanges = 2 * zones.len();
        for items in zones.into_values() {
            let hosts = items.iter().filter(|item| in_part(&item.next));
            let hosts: Vec<&Host> = hosts.map(|item| &item.target.host).collect();
            let Some(zone) = items.first().map(|item| item.target.zone) else {
                continue;
            };
            let deadline = self.share(exchanges);
            let Visit {
                config,
                registry,
                publisher,
                ..
            } = &mut *self.visit;
            let caught_up = catch_up(config, zone, &hosts, registry, publisher, deadline);
            // What is in the way of it is in the way of publishing too, and told there.
            let caught_up = caught_up.unwrap_or_default();
            for item in items {
                if caught_up.contains(&item.target.host.id) {
                    item.advance(|decision, _| Next::Accept(decision));
                }
            }
        }
    }

    /// Notes that the client was heard: that is worth no answer of its own, and neither a full
    /// disk nor somebody who writes for long must stop a visit.
    fn heard(&mut self, Target { host, zone }: &Target<'_>, decision: &Decision) {
        let (token, now) = (&self.token, self.visit.now);
        if host.is_heard(decision.touched(), host.expire(zone.expire), now) {
            return;
        }
        let families: Vec<Family> = decision.touched().collect();
        let _until = Registry::give_up_at(self.visit.deadline.at_most(REMARK));
        let registry = self.visit.registry.get();
        let _ = registry.and_then(|registry| registry.heard(host, &families, token, now));
    }

    /// Notes what the name server shows instead; likewise.
    fn note(&mut self, differing: &[(HostId, String)]) {
        if !differing.is_empty() {
            let _until = Registry::give_up_at(self.visit.deadline.at_most(REMARK));
            let registry = self.visit.registry.get();
            let _ = registry.and_then(|registry| registry.note_differing(differing));
        }
    }

    /// Counts what changes; what is pending already waits with it, and counts no more.
    fn count(&self, limit: &Limit, items: &mut [Item<'_>]) {
        let now = self.visit.now;
        for item in items {
            let whose = whose(item);
            let until = |until: Option<Timestamp>, or| until.map_or(or, Limited::Until);
            item.limited = match &item.next {
                Next::Accept(decision) | Next::Publish(decision, _) if item.is_back(decision) => {
                    Limited::No
                }
                Next::Accept(_) => until(limit.count(&whose, now), Limited::Counted),
                Next::Publish(..) if item.target.host.is_pending() => {
                    until(limit.until(&whose, now), Limited::No)
                }
                _ => Limited::No,
            };
            if let (Next::Publish(decision, _), Limited::Until(until)) = (&item.next, item.limited)
            {
                item.next = tell(self.too_many(limit.rate, until, decision));
            }
        }
    }

    /// What the name server has not confirmed was no change.
    fn take_back(&self, limit: &Limit, items: &[Item<'_>]) {
        for item in items {
            let is_done =
                matches!(&item.next, Next::Tell(Some(answer)) if answer.word == Word::Good);
            if item.limited == Limited::Counted && !is_done {
                limit.take_back(&whose(item), self.visit.now);
            }
        }
    }

    /// The answer to a change beyond the limit.
    fn too_many(&self, rate: Rate, until: Timestamp, decision: &Decision) -> Answer {
        let answer = Answer {
            wanted: decision.set,
            retry_after: Some(until.since(self.visit.now)),
            ..Answer::new(Word::TooManyChanges)
        };
        answer.because(format_args!(
            "more than {rate} changes; the newest is published after {until}"
        ))
    }

    /// Writes all wishes down.
    fn accept(&mut self, items: &mut [Item<'_>]) {
        let mut items: Vec<_> = items
            .iter_mut()
            .filter(|item| matches!(item.next, Next::Accept(_)))
            .collect();
        let asks: Vec<Ask> = items.iter().filter_map(|item| self.ask(item)).collect();
        if asks.is_empty() {
            return;
        }
        let accepted =
            (self.visit.publisher).accept(&mut self.visit.registry, &asks, self.visit.deadline);
        let rate = self.visit.config.limits.changes;
        for (position, item) in items.iter_mut().enumerate() {
            let limited = item.limited;
            item.advance(|decision, _| match &accepted {
                Ok(accepted) => match (accepted.get(position), limited) {
                    (Some(Accepted::Wish(_) | Accepted::Unchanged(_)), Limited::Until(until)) => {
                        tell(self.too_many(rate, until, &decision))
                    }
                    (Some(Accepted::Wish(_)), _) => Next::Publish(decision, Word::Good),
                    // Another visit wished the same meanwhile, and may still be publishing it.
                    (Some(Accepted::Unchanged(_)), _) => Next::Publish(decision, Word::NoChange),
                    (Some(Accepted::Off), _) => tell(switched_off()),
                    (Some(Accepted::Gone) | None, _) => Next::Tell(None),
                },
                Err(error) => tell(registry_trouble(error)),
            });
        }
    }

    fn ask(&self, item: &Item<'_>) -> Option<Ask> {
        let Next::Accept(decision) = &item.next else {
            return None;
        };
        let decision = decision.clone();
        Some(Ask {
            host: item.target.host.id,
            token: self.token,
            site: item.site.map(|site| site.id),
            ttl: item.target.zone.ttl,
            client: self.visit.client,
            dialect: self.dialect.to_owned(),
            now: self.visit.now,
            notify: self.notify,
            not_before: match item.limited {
                Limited::Until(until) => Some(until),
                Limited::Counted | Limited::No => None,
            },
            families: decision.touched().collect(),
            addresses: Arc::new(move |host| decision.apply(host.wish.records.addresses)),
        })
    }

    /// Makes the name servers agree.
    fn publish(&mut self, items: &mut [Item<'_>]) {
        let zones = by_zone(items, |next| matches!(next, Next::Publish(..)));
        let exchanges = zones.len();
        for (done, (zone, mut items)) in zones.into_iter().enumerate() {
            let deadline = self.share(exchanges - done);
            let hosts: Vec<HostId> = items.iter().map(|item| item.target.host.id).collect();
            let published =
                self.visit
                    .publisher
                    .publish(&mut self.visit.registry, &zone, &hosts, deadline);
            for (position, item) in items.iter_mut().enumerate() {
                item.advance(|decision, word| {
                    let answer = match &published {
                        Ok(published) => published
                            .get(position)
                            .and_then(|published| outcome(published, word, &decision)),
                        Err(error) => Some(publish_trouble(error)),
                    };
                    Next::Tell(answer.map(Box::new))
                });
            }
        }
    }
}
