//! The dialects: how each kind of client says who it is and what it wants.
//!
//! A dialect is a row of data ([`BUILT_IN`], or an `[[endpoint]]` in `bowline.toml`). A
//! further one is a further row, not a further handler: [`Claim`] reads any row's requests,
//! [`super::respond`] answers them.

mod claim;
mod credential;
mod endpoint;
mod path;
mod table;

use std::borrow::Cow;

pub use claim::{Claim, Unclaimed};
pub use endpoint::rows;
pub use path::{Captured, PathPattern};
pub use table::{BUILT_IN, REGISTER};

use crate::acme::Form;
use crate::http::{Method, Request};

/// Text that is either compiled in or comes from the configuration.
pub type Text = Cow<'static, str>;
/// A list that is either compiled in or comes from the configuration.
pub type List<T> = Cow<'static, [T]>;

/// One row: how one kind of client speaks.
#[derive(Debug, Clone)]
pub struct Dialect {
    /// Its name in log and history.
    pub name: Text,
    /// The paths it is spoken at, below the path of the base URL.
    pub paths: List<PathPattern>,
    /// A parameter without which a request is of another row.
    pub when: Option<Text>,
    /// A header field without which a request is of another row.
    pub header: Option<Text>,
    /// The methods it takes.
    pub methods: List<Method>,
    /// Where a credential may be; the first that is there and may be a token counts.
    pub credentials: List<Place>,
    /// Parameters that may hold the token.
    pub tokens: List<Text>,
    /// Parameters that may name hosts, the first present wins.
    pub names: List<Text>,
    /// What the names are for.
    pub hosts: Hosts,
    /// Parameters that may hold an IPv4 address, the first present wins.
    pub ipv4: List<Text>,
    /// The same for IPv6.
    pub ipv6: List<Text>,
    /// Parameters that say whether the change is to be told.
    pub notify: List<Text>,
    /// How it carries challenges for certificates.
    pub challenge: Option<Form>,
    /// What it means that one family is given and the other is not.
    pub omitted: Omitted,
    /// How outcomes are put.
    pub style: Style,
    /// Its word for "accepted, not confirmed by the name server".
    pub pending: Text,
    /// Whether a person who opens it in a browser is shown a page instead.
    pub page: bool,
}

/// A place where a request may have its credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A segment of the path.
    Path,
    /// The password of Basic authentication (RFC 7617); the user is anybody.
    Basic,
    /// A bearer token (RFC 6750 2.1).
    Bearer,
    /// A parameter of the query or the form.
    Field,
    /// The header field X-Api-Key, beside X-Api-User.
    ApiKey,
}

/// What the names in a request are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hosts {
    /// The token says which host it is; whatever names it must mean that one.
    OfToken,
    /// They are the hosts to move, at most so many; each is answered in its turn.
    UpTo(usize),
}

/// What becomes of the family that is not given while the other is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Omitted {
    /// It stays as it is.
    #[default]
    Keep,
    /// Its records go.
    Remove,
}

/// How outcomes are put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// The words of dyndns2, a line for each host; JSON for who prefers it.
    Words,
    /// JSON, whatever the client prefers.
    Json,
    /// `OK` or `KO` for all hosts together, without a newline.
    OkKo,
    /// JSON: what was asked for, once it is done.
    Echo,
    /// As acme-dns puts it: 200 or an error, in its words and with its statuses.
    AcmeDns,
}

impl Dialect {
    /// The row that a request at these path segments is of, and what its path says: that with
    /// the most specific path, and of two with the same the first.
    pub fn find<'a>(
        rows: &'a [Dialect],
        segments: &'a [Vec<u8>],
        request: &Request,
    ) -> Option<(&'a Dialect, Captured<'a>)> {
        let candidates = rows.iter().filter(|row| match (&row.when, &row.header) {
            (Some(name), _) => request.fields.has(name),
            (_, Some(name)) => !request.header(name).is_empty(),
            _ => true,
        });
        let paths = candidates.flat_map(|row| row.paths.iter().map(move |path| (row, path)));
        let matching = paths.filter_map(|(row, path)| Some((row, path, path.matches(segments)?)));
        let (row, _, captured) = matching.min_by_key(|(_, path, _)| path.openness())?;
        Some((row, captured))
    }

    /// The methods it takes, as an Allow header field has them (RFC 9110 10.2.1).
    pub fn allow(&self) -> String {
        let names: Vec<_> = self.methods.iter().map(|method| method.as_str()).collect();
        names.join(", ")
    }
}

/// `<domain>` and the like, which a device should have replaced.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    value.starts_with(b"<") && value.ends_with(b">")
}
