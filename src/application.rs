//! The application: a request in, a response and a log line out.
//!
//! Routes to the fixed paths and to the update; both gateways run it, and neither can
//! make it wait for longer than the request's deadline.

mod keys;
mod register;

pub use keys::{Keys, KeysError};

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use crate::config::{Config, LogLevel, Register};
use crate::deadline::Deadline;
use crate::fixed::{Fixed, is_unasked};
use crate::health;
use crate::http::{Method, Refusal, Request, Response, Status, client_address};
use crate::limit::Limit;
use crate::log::{Line, Logger};
use crate::pages::{self, Button, Look};
use crate::registry::{Host, Registry};
use crate::time::Timestamp;
use crate::token::Token;
use crate::update::{
    Answer, Claim, Dialect, List, Place, Unclaimed, Undecidable, Visit, Word, respond, rows,
};

/// Everything that outlives a request.
pub struct Application {
    config: Arc<Config>,
    logger: Logger,
    /// The dialects it understands.
    dialects: Arc<List<Dialect>>,
    /// Read by the first request that needs them, unless they are given.
    keys: Option<Arc<Keys>>,
}

impl Application {
    /// An application that has opened nothing yet.
    pub fn new(config: Config) -> Self {
        Application {
            logger: Logger::new(&config.log),
            dialects: Arc::new(rows(&config.endpoints)),
            config: Arc::new(config),
            keys: None,
        }
    }

    /// One of several that share what has been read already.
    pub fn sharing(config: Arc<Config>, keys: Arc<Keys>) -> Self {
        Application {
            logger: Logger::new(&config.log),
            dialects: Arc::new(rows(&config.endpoints)),
            config,
            keys: Some(keys),
        }
    }

    /// Answers a request, and logs it.
    pub fn respond(&mut self, request: &Request) -> Response {
        let segments = request.path.below(self.config.url.path());
        let Some(segments) = segments else {
            return Answer::new(Word::Unknown).response(false);
        };
        match Fixed::at(segments) {
            Some(Fixed::Ip) => read_only(request, || self.ip(request)),
            Some(Fixed::Health) => read_only(request, || {
                health::respond(&self.config, request.prefers_json())
            }),
            Some(Fixed::Register) if self.config.acme.register != Register::Off => {
                self.register(request)
            }
            Some(Fixed::Script) if self.config.client.script => {
                read_only(request, || pages::script(request))
            }
            // What is switched off is an unknown path.
            Some(Fixed::Register | Fixed::Script) | None => self.update(request, segments),
        }
    }

    /// Answers a request that was not taken, of which only the head may be known, and logs it.
    pub fn refuse(&self, refusal: Refusal, request: &Request) -> Response {
        let reason = refusal.to_string();
        self.remark(LogLevel::Notice, refusal.as_str(), &reason, request);
        refusal.response(request.prefers_json())
    }

    /// `GET /ip`: the client's address as it would be published.
    fn ip(&self, request: &Request) -> Response {
        let json = request.prefers_json();
        match self.client(request) {
            None => {
                let line = Line::new(Word::Trouble.level(), "ip").field("result", "911");
                let reason = Undecidable::ClientUnknown;
                self.logger.write(&line.words("reason", reason));
                Answer::new(Word::Trouble).response(json)
            }
            Some(ip) if json => {
                Response::json(Status::Ok, &serde_json::json!({ "ip": ip.to_string() }))
            }
            Some(ip) => Response::text(Status::Ok, format!("{ip}\n")),
        }
    }

