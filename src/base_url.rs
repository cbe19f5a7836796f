//! The address under which the outside reaches bowline: `url` in `bowline.toml`.

use std::fmt;
use std::str::FromStr;

/// `https://update.example.org`, perhaps with a path; no query, no final slash.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
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

    /// The path, empty or with a slash in front.
    pub fn path(&self) -> &str {
        self.text.get(self.path..).unwrap_or_default()
    }
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, BaseUrlError> {
        let bad = || BaseUrlError(text.to_owned());
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
        if url.host().is_empty() || !rest.chars().all(plain) || url.path().contains("//") {
            return Err(bad());
        }
        Ok(url)
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = BaseUrlError;

    fn try_from(text: String) -> Result<Self, BaseUrlError> {
        text.parse()
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A text that cannot stand in front of a token.
#[derive(Debug, PartialEq, Eq)]
pub struct BaseUrlError(String);

impl fmt::Display for BaseUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no usable URL; write https://update.example.org, a path may follow",
            self.0
        )
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
        ] {
            assert!(bad.parse::<BaseUrl>().is_err(), "{bad}");
        }
    }
}
