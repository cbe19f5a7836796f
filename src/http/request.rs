//! A request as a gateway hands it on, from CGI meta-variables (RFC 3875 4.1).
//!
//! Both gateways are given the same variables, one as its environment, one in
//! FastCGI records, so both make their request here and understand it alike.

use std::borrow::Cow;
use std::net::IpAddr;

use super::{Fields, Illegible, Meta, Path};

/// The largest body that is read, in octets.
pub const BODY_MAX: usize = 64 * 1024;
/// The largest head (all variables together) that is answered, in octets.
pub const HEAD_MAX: usize = 64 * 1024;

/// The variables that a request is made of, besides its header fields.
const READ: [&[u8]; 10] = [
    b"CONTENT_LENGTH",
    b"CONTENT_TYPE",
    b"HTTPS",
    b"PATH_INFO",
    b"QUERY_STRING",
    b"REMOTE_ADDR",
    b"REQUEST_METHOD",
    b"REQUEST_SCHEME",
    b"REQUEST_URI",
    b"SCRIPT_NAME",
];

/// What the client wants done (RFC 9110 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// DELETE.
    Delete,
    /// HEAD.
    Head,
    /// OPTIONS and whatever else there is.
    Other,
}

impl Method {
    /// Its name; `OTHER` stands for those that are never taken.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
            Method::Head => "HEAD",
            Method::Other => "OTHER",
        }
    }
}

/// One request, arrived whole.
#[derive(Debug, Clone)]
pub struct Request {
    /// What is wanted.
    pub method: Method,
    /// Where.
    pub path: Path,
    /// The pairs of the query, then those of a form or a JSON object in the body: the query wins.
    pub fields: Fields,
    /// Why there are none of the body, though there should be.
    pub illegible: Option<Illegible>,
    /// Whether it came over TLS.
    pub https: bool,
    /// The peer of the web server, where it could be read.
    pub peer: Option<IpAddr>,
    /// The body as it came.
    pub body: Vec<u8>,
    /// Header fields, as `HTTP_…` variables, and the others.
    meta: Meta,
}

impl Request {
    /// Whether a variable of that name says anything about a request; half of those that web
    /// servers send do not.
    pub fn reads(name: &[u8]) -> bool {
        name.starts_with(b"HTTP_") || READ.contains(&name)
    }

    /// Makes a request of meta-variables and body.
    pub fn new(meta: Meta, body: &[u8]) -> Self {
        let variable = |name: &str| {
            debug_assert!(Request::reads(name.as_bytes()), "{name} is left out");
            meta.variable(name).unwrap_or_default()
        };
        let uri = variable("REQUEST_URI");
        let query = match meta.variable("QUERY_STRING") {
            Some(query) => query,
            // It may be missing in odd set-ups, and then the URI still has it.
            None => uri.splitn(2, |b| *b == b'?').nth(1).unwrap_or_default(),
        };
        let content = Fields::of_body(variable("CONTENT_TYPE"), body);
        let https = variable("HTTPS");
        Request {
            method: method(variable("REQUEST_METHOD")),
            path: match uri {
                [] => {
                    Path::from_decoded(&[variable("SCRIPT_NAME"), variable("PATH_INFO")].concat())
                }
                uri => Path::from_uri(uri),
            },
            illegible: content.as_ref().err().copied(),
            fields: Fields::parse(query).and(content.unwrap_or_default()),
            https: https.eq_ignore_ascii_case(b"on")
                || https == b"1"
                || variable("REQUEST_SCHEME").eq_ignore_ascii_case(b"https"),
            peer: address(variable("REMOTE_ADDR")),
            body: body.to_vec(),
            meta,
        }
    }

    /// A header field by its name, e.g. `User-Agent`; empty when it is not there.
    pub fn header(&self, name: &str) -> &[u8] {
        self.meta.header(name).unwrap_or_default()
    }

