//! The outcome of an update in words.
//!
//! The words are those of the dyndns2 protocol; the statuses follow what real clients
//! do with them: a temporary trouble must be a 5xx, or routers stop for ever, and a
//! refusal must not be a 200, or clients remember it as success.

use std::fmt::Display;

use serde_json::{Map, Value, json};

use crate::config::LogLevel;
use crate::http::{Response, Status};
use crate::ip::{Addresses, Family};
use crate::name::HostName;

/// After a temporary trouble clients should come back in five minutes.
const RETRY_AFTER: &str = "300";

/// How an update ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// Published and seen.
    Good,
    /// It was so already.
    NoChange,
    /// Accepted, not confirmed by the name server.
    Pending,
    /// Our own trouble.
    Trouble,
    /// No publishable address; usually that passes.
    BadIp,
    /// A value that is no address.
    BadIpValue,
    /// An unknown secret in the path, or an unknown path.
    Unknown,
    /// The host is switched off.
    Abuse,
    /// Not the token's host.
    NoHost,
    /// The token came over plain HTTP.
    PlainHttp,
}

impl Word {
    /// The word, its status, and how important a log line about it is.
    fn row(self) -> (&'static str, Status, LogLevel) {
        match self {
            Word::Good => ("good", Status::Ok, LogLevel::Info),
            Word::NoChange => ("nochg", Status::Ok, LogLevel::Debug),
            Word::Pending => ("dnserr", Status::ServiceUnavailable, LogLevel::Warning),
            Word::Trouble => ("911", Status::ServiceUnavailable, LogLevel::Warning),
            Word::BadIp => ("badip", Status::ServiceUnavailable, LogLevel::Notice),
            Word::BadIpValue => ("badip", Status::BadRequest, LogLevel::Notice),
            Word::Unknown => ("badauth", Status::NotFound, LogLevel::Notice),
            Word::Abuse => ("abuse", Status::Forbidden, LogLevel::Notice),
            Word::NoHost => ("nohost", Status::Forbidden, LogLevel::Notice),
            Word::PlainHttp => ("badauth", Status::Forbidden, LogLevel::Notice),
        }
    }

    /// The word itself.
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// How important a log line about it is.
    pub fn level(self) -> LogLevel {
        self.row().2
    }
}

/// One host's answer, and what the log says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// How it ended.
    pub word: Word,
    /// The host, once the credential has proved to be its.
    pub host: Option<HostName>,
    /// The addresses the request was about.
    pub addresses: Addresses,
    /// The addresses that were accepted and are still pending; for the log only.
    pub wanted: Addresses,
    /// Why, when it is not good; for the log only.
    pub reason: Option<String>,
    /// What to do about it; for the log only.
    pub hint: Option<String>,
    /// An address left out; for the log only.
    pub dropped: Option<String>,
}

impl Answer {
    /// An answer that is the word alone.
    pub fn new(word: Word) -> Self {
        Answer {
            word,
            host: None,
            addresses: Addresses::NONE,
            wanted: Addresses::NONE,
            reason: None,
            hint: None,
            dropped: None,
        }
    }

    /// The same with a reason for the log.
    pub fn because(mut self, reason: impl Display) -> Self {
        self.reason = Some(reason.to_string());
        self
    }

    /// The same with what to do about it, for the log.
    pub fn hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// The same about a host.
    pub fn about(mut self, host: &HostName) -> Self {
        self.host = Some(host.clone());
        self
    }

    /// The response that says it.
    pub fn response(&self, json: bool) -> Response {
        let (word, status, _) = self.word.row();
        let response = if json {
            Response::json(status, &self.to_json())
        } else {
            let space = if self.addresses.is_empty() { "" } else { " " };
            Response::text(status, format!("{word}{space}{}\n", self.addresses))
        };
        match status {
            Status::ServiceUnavailable => response.with("Retry-After", RETRY_AFTER),
            _ => response,
        }
    }

    fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("status".to_owned(), json!(self.word.as_str()));
        if let Some(host) = &self.host {
            object.insert("host".to_owned(), json!(host.as_str()));
        }
        for family in Family::BOTH {
            if let Some(address) = self.addresses.get(family) {
                object.insert(family.as_str().to_owned(), json!(address.to_string()));
            }
        }
        Value::Object(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Word; 10] = [
        Word::Good,
        Word::NoChange,
        Word::Pending,
        Word::Trouble,
        Word::BadIp,
        Word::BadIpValue,
        Word::Unknown,
        Word::Abuse,
        Word::NoHost,
        Word::PlainHttp,
    ];

    #[test]
    fn no_refusal_looks_like_a_success() {
        for word in ALL {
            let response = Answer::new(word).because("ok true").response(false);
            let is_success = matches!(word, Word::Good | Word::NoChange);
            assert_eq!(response.status() == Status::Ok, is_success, "{word:?}");
            if !is_success {
                for success in ["good", "nochg", "ok", "true", "updated", "success"] {
                    assert!(
                        !response.body().to_lowercase().contains(success),
                        "{word:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn one_line_each() {
        let mut good = Answer::new(Word::Good);
        assert_eq!(good.response(false).body(), "good\n");
        good.addresses = ["203.0.113.7", "2001:db8::1"]
            .iter()
            .map(|ip| ip.parse().unwrap())
            .collect();
        assert_eq!(
            good.response(false).body(),
            "good 203.0.113.7,2001:db8::1\n"
        );
        let host = HostName::new("home", &"dyn.example.org".parse().unwrap()).unwrap();
        assert_eq!(
            good.about(&host).response(true).body(),
            "{\"status\":\"good\",\"host\":\"home.dyn.example.org\",\"ipv4\":\"203.0.113.7\",\"ipv6\":\"2001:db8::1\"}\n"
        );
    }
}
