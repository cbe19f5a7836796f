//! A visit: whose claim it is, what is to become of the host, and doing it.

use std::net::IpAddr;

use super::change::Change;
use super::item::Target;
use super::named::{Named, Names, answers};
use super::outcome::registry_trouble;
use super::{Answer, Claim, Hosts, Place, Word};
use crate::config::{Config, Zone};
use crate::deadline::Deadline;
use crate::hint::Hint;
use crate::http::Request;
use crate::name::HostName;
use crate::publish::{PublishError, Publisher};
use crate::registry::{Holder, Host, Lease, RegistryError, State};
use crate::time::Timestamp;
use crate::token::Digest;

/// What a visit needs besides its claim.
pub struct Visit<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The registry.
    pub registry: Lease<'a>,
    /// Who makes DNS agree.
    pub publisher: &'a Publisher,
    /// The client's address, where it is known.
    pub client: Option<IpAddr>,
    /// The time of the visit.
    pub now: Timestamp,
    /// When the client must have its answer.
    pub deadline: Deadline,
}

/// The hosts that a claim has proved to be for.
pub struct Proven<'a> {
    /// Those that may be changed; there is one at least.
    pub targets: Vec<Target<'a>>,
    /// For each host that is named: its position among the targets, or why it is refused.
    hosts: Vec<Result<usize, Box<Answer>>>,
    /// The names in the request, in order.
    names: Vec<Named>,
    /// The token, as the registry knows it.
    token: Digest,
    /// The host, where the token is one host's.
    holder: Option<HostName>,
}

impl<'a> Visit<'a> {
    /// The claim's hosts, when its token is known and everything about it is in order.
    ///
    /// # Errors
    /// The answers that refuse it.
    pub fn prove(
        &mut self,
        claim: &Claim<'_>,
        request: &Request,
    ) -> Result<Proven<'a>, Vec<Answer>> {
        let trouble = |error: RegistryError| vec![registry_trouble(&error)];
        let registry = self.registry.get().map_err(trouble)?;
        let found = registry.holder_of(&claim.token, self.now);
        let Some((holder, token)) = found.map_err(trouble)? else {
            return Err(vec![unknown(claim, "wrong secret")]);
        };
        let (host, off) = match &holder {
            Holder::Host(host) => (Some(host.name.clone()), false),
            Holder::Owner(owner) => (None, owner.disabled),
        };
        let refuse = |word, reason: &str| Answer {
            host: host.clone(),
            ..Answer::new(word).because(reason)
        };
        if let Hosts::UpTo(most) = claim.dialect.hosts
            && claim.names.len() > most
        {
            return Err(vec![refuse(Word::NumHost, "too many names in one request")]);
        }
        if off {
            return Err(vec![refuse(Word::Abuse, "the owner is disabled")]);
        }
        let Names { hosts, mut named } =
            Names::read(&claim.names, holder, self.config, registry, self.now).map_err(trouble)?;
        if named.is_empty() {
            if let Some(Err(error)) = &claim.challenge {
                return Err(vec![refuse(error.into(), &error.to_string())]);
            }
            let reason = "the token is good for several hosts, or none, and the request names none";
            return Err(vec![refuse(Word::NotFqdn, reason)]);
        }
        if claim.dialect.hosts == Hosts::OfToken {
            // However often it is named, it is one host, and one answer.
            if named.iter().any(|name| *name != Named::Host(0)) {
                let reason = "the name in the request is not the token's host";
                return Err(vec![refuse(Word::NoHost, reason)]);
            }
            named.truncate(1);
        }
        let mut proven = Proven {
            targets: Vec::new(),
            hosts: Vec::new(),
            names: named,
            token,
            holder: host.clone(),
        };
        for host in hosts {
            let checked = self.check(&host, request).map(|zone| {
                proven.targets.push(Target { host, zone });
                proven.targets.len() - 1
            });
            proven.hosts.push(checked);
        }
        match proven.names.iter().any(|name| proven.may_change(*name)) {
            true => Ok(proven),
            false => Err(proven.answers(&[])),
        }
    }

    /// The zone of a host that may be changed by such a request.
    fn check(&self, host: &Host, request: &Request) -> Result<&'a Zone, Box<Answer>> {
        let refuse = |word, reason: &str| {
            Err(Box::new(
                Answer::new(word).about(&host.name).because(reason),
            ))
        };
        let Some(zone) = self.config.zone(&host.name.zone()) else {
            let error = PublishError::NoZone(host.name.zone());
            let answer = Answer::new(Word::Trouble).because(&error);
            return Err(Box::new(answer.hint(error.hint()).about(&host.name)));
        };
        if !request.https && self.config.url.is_https() && !host.settings.plain_http {
            return refuse(
                Word::PlainHttp,
                "the token came over plain HTTP; rotate it, or allow that with --plain-http",
            );
        }
        if host.owner_disabled {
            return refuse(Word::Abuse, "the host's owner is disabled");
        }
        if host.state != State::Active {
            return refuse(Word::Abuse, "the host is disabled");
        }
        if !host.is_open_to(self.client) {
            return refuse(
                Word::NoHost,
                "the account may be used from other networks only",
            );
        }
        Ok(zone)
    }

    /// Settles the claim: an answer for every name in it.
    pub fn settle(&mut self, claim: &Claim<'_>, mut proven: Proven<'a>) -> Vec<Answer> {
        let targets = std::mem::take(&mut proven.targets);
        let names: Vec<HostName> = (targets.iter())
            .map(|target| target.host.name.clone())
            .collect();
        let answers = match (&claim.challenge, &claim.asked) {
            (Some(wanted), _) => (targets.iter())
                .map(|target| self.challenge(wanted, target, claim, proven.token))
                .collect(),
            (None, Err(error)) => {
                vec![Some(Answer::new(Word::BadIpValue).because(error)); names.len()]
            }
            (None, Ok(asked)) => {
                let change = Change {
                    visit: self,
                    dialect: &claim.dialect.name,
                    token: proven.token,
                    notify: asked.notify,
                };
                change.run(asked, targets)
            }
        };
        if answers.iter().all(Option::is_none) {
            return vec![unknown(claim, "the token or its host went meanwhile")];
        }
        let about = |(answer, name): (Option<Answer>, &HostName)| Some(answer?.about(name));
        let answers: Vec<_> = answers.into_iter().zip(&names).map(about).collect();
        proven.answers(&answers)
    }
}

impl Proven<'_> {
    /// Whether a name is one of a host that may be changed.
    fn may_change(&self, name: Named) -> bool {
        match name {
            Named::Host(position) => matches!(self.hosts.get(position), Some(Ok(_))),
            Named::Other | Named::Invalid => false,
        }
    }

    /// An answer for every name, with those of the targets.
    fn answers(&self, targets: &[Option<Answer>]) -> Vec<Answer> {
        let own: Vec<Option<&Answer>> = (self.hosts.iter())
            .map(|host| match host {
                Ok(target) => targets.get(*target)?.as_ref(),
                Err(refusal) => Some(&**refusal),
            })
            .collect();
        answers(&self.names, &own, self.holder.as_ref())
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
