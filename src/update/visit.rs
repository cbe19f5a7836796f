//! A visit: whose claim it is, what is to become of the host, and doing it.

use std::net::IpAddr;

use super::change::{Change, Target};
use super::named::{Named, answers};
use super::{Answer, Claim, Hosts, Place, Word};
use crate::config::Config;
use crate::deadline::Deadline;
use crate::http::Request;
use crate::name::HostName;
use crate::publish::{PublishError, Publisher};
use crate::registry::{Host, Registry, RegistryError, State};
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
    pub target: Target<'a>,
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
            let answer = Answer::new(Word::Trouble)
                .because(&error)
                .hint(error.hint());
            return Err(vec![answer.about(&host.name)]);
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
            target: Target { host, zone },
            token,
            names,
        })
    }

    /// Settles the claim: an answer for every name in it.
    pub fn settle(&mut self, claim: &Claim<'_>, proven: Proven<'a>) -> Vec<Answer> {
        let Proven {
            target,
            token,
            names,
        } = proven;
        let name = target.host.name.clone();
        let answer = match &claim.asked {
            Err(error) => Answer::new(Word::BadIpValue).because(error),
            Ok(asked) => {
                let change = Change {
                    visit: self,
                    dialect: &claim.dialect.name,
                    token,
                };
                let mut answers = change.run(asked, vec![target]);
                match answers.pop().flatten() {
                    Some(answer) => answer,
                    None => return vec![unknown(claim, "the token or its host went meanwhile")],
                }
            }
        };
        answers(&names, &answer.about(&name))
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

fn registry_trouble(error: RegistryError) -> Vec<Answer> {
    let answer = Answer::new(Word::Trouble).because(&error);
    vec![answer.hint(error.hint())]
}
