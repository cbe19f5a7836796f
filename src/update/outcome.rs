//! How a host's way through a change ended, as an answer.

use super::{Answer, Decision, Undecidable, Word};
use crate::hint::Hint;
use crate::publish::{PublishError, Published, Trouble};
use crate::registry::RegistryError;

/// What became of a wish, in a word; `None` when its host went meanwhile.
pub(super) fn outcome(published: &Published, word: Word, decision: &Decision) -> Option<Answer> {
    match published {
        Published::Confirmed => Some(told(word, decision)),
        Published::Off => Some(switched_off()),
        Published::Gone => None,
        Published::Refused(trouble) | Published::Unconfirmed(trouble) => {
            Some(pending(trouble, decision))
        }
    }
}

/// It, or its owner, was switched off while the visit was on its way.
pub(super) fn switched_off() -> Answer {
    Answer::new(Word::Abuse).because("the host was disabled meanwhile")
}

/// What was done.
pub(super) fn told(word: Word, decision: &Decision) -> Answer {
    Answer {
        addresses: decision.set,
        dropped: decision.dropped.map(|dropped| dropped.address),
        ..Answer::new(word)
    }
}

/// What is still to be done, and why.
pub(super) fn pending(trouble: &Trouble, decision: &Decision) -> Answer {
    let answer = Answer {
        wanted: decision.set,
        ..Answer::new(Word::Pending)
    };
    answer.because(trouble).hint(trouble.hint())
}

/// Why nothing can be decided.
pub(super) fn refusal(undecidable: Undecidable) -> Answer {
    match undecidable {
        Undecidable::ClientUnknown => Answer::new(Word::Trouble).because(undecidable).hint(Some(
            "check [client] header, and that the proxy sets it".to_owned(),
        )),
        _ => Answer::new(Word::BadIp).because(undecidable),
    }
}

/// The registry's trouble.
pub(super) fn registry_trouble(error: &RegistryError) -> Answer {
    let answer = Answer::new(Word::Trouble).because(error);
    answer.hint(error.hint())
}

/// Trouble that no name server has part in.
pub(super) fn publish_trouble(error: &PublishError) -> Answer {
    let answer = Answer::new(Word::Trouble).because(error);
    answer.hint(error.hint())
}
