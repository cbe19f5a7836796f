//! Name-value pairs: a query string, a form, or a JSON object.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};

use super::multipart;
use super::path::form_decode;

/// The pairs of `application/x-www-form-urlencoded` data, of a form in parts, or of a JSON
/// object, in order, as octets.
///
/// Nothing a client can write into a query is an error: odd pairs are names without values,
/// bad escapes stay as they are, unknown names are never asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    /// All names and values, one behind the other: anybody may send tens of thousands.
    octets: Vec<u8>,
    /// How long each name and its value are.
    lengths: Vec<(usize, usize)>,
}

impl Fields {
    /// Reads `a=1&b=2`.
    pub fn parse(text: &[u8]) -> Self {
        let mut fields = Fields {
            octets: Vec::with_capacity(text.len()),
            ..Fields::default()
        };
        for pair in text.split(|b| *b == b'&').filter(|pair| !pair.is_empty()) {
            let mut halves = pair.splitn(2, |b| *b == b'=');
            let mut half = || {
                let before = fields.octets.len();
                form_decode(halves.next().unwrap_or_default(), &mut fields.octets);
                fields.octets.len() - before
            };
            fields.lengths.push((half(), half()));
        }
        fields
    }

    /// Reads a body; one of a type in which nobody writes fields has none.
    ///
    /// # Errors
    /// When it is not what its type says: there may have been an address in it.
    pub fn of_body(content_type: &[u8], body: &[u8]) -> Result<Self, Illegible> {
        // A byte order mark is part of no name, and no JSON (RFC 8259 8.1); Windows writes one.
        let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
        let is_json = body.trim_ascii_start().starts_with(b"{");
        match media_type(content_type).as_slice() {
            _ if body.trim_ascii().is_empty() => Ok(Fields::default()),
            b"multipart/form-data" => multipart::parse(content_type, body)
                .map(Fields::of)
                .ok_or(Illegible::Parts),
            // `curl -d` says so of JSON too, and no name of a field begins like that.
            kind if is_json_type(kind) || is_anything(kind) && is_json => Fields::from_json(body),
            kind if is_anything(kind) => Ok(Fields::parse(body)),
            _ => Ok(Fields::default()),
        }
    }

    /// Reads `{"a": "1", "b": 2, "c": ["3", "4"]}`.
    fn from_json(text: &[u8]) -> Result<Self, Illegible> {
        let object: Map<String, Value> =
            serde_json::from_slice(text).map_err(|_| Illegible::Json)?;
        let pairs = object.into_iter();
        Ok(Fields::of(pairs.filter_map(|(name, value)| {
            Some((name.into_bytes(), text_of(value)?.into_bytes()))
        })))
    }

    fn of(pairs: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> Self {
        let mut fields = Fields::default();
        for (name, value) in pairs {
            fields.push(&name, &value);
        }
        fields
    }

    fn push(&mut self, name: &[u8], value: &[u8]) {
        self.octets.extend_from_slice(name);
        self.octets.extend_from_slice(value);
        self.lengths.push((name.len(), value.len()));
    }

    /// Names and values, in order.
    fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut rest = self.octets.as_slice();
        self.lengths.iter().map_while(move |(name, value)| {
            let (name, behind) = rest.split_at_checked(*name)?;
            let (value, behind) = behind.split_at_checked(*value)?;
            rest = behind;
            Some((name, value))
        })
    }

    /// These pairs and, behind them, those of `more` under other names.
    pub fn and(mut self, more: Fields) -> Self {
        if self.lengths.is_empty() {
            return more;
        }
        // Anybody may fill both with names: each is looked up, not compared with all others.
        let names = self.pairs().map(|(name, _)| name.to_ascii_lowercase());
        let mine: BTreeSet<Vec<u8>> = names.collect();
        for (name, value) in more.pairs() {
            if !mine.contains(&name.to_ascii_lowercase()) {
                self.push(name, value);
            }
        }
        self
    }

    /// Whether a parameter of that name is there, with a value or without.
    pub fn has(&self, name: &str) -> bool {
        self.pairs().any(|(there, _)| is(there, name))
    }

    /// Whether a switch of that name is on.
    pub fn is_on(&self, name: &str) -> bool {
        self.all(name).any(|value| {
            ["yes", "true", "on", "1"]
                .iter()
                .any(|on| value.eq_ignore_ascii_case(on.as_bytes()))
        })
    }

    /// Every value of that name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let named = self.pairs().filter(move |(there, _)| is(there, name));
        named.map(|(_, value)| value)
    }

    /// Every value of the first of `names` that is there at all, in order.
    pub fn first_of<'a, N: AsRef<str>>(&'a self, names: &'a [N]) -> impl Iterator<Item = &'a [u8]> {
        let mut names = names.iter().map(AsRef::as_ref);
        let name = names.find(|name| self.has(name));
        name.into_iter().flat_map(|name| self.all(name))
    }
}

/// Names are compared without case: devices write `myIP` too.
fn is(there: &[u8], name: &str) -> bool {
    there.eq_ignore_ascii_case(name.as_bytes())
}

/// A member's value: of a list the items with commas between. An object stays as it is written:
/// no field takes that, and whoever asks for it sees that something is there.
fn text_of(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        Value::Array(items) => {
            let texts: Vec<_> = items.into_iter().filter_map(text_of).collect();
            Some(texts.join(","))
        }
        Value::Number(_) | Value::Bool(_) | Value::Object(_) => Some(value.to_string()),
    }
}

/// A Content-Type without its parameters (RFC 9110 8.3.1).
fn media_type(content_type: &[u8]) -> Vec<u8> {
    let mut parts = content_type.split(|b| *b == b';');
    let kind = parts.next().unwrap_or_default();
    kind.trim_ascii().to_ascii_lowercase()
}

