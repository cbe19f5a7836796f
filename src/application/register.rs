//! `POST /register` of acme-dns: an account for a client that has none, which is a host of a
//! random name and its token. Only where `[acme] register` says so.

use std::time::Instant;

use serde_json::{Value, json};

use super::{Application, Keys, load, not_allowed};
use crate::acme::AllowFrom;
use crate::config::{Register, Zone, invitation};
use crate::deadline::Deadline;
use crate::hint::Hint;
use crate::http::{Method, Request, Response};
use crate::ip::Addresses;
use crate::limit::Limit;
use crate::name::{HostName, RecordName};
use crate::pages::{self, Button, Look};
use crate::registry::{NewHost, Registry, Settings};
use crate::time::Timestamp;
use crate::token::Token;
use crate::update::{Answer, Captured, Claim, REGISTER, Word, respond};

impl Application {
    /// Answers it; for a client whose account is made it is the only answer with its secret.
    pub(super) fn register(&mut self, request: &Request) -> Response {
        if request.method != Method::Post {
            return not_allowed(&REGISTER.allow(), request);
        }
        if let Some(look) = Look::of(request, &self.config.url, false) {
            self.looked(look, request);
            return pages::confirm(&[], Button::None);
        }
        let began = Instant::now();
        let mut answers = [self.registered(request).unwrap_or_else(|refusal| *refusal)];
        self.limit_wrong_secrets(&mut answers, request);
        for answer in &answers {
            self.log(answer, request, began);
        }
        respond(&answers, &REGISTER, request)
    }

    fn registered(&mut self, request: &Request) -> Result<Answer, Box<Answer>> {
        let config = &self.config;
        let trouble = |reason: &dyn std::fmt::Display, hint: Option<String>| {
            Box::new(Answer::new(Word::Trouble).because(reason).hint(hint))
        };
        if !request.https && config.url.is_https() {
            return Err(refused(Word::PlainHttp, "it came over plain HTTP"));
        }
        let zone = config.zones.iter().find(|zone| zone.acme).ok_or_else(|| {
            let hint = "bowline zone set ZONE --acme".to_owned();
            trouble(&"no zone takes challenges", Some(hint))
        })?;
        let allow_from = allow_from(&request.body)?;
        let now = Timestamp::now();
        let client = self.client(request);
        let _until = Registry::give_up_at(Deadline::after(Deadline::REQUEST));
        let mut lease = load(config, &mut self.keys)
            .and_then(Keys::registry)
            .map_err(|error| trouble(&error, error.hint()))?;
        let registry = (lease.get()).map_err(|error| trouble(&error, error.hint()))?;
        match &config.acme.register {
            Register::Off => return Err(refused(Word::NoCredential, "nobody may register")),
            Register::Open => {
                let whose = client.map(super::customer).unwrap_or_default();
                let limit = Limit::of_registrations(config);
                if let Some(until) = limit.count(&whose, now) {
                    let reason = format_args!("more than {} registrations from there", limit.rate);
                    return Err(Box::new(Answer {
                        retry_after: Some(until.since(now)),
                        ..Answer::new(Word::TooManyAccounts).because(reason)
                    }));
                }
            }
            Register::Invited(file) => {
                let secret = invitation(file).map_err(|reason| trouble(&reason, None))?;
                check_invitation(registry, &secret, request)?;
            }
        }
        let note = client.map_or("acme-dns".to_owned(), |ip| format!("acme-dns, {ip}"));
        let (host, token) = make(registry, zone, note, &allow_from, config.limits.reuse, now)?;
        Ok(Answer {
            document: Some(account(&host, &token, &allow_from)),
            ..Answer::new(Word::Registered)
                .about(&host)
                .because("a client of acme-dns asked for a name")
        })
    }
}

/// The networks that the body asks for.
fn allow_from(body: &[u8]) -> Result<AllowFrom, Box<Answer>> {
    let body = body.trim_ascii();
    if body.is_empty() {
        return Ok(AllowFrom::default());
    }
    let networks = match serde_json::from_slice(body) {
        Ok(Value::Null) => return Ok(AllowFrom::default()),
        Ok(Value::Object(object)) => object.get("allowfrom").cloned(),
        _ => return Err(refused(Word::BadJson, "the body is no JSON object")),
    };
    let networks = AllowFrom::read(&networks.unwrap_or_default());
    networks.ok_or_else(|| refused(Word::BadNetworks, "allowfrom is no list of networks"))
}

/// Whether the request shows the invitation.
fn check_invitation(
    registry: &Registry,
    secret: &Token,
    request: &Request,
) -> Result<(), Box<Answer>> {
    let claim = Claim::read(&REGISTER, Captured::default(), request)
        .map_err(|unclaimed| Box::new(unclaimed.answer()))?;
    let shown = registry.digest(&claim.token);
    match shown.matches(registry.digest(secret).as_bytes()) {
        true => Ok(()),
        false => Err(refused(Word::WrongCredential, "wrong secret")),
    }
}

/// Makes the host.
fn make(
    registry: &mut Registry,
    zone: &Zone,
    note: String,
    allow_from: &AllowFrom,
    reuse: crate::span::Span,
    now: Timestamp,
) -> Result<(HostName, Token), Box<Answer>> {
    let trouble =
        |reason: &dyn std::fmt::Display| Box::new(Answer::new(Word::Trouble).because(reason));
    let label = HostName::random_label().map_err(|error| trouble(&error))?;
    let name = HostName::new(&label, &zone.name).map_err(|error| trouble(&error))?;
    let token = Token::random().map_err(|error| trouble(&error))?;
    let new = NewHost {
        name: name.clone(),
        settings: Settings {
            note: Some(note),
            ..Settings::default()
        },
        token: Some(registry.digest(&token)),
        addresses: Addresses::NONE,
        reuse,
        // Nobody could guess the name to have one above or below it.
        below: true,
    };
    registry
        .add_account(&new, &allow_from.networks, zone.ttl, now)
        .map_err(|error| Box::new(trouble(&error).hint(error.hint())))?;
    Ok((name, token))
}

fn refused(word: Word, reason: &str) -> Box<Answer> {
    Box::new(Answer::new(word).because(reason))
}

/// The account as acme-dns says it.
fn account(host: &HostName, token: &Token, allow_from: &AllowFrom) -> Value {
    json!({
        "username": host.as_str(),
        "password": token.secret(),
        "fulldomain": RecordName::challenge(host.clone()).to_string(),
        "subdomain": host.as_str(),
        "allowfrom": allow_from.document(),
    })
}
