//! `bowline.toml`, read into a [`Config`] that holds nothing impossible.
//!
//! Every default is a constant here; an unknown key is an error that names the
//! file, the line and the keys there are. Relative paths are relative to the file.

mod acme;
mod check;
mod endpoint;
mod files;
mod keys;
mod log;
mod mail_server;
mod mistake;
mod notify;
mod secrets;

pub use acme::{Acme, Register, invitation, read_invitation};
pub use endpoint::{AnswerStyle, CredentialPlace, Endpoint, OmittedFamily, Params};
pub use files::Named;
pub use keys::{Key, TABLES, keys};
pub use log::{Log, LogClient, LogLevel, LogTarget};
pub use mail_server::{MailServer, Security};
pub use notify::{Command, Hidden, Mail, Notify, Webhook};

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ipnetwork::IpNetwork;
use serde::Deserialize;
use ureq::http::HeaderName;

use crate::base_url::BaseUrl;
use crate::hint::Hint;
use crate::ip::Policy;
use crate::name::{HostName, ZoneName};
use crate::network::Network;
use crate::port::AddressPort;
use crate::rate::Rate;
use crate::span::Span;
use crate::ttl::Ttl;
use crate::written;

/// Where the configuration is when neither `--config` nor `BOWLINE_CONFIG` says otherwise.
pub const DEFAULT_FILE: &str = "/etc/bowline/bowline.toml";
/// The variable that says otherwise.
pub const FILE_VARIABLE: &str = "BOWLINE_CONFIG";
/// The registry, where nothing else is said.
pub const DEFAULT_REGISTRY: &str = "/var/lib/bowline/bowline.db";
/// The lookup key, beside the configuration.
pub const DEFAULT_LOOKUP_KEY: &str = "lookup.key";
/// The header in which a trusted proxy names the client.
pub const DEFAULT_HEADER: &str = "X-Forwarded-For";
/// How often a host may change.
pub const DEFAULT_CHANGES: Rate = Rate::AtMost(30, Span::from_seconds(600));
/// How often one source may show wrong secrets.
pub const DEFAULT_WRONG_SECRETS: Rate = Rate::AtMost(20, Span::from_seconds(600));
/// How long a removed name is not given out again.
pub const DEFAULT_REUSE: Span = Span::from_days(30);
/// How long the history is kept.
pub const DEFAULT_HISTORY: Span = Span::from_days(90);
/// How long a challenge stands that its client has forgotten: below a wildcard it could hide
/// other names (RFC 4592 2.2.2), and no order takes longer.
pub const DEFAULT_CHALLENGES: Span = Span::from_seconds(3600);
/// No host expires sooner: a router that restarts must not lose its name.
pub const SHORTEST_EXPIRE: Span = Span::from_seconds(600);

/// The whole configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The file it was read from.
    #[serde(skip)]
    pub file: PathBuf,
    /// What stands in front of token and name in an update URL.
    pub url: BaseUrl,
    /// `[state]`.
    #[serde(default)]
    pub state: State,
    /// `[client]`.
    #[serde(default)]
    pub client: Client,
    /// `[limits]`.
    #[serde(default)]
    pub limits: Limits,
    /// `[keep]`.
    #[serde(default)]
    pub keep: Keep,
    /// `[log]`.
    #[serde(default)]
    pub log: Log,
    /// `[acme]`.
    #[serde(default)]
    pub acme: Acme,
    /// `[notify]`.
    #[serde(default)]
    pub notify: Notify,
    /// Every `[[zone]]`.
    #[serde(default, rename = "zone")]
    pub zones: Vec<Zone>,
    /// Every `[[endpoint]]`.
    #[serde(default, rename = "endpoint", deserialize_with = "endpoint::list")]
    pub endpoints: Vec<Endpoint>,
}

/// `[state]`: what bowline keeps.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct State {
    /// The SQLite file with the hosts.
    #[serde(deserialize_with = "file")]
    pub registry: PathBuf,
    /// The key of the registry's digests.
    #[serde(deserialize_with = "file")]
    pub lookup_key: PathBuf,
}

/// `[client]`: how the address of the client is known, and what it is offered.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Client {
    /// Networks whose word about the client's address is believed.
    #[serde(deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNetwork>,
    /// The header they say it in.
    #[serde(deserialize_with = "header")]
    pub header: String,
    /// Whether a script for machines that visit by themselves is offered.
    pub script: bool,
}

/// `[limits]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// How often a host may change.
    pub changes: Rate,
    /// How often one source may show wrong secrets.
    pub wrong_secrets: Rate,
    /// How long a removed name is not given out again.
    pub reuse: Span,
}

/// `[keep]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keep {
    /// How long changes stay in the history.
    pub history: Span,
    /// How long a challenge stands that its client does not remove.
    pub challenges: Span,
}

/// One `[[zone]]` whose hosts bowline may move.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// The zone.
    #[serde(deserialize_with = "zone_name")]
    pub name: ZoneName,
    /// Where its name server takes updates.
    #[serde(deserialize_with = "address_port")]
    pub server: SocketAddr,
    /// The TSIG key for them.
    #[serde(deserialize_with = "file")]
    pub key_file: PathBuf,
    /// The TTL of hosts that have none of their own.
    #[serde(default = "default_ttl")]
    pub ttl: Ttl,
    /// How long a silent host keeps its records; nothing: for ever.
    #[serde(default = "never")]
    pub expire: Span,
    /// Whether every host may have private addresses.
    #[serde(default)]
    pub allow_private: bool,
    /// Whether hosts may set challenges for certificates.
    #[serde(default)]
    pub acme: bool,
}

