//! What became of a host, as an answer.

use super::{Answer, Decision, Undecidable, Word};
use crate::publish::{PublishError, Published, Trouble};
use crate::registry::{RegistryError, State};

/// What became of a wish, in a word; `None` when its host went meanwhile.
pub(super) fn outcome(published: &Published, word: Word, decision: &Decision) -> Option<Answer> {
    match published {
        Published::Confirmed => Some(told(word, decision)),
        Published::Off(State::Disabled) => {
            Some(Answer::new(Word::Abuse).because("the host was disabled meanwhile"))
        }
        Published::Off(_) | Published::Gone => None,
        Published::Refused(trouble) | Published::Unconfirmed(trouble) => {
            Some(pending(trouble, decision))
        }
    }
}

pub(super) fn told(word: Word, decision: &Decision) -> Answer {
    Answer {
        addresses: decision.set,
        dropped: decision.dropped.map(|dropped| dropped.address.to_string()),
        ..Answer::new(word)
    }
}

pub(super) fn pending(trouble: &Trouble, decision: &Decision) -> Answer {
    let answer = Answer {
        wanted: decision.set,
        ..Answer::new(Word::Pending)
    };
    answer.because(trouble).hint(trouble.hint())
}

pub(super) fn refusal(undecidable: Undecidable) -> Answer {
    match undecidable {
        Undecidable::ClientUnknown => Answer::new(Word::Trouble).because(undecidable).hint(Some(
            "check [client] header, and that the proxy sets it".to_owned(),
        )),
        _ => Answer::new(Word::BadIp).because(undecidable),
    }
}

pub(super) fn registry_trouble(error: &RegistryError) -> Answer {
    let answer = Answer::new(Word::Trouble).because(error);
    answer.hint(error.hint())
}

pub(super) fn publish_trouble(error: &PublishError) -> Answer {
    let answer = Answer::new(Word::Trouble).because(error);
    answer.hint(error.hint())
}
