//! Meta-variables (RFC 3875 4.1) as both gateways are given them, and their limits.

use std::collections::BTreeMap;

use crate::http::{BODY_MAX, HEAD_MAX, Refusal, prefers_json};

/// The meta-variables of one request: octets, whatever they hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta(BTreeMap<String, Vec<u8>>);

impl Meta {
    /// Of names and values; a name that is no text is no variable of ours.
    ///
    /// A header field that comes twice is one with a comma (RFC 3875 4.1.18); of any
    /// other variable the last counts, as the one nearest in a web server's configuration.
    pub fn new(pairs: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> Self {
        let mut variables: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for (name, value) in pairs {
            let Ok(name) = String::from_utf8(name) else {
                continue;
            };
            match variables.get_mut(&name) {
                Some(first) if name.starts_with("HTTP_") => {
                    first.extend_from_slice(b", ");
                    first.extend_from_slice(&value);
                }
                _ => {
                    variables.insert(name, value);
                }
            }
        }
        Meta(variables)
    }

    /// A variable; `None` when it is not there.
    pub fn variable(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name).map(Vec::as_slice)
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
        self.variable("HTTP_TRANSFER_ENCODING").is_some()
    }

    /// How long the body is, once head and body are known to be within their limits.
    ///
    /// # Errors
    /// The refusal, when they are not.
    pub fn body_length(&self) -> Result<BodyLength, Refusal> {
        let head: usize = self
            .0
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        if head > HEAD_MAX {
            return Err(Refusal::Head);
        }
        let digits = self.variable("CONTENT_LENGTH").unwrap_or_default();
        let digits = digits.trim_ascii();
        if digits.is_empty() {
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

    /// The variables themselves.
    pub fn into_variables(self) -> BTreeMap<String, Vec<u8>> {
        self.0
    }
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
        Meta::new(
            pairs
                .iter()
                .map(|(name, value)| (name.to_vec(), value.to_vec())),
        )
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
            ("-1", Err(Refusal::Malformed)),
            ("1e3", Err(Refusal::Malformed)),
        ] {
            let meta = meta(&[(b"CONTENT_LENGTH", text.as_bytes())]);
            assert_eq!(meta.body_length(), expected, "{text:?}");
        }
        let big = meta(&[(b"HTTP_COOKIE", &[b'x'; HEAD_MAX])]);
        assert_eq!(big.body_length(), Err(Refusal::Head));
    }
}
