//! What a request wants done with the challenges of a host.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::challenge::ChallengeValue;
use crate::http::Request;
use crate::name::CHALLENGE;
use crate::registry::ChallengeEdit;

/// acme-dns has so many values at a name: one for the host and one for its wildcard.
const ACME_DNS: usize = 2;
/// DuckDNS has one.
const DUCKDNS: usize = 1;
/// Clients that remove what they have set may have so many under way.
const HTTPREQ: usize = 8;

/// How a request carries a challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// To be there: `{"fqdn", "value"}`, or `{"domain", "token", "keyAuth"}` (RAW mode).
    Present,
    /// To be gone; the same.
    Cleanup,
    /// To be there, beside the one before: `{"subdomain", "txt"}`.
    AcmeDns,
    /// The parameters `txt` and `clear`.
    Txt,
}

/// What it wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The host's name, where the body says it.
    pub host: Option<String>,
    /// What is to be done.
    pub edit: ChallengeEdit,
    /// What says that it is done; clients look for their own words in it.
    pub done: Value,
}

impl Wanted {
    /// Reads a request; `None` when it is about something else.
    pub fn read(form: Form, request: &Request) -> Option<Result<Self, WantedError>> {
        match form {
            Form::Present | Form::Cleanup => Some(httpreq(form, &request.body)),
            Form::AcmeDns => Some(acme_dns(&request.body)),
            Form::Txt => txt(request),
        }
    }
}

fn httpreq(form: Form, body: &[u8]) -> Result<Wanted, WantedError> {
    let object = Object::read(body)?;
    let (fqdn, value) = match object.text("fqdn") {
        Ok(fqdn) => (fqdn.to_owned(), value(object.text("value")?)?),
        Err(_) => {
            let domain = object.text("domain")?;
            let domain = domain.strip_prefix("*.").unwrap_or(domain);
            let key_authorization = object.text("keyAuth")?;
            let (token, thumbprint) = key_authorization
                .split_once('.')
                .ok_or(WantedError::Value)?;
            if token.is_empty() || thumbprint.is_empty() {
                return Err(WantedError::Value);
            }
            let value = ChallengeValue::of_key_authorization(key_authorization);
            (format!("{CHALLENGE}{domain}."), value)
        }
    };
    let host = host_of(&fqdn).ok_or(WantedError::Name)?;
    Ok(Wanted {
        host: Some(host.to_owned()),
        done: json!({ "fqdn": fqdn, "value": value.as_str() }),
        edit: match form {
            Form::Cleanup => ChallengeEdit::Remove(value),
            _ => ChallengeEdit::Add(value, HTTPREQ),
        },
    })
}

fn acme_dns(body: &[u8]) -> Result<Wanted, WantedError> {
    let object = Object::read(body)?;
    let subdomain = object.text("subdomain")?;
    let host = host_of(subdomain).unwrap_or(subdomain);
    if host.is_empty() {
        return Err(WantedError::Name);
    }
    let value = value(object.text("txt")?)?;
    Ok(Wanted {
        host: Some(host.to_owned()),
        done: json!({ "txt": value.as_str() }),
        edit: ChallengeEdit::Add(value, ACME_DNS),
    })
}

fn txt(request: &Request) -> Option<Result<Wanted, WantedError>> {
    let text = request.fields.all("txt").next()?;
    let edit = if request.fields.is_on("clear") {
        ChallengeEdit::Clear
    } else if text.is_empty() {
        return None;
    } else {
        match std::str::from_utf8(text).map(value) {
            Ok(Ok(value)) => ChallengeEdit::Add(value, DUCKDNS),
            _ => return Some(Err(WantedError::Value)),
        }
    };
    Some(Ok(Wanted {
        host: None,
        edit,
        done: Value::Null,
    }))
}

fn value(text: &str) -> Result<ChallengeValue, WantedError> {
    text.parse().map_err(|_| WantedError::Value)
}

/// The host whose challenges stand at that name; behind the label there must be one.
fn host_of(fqdn: &str) -> Option<&str> {
    let (front, host) = fqdn.split_at_checked(CHALLENGE.len())?;
    let is_one = front.eq_ignore_ascii_case(CHALLENGE) && !host.is_empty();
    is_one.then_some(host)
}

/// A JSON object as Go's clients write it: its keys in any case.
struct Object(Map<String, Value>);

impl Object {
    fn read(body: &[u8]) -> Result<Self, WantedError> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(object)) => Ok(Object(object)),
            _ => Err(WantedError::Json),
        }
    }

    fn text(&self, key: &str) -> Result<&str, WantedError> {
        let mut entries = self.0.iter();
        let entry = entries.find(|(there, _)| there.eq_ignore_ascii_case(key));
        entry
            .and_then(|(_, value)| value.as_str())
            .ok_or(WantedError::Json)
    }
}

/// Why it cannot be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WantedError {
    /// No JSON object with the texts that belong into it.
    Json,
    /// A text that is no challenge.
    Value,
    /// A name that is no host's, or not that of its challenges.
    Name,
}

impl fmt::Display for WantedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WantedError::Json => "the body is no JSON object with what belongs into it",
            WantedError::Value => "the value is no challenge: 43 characters of base64url",
            WantedError::Name => "the name is not _acme-challenge with a host's name behind it",
        })
    }
}

