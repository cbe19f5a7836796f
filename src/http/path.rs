//! The path of a request: its segments, each percent-decoded once.

/// The segments between the slashes, without empty ones: `//a//b/` is `a`, `b`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Path(Vec<Vec<u8>>);

impl Path {
    /// From REQUEST_URI: in origin or absolute form (RFC 9112 3.2), query and all.
    pub fn from_uri(uri: &[u8]) -> Self {
        let path = uri
            .split(|b| matches!(b, b'?' | b'#'))
            .next()
            .unwrap_or_default();
        Path(
            segments(after_authority(path))
                .map(percent_decode)
                .collect(),
        )
    }

    /// From SCRIPT_NAME and PATH_INFO, which the web server has decoded (RFC 3875 4.1.5).
    pub fn from_decoded(path: &[u8]) -> Self {
        Path(segments(path).map(<[u8]>::to_vec).collect())
    }

    /// The path below `prefix` (of slash-separated segments); `None` where it is elsewhere.
    pub fn below(&self, prefix: &str) -> Option<&[Vec<u8>]> {
        let mut rest = self.0.as_slice();
        for expected in segments(prefix.as_bytes()) {
            let (first, after) = rest.split_first()?;
            if first != expected {
                return None;
            }
            rest = after;
        }
        Some(rest)
    }
}

/// Undoes percent-encoding (RFC 3986 2.1); a `%` that starts no escape stays.
fn percent_decode(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    decode(text, |octet| octet, &mut decoded);
    decoded
}

/// The same in a form, where a `+` that is not encoded is a space; behind what is there already.
pub(super) fn form_decode(text: &[u8], decoded: &mut Vec<u8>) {
    let plain = |octet| if octet == b'+' { b' ' } else { octet };
    decode(text, plain, decoded);
}

/// `plain` says what an octet that is not encoded stands for.
fn decode(text: &[u8], plain: impl Fn(u8) -> u8, decoded: &mut Vec<u8>) {
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let escape = match (byte, after) {
            (b'%', [high, low, behind @ ..]) => hex(*high)
                .zip(hex(*low))
                .map(|(high, low)| (high << 4 | low, behind)),
            _ => None,
        };
        let (byte, after) = escape.unwrap_or_else(|| (plain(byte), after));
        decoded.push(byte);
        rest = after;
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

fn segments(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|b| *b == b'/')
        .filter(|segment| !segment.is_empty())
}

/// Takes scheme and authority off an absolute-form target.
fn after_authority(target: &[u8]) -> &[u8] {
    let rest = [&b"http://"[..], b"https://"].iter().find_map(|scheme| {
        let (start, rest) = target.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    });
    match rest {
        Some(rest) => {
            let slash = rest.iter().position(|b| *b == b'/').unwrap_or(rest.len());
            rest.get(slash..).unwrap_or_default()
        }
        None => target,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(path: &Path) -> Vec<String> {
        path.0
            .iter()
            .map(|s| s.escape_ascii().to_string())
            .collect()
    }

    #[test]
    fn spellings_of_a_path() {
        for (uri, expected) in [
            ("", &[][..]),
            ("/", &[]),
            ("/s", &["s"]),
            ("/s/", &["s"]),
            ("/s?", &["s"]),
            ("/s/?a/b", &["s"]),
            ("//nic//update", &["nic", "update"]),
            ("http://u.example.org/a/b?c", &["a", "b"]),
            ("HTTPS://u.example.org", &[]),
            ("/%61%2Fb/%zz/%4", &["a/b", "%zz", "%4"]),
            ("/a%2520", &["a%20"]),
            ("/%00%0a", &["\\x00\\n"]),
            ("/a#b", &["a"]),
        ] {
            assert_eq!(shown(&Path::from_uri(uri.as_bytes())), expected, "{uri}");
        }
        assert_eq!(shown(&Path::from_decoded(b"/a%20b//c")), ["a%20b", "c"]);
    }

    #[test]
    fn the_path_of_the_url_is_taken_off() {
        let path = Path::from_uri(b"/dyn/a/b");
        assert_eq!(path.below("").map(<[_]>::len), Some(3));
        assert_eq!(path.below("/dyn").map(<[_]>::len), Some(2));
        assert_eq!(path.below("/dyn/a/b").map(<[_]>::len), Some(0));
        assert_eq!(path.below("/dy"), None);
        assert_eq!(path.below("/dyn/a/b/c"), None);
    }
}
