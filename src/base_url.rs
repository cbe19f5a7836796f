//! The address under which the outside reaches bowline: `url` in `bowline.toml`.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use crate::written;

/// The longest path: with a token, two addresses and a prefix behind it, an update URL's path and
/// query stay under the 240 characters that some routers have room for.
const PATH_MAX: usize = 80;

/// `https://update.example.org`, perhaps with a path; no query, no final slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    text: String,
    /// Where the host begins in `text`.
    host: usize,
    /// Where the path begins in `text`.
    path: usize,
}

impl BaseUrl {
    /// The whole, without a final slash.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is HTTPS; with plain HTTP the operator has chosen it for every host.
    pub fn is_https(&self) -> bool {
        self.text.starts_with("https:")
    }

    /// Host and port, e.g. `update.example.org:8443`.
    pub fn authority(&self) -> &str {
        self.text.get(self.host..self.path).unwrap_or_default()
    }

    /// The host without its port, an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        let authority = self.authority();
        match authority.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => authority.split(':').next().unwrap_or_default(),
        }
    }

    /// Whether there are a host and, where it has one, a port that can be.
    fn has_host(&self) -> bool {
        let (is_host, port) = match self.authority().strip_prefix('[') {
            Some(rest) => match rest.split_once(']') {
                Some((host, port)) => (host.parse::<Ipv6Addr>().is_ok(), port),
                None => return false,
            },
            None => {
                let (host, port) = self.authority().split_at(self.host().len());
                (!host.is_empty(), port)
            }
        };
        let digits = |port: &str| port.bytes().all(|b| b.is_ascii_digit());
        let is_port = |port: &str| digits(port) && port.parse::<u16>().is_ok_and(|port| port > 0);
        is_host && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
    }

    /// The path, empty or with a slash in front.
    pub fn path(&self) -> &str {
        self.text.get(self.path..).unwrap_or_default()
    }
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, BaseUrlError> {
        let bad = || BaseUrlError::Form(text.to_owned());
        let text_ = text.trim_end_matches('/');
        let rest = text_
            .strip_prefix("https://")
            .or_else(|| text_.strip_prefix("http://"))
            .ok_or_else(bad)?;
        let host = text_.len() - rest.len();
        let path = rest.find('/').map_or(text_.len(), |slash| host + slash);
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:[]/".contains(c);
        let url = BaseUrl {
            text: text_.to_owned(),
            host,
            path,
        };
        if !url.has_host() || !rest.chars().all(plain) || url.path().contains("//") {
            return Err(bad());
        }
        if url.path().len() > PATH_MAX {
            return Err(BaseUrlError::LongPath(url));
        }
        Ok(url)
    }
}

impl<'de> serde::Deserialize<'de> for BaseUrl {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        written::parsed(
            from,
            "a URL in quotes, such as \"https://update.example.org\"",
        )
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A text that cannot stand in front of a token.
#[derive(Debug, PartialEq, Eq)]
pub enum BaseUrlError {
    /// It is no such URL.
    Form(String),
    /// Its path leaves no room for a token and a name.
    LongPath(BaseUrl),
}

impl fmt::Display for BaseUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BaseUrlError::Form(text) => write!(
                f,
                "{text:?} is no usable URL; write https://update.example.org, a port and a path \
                 may follow"
            ),
            BaseUrlError::LongPath(url) => write!(
                f,
                "{:?} is no usable URL: its path has {} octets; write {PATH_MAX} at most",
                url.as_str(),
                url.path().len()
            ),
        }
    }
}

impl std::error::Error for BaseUrlError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_url() {
        for (text, shown, authority, host, path) in [
            (
                "https://u.example.org",
                "https://u.example.org",
                "u.example.org",
                "u.example.org",
                "",
            ),
            (
                "https://u.example.org/",
                "https://u.example.org",
                "u.example.org",
                "u.example.org",
                "",
            ),
            (
                "http://127.0.0.1:8080/dyn/",
                "http://127.0.0.1:8080/dyn",
                "127.0.0.1:8080",
                "127.0.0.1",
                "/dyn",
            ),
            (
                "https://[2001:db8::1]:8443/a/b",
                "https://[2001:db8::1]:8443/a/b",
                "[2001:db8::1]:8443",
                "2001:db8::1",
                "/a/b",
            ),
        ] {
            let url: BaseUrl = text.parse().unwrap();
            assert_eq!(
                (url.as_str(), url.authority(), url.host(), url.path()),
                (shown, authority, host, path)
            );
        }
        for bad in [
            "",
            "update.example.org",
            "ftp://x",
            "https://",
            "https:///x",
            "https://x/?q",
            "https://x/a b",
            "https://u@x/",
            "https://x//y",
            "https://x:0",
            "https://x:",
            "https://x:+1",
            "https://x:65536",
            "https://x:1:2",
            "https://[2001:db8::1]2",
            "https://[2001:db8::1",
            "https://[u.example.org]",
        ] {
            assert!(bad.parse::<BaseUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_path_leaves_room_for_token_and_name() {
        let with = |length: usize| format!("https://x/{}", "y".repeat(length - 1));
        assert!(with(80).parse::<BaseUrl>().is_ok());
        let error = with(81).parse::<BaseUrl>().unwrap_err().to_string();
        let expected = "its path has 81 octets; write 80 at most";
        assert!(error.ends_with(expected), "{error}");
    }
}
