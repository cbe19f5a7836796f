//! The answers to one request, in the words of its dialect.

use serde_json::{Value, json};

use super::dialect::{Dialect, Style};
use super::{Answer, Word};
use crate::http::{Request, Response, Status};
use crate::ip::Family;
use crate::span::Span;

/// After a temporary trouble clients should come back in five minutes.
const RETRY_AFTER: Span = Span::from_seconds(300);
/// What clients that send nothing unasked wait for (RFC 7617 2).
const CHALLENGE: &str = "Basic realm=\"bowline\"";

/// Puts the answers for the hosts of a request, in order, into one response.
pub fn respond(answers: &[Answer], dialect: &Dialect, request: &Request) -> Response {
    // Every unknown path has the same answer, whatever was asked for.
    if let Some(unknown) = answers.iter().find(|answer| answer.word == Word::Unknown) {
        return Answer::new(unknown.word).response(false);
    }
    let body = match dialect.style {
        Style::OkKo => return ok_or_ko(answers, request),
        Style::AcmeDns => return acme_dns(answers),
        Style::Echo if answers.iter().all(|answer| answer.document.is_some()) => {
            Body::Json(document(answers))
        }
        Style::Words if !request.prefers_json() => {
            let lines = answers
                .iter()
                .map(|answer| answer.to_line(&dialect.pending));
            Body::Text(lines.collect())
        }
        Style::Words | Style::Json | Style::Echo => {
            let objects = answers
                .iter()
                .map(|answer| answer.to_json(&dialect.pending));
            let mut objects: Vec<Value> = objects.collect();
            Body::Json(match objects.len() {
                1 => objects.remove(0),
                _ => json!({ "results": objects }),
            })
        }
    };
    body.response(status(answers.iter()), retry_after(answers))
}

/// The longest that any of the answers says.
fn retry_after(answers: &[Answer]) -> Option<Span> {
    answers.iter().filter_map(|answer| answer.retry_after).max()
}

/// One answer's own status; of several 200 when one is a success, then 503 when one is
/// temporary, else the first one's.
fn status<'a>(answers: impl Iterator<Item = &'a Answer> + Clone) -> Status {
    let all = || answers.clone().map(|answer| answer.word.status());
    [Status::Ok, Status::ServiceUnavailable]
        .into_iter()
        .find(|status| all().any(|one| one == *status))
        .or_else(|| all().next())
        .unwrap_or(Status::ServiceUnavailable)
}

/// DuckDNS's way: `OK` when every host has what it should, and no newline at the end.
fn ok_or_ko(answers: &[Answer], request: &Request) -> Response {
    if !answers.iter().all(|answer| answer.word.is_success()) {
        return Body::Text("KO".to_owned()).response(status(answers.iter()), retry_after(answers));
    }
    let mut body = "OK".to_owned();
    if request.fields.is_on("verbose") {
        for family in Family::BOTH {
            let mut addresses = answers.iter().map(|answer| answer.addresses);
            let address = addresses.find_map(|addresses| addresses.get(family));
            let address = address.map(|ip| ip.to_string());
            body = format!("{body}\n{}", address.unwrap_or_default());
        }
        let changed = answers.iter().any(|answer| answer.word == Word::Good);
        body.push_str(if changed { "\nUPDATED" } else { "\nNOCHANGE" });
    }
    Body::Text(body).response(Status::Ok, None)
}

/// What acme-dns says to everybody it does not know.
const FORBIDDEN: &str = "forbidden";

/// What the first of the answers says to its client.
fn document(answers: &[Answer]) -> Value {
    let mut documents = answers.iter().filter_map(|answer| answer.document.clone());
    documents.next().unwrap_or_default()
}

/// The way of acme-dns: whatever is wrong with credential or name is `forbidden`.
fn acme_dns(answers: &[Answer]) -> Response {
    let (status, error) = match answers.iter().find(|answer| !answer.word.is_success()) {
        None => {
            let status = status(answers.iter());
            return Body::Json(document(answers)).response(status, None);
        }
        Some(answer) => match (answer.word, answer.word.status()) {
            (Word::BadText | Word::BadJson | Word::BadNetworks, status)
            | (_, status @ Status::ServiceUnavailable) => (status, answer.word.as_str()),
            (_, status @ Status::TooManyRequests) => (status, FORBIDDEN),
            _ => (Status::Unauthorized, FORBIDDEN),
        },
    };
    Body::Json(json!({ "error": error })).response(status, retry_after(answers))
}

/// A body, before it is a response.
pub(super) enum Body {
    /// Lines.
    Text(String),
    /// One document.
    Json(Value),
}