    fn update(&mut self, request: &Request, segments: &[Vec<u8>]) -> Response {
        let rows = Arc::clone(&self.dialects);
        let found = Dialect::find(&rows, segments, request);
        // An unknown path is a secret path that nobody has.
        let secret_path = rows.last();
        let row = found.map(|(row, _)| row).or(secret_path);
        if let Some(row) = row.filter(|row| !row.methods.contains(&request.method)) {
            if secret_path.is_some_and(|last| row.name != last.name) || is_secret(segments) {
                let reason = "a request with that method changes nothing";
                self.remark(LogLevel::Notice, "method", reason, request);
            }
            return not_allowed(&row.allow(), request);
        }
        let began = Instant::now();
        let claim = match found {
            Some((row, captured)) => Claim::read(row, captured, request),
            None => Err(Unclaimed::UnknownPath),
        };
        let mut answers = match &claim {
            Err(unclaimed) => {
                let answer = unclaimed.answer();
                if answer.word == Word::Unknown && !is_secret(segments) {
                    return answer.response(false);
                }
                vec![answer]
            }
            Ok(claim) => match self.visit(claim, request) {
                Ok(Visited::Looked(look, page)) => {
                    self.looked(look, request);
                    return page;
                }
                Ok(Visited::Settled(answers)) => answers,
                Err(error) => vec![
                    Answer::new(Word::Trouble)
                        .because(&error)
                        .hint(error.hint()),
                ],
            },
        };
        // Who opens the page with the button is shut out for nothing that the browser does.
        if is_unasked(segments) && answers.iter().all(|answer| answer.word == Word::Unknown) {
            return Answer::new(Word::Unknown).response(false);
        }
        self.limit_wrong_secrets(&mut answers, request);
        let mut logged: Vec<&Answer> = Vec::new();
        for answer in &answers {
            // Names that are no host's can fill a request, but not the log.
            if !logged.contains(&answer) {
                for answer in answer.behind.iter().chain([answer]) {
                    self.log(answer, request, began);
                }
                logged.push(answer);
            }
        }
        match row {
            Some(row) => respond(&answers, row, request),
            None => Answer::new(Word::Unknown).response(false),
        }
    }

    fn visit(&mut self, claim: &Claim<'_>, request: &Request) -> Result<Visited, KeysError> {
        let client = self.client(request);
        let keys = load(&self.config, &mut self.keys)?;
        let deadline = Deadline::after(Deadline::REQUEST);
        let _until = Registry::give_up_at(deadline);
        let registry = keys.registry()?;
        let mut visit = Visit {
            config: &self.config,
            registry,
            publisher: &keys.publisher,
            client,
            now: Timestamp::now(),
            deadline,
        };
        Ok(match visit.prove(claim, request) {
            Err(answers) => Visited::Settled(answers),
            Ok(proven) => match Look::of(request, &self.config.url, claim.dialect.page) {
                Some(look) => {
                    let targets = proven.targets.iter();
                    let hosts: Vec<&Host> = targets.map(|target| &target.host).collect();
                    Visited::Looked(look, pages::confirm(&hosts, button(claim, request)))
                }
                None => Visited::Settled(visit.settle(claim, proven)),
            },
        })
    }

    /// Counts a wrong secret. In the path it is answered as every unknown path is; elsewhere
    /// a source that has shown too many is told so.
    fn limit_wrong_secrets(&self, answers: &mut [Answer], request: &Request) {
        let is_wrong = |word| matches!(word, Word::Unknown | Word::WrongCredential);
        if !answers.iter().any(|answer| is_wrong(answer.word)) {
            return;
        }
        let Some(source) = self.client(request).or(request.peer) else {
            return;
        };
        let now = Timestamp::now();
        let limit = Limit::of_wrong_secrets(&self.config);
        let Some(until) = limit.count(&site(source), now) else {
            return;
        };
        for answer in answers {
            if answer.word == Word::WrongCredential {
                let reason = answer.reason.take().unwrap_or_default();
                *answer = Answer {
                    word: Word::TooManyWrong,
                    retry_after: Some(until.since(now)),
                    ..answer.clone().because(format_args!(
                        "{reason}, more than {} from there",
                        limit.rate
                    ))
                };
            }
        }
    }

    fn client(&self, request: &Request) -> Option<IpAddr> {
        client_address(
            request,
            &self.config.client.trusted_proxies,
            &self.config.client.header,
        )
    }

    /// Remarks that somebody only looked.
    fn looked(&self, look: Look, request: &Request) {
        self.remark(LogLevel::Info, "page", &look.to_string(), request);
    }

    /// A line about a request that is no visit.
    fn remark(&self, level: LogLevel, result: &str, reason: &str, request: &Request) {
        let line = Line::new(level, "update").field("result", result);
        let line = self.with_client(line, request);
        self.logger.write(&line.words("reason", reason));
    }

    /// The line, with the client's address as far as that is logged. A proxy that does not say
    /// it is not called the client: whoever shuts out clients by the log would shut out everybody.
    fn with_client(&self, line: Line, request: &Request) -> Line {
        let (name, address) = match self.client(request) {
            Some(client) => ("client", Some(client)),
            None => ("proxy", request.peer),
        };
        match address.and_then(|ip| self.logger.client(ip)) {
            Some(shown) => line.field(name, shown),
            None => line,
        }
    }