/// `application/json`, what people write for it, and what is built on it (RFC 6839 3.1).
fn is_json_type(kind: &[u8]) -> bool {
    matches!(kind, b"application/json" | b"text/json") || kind.ends_with(b"+json")
}

/// What forms are sent as, and what is said of a body by programs that do not know, or do not
/// say: `fetch` in a browser and small devices.
fn is_anything(kind: &[u8]) -> bool {
    matches!(
        kind,
        b"application/x-www-form-urlencoded" | b"text/plain" | b"application/octet-stream" | b""
    )
}

/// What a body is not, though its type says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Illegible {
    /// A JSON object.
    Json,
    /// A form in parts.
    Parts,
}

impl fmt::Display for Illegible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Illegible::Json => "the body is no JSON object",
            Illegible::Parts => "the body is no form in parts",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_name_that_is_there_wins() {
        let fields = Fields::parse(b"&x&ip=2&MYIP=1%2c%3A&ip=3&myip=a+b&%6dyip&=&");
        let all = |names: &[&str]| -> Vec<String> {
            fields
                .first_of(names)
                .map(|value| value.escape_ascii().to_string())
                .collect()
        };
        assert_eq!(all(&["myip", "ip"]), ["1,:", "a b", ""]);
        assert_eq!(all(&["ip"]), ["2", "3"]);
        assert_eq!(all(&["x"]), [""]);
        assert!(all(&["none"]).is_empty());
        assert!(fields.has("X") && fields.has("ip") && !fields.has("none"));
    }

    /// Comparing each name with each would take half a minute here.
    #[test]
    fn a_query_and_a_body_full_of_names() {
        let query = Fields::parse(&b"a&".repeat(16_000));
        let body = Fields::parse(&[b"b&".repeat(32_000), b"A=1&c=2&C=3".to_vec()].concat());
        let both = query.and(body);
        assert_eq!(both.lengths.len(), 48_002);
        assert_eq!(both.octets.len(), 48_004);
        assert!(both.all("a").all(<[u8]>::is_empty));
        assert_eq!(both.all("c").collect::<Vec<_>>(), [b"2", b"3"]);
    }

    #[test]
    fn members_of_an_object() {
        let deep = "[".repeat(60_000);
        for (text, expected) in [
            (
                r#"{"myip": "203.0.113.7", "clear": true, "n": 1, "none": null, "o": {"a":1}}"#,
                "myip=203.0.113.7 clear=true n=1 o={\"a\":1} ",
            ),
            (
                r#"{"ip": ["203.0.113.7", null, ["2001:db8::7"], {}], "no": []}"#,
                "ip=203.0.113.7,2001:db8::7,{} no= ",
            ),
            (r#"{"ip": "\u0031 +%31"}"#, "ip=1 +%31 "),
            ("{}", ""),
            (r#"["myip"]"#, "none"),
            (r#"{"myip": "203.0.113.7""#, "none"),
            ("{\"myip\": \"\u{0}\"}", "none"),
            ("myip=203.0.113.7", "none"),
            ("null", "none"),
            (&deep, "none"),
        ] {
            assert_eq!(
                shown("application/json", text.as_bytes()),
                expected,
                "{text:.80}"
            );
        }
        assert_eq!(shown("application/json", b"{\"ip\":\"\xff\"}"), "none");
    }

    #[test]
    fn bodies_by_their_types() {
        let part = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b--";
        let object = r#" {"a":1}"#;
        let form = "Application/X-WWW-Form-urlencoded ; charset=x";
        for (content_type, body, expected) in [
            (form, "a=1&b", "a=1 b= "),
            (form, object, "a=1 "),
            (form, "{a=1", "none"),
            ("APPLICATION/JSON;charset=utf-8", object, "a=1 "),
            ("text/json", object, "a=1 "),
            ("application/merge-patch+json", object, "a=1 "),
            ("text/json", "a=1", "none"),
            ("application/jsonl", object, ""),
            ("Multipart/Form-Data; boundary=b", part, "a=1 "),
            ("multipart/form-data", part, "none"),
            ("multipart/mixed; boundary=b", part, ""),
            ("Text/Plain;charset=UTF-8", object, "a=1 "),
            ("text/plain", "a=1", "a=1 "),
            ("text/plain", "{a=1", "none"),
            ("application/octet-stream", object, "a=1 "),
            ("application/octet-stream", "a=1", "a=1 "),
            ("text/html", "a=1", ""),
            ("image/png", object, ""),
            ("", "a=1", "a=1 "),
            ("", object, "a=1 "),
            ("; charset=x", "{a=1", "none"),
        ] {
            assert_eq!(
                shown(content_type, body.as_bytes()),
                expected,
                "{content_type}: {body}"
            );
            assert_eq!(shown(content_type, b" \r\n"), "", "{content_type}");
        }
    }

    fn shown(content_type: &str, body: &[u8]) -> String {
        let Ok(fields) = Fields::of_body(content_type.as_bytes(), body) else {
            return "none".to_owned();
        };
        let text = |octets| std::str::from_utf8(octets).unwrap();
        let pair = |(name, value)| format!("{}={} ", text(name), text(value));
        fields.pairs().map(pair).collect()
    }

    #[test]
    fn switches() {
        for (query, on) in [
            ("verbose=true", true),
            ("Verbose=YES", true),
            ("verbose=1", true),
            ("verbose=false", false),
            ("verbose", false),
            ("", false),
        ] {
            assert_eq!(
                Fields::parse(query.as_bytes()).is_on("verbose"),
                on,
                "{query}"
            );
        }
    }
}
