//! Publishing what a verb has committed, and saying so honestly when it did not come through.

use super::session::Session;
use super::{Failure, note};
use crate::deadline::Deadline;
use crate::publish::{Published, Publisher};
use crate::registry::{Host, HostId};

/// Makes the name server agree with the wishes just committed.
///
/// Nothing that goes wrong here is a failure of the verb: what was committed stays,
/// and a note on standard error says what is still to come.
pub(super) fn settle(session: &mut Session, hosts: &[HostId]) {
    if let Err(failure) = publish_all(session, hosts) {
        failure.note("committed, but not published yet");
    }
}

/// Publishes those that are pending; an error is about all of them.
fn publish_all(session: &mut Session, ids: &[HostId]) -> Result<(), Failure> {
    let mut hosts = Vec::new();
    for id in ids {
        hosts.extend(session.registry.host_by_id(*id)?.filter(Host::is_pending));
    }
    if hosts.is_empty() {
        return Ok(());
    }
    let publisher = Publisher::new(&session.config)?;
    let count = hosts.len();
    for (done, host) in hosts.into_iter().enumerate() {
        let deadline = Deadline::after(Deadline::REQUEST);
        let name = host.name.for_people();
        match publisher.publish(&mut session.registry, host.id, deadline)? {
            Published::Confirmed | Published::Off(_) | Published::Gone => {}
            Published::Refused(why) => {
                let failure = Failure::new(format!("{why}; bowline goes on trying"));
                maybe_hint(failure, why.hint())
                    .note(format!("the name server did not take {name}"));
            }
            Published::Unconfirmed(why) => {
                let failure = Failure::new(format!("{why}; bowline goes on trying"));
                maybe_hint(failure, why.hint()).note(format!("could not confirm {name}"));
                // One silent name server is waited for once, not once per host.
                if done + 1 < count {
                    note(format!("{} more hosts stay pending", count - done - 1));
                }
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The failure with a hint, where there is one.
fn maybe_hint(failure: Failure, hint: Option<String>) -> Failure {
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