    /// The line, with an address that was left out; the client's own as far as that is logged.
    fn with_dropped(&self, line: Line, dropped: IpAddr, request: &Request) -> Line {
        let client = self.client(request).or(request.peer);
        match client.map(|client| client.to_canonical()) == Some(dropped) {
            false => line.field("dropped", dropped),
            true => {
                let shown = self.logger.client(dropped);
                line.field("dropped", shown.as_deref().unwrap_or("client"))
            }
        }
    }

    fn log(&self, answer: &Answer, request: &Request, began: Instant) {
        let level = answer.word.level();
        if !self.logger.wants(level) {
            return;
        }
        let mut line = Line::new(level, "update");
        if let Some(host) = &answer.host {
            line = line.field("host", host);
        }
        for address in answer.addresses.iter().chain(answer.wanted.iter()) {
            line = line.field(crate::ip::Family::of(address).as_str(), address);
        }
        if let Some(challenge) = answer.challenge {
            line = line.field("challenge", challenge);
        }
        if let Some(prefix) = answer.prefix {
            line = line.field("prefix", prefix);
        }
        line = self.with_client(line.field("result", answer.word.as_str()), request);
        line = line.field(
            "ms",
            format_args!("{:.1}", began.elapsed().as_secs_f64() * 1000.0),
        );
        if let Some(dropped) = answer.dropped {
            line = self.with_dropped(line, dropped, request);
        }
        if let Some(reason) = &answer.reason {
            line = line.words("reason", reason);
        }
        self.logger.write(&line.hint(answer.hint.as_ref()));
    }
}

/// The keys, read by the first who needs them.
fn load<'a>(config: &Config, keys: &'a mut Option<Arc<Keys>>) -> Result<&'a Keys, KeysError> {
    Ok(match keys {
        Some(keys) => keys,
        none => none.insert(Arc::new(Keys::load(config, false)?)),
    })
}

/// What a visit came to.
enum Visited {
    /// Somebody only looked, and is shown that page.
    Looked(Look, Response),
    /// It was settled, one way or the other.
    Settled(Vec<Answer>),
}

/// What the button of the page can do for a claim: a browser shows a password again by itself,
/// and what stands in the URL, but no header field and no body of JSON.
fn button<'a>(claim: &'a Claim<'_>, request: &Request) -> Button<'a> {
    let here = Button::Here(claim.dialect.names.first().map(AsRef::as_ref));
    match claim.place {
        Place::Path if claim.dialect.page => here,
        Place::Path => Button::Again,
        Place::Field if request.method == Method::Get => Button::Again,
        Place::Basic if claim.challenge.is_none() => here,
        Place::Field | Place::Basic | Place::Bearer | Place::ApiKey => Button::None,
    }
}

/// The answer to a request that never reached the application: broken configuration and the like.
pub fn trouble(
    logger: &Logger,
    reason: &dyn std::fmt::Display,
    hint: &str,
    json: bool,
) -> Response {
    let line = Line::new(LogLevel::Warning, "request").field("result", Word::Trouble.as_str());
    logger.write(&line.words("reason", reason).words("hint", hint));
    Answer::new(Word::Trouble).response(json)
}

/// The answer to a request that a panic has ended; it costs that request only.
pub fn bug(logger: &Logger, json: bool) -> Response {
    trouble(logger, &"a bug in bowline", "please report it", json)
}

/// The part of an address that one site has: of IPv6 the first 64 bits.
fn site(address: IpAddr) -> Vec<u8> {
    beginning(address, 8)
}

/// The part of an address that one customer of a provider may have: of IPv6 the first 48 bits,
/// which are 65,536 sites.
fn customer(address: IpAddr) -> Vec<u8> {
    beginning(address, 6)
}

/// An address; of IPv6 its first octets.
fn beginning(address: IpAddr, octets: usize) -> Vec<u8> {
    match address.to_canonical() {
        IpAddr::V4(ipv4) => ipv4.octets().to_vec(),
        IpAddr::V6(ipv6) => ipv6.octets().into_iter().take(octets).collect(),
    }
}

/// Whether a path may be a secret one; a scanner's is not, and no line in the log.
fn is_secret(segments: &[Vec<u8>]) -> bool {
    segments
        .first()
        .is_some_and(|first| Token::is_shaped(first))
}

fn read_only(request: &Request, answer: impl FnOnce() -> Response) -> Response {
    match request.method {
        Method::Get | Method::Head => answer(),
        _ => not_allowed("GET, HEAD", request),
    }
}

fn not_allowed(allow: &str, request: &Request) -> Response {
    Response::word(Status::MethodNotAllowed, "method", request.prefers_json()).with("Allow", allow)
}
