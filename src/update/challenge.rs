//! A challenge for a certificate, set or removed: accept, publish, tell.

use super::item::Target;
use super::outcome::registry_trouble;
use super::{Answer, Claim, Visit, Word};
use crate::acme::{Wanted, WantedError};
use crate::hint::Hint;
use crate::limit::Limit;
use crate::name::HostName;
use crate::publish::{Busy, PublishError};
use crate::rate::Rate;
use crate::registry::{ChallengeAccepted, ChallengeAsk, ChallengeEdit, HostId, RegistryError};
use crate::time::Timestamp;
use crate::token::Digest;

impl Visit<'_> {
    /// Does what a claim wants done with challenges at one of the host's names; `None` when
    /// the host or its token went meanwhile.
    pub(super) fn challenge(
        &mut self,
        wanted: &Result<Wanted, WantedError>,
        target: &Target<'_>,
        claim: &Claim<'_>,
        token: Digest,
    ) -> Option<Answer> {
        let Target { host, zone } = target;
        if !zone.acme {
            let answer = Answer::new(Word::NoHost).because("the zone takes no challenges");
            let hint = format!("bowline zone set {} --acme", zone.name);
            return Some(answer.hint(Some(hint)));
        }
        let wanted = match wanted {
            Ok(wanted) => wanted,
            Err(error) => return Some(Answer::new(error.into()).because(error)),
        };
        let trouble = |error: &dyn std::fmt::Display, hint| {
            Some(Answer::new(Word::Trouble).because(error).hint(hint))
        };
        let name = match self.named(target, &claim.names) {
            Ok(name) => name,
            Err(error) => return trouble(&error, error.hint()),
        };
        let ask = ChallengeAsk {
            host: host.id,
            token,
            name: &name,
            edit: &wanted.edit,
            dialect: &claim.dialect.name,
            now: self.now,
        };
        if let Err(refusal) = self.accept(&ask) {
            return refusal.map(|answer| *answer);
        }
        let registry = self.registry.get().map_err(PublishError::from);
        let published = registry.and_then(|registry| {
            let (zone, wait) = (&zone.name, self.deadline);
            (self.publisher).publish_challenges(registry, zone, host.id, Busy::Wait, wait)
        });
        let (challenge, is_done) = match &wanted.edit {
            ChallengeEdit::Add(value, _) => ("set", Some(value)),
            ChallengeEdit::Remove(_) | ChallengeEdit::Clear => ("removed", None),
        };
        let settled = published.map(|tried| {
            let done = tried?;
            match done.left.into_iter().find(|(at, _)| *at == name) {
                Some((_, trouble)) => Err(trouble),
                None => Ok(done.stand),
            }
        });
        let answer = match settled {
            Ok(Ok(stand))
                if is_done.is_some_and(|value| {
                    let mut here = stand.iter().filter(|there| there.name == name);
                    !here.any(|there| there.value == *value)
                }) =>
            {
                return self.overtaken(host.id);
            }
            Ok(Ok(_)) => Answer {
                document: Some(wanted.done.clone()),
                ..Answer::new(Word::Good)
            },
            Ok(Err(trouble)) => {
                let answer = Answer::new(Word::Pending).because(&trouble);
                answer.hint(trouble.hint())
            }
            Err(error) => return trouble(&error, error.hint()),
        };
        Some(Answer {
            challenge: Some(challenge),
            ..answer
        })
    }

    /// The answer to a challenge that was removed again before it was shown; `None` when its host
    /// was removed.
    fn overtaken(&mut self, host: HostId) -> Option<Answer> {
        let found = (self.registry.get()).and_then(|registry| registry.host_by_id(host));
        match found {
            Ok(found) => found.map(|_| {
                Answer::new(Word::Pending).because("somebody has removed it again meanwhile")
            }),
            Err(error) => Some(registry_trouble(&error)),
        }
    }

    /// Writes it down, if that is within the limit; else the answer, `None` when the host or its
    /// token went meanwhile.
    fn accept(&mut self, ask: &ChallengeAsk<'_>) -> Result<(), Option<Box<Answer>>> {
        let refused = |answer| Err(Some(Box::new(answer)));
        let is_new = match self.is_new(ask) {
            Ok(is_new) => is_new,
            Err(error) => return refused(registry_trouble(&error)),
        };
        let limit = Limit::of_challenges(self.config);
        let whose = ask.host.number().to_le_bytes();
        if is_new && let Some(until) = limit.count(&whose, self.now) {
            return refused(self.too_many(limit.rate, until));
        }
        let registry = self.registry.get();
        let accepted = registry.and_then(|registry| registry.accept_challenge(ask));
        if is_new && !matches!(accepted, Ok(ChallengeAccepted::Yes)) {
            limit.take_back(&whose, self.now);
        }
        match accepted {
            Ok(ChallengeAccepted::Yes) => Ok(()),
            Ok(ChallengeAccepted::Gone) => Err(None),
            Ok(ChallengeAccepted::TooMany(count)) => {
                let reason = format!("{count} challenges of this host wait for the name server");
                let answer = Answer::new(Word::Trouble).because(reason);
                refused(answer.hint(Some("bowline doctor".to_owned())))
            }
            Err(error) => refused(registry_trouble(&error)),
        }
    }

    /// Whether it sets a challenge that is not set already. Who asks once more for the same,
    /// since the name server was silent, is not counted again.
    fn is_new(&mut self, ask: &ChallengeAsk<'_>) -> Result<bool, RegistryError> {
        let ChallengeEdit::Add(value, _) = ask.edit else {
            return Ok(false);
        };
        let challenges = self.registry.get()?.challenges(ask.host)?;
        let mut set = challenges.iter().filter(|there| there.wanted);
        Ok(!set.any(|there| there.name == *ask.name && there.value == *value))
    }

    /// The answer to a challenge beyond the limit.
    fn too_many(&self, rate: Rate, until: Timestamp) -> Answer {
        let answer = Answer {
            retry_after: Some(until.since(self.now)),
            ..Answer::new(Word::TooManyChanges)
        };
        answer.because(format_args!(
            "more than {rate} new challenges; the next one is taken after {until}"
        ))
    }

    /// Which of the host's names the request means: a former one may need a certificate too.
    fn named(&mut self, target: &Target<'_>, names: &[Vec<u8>]) -> Result<HostName, RegistryError> {
        let former = self.registry.get()?.former_names(&target.host, self.now)?;
        let texts = names
            .iter()
            .filter_map(|name| std::str::from_utf8(name).ok());
        let named = texts.filter_map(|text| HostName::new(text, &target.zone.name).ok());
        let is_former = |name: &HostName| former.iter().any(|former| former.name == *name);
        let own = target.host.name.clone();
        Ok(named.into_iter().find(is_former).unwrap_or(own))
    }
}

impl From<&WantedError> for Word {
    fn from(error: &WantedError) -> Self {
        match error {
            WantedError::Json => Word::BadJson,
            WantedError::Value => Word::BadText,
            WantedError::Name => Word::NotFqdn,
        }
    }
}
