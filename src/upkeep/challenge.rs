//! Challenges for certificates: those pending are settled, those forgotten are ended.

use super::{LOOK, Rules, Silent};
use crate::config::{Config, LogLevel};
use crate::deadline::Deadline;
use crate::hint::Hint;
use crate::log::{Line, Logger};
use crate::publish::{Busy, PublishError, Publisher, Trouble};
use crate::registry::Registry;
use crate::time::Timestamp;

/// How many challenges came to what.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Challenges {
    /// Forgotten by their clients, or left by hosts that are gone.
    pub ended: usize,
    /// Hosts whose challenges the name server has not confirmed.
    pub pending: usize,
}

/// Ends what was forgotten, and makes the name servers agree with what is pending.
pub(super) fn run(
    config: &Config,
    registry: &mut Registry,
    publisher: &Publisher,
    logger: &Logger,
    rules: Rules,
    silent: &mut Silent,
) -> Result<Challenges, PublishError> {
    let (now, until) = (Timestamp::now(), rules.until());
    let mut challenges = Challenges {
        ended: registry.end_challenges(config.keep.challenges, now)?,
        pending: 0,
    };
    for (host, zone) in registry.due_challenges(now)? {
        let address = publisher.address(&zone);
        let is_silent = address.is_some_and(|address| silent.servers.contains(&address));
        if is_silent || silent.zones.contains(&zone) || until.passed() {
            challenges.pending += 1;
            continue;
        }
        let deadline = Deadline::after(Deadline::REQUEST);
        let published = publisher.publish_challenges(registry, &zone, host, Busy::Leave, deadline);
        let tried = published.map(|tried| match tried?.left.into_iter().next() {
            Some((_, trouble)) => Err(trouble),
            None => Ok(()),
        });
        let (reason, hint) = match tried {
            Ok(Ok(())) => continue,
            // A visit is about to settle them.
            Ok(Err(Trouble::Busy)) => {
                challenges.pending += 1;
                continue;
            }
            Ok(Err(trouble)) => {
                if trouble.is_server() {
                    let serial = publisher.serial(&zone, Deadline::after(LOOK));
                    silent.note(&zone, address, &trouble, matches!(serial, Ok(Ok(_))));
                }
                (trouble.to_string(), trouble.hint())
            }
            Err(PublishError::NoZone(_)) if registry.forget_challenges(host, &zone)? => continue,
            // What is wrong with one zone must not stop the others.
            Err(error) if error.is_of_zone() => (error.to_string(), error.hint()),
            Err(error) => return Err(error),
        };
        challenges.pending += 1;
        let line = Line::new(LogLevel::Warning, "upkeep")
            .field("zone", &zone)
            .field("challenge", "pending")
            .words("reason", reason);
        logger.write(&match hint {
            Some(hint) => line.words("hint", hint),
            None => line,
        });
    }
    Ok(challenges)
}
