//! A visit: whose claim it is, what is to become of the host, and doing it.

use std::net::IpAddr;

use super::{Answer, Asked, AskedError, Claim, Decision, Undecidable, Word, decide};
use crate::config::{Config, Zone};
use crate::deadline::Deadline;
use crate::http::Request;
use crate::name::{HostName, ZoneName};
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
}

impl<'a> Visit<'a> {
    /// The claim's host, when its token is known and everything about it is in order.
    ///
    /// # Errors
    /// The answer that refuses it.
    pub fn prove(&self, claim: &Claim, request: &Request) -> Result<Proven<'a>, Box<Answer>> {
        let found = self
            .registry
            .host_of(&claim.token, self.now)
            .map_err(registry_trouble)?;
        let Some((host, token)) = found else {
            return Err(Box::new(
                Answer::new(Word::Unknown).because("unknown token"),
            ));
        };
        let refuse = |word, reason: &str| {
            Err(Box::new(
                Answer::new(word).about(&host.name).because(reason),
            ))
        };
        let Some(zone) = self.config.zone(&host.name.zone()) else {
            let error = PublishError::NoZone(host.name.zone());
            return Err(publish_trouble(&host, &error));
        };
        if !request.https && self.config.url.is_https() && !host.settings.plain_http {
            return refuse(
                Word::PlainHttp,
                "the token came over plain HTTP; rotate it, or allow that with --plain-http",
            );
        }
        for name in &claim.names {
            if !self.is_named(&host, name).map_err(registry_trouble)? {
                return refuse(
                    Word::NoHost,
                    "the name in the request is not the token's host",
                );
            }
        }
        match host.state {
            State::Active => Ok(Proven { host, zone, token }),
            State::Disabled | State::Removing => refuse(Word::Abuse, "the host is disabled"),
        }
    }

    /// Settles the claim.
    pub fn settle(&mut self, claim: &Claim, proven: Proven<'a>) -> Answer {
        let Proven { host, zone, token } = proven;
        let answer = match &claim.asked {
            Err(error) => bad_value(*error),
            Ok(asked) => match self.change(asked, claim.dialect.name, &host, zone, &token) {
                Ok(answer) => answer,
                Err(error) => *publish_trouble(&host, &error),
            },
        };
        answer.about(&host.name)
    }

    fn change(
        &mut self,
        asked: &Asked,
        dialect: &str,
        host: &Host,
        zone: &Zone,
        token: &Digest,
    ) -> Result<Answer, PublishError> {
        let policy = host.policy(zone.policy());
        let decision = match decide(asked, self.client, host.settings.only, policy) {
            Ok(decision) => decision,
            Err(undecidable) => return Ok(refusal(undecidable)),
        };
        let wanted = decision.apply(host.wish.records.addresses);
        let unchanged = self.registry.wishes_already(host, wanted, self.now)?;
        let mut word = Word::Good;
        if unchanged && !host.is_pending() {
            // Only the name server knows whether it is still so.
            self.note_seen(host, zone);
            match self.publisher.shows(host, self.deadline)? {
                Ok(true) => {
                    return Ok(told(Word::NoChange, &decision));
                }
                Ok(false) => {}
                Err(trouble) => return Ok(pending(&trouble, &decision)),
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
                Accepted::Gone => {
                    return Ok(Answer::new(Word::Unknown).because("the token died meanwhile"));
                }
            }
        }
        Ok(
            match self
                .publisher
                .publish(self.registry, host.id, self.deadline)?
            {
                Published::Confirmed => told(word, &decision),
                Published::Off(State::Disabled) => {
                    Answer::new(Word::Abuse).because("the host was disabled meanwhile")
                }
                Published::Off(_) | Published::Gone => {
                    Answer::new(Word::Unknown).because("the host was removed meanwhile")
                }
                Published::Refused(trouble) | Published::Unconfirmed(trouble) => {
                    Answer::new(Word::Pending)
                        .because(&trouble)
                        .hint(trouble.hint())
                }
            },
        )
    }

    /// Last-seen is worth no answer of its own: a full disk must not stop a visit.
    fn note_seen(&mut self, host: &Host, zone: &Zone) {
        let expire = host.settings.expire.unwrap_or(zone.expire);
        let _ = self.registry.seen(host, expire, self.now);
    }

    /// Whether a name in a request means the host: in full, relative, or a former one.
    fn is_named(&self, host: &Host, name: &[u8]) -> Result<bool, RegistryError> {
        let Ok(text) = std::str::from_utf8(name) else {
            return Ok(false);
        };
        let zone: ZoneName = host.name.zone();
        let Ok(name) = HostName::new(text, &zone) else {
            return Ok(false);
        };
        if name == host.name {
            return Ok(true);
        }
        let former = self.registry.former_names(host, self.now)?;
        Ok(former.iter().any(|former| former.name == name))
    }
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

fn registry_trouble(error: RegistryError) -> Box<Answer> {
    Box::new(
        Answer::new(Word::Trouble)
            .because(&error)
            .hint(error.hint()),
    )
}

fn publish_trouble(host: &Host, error: &PublishError) -> Box<Answer> {
    let answer = Answer::new(Word::Trouble).about(&host.name);
    Box::new(answer.because(error).hint(error.hint()))
}