/// The configuration file, where the variable has that value; an empty one says nothing.
pub fn file_in_force(variable: Option<OsString>) -> PathBuf {
    let named = variable.filter(|file| !file.is_empty());
    named.map_or_else(|| DEFAULT_FILE.into(), PathBuf::from)
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read, is no TOML, has an unknown key or an impossible value.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(file).map_err(|error| ConfigError {
            file: file.to_owned(),
            line: None,
            message: match error.kind() {
                std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
                _ => error.to_string(),
            },
        })?;
        Config::parse(file, &text)
    }

    /// Reads `text` as if it stood in `file`.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(file: &Path, text: &str) -> Result<Self, ConfigError> {
        let mut config: Config = toml::from_str(text).map_err(|error| ConfigError {
            file: file.to_owned(),
            line: error.span().map(|span| line_of(text, span.start)),
            message: mistake::told(&error, text),
        })?;
        let beside = file.parent().unwrap_or(Path::new(""));
        config.file = file.to_owned();
        config.place_beside(beside);
        config.check(text)?;
        Ok(config)
    }

    /// The zone of that name.
    pub fn zone(&self, name: &ZoneName) -> Option<&Zone> {
        self.zones.iter().find(|zone| zone.name == *name)
    }

    /// The zone that a full name is strictly below; the longest where several are.
    pub fn zone_of(&self, name: &str) -> Option<&Zone> {
        let name = name.strip_suffix('.').unwrap_or(name).to_lowercase();
        self.zones
            .iter()
            .filter(|zone| zone.name.relative(&name).is_some())
            .max_by_key(|zone| zone.name.as_str().len())
    }

    /// The zone below a host's own that its name is in too: what is asked for is looked for there.
    pub fn deeper_zone(&self, host: &HostName) -> Option<&Zone> {
        let own = host.zone();
        self.zones
            .iter()
            .filter(|zone| zone.name.holds(host.as_str()))
            .filter(|zone| own.relative(zone.name.as_str()).is_some())
            .max_by_key(|zone| zone.name.as_str().len())
    }

    /// The directory of registry, locks and counters.
    pub fn state_directory(&self) -> &Path {
        self.state.registry.parent().unwrap_or(Path::new("/"))
    }
}

impl Zone {
    /// Which addresses its hosts may have when they do not say so themselves.
    pub fn policy(&self) -> Policy {
        if self.allow_private {
            Policy::Private
        } else {
            Policy::Public
        }
    }
}

impl Default for State {
    fn default() -> Self {
        State {
            registry: DEFAULT_REGISTRY.into(),
            lookup_key: DEFAULT_LOOKUP_KEY.into(),
        }
    }
}

impl Default for Client {
    fn default() -> Self {
        Client {
            trusted_proxies: Vec::new(),
            header: DEFAULT_HEADER.to_owned(),
            script: false,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            changes: DEFAULT_CHANGES,
            wrong_secrets: DEFAULT_WRONG_SECRETS,
            reuse: DEFAULT_REUSE,
        }
    }
}

impl Default for Keep {
    fn default() -> Self {
        Keep {
            history: DEFAULT_HISTORY,
            challenges: DEFAULT_CHALLENGES,
        }
    }
}

/// A configuration that cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError {
    file: PathBuf,
    line: Option<usize>,
    message: String,
}

impl ConfigError {
    /// The line of the file that is wrong, counted from 1; `None`: it is about no line.
    pub fn line(&self) -> Option<usize> {
        self.line
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for ConfigError {}

impl Hint for ConfigError {
    fn file(&self) -> Option<&Path> {
        Some(&self.file)
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1
}

fn default_ttl() -> Ttl {
    Ttl::DEFAULT
}

fn never() -> Span {
    Span::ZERO
}

fn zone_name<'de, D: serde::Deserializer<'de>>(from: D) -> Result<ZoneName, D::Error> {
    written::parsed(from, "a zone in quotes, such as \"dyn.example.org\"")
}

/// A path that may be a file's.
fn file<'de, D: serde::Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
    let path = PathBuf::deserialize(from)?;
    match path.file_name() {
        Some(_) => Ok(path),
        None => Err(serde::de::Error::custom(format_args!(
            "{path:?} is no file; write a path, such as {DEFAULT_REGISTRY}"
        ))),
    }
}

fn networks<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<IpNetwork>, D::Error> {
    let networks = Vec::<Network>::deserialize(from)?.into_iter();
    Ok(networks.map(|Network(network)| network).collect())
}

fn header<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let name = String::deserialize(from)?;
    match HeaderName::from_bytes(name.as_bytes()) {
        Ok(_) => Ok(name),
        Err(_) => Err(serde::de::Error::custom(format_args!(
            "{name:?} is no name of a header; write X-Forwarded-For or the like"
        ))),
    }
}

fn address_port<'de, D: serde::Deserializer<'de>>(from: D) -> Result<SocketAddr, D::Error> {
    AddressPort::deserialize(from).map(|AddressPort(address)| address)
}

#[cfg(test)]
mod tests;
