//! Tokens on the command line: made or taken over, and the URLs and texts they are shown in.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use super::handed::{Argument, Handed};
use super::{Failure, hint, note};
use crate::config::Config;
use crate::devices::{Device, Paste};
use crate::ip::Family;
use crate::name::HostName;
use crate::registry::KeptToken;
use crate::time::Timestamp;
use crate::token::{MADE, Token};

/// A token in the process list is a token that everybody has.
const NOT_HERE: &str = "--token reads a token from standard input (-) or a file (@FILE), \
                        never from the command line";

/// The path of an update URL stays shorter than this: routers have little room for it.
const PATH_MAX: usize = 240;
/// A file with a token has no more octets, white space and all.
const FILE_MAX: u64 = 4096;

/// Where a token to take over is.
#[derive(Debug, Clone)]
pub(super) enum TokenSource {
    /// In a file; `-` is standard input.
    File(PathBuf),
    /// On the command line, where everybody on the machine may have read it.
    Open,
}

impl TokenSource {
    /// Reads `-` or `@FILE`; anything else is dropped, so that nothing repeats it.
    pub(super) fn parse(text: &str) -> Result<Self, Infallible> {
        Ok(match text.strip_prefix('@') {
            _ if text == "-" => TokenSource::File(text.into()),
            // `-` alone is standard input; a file of that name has a directory.
            Some("-") => TokenSource::File("./-".into()),
            Some(file) if !file.is_empty() => TokenSource::File(file.into()),
            _ => TokenSource::Open,
        })
    }

    /// The file it is in.
    fn argument(&self) -> Option<Argument> {
        match self {
            TokenSource::File(file) => Some(Argument::read("token", file)),
            TokenSource::Open => None,
        }
    }

    /// Reads it, white space around it removed.
    pub(super) fn read(&self, handed: &mut Handed) -> Result<Token, Failure> {
        match self.argument() {
            Some(file) => Ok(handed.read(&file, FILE_MAX)?.trim().parse()?),
            None => Err(Failure::new(NOT_HERE)),
        }
    }
}

/// Why the options cannot be used, where the token is in the wrong place.
pub(super) fn misplaced(source: Option<&TokenSource>) -> Option<&'static str> {
    matches!(source, Some(TokenSource::Open)).then_some(NOT_HERE)
}

/// The token taken over, or a new one.
pub(super) fn taken_or_new(
    source: Option<&TokenSource>,
    handed: &mut Handed,
) -> Result<Token, Failure> {
    match source {
        Some(source) => source.read(handed),
        None => Ok(Token::random()?),
    }
}

/// Where the host's client goes, and the only text that shows its token. A name that
/// would make it too long is left out: the token alone means the host too.
pub(super) fn update_url(config: &Config, token: &Token, name: &HostName) -> String {
    url(config, token.secret(), token.secret().len(), name)
}

/// The room that `?myip=` and `&myipv6=` take in a URL with their addresses.
const QUERY: usize = 70;
/// The room that `&ip6lanprefix=` takes with a prefix.
const PREFIX: usize = 57;
/// What stands for a token that nobody can print again.
const EXAMPLE: &str = "TOKEN";

/// What is to be pasted into a device of a host, and of more hosts where it takes several;
/// without a token an example stands in its place. The last are the only family it has, and
/// whether others are behind it.
pub(super) fn for_device(
    device: Device,
    config: &Config,
    token: Option<&Token>,
    (name, more): (&HostName, &[(&HostName, Option<Family>)]),
    (only, lan): (Option<Family>, bool),
) -> Result<String, Failure> {
    let zone = name.zone();
    let takes = config.zone(&zone).is_some_and(|zone| zone.acme);
    if device.wants_certificates() && !takes {
        note(format_args!("the zone {zone} takes no challenges yet"));
        hint(format_args!("`bowline zone set {zone} --acme`"));
    }
    let length = token.map_or(MADE, |token| token.secret().len());
    let token = token.map_or(EXAMPLE, Token::secret);
    let query = QUERY + if lan { PREFIX } else { 0 };
    let url = url(config, token, length + query, name);
    let paste = Paste {
        base: &config.url,
        url: &url,
        token,
        name,
        more,
        only,
        lan,
    };
    device.text(&paste).map_err(Failure::new)
}

/// An update URL, with room for a token of so many characters.
fn url(config: &Config, token: &str, room: usize, name: &HostName) -> String {
    let bare = format!("{}/{token}", config.url);
    match is_too_long(config, room, name) {
        true => bare,
        false => format!("{bare}/{}", name.relative()),
    }
}

/// Whether the path of an update URL with that name, and a token of so many characters,
/// would be too long for some routers.
pub(super) fn is_too_long(config: &Config, token: usize, name: &HostName) -> bool {
    let slashes = 2;
    config.url.path().len() + token + name.relative().len() + slashes >= PATH_MAX
}

/// The file names of the tokens' sources.
pub(super) fn files(source: Option<&TokenSource>) -> Vec<Argument> {
    source.and_then(TokenSource::argument).into_iter().collect()
}

/// A token that was replaced and is still good.
#[derive(Debug, Serialize)]
pub(super) struct OldToken {
    until: String,
    used: Option<String>,
}

impl OldToken {
    /// Those among a holder's tokens.
    pub(super) fn all(tokens: Vec<KeptToken>, now: Timestamp) -> Vec<Self> {
        let old = tokens.into_iter();
        let old = old.filter_map(|token| Some((token.until?, token.used)));
        old.filter(|(until, _)| *until > now)
            .map(|(until, used)| OldToken {
                until: until.to_string(),
                used: used.map(|used| used.to_string()),
            })
            .collect()
    }
}

impl fmt::Display for OldToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.used {
            Some(used) => write!(f, "until {}, last used {used}", self.until),
            None => write!(f, "until {}, not used since", self.until),
        }
    }
}