impl std::error::Error for WantedError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Meta;
    use proptest::prelude::*;

    const VALUE: &str = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0";

    fn read(form: Form, query: &str, body: &str) -> String {
        let meta = Meta::new([("QUERY_STRING", query)]);
        let request = Request::new(meta, body.as_bytes());
        match Wanted::read(form, &request) {
            None => "-".to_owned(),
            Some(Err(error)) => format!("{error:?}"),
            Some(Ok(wanted)) => {
                let edit = match wanted.edit {
                    ChallengeEdit::Add(value, most) => format!("add {most} {value}"),
                    ChallengeEdit::Remove(value) => format!("remove {value}"),
                    ChallengeEdit::Clear => "clear".to_owned(),
                };
                format!("{} {edit}", wanted.host.unwrap_or_default())
            }
        }
    }

    #[test]
    fn what_clients_send() {
        let default = |fqdn: &str| format!(r#"{{"fqdn":"{fqdn}","value":"{VALUE}"}}"#);
        let raw = |domain: &str, key: &str| {
            format!(r#"{{"domain":"{domain}","token":"a","keyAuth":"{key}"}}"#)
        };
        // sha256("a.b") in base64url.
        let of_raw = ChallengeValue::of_key_authorization("a.b");
        let acme_dns = |subdomain: &str, txt: &str| {
            format!(r#"{{"subdomain": "{subdomain}", "txt": "{txt}"}}"#)
        };
        for (form, body, expected) in [
            (
                Form::Present,
                default("_acme-challenge.home.dyn.example.org."),
                format!("home.dyn.example.org. add 8 {VALUE}"),
            ),
            (
                Form::Cleanup,
                default("_ACME-Challenge.home"),
                format!("home remove {VALUE}"),
            ),
            (
                Form::Present,
                raw("home.d", "a.b"),
                format!("home.d. add 8 {of_raw}"),
            ),
            (
                Form::Cleanup,
                raw("*.home.d", "a.b"),
                format!("home.d. remove {of_raw}"),
            ),
            (Form::Present, raw("home.d", "a"), "Value".to_owned()),
            (Form::Present, raw("home.d", "a."), "Value".to_owned()),
            (
                Form::Present,
                default("home.dyn.example.org."),
                "Name".to_owned(),
            ),
            (Form::Present, default(""), "Name".to_owned()),
            (
                Form::Present,
                default("_acme-challenge."),
                "Name".to_owned(),
            ),
            (
                Form::Present,
                default("é_acme-challenge.h"),
                "Name".to_owned(),
            ),
            (
                Form::AcmeDns,
                acme_dns("home", VALUE),
                format!("home add 2 {VALUE}"),
            ),
            (
                Form::AcmeDns,
                acme_dns("_acme-challenge.home", VALUE),
                format!("home add 2 {VALUE}"),
            ),
            (
                Form::AcmeDns,
                format!(r#"{{"SubDomain":"home","Txt":"{VALUE}"}}"#),
                format!("home add 2 {VALUE}"),
            ),
            (Form::AcmeDns, acme_dns("home", "short"), "Value".to_owned()),
            (Form::AcmeDns, acme_dns("", VALUE), "Name".to_owned()),
        ] {
            assert_eq!(read(form, "", &body), expected, "{body}");
        }
    }

    #[test]
    fn what_nobody_should_send() {
        let deep = "[".repeat(60_000);
        for body in [
            "",
            "null",
            "[]",
            "\"fqdn\"",
            "{",
            "{}",
            r#"{"fqdn":1,"value":2}"#,
            r#"{"fqdn":"_acme-challenge.h"}"#,
            r#"{"subdomain":null,"txt":[]}"#,
            r#"{"fqdn":"\ud800","value":""}"#,
            "fqdn=a&value=b",
            &deep,
        ] {
            for form in [Form::Present, Form::Cleanup, Form::AcmeDns] {
                assert_eq!(read(form, "", body), "Json", "{body:.40}");
            }
        }
    }

    #[test]
    fn parameters() {
        let set = format!("txt={VALUE}");
        for (query, expected) in [
            ("", "-".to_owned()),
            ("txt=", "-".to_owned()),
            ("clear=true", "-".to_owned()),
            (&set, format!(" add 1 {VALUE}")),
            (&format!("{set}&clear=false"), format!(" add 1 {VALUE}")),
            (&format!("{set}&clear=true"), " clear".to_owned()),
            ("txt=&clear=true", " clear".to_owned()),
            ("txt=hello", "Value".to_owned()),
            ("txt=%ff", "Value".to_owned()),
        ] {
            assert_eq!(read(Form::Txt, query, ""), expected, "{query}");
        }
    }

    proptest! {
        #[test]
        fn any_body_is_understood_or_refused(body in "\\PC{0,120}", key in "[a-zA-Z]{0,9}", text in "\\PC{0,60}") {
            for form in [Form::Present, Form::Cleanup, Form::AcmeDns] {
                read(form, "", &body);
                read(form, "", &json!({ key.clone(): text.clone(), "value": text.clone(), "subdomain": text.clone() }).to_string());
            }
        }
    }
}
