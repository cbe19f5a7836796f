//! Publishing what a verb has committed, and saying so honestly when it did not come through.

use std::collections::BTreeMap;

use super::session::Session;
use super::{Failure, note};
use crate::deadline::Deadline;
use crate::name::ZoneName;
use crate::publish::{Busy, Portion, Published, Publisher};
use crate::registry::{Host, HostId, Lease};
use crate::time::Timestamp;

/// Makes the name server agree with the wishes just committed.
///
/// Nothing that goes wrong here is a failure of the verb: what was committed stays,
/// and a note on standard error says what is still to come.
pub(super) fn settle(session: &mut Session, hosts: &[HostId]) {
    settle_where(session, hosts, Host::is_pending);
}

/// The same for hosts that were removed; each that is not gone by then is named.
pub(super) fn settle_removal(session: &mut Session, hosts: &[HostId]) {
    settle(session, hosts);
    for id in hosts {
        // What cannot be read was said just now.
        let Ok(Some(host)) = session.registry.host_by_id(*id) else {
            continue;
        };
        let name = host.name.for_people();
        match host.is_pending() {
            // Of a single one it has been told why.
            true if hosts.len() == 1 => {}
            true => note(format!(
                "{name} stays removing until the name server confirms that its records are gone"
            )),
            false => note(format!(
                "{name} stays removing for ten minutes at most: a change of before that was never confirmed \
                 may still come, and upkeep sees to it"
            )),
        }
    }
}

/// The same, also of a host whose wish is a fact already: the name server may show something
/// else by now.
pub(super) fn settle_anew(session: &mut Session, host: HostId) {
    settle_where(session, &[host], |_| true);
}

fn settle_where(session: &mut Session, hosts: &[HostId], wanted: impl Fn(&Host) -> bool) {
    if let Err(failure) = publish_all(session, hosts, wanted) {
        failure.note("committed, but not published yet");
    }
}

/// Publishes those that are wanted; an error is about all of them.
fn publish_all(
    session: &mut Session,
    ids: &[HostId],
    wanted: impl Fn(&Host) -> bool,
) -> Result<(), Failure> {
    let mut zones: BTreeMap<ZoneName, Vec<Host>> = BTreeMap::new();
    for id in ids {
        let host = session.registry.host_by_id(*id)?;
        if let Some(host) = host.filter(&wanted) {
            zones.entry(host.name.zone()).or_default().push(host);
        }
    }
    let publisher = Publisher::new(&session.config);
    for (zone, hosts) in zones {
        let mut published = Vec::with_capacity(hosts.len());
        let (mut rest, mut portion) = (hosts.as_slice(), Portion::first());
        while !rest.is_empty() {
            let (some, others) = portion.of(rest);
            rest = others;
            let ids: Vec<HostId> = some.iter().map(|host| host.id).collect();
            let deadline = Deadline::after(Deadline::REQUEST);
            let lease = &mut Lease::of(&mut session.registry);
            let some = publisher.publish(lease, &zone, &ids, deadline)?;
            let is_last = portion.is_last(&some);
            published.extend(some);
            // Upkeep has the others.
            if is_last {
                break;
            }
        }
        tell(&hosts, &published);
    }
    publish_challenges(session, &publisher, ids)
}

/// Removes the challenges for certificates of hosts that are gone, switched off or renamed.
fn publish_challenges(
    session: &mut Session,
    publisher: &Publisher,
    ids: &[HostId],
) -> Result<(), Failure> {
    let (keep, now) = (session.config.keep.challenges, Timestamp::now());
    if session.registry.end_challenges(keep, now)? == 0 {
        return Ok(());
    }
    for (host, zone) in session.registry.due_challenges(now)? {
        if !ids.contains(&host) {
            continue;
        }
        let deadline = Deadline::after(Deadline::REQUEST);
        let registry = &mut session.registry;
        let tried = publisher.publish_challenges(registry, &zone, host, Busy::Wait, deadline)?;
        let left = tried.map(|done| done.left.into_iter().next());
        if let Ok(Some((_, why))) | Err(why) = left {
            let failure = Failure::new(format!("{why}; bowline goes on trying"));
            failure
                .maybe_hint(why.hint())
                .note("could not confirm that a challenge for a certificate is removed");
        }
    }
    Ok(())
}

/// Says which hosts of a zone are still pending, and why; the last ones may not have been tried.
fn tell(hosts: &[Host], published: &[Published]) {
    let mut unconfirmed: usize = 0;
    for (host, published) in hosts.iter().zip(published) {
        let name = host.name.for_people();
        match published {
            Published::Confirmed | Published::Off | Published::Gone => {}
            Published::Refused(why) => {
                let failure = Failure::new(format!("{why}; bowline goes on trying"));
                failure
                    .maybe_hint(why.hint())
                    .note(format!("the name server did not take {name}"));
            }
            // The same trouble for all: it is told once.
            Published::Unconfirmed(_) if unconfirmed > 0 => unconfirmed += 1,
            Published::Unconfirmed(why) => {
                unconfirmed = 1;
                let failure = Failure::new(format!("{why}; bowline goes on trying"));
                failure
                    .maybe_hint(why.hint())
                    .note(format!("could not confirm {name}"));
            }
        }
    }
    let untried = hosts.len() - published.len();
    match untried + unconfirmed.saturating_sub(1) {
        0 => {}
        1 => note("1 more host stays pending"),
        more => note(format!("{more} more hosts stay pending")),
    }
}