impl Body {
    /// With a status and the header fields that belong to it.
    pub(super) fn response(self, status: Status, retry_after: Option<Span>) -> Response {
        let response = match self {
            Body::Text(text) => Response::text(status, text),
            Body::Json(value) => Response::json(status, &value),
        };
        match status {
            Status::ServiceUnavailable | Status::TooManyRequests => {
                let wait = retry_after.unwrap_or(RETRY_AFTER).seconds().max(1);
                response.with("Retry-After", wait.to_string())
            }
            Status::Unauthorized => response.with("WWW-Authenticate", CHALLENGE),
            _ => response,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::BUILT_IN;
    use super::*;
    use crate::http::Meta;
    use Word::{
        BadIpValue, Good, NoChange, NoCredential, NoHost, NotFqdn, Pending, Trouble, Unknown,
    };

    /// Status and body, as a row says it to a client with that query and Accept header.
    fn said(row: &str, query: &str, accept: &str, words: &[Word]) -> String {
        let dialect = BUILT_IN.iter().find(|dialect| dialect.name == row).unwrap();
        let answers: Vec<Answer> = words
            .iter()
            .map(|word| Answer {
                addresses: match word.is_success() {
                    true => [std::net::IpAddr::from([203, 0, 113, 7])]
                        .into_iter()
                        .collect(),
                    false => crate::ip::Addresses::NONE,
                },
                ..Answer::new(*word)
            })
            .collect();
        let meta = Meta::new([("QUERY_STRING", query), ("HTTP_ACCEPT", accept)]);
        let response = respond(&answers, dialect, &Request::new(meta, b""));
        let status = &response.status().line()[..3];
        format!("{status} {}", response.body())
    }

    #[test]
    fn words() {
        for (row, words, expected) in [
            ("dyndns2", &[Good][..], "200 good 203.0.113.7\n"),
            (
                "dyndns2",
                &[NoHost, NoChange],
                "200 nohost\nnochg 203.0.113.7\n",
            ),
            ("dyndns2", &[NoHost, Pending], "503 nohost\ndnserr\n"),
            ("dyndns2", &[NoHost, NotFqdn], "403 nohost\nnotfqdn\n"),
            ("dyndns2", &[NotFqdn, NoHost], "400 notfqdn\nnohost\n"),
            ("dyndns2", &[NoCredential], "401 badauth\n"),
            ("dyndns2", &[], "503 "),
            ("karldns", &[Pending], "503 911\n"),
            ("karldns", &[Unknown], "404 badauth\n"),
            ("duckdns", &[Unknown], "404 badauth\n"),
            ("duckdns", &[Good], "200 OK"),
            ("duckdns", &[Good, NoChange], "200 OK"),
            // One word for all, and the status of a list.
            ("duckdns", &[Good, NoHost], "200 KO"),
            ("duckdns", &[NoHost, BadIpValue], "403 KO"),
            ("duckdns", &[NoHost, Trouble], "503 KO"),
            ("duckdns", &[NoCredential], "401 KO"),
            ("duckdns", &[BadIpValue], "400 KO"),
        ] {
            assert_eq!(said(row, "", "", words), expected, "{row} {words:?}");
        }
    }

    #[test]
    fn more_of_duckdns() {
        for (query, words, expected) in [
            (
                "verbose=true",
                &[Good, NoChange][..],
                "200 OK\n203.0.113.7\n\nUPDATED",
            ),
            (
                "verbose=true",
                &[NoChange],
                "200 OK\n203.0.113.7\n\nNOCHANGE",
            ),
            ("verbose=true", &[Pending], "503 KO"),
            ("verbose=false", &[NoChange], "200 OK"),
        ] {
            assert_eq!(said("duckdns", query, "", words), expected, "{query}");
        }
    }

    /// Before the last of them is over, the request would be in vain again.
    #[test]
    fn who_waits_for_several_waits_for_all() {
        let answer = |wait: Option<u64>| Answer {
            retry_after: wait.map(Span::from_seconds),
            ..Answer::new(Word::TooManyChanges)
        };
        for (waits, expected) in [
            (&[None][..], "300"),
            (&[Some(20)], "20"),
            (&[Some(20), None, Some(600), Some(30)], "600"),
            // Not at once, however little is left.
            (&[Some(0)], "1"),
        ] {
            let answers: Vec<Answer> = waits.iter().copied().map(answer).collect();
            let [row, ..] = &*BUILT_IN;
            let request = Request::new(Meta::default(), b"");
            let head = respond(&answers, row, &request).octets(true);
            let head = String::from_utf8(head).unwrap();
            let field = format!("\r\nRetry-After: {expected}\r\n");
            assert!(head.contains(&field), "{waits:?}: {head}");
        }
    }

    #[test]
    fn json_where_it_is_preferred() {
        const JSON: &str = "application/json";
        let good = "{\"status\":\"good\",\"ipv4\":\"203.0.113.7\"}";
        let list = format!("200 {{\"results\":[{{\"status\":\"nohost\"}},{good}]}}\n");
        let one = format!("200 {good}\n");
        for (row, accept, words, expected) in [
            ("ddns-service", JSON, &[Good][..], one.as_str()),
            ("ddns-service", "*/*", &[Good], "200 good 203.0.113.7\n"),
            ("dyndns2", JSON, &[NoHost, Good], &list),
            ("devops-monk", "", &[Good], &one),
            (
                "devops-monk",
                "",
                &[NoCredential],
                "401 {\"status\":\"badauth\"}\n",
            ),
            ("karldns", JSON, &[Pending], "503 {\"status\":\"911\"}\n"),
            ("path", JSON, &[Unknown], "404 badauth\n"),
            ("duckdns", JSON, &[Good], "200 OK"),
        ] {
            assert_eq!(said(row, "", accept, words), expected, "{row} {words:?}");
        }
    }
}
