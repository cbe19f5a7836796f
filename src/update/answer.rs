//! The outcome of an update in words.
//!
//! The words are those of the dyndns2 protocol; the statuses follow what real clients
//! do with them: a temporary trouble must be a 5xx, or routers stop for ever, and a
//! refusal must not be a 200, or clients remember it as success.

use std::fmt::Display;
use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::respond::Body;
use crate::config::LogLevel;
use crate::http::{Response, Status};
use crate::ip::{Addresses, Family};
use crate::name::HostName;
use crate::prefix::Prefix;
use crate::span::Span;

/// The usual word for what the name server has not confirmed.
const DNSERR: &str = "dnserr";

/// An enum that its tests go through: what it lists is what there is.
macro_rules! listed {
    ($(#[$about:meta])* pub enum $name:ident { $($(#[$of:meta])* $value:ident,)+ }) => {
        $(#[$about])*
        pub enum $name { $($(#[$of])* $value,)+ }

        #[cfg(test)]
        impl $name {
            const ALL: &[Self] = &[$($name::$value),+];
        }
    };
}

listed! {
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
        /// No credential where one must be: the first half of a visit by many clients.
        NoCredential,
        /// A wrong credential, elsewhere than in the path.
        WrongCredential,
        /// Not the token's host.
        NoHost,
        /// What can be no host's name.
        NotFqdn,
        /// More names than one request may have.
        NumHost,
        /// The token came over plain HTTP.
        PlainHttp,
        /// A text that is no challenge for a certificate.
        BadText,
        /// A body that is not the JSON it should be.
        BadJson,
        /// An account is to be for networks that are none.
        BadNetworks,
        /// An account was made.
        Registered,
        /// More changes of the host than are published in that time: an address is kept, a
        /// challenge is not.
        TooManyChanges,
        /// A wrong credential once more, after too many of them from that source.
        TooManyWrong,
        /// More accounts than one source may have made: no credential is wrong in that.
        TooManyAccounts,
    }
}

impl Word {
    /// The word, its status, and how important a log line about it is.
    fn row(self) -> (&'static str, Status, LogLevel) {
        match self {
            Word::Good => ("good", Status::Ok, LogLevel::Info),
            Word::NoChange => ("nochg", Status::Ok, LogLevel::Debug),
            Word::Pending => (DNSERR, Status::ServiceUnavailable, LogLevel::Warning),
            Word::Trouble => ("911", Status::ServiceUnavailable, LogLevel::Warning),
            Word::BadIp => ("badip", Status::ServiceUnavailable, LogLevel::Notice),
            Word::BadIpValue => ("badip", Status::BadRequest, LogLevel::Notice),
            Word::Unknown => ("badauth", Status::NotFound, LogLevel::Notice),
            Word::Abuse => ("abuse", Status::Forbidden, LogLevel::Notice),
            Word::NoCredential => ("badauth", Status::Unauthorized, LogLevel::Debug),
            Word::WrongCredential => ("badauth", Status::Unauthorized, LogLevel::Notice),
            Word::NoHost => ("nohost", Status::Forbidden, LogLevel::Notice),
            Word::NotFqdn => ("notfqdn", Status::BadRequest, LogLevel::Notice),
            Word::NumHost => ("numhost", Status::BadRequest, LogLevel::Notice),
            Word::PlainHttp => ("badauth", Status::Forbidden, LogLevel::Notice),
            Word::BadText => ("bad_txt", Status::BadRequest, LogLevel::Notice),
            Word::BadJson => (
                "malformed_json_payload",
                Status::BadRequest,
                LogLevel::Notice,
            ),
            Word::BadNetworks => (
                "invalid_allowfrom_cidr",
                Status::BadRequest,
                LogLevel::Notice,
            ),
            Word::Registered => ("registered", Status::Created, LogLevel::Info),
            Word::TooManyChanges => ("911", Status::ServiceUnavailable, LogLevel::Notice),
            Word::TooManyWrong => ("badauth", Status::TooManyRequests, LogLevel::Notice),
            Word::TooManyAccounts => (
                "too_many_accounts",
                Status::TooManyRequests,
                LogLevel::Notice,
            ),
        }
    }

    /// The word itself.
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The status of an answer that is it alone.
    pub fn status(self) -> Status {
        self.row().1
    }

    /// How important a log line about it is.
    pub fn level(self) -> LogLevel {
        self.row().2
    }

    /// Whether the name has what the request wanted.
    pub fn is_success(self) -> bool {
        matches!(self, Word::Good | Word::NoChange | Word::Registered)
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
    /// The prefix, when the request was about that alone.
    pub prefix: Option<Prefix>,
    /// How it ended for each host behind it; for the log only.
    pub behind: Vec<Answer>,
    /// The addresses that were accepted and are still pending; for the log only.
    pub wanted: Addresses,
    /// Why, when it is not good; for the log only.
    pub reason: Option<String>,
    /// What to do about it; for the log only.
    pub hint: Option<String>,
    /// An address left out; for the log only.
    pub dropped: Option<IpAddr>,
    /// What was done with a challenge for a certificate; for the log only.
    pub challenge: Option<&'static str>,
    /// What says success in a dialect of certificates.
    pub document: Option<Value>,
    /// After how long the client should come back, when that is known.
    pub retry_after: Option<Span>,
}

impl Answer {
    /// An answer that is the word alone.
    pub fn new(word: Word) -> Self {
        Answer {
            word,
            host: None,
            addresses: Addresses::NONE,
            prefix: None,
            behind: Vec::new(),
            wanted: Addresses::NONE,
            reason: None,
            hint: None,
            dropped: None,
            challenge: None,
            document: None,
            retry_after: None,
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

    /// The response that says it, where no dialect is spoken.
    pub fn response(&self, json: bool) -> Response {
        let body = match json {
            true => Body::Json(self.to_json(DNSERR)),
            false => Body::Text(self.to_line(DNSERR)),
        };
        body.response(self.word.status(), self.retry_after)
    }

    /// A line; `pending` is the dialect's word for what is not confirmed.
    pub(super) fn to_line(&self, pending: &str) -> String {
        let word = self.said(pending);
        match self.prefix {
            Some(prefix) => format!("{word} {}\n", prefix.network()),
            None if self.addresses.is_empty() => format!("{word}\n"),
            None => format!("{word} {}\n", self.addresses),
        }
    }

    /// The same as an object.
    pub(super) fn to_json(&self, pending: &str) -> Value {
        let mut object = Map::new();
        object.insert("status".to_owned(), json!(self.said(pending)));
        // A host called `goodbook` would make a refusal look like a success.
        if let Some(host) = self.host.as_ref().filter(|_| self.word.is_success()) {
            object.insert("host".to_owned(), json!(host.as_str()));
        }
        for family in Family::BOTH {
            if let Some(address) = self.addresses.get(family) {
                object.insert(family.as_str().to_owned(), json!(address.to_string()));
            }
        }
        if let Some(prefix) = self.prefix {
            object.insert("prefix".to_owned(), json!(prefix.to_string()));
        }
        Value::Object(object)
    }

    fn said<'a>(&self, pending: &'a str) -> &'a str {
        match self.word {
            Word::Pending => pending,
            word => word.as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_refusal_looks_like_a_success() {
        let host = HostName::new("good-ok-true", &"dyn.example.org".parse().unwrap()).unwrap();
        for (&word, json) in Word::ALL
            .iter()
            .flat_map(|word| [(word, true), (word, false)])
        {
            let answer = Answer::new(word).because("ok true").about(&host);
            let response = answer.response(json);
            let is_success = word.is_success();
            let status = response.status().line();
            assert_eq!(status.starts_with('2'), is_success, "{word:?}");
            let body = response.body().to_lowercase();
            for success in ["good", "nochg", "ok", "true", "updated", "success"] {
                assert!(is_success || !body.contains(success), "{word:?}: {body}");
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
