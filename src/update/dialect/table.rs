//! The rows that are built in; the secret path is the last.
//!
//! The first segments of fixed paths are shorter than any token, so no row hides a secret path.

use std::borrow::Cow;
use std::sync::LazyLock;

use super::{Dialect, Hosts, List, Omitted, PathPattern, Place, Style, Text};
use crate::acme::Form;
use crate::http::Method;

/// How many hosts one request may name.
const MOST: usize = 20;

/// Words as a row has them.
macro_rules! words {
    ($($word:literal),* $(,)?) => {
        Cow::Borrowed(&[$(Cow::Borrowed($word)),*] as &'static [Text])
    };
}

/// Paths as a row has them.
macro_rules! paths {
    ($($path:literal),* $(,)?) => {
        Cow::Borrowed(&[$(PathPattern(Cow::Borrowed($path))),*] as &'static [PathPattern])
    };
}

const UPDATE: List<Method> = Cow::Borrowed(&[Method::Get, Method::Post, Method::Put]);
const UPDATE_OR_DELETE: List<Method> =
    Cow::Borrowed(&[Method::Get, Method::Post, Method::Put, Method::Delete]);

/// What most rows have; a row says where it differs.
pub(super) const USUAL: Dialect = Dialect {
    name: Cow::Borrowed(""),
    paths: paths![],
    when: None,
    header: None,
    methods: UPDATE,
    credentials: Cow::Borrowed(&[]),
    tokens: words![],
    names: words!["hostname"],
    hosts: Hosts::UpTo(MOST),
    ipv4: words!["myip", "myipv4", "ipv4", "ip4", "ip", "address"],
    ipv6: words!["myipv6", "myip6", "ipv6", "ip6"],
    notify: words!["notify_change"],
    challenge: None,
    omitted: Omitted::Keep,
    style: Style::Words,
    pending: Cow::Borrowed("dnserr"),
    page: false,
};

/// DuckDNS, by parameters or by path.
const DUCKDNS: Dialect = Dialect {
    name: Cow::Borrowed("duckdns"),
    challenge: Some(Form::Txt),
    style: Style::OkKo,
    ..USUAL
};

/// httpreq: of lego and Traefik, and the acmeproxy of acme.sh.
const HTTPREQ: Dialect = Dialect {
    name: Cow::Borrowed("httpreq"),
    methods: Cow::Borrowed(&[Method::Post]),
    credentials: Cow::Borrowed(&[Place::Basic]),
    names: words![],
    hosts: Hosts::UpTo(1),
    style: Style::Echo,
    ..USUAL
};

/// Registering at acme-dns: a path of its own, where that is switched on.
pub static REGISTER: Dialect = Dialect {
    name: Cow::Borrowed("acme-dns"),
    credentials: Cow::Borrowed(&[Place::Basic, Place::Bearer]),
    style: Style::AcmeDns,
    ..HTTPREQ
};

/// Every one of them. Of two at the same path the first counts.
pub static BUILT_IN: LazyLock<[Dialect; 12]> = LazyLock::new(|| {
    [
        Dialect {
            name: Cow::Borrowed("dyndns2"),
            paths: paths!["/nic/update", "/v2/update", "/v3/update"],
            methods: UPDATE_OR_DELETE,
            credentials: Cow::Borrowed(&[Place::Basic, Place::Bearer, Place::Field]),
            tokens: words!["password"],
            ..USUAL
        },
        Dialect {
            name: Cow::Borrowed("dyndns1"),
            paths: paths!["/nic/dyndns"],
            credentials: Cow::Borrowed(&[Place::Basic]),
            names: words!["host_id"],
            ..USUAL
        },
        Dialect {
            name: Cow::Borrowed("karldns"),
            paths: paths!["/api/v1/router/update/<token>"],
            credentials: Cow::Borrowed(&[Place::Path]),
            hosts: Hosts::OfToken,
            pending: Cow::Borrowed("911"),
            ..USUAL
        },
        Dialect {
            name: Cow::Borrowed("devops-monk"),
            paths: paths!["/api/domains/<name>/update"],
            credentials: Cow::Borrowed(&[Place::Bearer]),
            names: words![],
            hosts: Hosts::UpTo(1),
            style: Style::Json,
            ..USUAL
        },
        Dialect {
            name: Cow::Borrowed("nanodnsd"),
            paths: paths!["/api/update", "/dns/api/update"],
            credentials: Cow::Borrowed(&[Place::Field]),
            tokens: words!["token"],
            hosts: Hosts::UpTo(1),
            omitted: Omitted::Remove,
            ..USUAL
        },
        Dialect {
            paths: paths!["/present"],
            challenge: Some(Form::Present),
            ..HTTPREQ
        },
        Dialect {
            paths: paths!["/cleanup"],
            challenge: Some(Form::Cleanup),
            ..HTTPREQ
        },
        Dialect {
            name: Cow::Borrowed("acme-dns"),
            paths: paths!["/update"],
            header: Some(Cow::Borrowed("X-Api-User")),
            credentials: Cow::Borrowed(&[Place::ApiKey]),
            challenge: Some(Form::AcmeDns),
            style: Style::AcmeDns,
            ..HTTPREQ
        },
        Dialect {
            paths: paths!["/update/<name>/<token>", "/update/<name>/<token>/<address>"],
            credentials: Cow::Borrowed(&[Place::Path]),
            names: words![],
            ..DUCKDNS
        },
        Dialect {
            paths: paths!["/update"],
            when: Some(Cow::Borrowed("domains")),
            credentials: Cow::Borrowed(&[Place::Field]),
            tokens: words!["token"],
            names: words!["domains"],
            ..DUCKDNS
        },
        Dialect {
            name: Cow::Borrowed("ddns-service"),
            paths: paths!["/update"],
            credentials: Cow::Borrowed(&[Place::Field, Place::Basic]),
            tokens: words!["password", "pass", "token"],
            names: words!["hostname", "host"],
            ..USUAL
        },
        Dialect {
            name: Cow::Borrowed("path"),
            paths: paths!["/<token>", "/<token>/<name>"],
            methods: UPDATE_OR_DELETE,
            credentials: Cow::Borrowed(&[Place::Path]),
            hosts: Hosts::OfToken,
            page: true,
            ..USUAL
        },
    ]
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Meta, Request};

    /// The row and what is in its path, for a path and a query.
    fn found(target: &str) -> String {
        let request = Request::new(Meta::new([("REQUEST_URI", target)]), b"");
        let segments = request.path.below("").unwrap_or_default();
        let Some((row, captured)) = Dialect::find(&*BUILT_IN, segments, &request) else {
            return String::new();
        };
        let parts = [captured.name, captured.token, captured.address];
        let parts = parts.into_iter().flatten();
        let parts: String = parts
            .map(|part| format!(" {}", part.escape_ascii()))
            .collect();
        format!("{}{parts}", row.name)
    }

    #[test]
    fn the_most_specific_row_first() {
        for (target, expected) in [
            ("/nic/update", "dyndns2"),
            ("//nic/update?hostname=home", "dyndns2"),
            ("/nic/update/", "dyndns2"),
            ("http://u.example.org/v3/update?", "dyndns2"),
            ("/v2/update", "dyndns2"),
            ("/v4/update", "path update v4"),
            ("/nic/dyndns?action=edit", "dyndns1"),
            ("/api/v1/router/update/s", "karldns s"),
            ("/api/v1/router/update", ""),
            ("/api/domains/home/update", "devops-monk home"),
            ("/api/update", "nanodnsd"),
            ("/dns/api/update", "nanodnsd"),
            ("/present", "httpreq"),
            ("/cleanup/", "httpreq"),
            ("/update", "ddns-service"),
            ("/update?hostname=home&token=s", "ddns-service"),
            ("/update?domains=home&token=s", "duckdns"),
            ("/update?DOMAINS", "duckdns"),
            ("/update/home/s", "duckdns home s"),
            ("/update/home/s?hostname=x", "duckdns home s"),
            ("/update/home/s/203.0.113.7", "duckdns home s 203.0.113.7"),
            ("/update/home/s/203.0.113.7/x", ""),
            ("/s", "path s"),
            ("/s/home", "path home s"),
            ("/s/home/x", ""),
            ("/", ""),
        ] {
            assert_eq!(found(target), expected, "{target}");
        }
    }

    #[test]
    fn no_row_contradicts_itself() {
        for row in BUILT_IN.iter() {
            let in_path = row.credentials.contains(&Place::Path);
            for path in row.paths.iter() {
                assert_eq!(path.0.contains("<token>"), in_path, "{path:?}");
                let first = path.0.split('/').nth(1).unwrap_or_default();
                assert!(first.len() < 16, "{path:?}");
                let odd = path.0.split('/').find(|word| {
                    word.starts_with('<') && !["<token>", "<name>", "<address>"].contains(word)
                });
                assert_eq!(odd, None, "{path:?}");
            }
            let in_field = row.credentials.contains(&Place::Field);
            assert_eq!(in_field, !row.tokens.is_empty(), "{}", row.name);
        }
    }
}
