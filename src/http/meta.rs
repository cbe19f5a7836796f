//! Meta-variables (RFC 3875 4.1) as both gateways are given them, and their limits.

use std::ops::Range;

use super::accept::prefers_json;
use super::{BODY_MAX, HEAD_MAX, Refusal};

/// What the variables of header fields begin with.
const HEADER: &[u8] = b"HTTP_";
/// How Caddy says the length of a body in chunks, or of any request by HTTP/3 that does not say
/// its own.
const UNKNOWN: &[u8] = b"-1";
/// Room for the names and values that most requests come with, in octets.
const OCTETS: usize = 1024;
/// Room for so many variables.
const VARIABLES: usize = 32;

/// The meta-variables of one request: octets, whatever they hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    /// All names and values, one behind the other: a request brings two dozen of each.
    octets: Vec<u8>,
    variables: Vec<Variable>,
}

/// Where a variable is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Variable {
    name: Range<usize>,
    value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    At(Range<usize>),
    /// Of a header field that came more than once.
    Joined(Vec<u8>),
}

impl Meta {
    /// Of names and values.
    ///
    /// A header field that comes twice is one with a comma (RFC 3875 4.1.18); of any
    /// other variable the last counts, as the one nearest in a web server's configuration.
    pub fn new<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        let mut meta = Meta {
            octets: Vec::with_capacity(OCTETS),
            variables: Vec::with_capacity(VARIABLES),
        };
        for (name, value) in pairs {
            meta.add(name.as_ref(), value.as_ref());
        }
        meta
    }

    fn add(&mut self, name: &[u8], value: &[u8]) {
        let Meta { octets, variables } = self;
        let known = (variables.iter_mut()).find(|known| at(octets, &known.name) == name);
        match known {
            Some(known) if name.starts_with(HEADER) => {
                let joined = [known.value.of(octets), value].join(&b", "[..]);
                known.value = Value::Joined(joined);
            }
            Some(known) => known.value = Value::At(keep(octets, value)),
            None => variables.push(Variable {
                name: keep(octets, name),
                value: Value::At(keep(octets, value)),
            }),
        }
    }

    /// A variable; `None` when it is not there.
    pub fn variable(&self, name: &str) -> Option<&[u8]> {
        self.find(name.len(), |there| there == name.as_bytes())
    }

    /// A header field by its name, e.g. `User-Agent` (RFC 3875 4.1.18); `None` when it is not
    /// there.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        let as_variable = |octet: u8| match octet {
            b'-' => b'_',
            other => other.to_ascii_uppercase(),
        };
        self.find(HEADER.len() + name.len(), |there| {
            let rest = there.strip_prefix(HEADER);
            rest.is_some_and(|rest| rest.iter().copied().eq(name.bytes().map(as_variable)))
        })
    }

    /// The value of the variable whose name is so long and the one meant. A request is asked for
    /// two dozen, and most names have another length.
    fn find(&self, length: usize, is: impl Fn(&[u8]) -> bool) -> Option<&[u8]> {
        let meant = |one: &&Variable| one.name.len() == length && is(at(&self.octets, &one.name));
        let found = self.variables.iter().find(meant)?;
        Some(found.value.of(&self.octets))
    }

    /// Whether only the head of the answer is wanted.
    pub fn is_head(&self) -> bool {
        self.variable("REQUEST_METHOD") == Some(b"HEAD")
    }

    /// Whether the answer is wanted as JSON.
    pub fn prefers_json(&self) -> bool {
        prefers_json(self.variable("HTTP_ACCEPT").unwrap_or_default())
    }

    /// Whether the body came in chunks, without a length (RFC 9112 7.1).
    pub fn is_chunked(&self) -> bool {
        self.variable("HTTP_TRANSFER_ENCODING").is_some() || self.said_length() == UNKNOWN
    }

    /// What is said of the body's length; nothing when nothing is.
    fn said_length(&self) -> &[u8] {
        let said = self.variable("CONTENT_LENGTH").unwrap_or_default();
        said.trim_ascii()
    }

    /// How long the body is, once head and body are known to be within their limits.
    ///
    /// # Errors
    /// The refusal, when they are not.
    pub fn body_length(&self) -> Result<BodyLength, Refusal> {
        let octets = |one: &Variable| one.name.len() + one.value.of(&self.octets).len();
        if self.variables.iter().map(octets).sum::<usize>() > HEAD_MAX {
            return Err(Refusal::Head);
        }
        let digits = self.said_length();
        if digits.is_empty() || digits == UNKNOWN {
            return Ok(BodyLength::NotSaid);
        }
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(Refusal::Malformed);
        }
        // More digits than a number holds are too many octets all the more.
        match std::str::from_utf8(digits).map(str::parse) {
            Ok(Ok(length)) if length <= BODY_MAX => Ok(BodyLength::Octets(length)),
            _ => Err(Refusal::Body),
        }
    }
}

