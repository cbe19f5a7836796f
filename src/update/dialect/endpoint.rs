//! Rows from the configuration: every `[[endpoint]]` stands before what is built in.

use std::borrow::Cow;

use super::table::{BUILT_IN, USUAL};
use super::{Dialect, List, Omitted, PathPattern, Place, Style, Text};
use crate::config::{AnswerStyle, CredentialPlace, Endpoint, OmittedFamily};

/// All rows there are with these endpoints; without one they are those built in.
pub fn rows(endpoints: &[Endpoint]) -> List<Dialect> {
    match endpoints {
        [] => Cow::Borrowed(&*BUILT_IN),
        _ => endpoints
            .iter()
            .map(Dialect::from)
            .chain(BUILT_IN.iter().cloned())
            .collect(),
    }
}

impl From<&Endpoint> for Dialect {
    fn from(endpoint: &Endpoint) -> Self {
        let place = |place: &CredentialPlace| match place {
            CredentialPlace::Basic => Place::Basic,
            CredentialPlace::Query => Place::Field,
            CredentialPlace::Bearer => Place::Bearer,
            CredentialPlace::Path => Place::Path,
        };
        Dialect {
            name: endpoint.path.clone().into(),
            paths: Cow::Owned(vec![PathPattern(endpoint.path.clone().into())]),
            credentials: endpoint.credentials.iter().map(place).collect(),
            tokens: names(&endpoint.params.password),
            names: names(&endpoint.params.hostname),
            ipv4: names(&endpoint.params.ipv4),
            ipv6: names(&endpoint.params.ipv6),
            notify: names(&endpoint.params.notify_change),
            omitted: match endpoint.omitted {
                OmittedFamily::Keep => Omitted::Keep,
                OmittedFamily::Remove => Omitted::Remove,
            },
            style: match endpoint.answer {
                AnswerStyle::Words => Style::Words,
                AnswerStyle::Json => Style::Json,
                AnswerStyle::OkKo => Style::OkKo,
            },
            ..USUAL
        }
    }
}

fn names(names: &[String]) -> List<Text> {
    names.iter().cloned().map(Cow::Owned).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;
    use crate::http::{Meta, Request};

    /// The row that a target is of, and what its path says.
    fn found(rows: &[Dialect], target: &str) -> String {
        let request = Request::new(Meta::new([("REQUEST_URI", target)]), b"");
        let segments = request.path.below("").unwrap();
        let Some((row, captured)) = Dialect::find(rows, segments, &request) else {
            return String::new();
        };
        let token = captured.token.unwrap_or_default().escape_ascii();
        format!("{} {token}", row.name)
    }

    #[test]
    fn the_most_specific_path_first_and_then_the_endpoint() {
        let text = "url = \"https://u\"\n".to_owned()
            + &[
                "/nic/<token>",
                "/nic/<token>/update",
                "/v2/update",
                "/update",
                "/update/<token>/<name>",
                "/a/<token>/c",
                "/a/b/<token>",
            ]
            .map(|path| format!("[[endpoint]]\npath = \"{path}\"\n"))
            .concat();
        let config = Config::parse(Path::new("f"), &text).unwrap();
        let rows = rows(&config.endpoints);
        for (target, expected) in [
            ("/nic/update", "dyndns2 "),
            ("/nic/s", "/nic/<token> s"),
            ("/nic/s/update", "/nic/<token>/update s"),
            ("/v2/update", "/v2/update "),
            ("/v3/update", "dyndns2 "),
            ("/update", "/update "),
            ("/update?domains=home", "/update "),
            ("/update/s/home", "/update/<token>/<name> s"),
            ("/update/home/s/203.0.113.7", "duckdns s"),
            ("/a/b/c", "/a/b/<token> c"),
            ("/a/s/c", "/a/<token>/c s"),
            ("/a/b/c/d", ""),
            ("/s/home", "path s"),
        ] {
            assert_eq!(found(&rows, target), expected, "{target}");
        }
    }

    #[test]
    fn without_one_nothing_is_copied() {
        assert!(matches!(rows(&[]), Cow::Borrowed(rows) if rows.len() == BUILT_IN.len()));
    }
}