    /// What stands behind the name of an authentication scheme (RFC 9110 11.6.2), e.g. `basic`.
    pub fn authorization(&self, scheme: &str) -> Option<&[u8]> {
        let header = self.header("Authorization").trim_ascii();
        let (name, rest) = header.split_at_checked(scheme.len())?;
        let is_named = name.eq_ignore_ascii_case(scheme.as_bytes());
        (is_named && rest.first()?.is_ascii_whitespace()).then(|| rest.trim_ascii())
    }

    /// Whether the answer is wanted as JSON.
    pub fn prefers_json(&self) -> bool {
        self.meta.prefers_json()
    }

    /// A header field as text; what is no UTF-8 is replaced.
    pub fn header_text(&self, name: &str) -> Cow<'_, str> {
        String::from_utf8_lossy(self.header(name))
    }
}

fn method(name: &[u8]) -> Method {
    match name {
        b"GET" => Method::Get,
        b"POST" => Method::Post,
        b"PUT" => Method::Put,
        b"DELETE" => Method::Delete,
        b"HEAD" => Method::Head,
        _ => Method::Other,
    }
}

fn address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim();
    // A link-local client comes with its interface behind it.
    let text = text.split('%').next().unwrap_or_default();
    text.parse()
        .ok()
        .map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(variables: &[(&str, &str)], body: &str) -> Request {
        Request::new(Meta::new(variables.iter().copied()), body.as_bytes())
    }

    fn values(request: &Request, name: &str) -> Vec<String> {
        request
            .fields
            .all(name)
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .collect()
    }

    #[test]
    fn nothing_at_all_is_still_a_request() {
        let empty = request(&[], "");
        assert_eq!(
            (empty.method, empty.https, empty.peer),
            (Method::Other, false, None)
        );
        assert_eq!(empty.header("Accept"), b"");
    }

    #[test]
    fn the_uri_wins_over_script_name_and_path_info() {
        let both = request(
            &[
                ("REQUEST_URI", "//a%2Fb?x=1"),
                ("SCRIPT_NAME", "/c"),
                ("PATH_INFO", "/d"),
            ],
            "",
        );
        assert_eq!(both.path, Path::from_uri(b"/a%2Fb"));
        assert_eq!(values(&both, "x"), ["1"]);
        let one = request(&[("SCRIPT_NAME", "/c"), ("PATH_INFO", "/d")], "");
        assert_eq!(one.path, Path::from_uri(b"/c/d"));
    }

    #[test]
    fn the_query_wins_over_the_form() {
        let form = (
            "CONTENT_TYPE",
            "Application/X-WWW-Form-urlencoded; charset=x",
        );
        let both = request(&[("QUERY_STRING", "a=1"), form], "a=2&b=3");
        assert_eq!(values(&both, "a"), ["1"]);
        assert_eq!(values(&both, "b"), ["3"]);
        let json = [
            ("QUERY_STRING", "b=1"),
            ("CONTENT_TYPE", "application/json"),
        ];
        let json = request(&json, "a=2");
        assert_eq!(
            (values(&json, "a"), values(&json, "b")),
            (vec![], vec!["1".to_owned()])
        );
        assert_eq!(json.illegible, Some(Illegible::Json));
        assert_eq!(both.illegible, None);
    }

    #[test]
    fn peers_of_every_kind() {
        for (text, expected) in [
            ("203.0.113.7", Some("203.0.113.7")),
            ("::ffff:203.0.113.7", Some("203.0.113.7")),
            ("2001:DB8::1", Some("2001:db8::1")),
            ("fe80::1%eth0", Some("fe80::1")),
            ("", None),
            ("unix:", None),
        ] {
            let peer = request(&[("REMOTE_ADDR", text)], "").peer;
            assert_eq!(
                peer.map(|peer| peer.to_string()).as_deref(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn tls_is_what_the_web_server_says_not_the_client() {
        assert!(request(&[("HTTPS", "on")], "").https);
        assert!(request(&[("HTTPS", "1")], "").https);
        assert!(request(&[("REQUEST_SCHEME", "https")], "").https);
        assert!(!request(&[("HTTPS", "off"), ("HTTP_X_FORWARDED_PROTO", "https")], "").https);
    }
}
