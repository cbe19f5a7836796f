//! The dialects: where each kind of client puts token, name and addresses.
//!
//! A dialect is a row of data. A further one is a further row, not a further handler.

use super::{Asked, AskedError};
use crate::http::Request;
use crate::token::Token;

/// One row: how one kind of client speaks.
#[derive(Debug)]
pub struct Dialect {
    /// Its name in log and history.
    pub name: &'static str,
    /// Parameters that may hold an IPv4 address, the first present wins.
    pub ipv4: &'static [&'static str],
    /// The same for IPv6.
    pub ipv6: &'static [&'static str],
    /// Parameters that may name the host.
    pub hosts: &'static [&'static str],
}

/// `/<token>/<name>` or `/<token>`: the path is the credential.
pub const SECRET_PATH: Dialect = Dialect {
    name: "path",
    ipv4: &["myip", "myipv4", "ipv4", "ip4", "ip", "address"],
    ipv6: &["myipv6", "myip6", "ipv6", "ip6"],
    hosts: &["hostname"],
};

/// What a request claims: a credential, names, and addresses to have.
#[derive(Debug)]
pub struct Claim {
    /// Its dialect.
    pub dialect: &'static Dialect,
    /// The secret it shows.
    pub token: Token,
    /// The names it says the token is for; each must be the token's host.
    pub names: Vec<Vec<u8>>,
    /// The addresses it asks for, or what is wrong with them.
    pub asked: Result<Asked, AskedError>,
}

impl Claim {
    /// Reads a secret path; `None` when nothing in it is shaped like a token.
    pub fn of_path(segments: &[Vec<u8>], request: &Request) -> Option<Self> {
        let dialect = &SECRET_PATH;
        let (token, names) = match segments {
            [token] => (token, None),
            [token, name] => (token, Some(name)),
            _ => return None,
        };
        let token = std::str::from_utf8(token).ok()?.parse().ok()?;
        let given = request
            .fields
            .first_of(dialect.hosts)
            .flat_map(|list| list.split(|b| *b == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|name| !name.is_empty() && !is_placeholder(name));
        Some(Claim {
            dialect,
            token,
            names: names
                .map(Vec::as_slice)
                .into_iter()
                .chain(given)
                .map(<[u8]>::to_vec)
                .collect(),
            asked: Asked::read(request, dialect),
        })
    }
}

/// `<domain>` and the like, which a device should have replaced.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    value.starts_with(b"<") && value.ends_with(b">")
}
