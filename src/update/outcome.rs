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
    let (word, hint) = match undecidable {
        Undecidable::ClientUnknown => (
            Word::Trouble,
            Some("check [client] header, and that the proxy sets it"),
        ),
        Undecidable::Client(_) => (
            Word::BadIp,
            Some("where that is a proxy's, [client] trusted_proxies is to have it"),
        ),
        Undecidable::Unpublishable(unpublishable) if unpublishable.is_private() => (
            Word::BadIp,
            Some("without an address in its URL the one that it comes from is published"),
        ),
        Undecidable::Unpublishable(_) | Undecidable::OtherFamily => (Word::BadIp, None),
    };
    let answer = Answer::new(word).because(undecidable);
    answer.hint(hint.map(str::to_owned))
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