impl Value {
    fn of<'a>(&'a self, octets: &'a [u8]) -> &'a [u8] {
        match self {
            Value::At(place) => at(octets, place),
            Value::Joined(joined) => joined,
        }
    }
}

/// What is at a place that [`keep`] gave.
fn at<'a>(octets: &'a [u8], place: &Range<usize>) -> &'a [u8] {
    octets.get(place.clone()).unwrap_or_default()
}

/// Appends something, and says where it is.
fn keep(octets: &mut Vec<u8>, more: &[u8]) -> Range<usize> {
    let start = octets.len();
    octets.extend_from_slice(more);
    start..octets.len()
}

/// What the variables say about the length of the body (RFC 3875 4.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyLength {
    /// Nothing: in CGI there is no body then.
    NotSaid,
    /// So many octets, 64 KiB at most.
    Octets(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(pairs: &[(&[u8], &[u8])]) -> Meta {
        Meta::new(pairs.iter().copied())
    }

    #[test]
    fn what_is_no_text_loses_nothing_else() {
        let meta = meta(&[
            (b"HTTP_USER_AGENT", b"caf\xe9"),
            (b"HTTP_\xff", b"x"),
            (b"REMOTE_ADDR", b"203.0.113.7"),
        ]);
        assert_eq!(meta.variable("HTTP_USER_AGENT"), Some(&b"caf\xe9"[..]));
        assert_eq!(meta.variable("REMOTE_ADDR"), Some(&b"203.0.113.7"[..]));
    }

    #[test]
    fn header_fields_that_come_twice_are_one() {
        let meta = meta(&[
            (b"HTTP_X_FORWARDED_FOR", b"6.6.6.6"),
            (b"SCRIPT_NAME", b"/a"),
            (b"HTTP_X_FORWARDED_FOR", b"198.51.100.4"),
            (b"SCRIPT_NAME", b"/b"),
        ]);
        assert_eq!(
            meta.variable("HTTP_X_FORWARDED_FOR"),
            Some(&b"6.6.6.6, 198.51.100.4"[..])
        );
        assert_eq!(meta.variable("SCRIPT_NAME"), Some(&b"/b"[..]));
    }

    #[test]
    fn lengths_of_every_kind() {
        for (text, expected) in [
            ("", Ok(BodyLength::NotSaid)),
            ("0", Ok(BodyLength::Octets(0))),
            (" 7 ", Ok(BodyLength::Octets(7))),
            ("65536", Ok(BodyLength::Octets(65536))),
            ("65537", Err(Refusal::Body)),
            ("99999999999999999999999", Err(Refusal::Body)),
            ("-1", Ok(BodyLength::NotSaid)),
            ("-2", Err(Refusal::Malformed)),
            ("1e3", Err(Refusal::Malformed)),
        ] {
            let meta = meta(&[(b"CONTENT_LENGTH", text.as_bytes())]);
            assert_eq!(meta.body_length(), expected, "{text:?}");
        }
        let big = meta(&[(b"HTTP_COOKIE", &[b'x'; HEAD_MAX])]);
        assert_eq!(big.body_length(), Err(Refusal::Head));
    }
}
