//! `[[endpoint]]`: a further path at which updates are taken, and how they are read there.

use std::fmt;

use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde::de::{Deserializer, Error, IntoDeserializer, SeqAccess, Visitor};

use crate::fixed::FIXED;
use crate::token::SHORTEST;

/// A first segment of so many characters could be a token.
const FIRST_MAX: usize = SHORTEST - 1;
/// A first segment that is the web server's own.
const WEB_SERVER: &str = ".well-known";
/// What a segment may stand for.
const PLACEHOLDERS: [&str; 3] = ["<token>", "<name>", "<address>"];

/// One `[[endpoint]]`, with nothing in it that contradicts the rest.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Written")]
pub struct Endpoint {
    /// Its path below that of the base URL, with `<token>`, `<name>` and `<address>`
    /// where those stand.
    pub path: String,
    /// Where the credential may be; the first that is there and may be a token counts.
    pub credentials: Vec<CredentialPlace>,
    /// What becomes of the family that is not given while the other is.
    pub omitted: OmittedFamily,
    /// How it answers.
    pub answer: AnswerStyle,
    /// What its parameters are called.
    pub params: Params,
}

/// Where a credential is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CredentialPlace {
    /// The password of Basic authentication.
    Basic,
    /// A parameter.
    Query,
    /// A bearer token.
    Bearer,
    /// A segment of the path.
    Path,
}

/// What an omitted family means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OmittedFamily {
    /// Its records stay.
    #[default]
    Keep,
    /// Its records go.
    Remove,
}

/// How outcomes are put.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerStyle {
    /// The words of dyndns2; JSON for who prefers it.
    #[default]
    Words,
    /// JSON.
    Json,
    /// `OK` or `KO`.
    OkKo,
}

/// The names of each parameter, the first present wins; none: there is no such parameter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// Hosts.
    pub hostname: Vec<String>,
    /// An IPv4 address.
    pub ipv4: Vec<String>,
    /// An IPv6 address.
    pub ipv6: Vec<String>,
    /// The token.
    pub password: Vec<String>,
    /// Whether the change is to be told.
    pub notify_change: Vec<String>,
}

impl Default for Params {
    fn default() -> Self {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Params {
            hostname: list(&["hostname", "host"]),
            ipv4: list(&["myip", "myipv4", "ipv4", "ip4", "ip", "address"]),
            ipv6: list(&["myipv6", "myip6", "ipv6", "ip6"]),
            password: list(&["password", "pass", "token"]),
            notify_change: list(&["notify_change"]),
        }
    }
}

/// An endpoint as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    path: String,
    credential: Option<Places>,
    #[serde(default)]
    omitted: OmittedFamily,
    #[serde(default)]
    answer: AnswerStyle,
    #[serde(default)]
    params: Params,
}

impl TryFrom<Written> for Endpoint {
    type Error = EndpointError;

    fn try_from(written: Written) -> Result<Self, EndpointError> {
        use CredentialPlace::{Basic, Bearer, Path, Query};
        let Written { path, params, .. } = written;
        let has_token = check_path(&path)?;
        let mut credentials = match written.credential {
            Some(Places(places)) => places,
            None if has_token => vec![Path],
            None => vec![Basic, Bearer, Query],
        };
        if has_token != credentials.contains(&Path) {
            return Err(EndpointError::Token { path, has_token });
        }
        // A parameter without a name is nowhere.
        credentials.retain(|place| *place != Query || !params.password.is_empty());
        if credentials.is_empty() {
            return Err(EndpointError::NoCredential(path));
        }
        let lists = [
            &params.hostname,
            &params.ipv4,
            &params.ipv6,
            &params.password,
            &params.notify_change,
        ];
        if lists.into_iter().flatten().any(String::is_empty) {
            return Err(EndpointError::EmptyName(path));
        }
        Ok(Endpoint {
            path,
            credentials,
            omitted: written.omitted,
            answer: written.answer,
            params,
        })
    }
}

