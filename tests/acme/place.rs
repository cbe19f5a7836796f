//! A site whose zone takes challenges, and what is asked of it.

use std::ops::Deref;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::support::knot::{Options, ZONE};
use super::support::site::{Home, Site};
use super::support::visit::Request;

/// A site whose zone takes challenges; when it is dropped, none may be left.
pub(crate) struct Place {
    pub(crate) site: Site,
}

impl Place {
    pub(crate) fn new() -> Self {
        Place::with(&Options::default())
    }

    pub(crate) fn with(options: &Options) -> Self {
        let site = Site::with(options);
        site.configure("http://update.example.org", "acme = true\n");
        Place { site }
    }

    /// The challenges that the name server shows for a host, sorted.
    pub(crate) fn shown(&self, name: &str) -> Vec<String> {
        let name = format!("_acme-challenge.{name}.{ZONE}");
        // Empty lines come with an answer that needs TCP.
        let texts = self.site.knot.kdig(&name, "TXT");
        let unquoted = texts.iter().map(|text| text.trim_matches('"').to_owned());
        unquoted.filter(|text| !text.is_empty()).collect()
    }

    /// Every TXT of the zone.
    pub(crate) fn all(&self) -> Vec<String> {
        let zone = self.site.knot.knotc(&["zone-read", ZONE]);
        let texts = zone.lines().filter(|line| line.contains(" TXT "));
        texts.map(str::to_owned).collect()
    }

    /// A POST of that body.
    pub(crate) fn post(&self, path: &str, body: &str) -> Request {
        self.get(path)
            .method("POST")
            .set("CONTENT_TYPE", "application/json")
            .set("CONTENT_LENGTH", body.len().to_string())
            .body(body.as_bytes())
    }

    /// As lego sets or removes one: `present` or `cleanup`.
    pub(crate) fn httpreq(&self, what: &str, home: &Home, value: &str) -> Request {
        let body = httpreq(&home.name, value);
        self.post(&format!("/{what}"), &body)
            .set("HTTP_AUTHORIZATION", basic(home.token.secret()))
    }

    /// As acme-dns's clients set one.
    pub(crate) fn acme_dns(&self, home: &Home, body: &str) -> Request {
        self.post("/update", body)
            .set("HTTP_X_API_USER", "somebody")
            .set("HTTP_X_API_KEY", home.token.secret())
    }

    /// One round of upkeep.
    pub(crate) fn upkeep(&self) -> String {
        let output = self.verb(&["upkeep"]).output().unwrap();
        let text =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}");
        text.into_owned()
    }
}

impl Deref for Place {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.all(), Vec::<String>::new(), "challenges left behind");
        }
    }
}

/// The body of httpreq.
pub(crate) fn httpreq(host: &str, value: &str) -> String {
    format!(r#"{{"fqdn":"_acme-challenge.{host}.{ZONE}.","value":"{value}"}}"#)
}

/// A Basic credential with that password.
pub(crate) fn basic(password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("x:{password}")))
}

/// The challenge of so many letters.
pub(crate) fn value(letter: char) -> String {
    letter.to_string().repeat(43)
}
