//! A visit: whose claim it is, what is to become of the host, and doing it.

use std::net::IpAddr;

use super::named::{Named, answers};
use super::{Answer, Asked, AskedError, Claim, Decision, Hosts, Place, Undecidable, Word, decide};
use crate::config::{Config, Zone};
use crate::deadline::Deadline;
use crate::http::Request;
use crate::name::HostName;
use crate::publish::{PublishError, Published, Publisher, Trouble};
use crate::registry::{Accepted, Host, Registry, RegistryError, Source, State};
use crate::time::Timestamp;
use crate::token::Digest;

/// What a visit needs besides its claim.
pub struct Visit<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The registry.
    pub registry: &'a mut Registry,
    /// Who makes DNS agree.
    pub publisher: &'a Publisher,
    /// The client's address, where it is known.
    pub client: Option<IpAddr>,
    /// The time of the visit.
    pub now: Timestamp,
    /// When the client must have its answer.
    pub deadline: Deadline,
}

/// A host that a claim has proved to be for.
pub struct Proven<'a> {
    /// The host.
    pub host: Host,
    /// Its zone.
    zone: &'a Zone,
    /// The token, as the registry knows it.
    token: Digest,
    /// The names in the request, in order; the host is among them.
    names: Vec<Named>,
}

impl<'a> Visit<'a> {
    /// The claim's host, when its token is known and everything about it is in order.
    ///
    /// # Errors
    /// The answers that refuse it.
    pub fn prove(&self, claim: &Claim<'_>, request: &Request) -> Result<Proven<'a>, Vec<Answer>> {
        let found = self.registry.host_of(&claim.token, self.now);
        let Some((host, token)) = found.map_err(registry_trouble)? else {
            return Err(vec![unknown(claim, "wrong secret")]);
        };
        let refusal = |word, reason: &str| Answer::new(word).about(&host.name).because(reason);
        let refuse = |word, reason| Err(vec![refusal(word, reason)]);
        let Some(zone) = self.config.zone(&host.name.zone()) else {
            let error = PublishError::NoZone(host.name.zone());
            return Err(vec![publish_trouble(&host, &error)]);
        };
        if !request.https && self.config.url.is_https() && !host.settings.plain_http {
            return refuse(
                Word::PlainHttp,
                "the token came over plain HTTP; rotate it, or allow that with --plain-http",
            );
        }
        let names = self.names(claim, &host).map_err(registry_trouble)?;
        match claim.dialect.hosts {
            Hosts::UpTo(most) if names.len() > most => {
                return refuse(Word::NumHost, "too many names in one request");
            }
            Hosts::OfToken if names.iter().any(|name| *name != Named::Host) => {
                return refuse(
                    Word::NoHost,
                    "the name in the request is not the token's host",
                );
            }
            _ => {}
        }
        let names = match claim.dialect.hosts {
            Hosts::UpTo(_) if !names.is_empty() => names,
            _ => vec![Named::Host],
        };
        let disabled = refusal(Word::Abuse, "the host is disabled");
        if host.state != State::Active || !names.contains(&Named::Host) {
            return Err(answers(&names, &disabled));
        }
        if let Some(name) = claim.unserved {
            let answer = Answer::new(Word::Trouble).about(&host.name);
            return Err(vec![answer.because(format_args!("{name}= is not served"))]);
        }
        Ok(Proven {
            host,
            zone,
            token,
            names,
        })
    }

    /// Settles the claim: an answer for every name in it.
    pub fn settle(&mut self, claim: &Claim<'_>, proven: Proven<'a>) -> Vec<Answer> {
        let Proven {
            host,
            zone,
            token,
            names,
        } = proven;
        let answer = match &claim.asked {
            Err(error) => bad_value(*error),
            Ok(asked) => match self.change(asked, &claim.dialect.name, &host, zone, &token) {
                Ok(Some(answer)) => answer,
                Ok(None) => return vec![unknown(claim, "the token or its host went meanwhile")],
                Err(error) => publish_trouble(&host, &error),
            },
        };
        answers(&names, &answer.about(&host.name))
    }

    /// Makes the host as asked; `None` when it or its token went meanwhile.
    fn change(
        &mut self,
        asked: &Asked,
        dialect: &str,
        host: &Host,
        zone: &Zone,
        token: &Digest,
    ) -> Result<Option<Answer>, PublishError> {
        let policy = host.policy(zone.policy());
        let decision = match decide(asked, self.client, host.settings.only, policy) {
            Ok(decision) => decision,
            Err(undecidable) => return Ok(Some(refusal(undecidable))),
        };
        let wanted = decision.apply(host.wish.records.addresses);
        let unchanged = self.registry.wishes_already(host, wanted, self.now)?;
        let mut word = Word::Good;
        if unchanged && !host.is_pending() {
            // Only the name server knows whether it is still so.
            self.note_seen(host, zone);
            match self.publisher.shows(host, self.deadline)? {
                Ok(true) => {
                    return Ok(Some(told(Word::NoChange, &decision)));
                }
                Ok(false) => {}
                Err(trouble) => return Ok(Some(pending(&trouble, &decision))),
            }
        } else if !unchanged {
            let source = Source {
                client: self.client,
                dialect,
            };
            let accepted =
                self.registry
                    .accept(host.id, token, zone.ttl, self.now, source, |host| {
                        decision.apply(host.wish.records.addresses)
                    })?;
            match accepted {
                Accepted::Wish(_) => {}
                // Another visit wished the same meanwhile, and may still be publishing it.
                Accepted::Unchanged(_) => word = Word::NoChange,
                Accepted::Gone => return Ok(None),
            }
        }
        let published = self
            .publisher
            .publish(self.registry, host.id, self.deadline)?;
        Ok(match published {
            Published::Confirmed => Some(told(word, &decision)),
            Published::Off(State::Disabled) => {
                Some(Answer::new(Word::Abuse).because("the host was disabled meanwhile"))
            }
            Published::Off(_) | Published::Gone => None,
            Published::Refused(trouble) | Published::Unconfirmed(trouble) => {
                Some(pending(&trouble, &decision))
            }
        })
    }

    /// Last-seen is worth no answer of its own: a full disk must not stop a visit.
    fn note_seen(&mut self, host: &Host, zone: &Zone) {
        let expire = host.settings.expire.unwrap_or(zone.expire);
        let _ = self.registry.seen(host, expire, self.now);
    }

    /// What the names in the request are.
    fn names(&self, claim: &Claim<'_>, host: &Host) -> Result<Vec<Named>, RegistryError> {
        if claim.names.is_empty() {
            return Ok(Vec::new());
        }
        let former = self.registry.former_names(host, self.now)?;
        let own: Vec<HostName> = former
            .into_iter()
            .map(|former| former.name)
            .chain([host.name.clone()])
            .collect();
        let zone = host.name.zone();
        let names = claim.names.iter();
        Ok(names.map(|name| Named::new(name, &zone, &own)).collect())
    }
}

/// The answer to a secret that is nobody's.
fn unknown(claim: &Claim<'_>, reason: &str) -> Answer {
    let word = match claim.place {
        Place::Path => Word::Unknown,
        _ => Word::WrongCredential,
    };
    Answer::new(word).because(reason)
}

fn told(word: Word, decision: &Decision) -> Answer {
    Answer {
        addresses: decision.set,
        dropped: decision.dropped.map(|dropped| dropped.address.to_string()),
        ..Answer::new(word)
    }
}

fn pending(trouble: &Trouble, decision: &Decision) -> Answer {
    let answer = Answer {
        wanted: decision.set,
        ..Answer::new(Word::Pending)
    };
    answer.because(trouble).hint(trouble.hint())
}

fn bad_value(error: AskedError) -> Answer {
    Answer::new(Word::BadIpValue).because(error)
}

fn refusal(undecidable: Undecidable) -> Answer {
    match undecidable {
        Undecidable::ClientUnknown => Answer::new(Word::Trouble).because(undecidable).hint(Some(
            "check [client] header, and that the proxy sets it".to_owned(),
        )),
        _ => Answer::new(Word::BadIp).because(undecidable),
    }
}

fn registry_trouble(error: RegistryError) -> Vec<Answer> {
    let answer = Answer::new(Word::Trouble).because(&error);
    vec![answer.hint(error.hint())]
}

fn publish_trouble(host: &Host, error: &PublishError) -> Answer {
    let answer = Answer::new(Word::Trouble).about(&host.name);
    answer.because(error).hint(error.hint())
}
