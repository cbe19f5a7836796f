//! Publishing challenges for certificates: TXT beside a host's addresses, never in one
//! UPDATE with them, since a key's right to the one is another rule than to the other.

use super::exchange::{Exchange, TRIES};
use super::{Busy, PublishError, Publisher, Trouble};
use crate::deadline::Deadline;
use crate::dns::{self, Answer, Refusal, Texts, Verdict};
use crate::lock::HostLocks;
use crate::name::{HostName, RecordName, ZoneName};
use crate::registry::{Challenge, HostId, Registry};
use crate::time::Timestamp;

/// What became of a host's challenges.
#[derive(Debug, Default)]
pub struct Challenged {
    /// Those that stand there now.
    pub stand: Vec<Challenge>,
    /// The names where it could not be made so, and why.
    pub left: Vec<(HostName, Trouble)>,
}

impl Publisher {
    /// Makes the name server agree with the challenges of a host as they are once its lock is
    /// held; or why it was not even tried.
    ///
    /// # Errors
    /// When registry, locks or configuration cannot be used; what was accepted is kept.
    pub fn publish_challenges(
        &self,
        registry: &mut Registry,
        zone: &ZoneName,
        host: HostId,
        busy: Busy,
        deadline: Deadline,
    ) -> Result<Result<Challenged, Trouble>, PublishError> {
        let served = self.served(zone)?;
        let mut locks = Vec::new();
        for (file, _) in HostLocks::files(&[host]) {
            match served.lock(file, busy, deadline)? {
                Ok(lock) => locks.push(lock),
                Err(trouble) => return Ok(Err(trouble)),
            }
        }
        let challenges = registry.challenges(host)?;
        let mut silent = || ();
        let mut exchange = self.change(served, deadline, &mut silent)?;
        let mut done = Challenged::default();
        // Former names have theirs as well: what stands in the way of one stops no other.
        for some in challenges.chunk_by(|one, other| one.name == other.name) {
            let [Challenge { name, .. }, ..] = some else {
                continue;
            };
            let settled = match (&mut exchange, done.left.last()) {
                (None, _) => Err(Trouble::Waiting),
                (_, Some((_, trouble))) if trouble.is_of_zone() => Err(trouble.clone()),
                (Some(exchange), _) => exchange.settle_texts(&texts(name, some)),
            };
            let now = Timestamp::now();
            match settled {
                Ok(()) => {
                    registry.confirm_challenges(some, now)?;
                    let stand = some.iter().filter(|challenge| challenge.wanted);
                    done.stand.extend(stand.cloned());
                }
                Err(trouble) => {
                    let may_be_applied = trouble.may_be_applied();
                    let refused = trouble.is_refusal();
                    registry.fail_challenges(host, some, may_be_applied, refused, now)?;
                    done.left.push((name.clone(), trouble));
                }
            }
        }
        Ok(Ok(done))
    }
}

impl Exchange<'_> {
    /// One UPDATE for the challenges of a name, and a look at it.
    fn settle_texts(&mut self, texts: &Texts) -> Result<(), Trouble> {
        for _ in 0..TRIES {
            let until = self.before_read_back();
            match self.send(until, |server, zone, wait| {
                dns::send_texts(server, zone, texts, wait)
            }) {
                // A CNAME stands there: the look tells what hides it.
                Verdict::Done | Verdict::Refused(Refusal::Differs(_)) => {}
                Verdict::Refused(refusal) => return Err(Trouble::Refused(refusal)),
                Verdict::Unconfirmed(doubt) => return Err(Trouble::Doubt(doubt)),
            }
            let name = &texts.name;
            match self.ask(|server, zone, wait| dns::lookup_texts(server, zone, name, wait))? {
                Answer::Found(found) if texts.agrees(&found) => return Ok(()),
                Answer::Found(_) => {}
                // Nothing of ours is to be there, and nothing of ours can be seen.
                Answer::Hidden(_) if texts.add.is_empty() => return Ok(()),
                Answer::Hidden(by) => {
                    let name = name.clone();
                    return Err(Trouble::Hidden { name, by });
                }
            }
        }
        Err(Trouble::Differs(texts.name.clone()))
    }
}

/// What is to stand at a name, and what is not.
fn texts(name: &HostName, challenges: &[Challenge]) -> Texts {
    let of = |wanted| {
        let some = challenges
            .iter()
            .filter(move |challenge| challenge.wanted == wanted);
        some.map(|challenge| challenge.value.clone()).collect()
    };
    Texts {
        name: RecordName::challenge(name.clone()),
        add: of(true),
        remove: of(false),
    }
}
