//! The gate before which a sender stands with a finished message: who passes has been noted
//! first, and from then on the message may have arrived.
//!
//! A sender works in a thread of its own, because no library's time limit covers a receiver
//! that sends an octet now and then. One that is too late is left behind, and finds the gate
//! shut.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;

use super::Fault;
use crate::deadline::Deadline;

/// How an attempt to send ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// The message was taken.
    Taken,
    /// It was surely not taken.
    Failed(Fault),
    /// It went out, and nothing was heard.
    Unanswered(String),
}

/// The sender's side.
pub(super) struct Gate {
    news: Sender<News>,
    word: Receiver<()>,
}

/// What a sender tells.
enum News {
    /// It stands before the gate.
    Ready,
    /// How it ended.
    Done(Result<(), Fault>),
}

impl Gate {
    /// Waits to be let through; everything before this can be done again.
    ///
    /// # Errors
    /// When the message must not go out any more.
    pub(super) fn pass(&self) -> Result<(), Fault> {
        let shut = || Fault::silent("no answer in time");
        self.news.send(News::Ready).map_err(|_| shut())?;
        self.word.recv().map_err(|_| shut())
    }
}

/// Lets `sender` send by `deadline`; `claim` notes that the message goes out, just before it.
///
/// # Errors
/// When that cannot be noted: then nothing was sent.
pub(super) fn send<E>(
    sender: impl FnOnce(Gate) -> Result<(), Fault> + Send + 'static,
    deadline: Deadline,
    claim: impl FnOnce() -> Result<(), E>,
) -> Result<Sent, E> {
    let (news, hear) = channel();
    let (admit, word) = channel();
    let mut claim = Some(claim);
    let last = news.clone();
    let work = move || {
        let done = sender(Gate { news, word });
        // Nobody is left to hear it when it was too late.
        let _ = last.send(News::Done(done));
    };
    if let Err(error) = thread::Builder::new().spawn(work) {
        return Ok(Sent::Failed(Fault::silent(error)));
    }
    loop {
        match hear.recv_timeout(deadline.left()) {
            Ok(News::Ready) => {
                if let Some(claim) = claim.take() {
                    claim()?;
                }
                let _ = admit.send(());
            }
            Ok(News::Done(Ok(()))) => return Ok(Sent::Taken),
            Ok(News::Done(Err(Fault::Silent(why)))) if claim.is_none() => {
                return Ok(Sent::Unanswered(why));
            }
            Ok(News::Done(Err(fault))) => return Ok(Sent::Failed(fault)),
            Err(error) => {
                let why = match error {
                    RecvTimeoutError::Timeout => "no answer in time",
                    RecvTimeoutError::Disconnected => "the sender ended without a word",
                };
                return Ok(match claim {
                    Some(_) => Sent::Failed(Fault::silent(why)),
                    None => Sent::Unanswered(why.to_owned()),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn sent(
        sender: impl FnOnce(Gate) -> Result<(), Fault> + Send + 'static,
        claim: Result<(), ()>,
    ) -> Result<Sent, ()> {
        send(sender, Deadline::after(Duration::from_millis(300)), || {
            claim
        })
    }

    #[test]
    fn silence_before_the_gate_is_a_failure_and_behind_it_a_doubt() {
        let silent = || Fault::silent("gone");
        let failed = sent(move |_| Err(silent()), Ok(()));
        assert_eq!(failed, Ok(Sent::Failed(silent())));
        let doubt = sent(move |gate| gate.pass().and(Err(silent())), Ok(()));
        assert_eq!(doubt, Ok(Sent::Unanswered("gone".to_owned())));
        let refused = sent(|gate| gate.pass().and(Err(Fault::never("no"))), Ok(()));
        assert_eq!(refused, Ok(Sent::Failed(Fault::never("no"))));
        assert_eq!(sent(|gate| gate.pass(), Ok(())), Ok(Sent::Taken));
    }

    #[test]
    fn what_cannot_be_noted_does_not_go_out() {
        let (tell, hear) = channel();
        let sender = move |gate: Gate| {
            let passed = gate.pass();
            let _ = tell.send(passed.is_ok());
            passed
        };
        assert_eq!(sent(sender, Err(())), Err(()));
        assert_eq!(hear.recv(), Ok(false));
    }

    #[test]
    fn who_is_too_late_finds_the_gate_shut() {
        let (tell, hear) = channel();
        let sender = move |gate: Gate| {
            thread::sleep(Duration::from_millis(600));
            let passed = gate.pass();
            let _ = tell.send(passed.is_ok());
            passed
        };
        let late = sent(sender, Ok(()));
        assert_eq!(late, Ok(Sent::Failed(Fault::silent("no answer in time"))));
        assert_eq!(hear.recv(), Ok(false));
    }
}