/// Whether a path can be one of an endpoint; then whether it has a token in it.
fn check_path(path: &str) -> Result<bool, EndpointError> {
    let bad = |why: &str| EndpointError::Path {
        path: path.to_owned(),
        why: why.to_owned(),
    };
    let segments = path.strip_prefix('/').ok_or_else(|| bad(NO_SLASH))?;
    let segments: Vec<&str> = segments
        .strip_suffix('/')
        .unwrap_or(segments)
        .split('/')
        .collect();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    let is_word = |segment: &str| !segment.is_empty() && segment.chars().all(plain);
    match segments.first() {
        Some(first) if taken().any(|taken| taken == *first) => return Err(bad(&first_taken())),
        Some(first) if is_word(first) && first.len() <= FIRST_MAX => {}
        _ => return Err(bad(FIRST_ODD)),
    }
    if segments
        .iter()
        .any(|segment| !is_word(segment) && !PLACEHOLDERS.contains(segment))
    {
        return Err(bad(ODD));
    }
    let count = |place: &str| segments.iter().filter(|segment| **segment == place).count();
    match PLACEHOLDERS.iter().any(|place| count(place) > 1) {
        true => Err(bad(TWICE)),
        false => Ok(count("<token>") == 1),
    }
}

/// First segments that have another meaning.
fn taken() -> impl Iterator<Item = &'static str> {
    FIXED.iter().map(|(path, _)| *path).chain([WEB_SERVER])
}

fn first_taken() -> String {
    let fixed: Vec<String> = FIXED.iter().map(|(path, _)| format!("/{path}")).collect();
    format!(
        "{} and /{WEB_SERVER} have another meaning",
        fixed.join(", ")
    )
}

const NO_SLASH: &str = "a path begins with a slash, as /ddns does";
const FIRST_ODD: &str = "it begins with a word of 1 to 15 of A-Z a-z 0-9 - . _ ~";
const ODD: &str =
    "between slashes stand words of A-Z a-z 0-9 - . _ ~, or <token>, <name> or <address>";
const TWICE: &str = "<token>, <name> and <address> may stand there once each";

/// One place or a list of them.
struct Places(Vec<CredentialPlace>);

impl<'de> Deserialize<'de> for Places {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(PlacesVisitor)
    }
}

struct PlacesVisitor;

impl<'de> Visitor<'de> for PlacesVisitor {
    type Value = Places;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"basic\", \"query\", \"bearer\", \"path\" or a list of them")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Places, E> {
        let place: StrDeserializer<'_, E> = text.into_deserializer();
        CredentialPlace::deserialize(place).map(|place| Places(vec![place]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Places, A::Error> {
        let mut places = Vec::new();
        while let Some(place) = list.next_element()? {
            places.push(place);
        }
        match places.is_empty() {
            true => Err(A::Error::invalid_length(0, &self)),
            false => Ok(Places(places)),
        }
    }
}

/// Reads all of them; no two may be at the same path.
pub(super) fn list<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Endpoint>, D::Error> {
    let endpoints: Vec<Endpoint> = Vec::deserialize(from)?;
    for (position, endpoint) in endpoints.iter().enumerate() {
        let mut before = endpoints.iter().take(position);
        if before.any(|other| shape(&other.path) == shape(&endpoint.path)) {
            let path = endpoint.path.clone();
            return Err(D::Error::custom(EndpointError::Twice(path)));
        }
    }
    Ok(endpoints)
}

/// A path with all placeholders the same: what it matches.
fn shape(path: &str) -> Vec<&str> {
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    segments
        .map(|segment| {
            if PLACEHOLDERS.contains(&segment) {
                "<>"
            } else {
                segment
            }
        })
        .collect()
}

/// An endpoint that cannot be.
#[derive(Debug, PartialEq, Eq)]
enum EndpointError {
    Path { path: String, why: String },
    Token { path: String, has_token: bool },
    NoCredential(String),
    EmptyName(String),
    Twice(String),
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EndpointError::Path { path, why } => write!(f, "path {path:?} cannot be: {why}"),
            EndpointError::Token {
                path,
                has_token: true,
            } => write!(
                f,
                "path {path:?} has a <token>, so credential must be \"path\", or a list with it"
            ),
            EndpointError::Token { path, .. } => write!(
                f,
                "credential \"path\" needs <token> in the path, and {path:?} has none"
            ),
            EndpointError::NoCredential(path) => write!(
                f,
                "endpoint {path:?}: credential is \"query\" alone, and params.password is empty"
            ),
            EndpointError::EmptyName(path) => {
                write!(f, "endpoint {path:?}: a parameter's name is empty")
            }
            EndpointError::Twice(path) => write!(f, "endpoint {path:?} stands there twice"),
        }
    }
}

#[cfg(test)]
mod tests;
