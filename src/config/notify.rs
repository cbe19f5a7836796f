//! `[notify]`: who is told what, and how the message gets there.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::message::Mailbox;
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use ureq::http::{HeaderName, HeaderValue, Uri};

use super::{MailServer, Security};
use crate::event::{Channel, Event, Events, Wanted};
use crate::span::Span;
use crate::written;

/// After so long a pending host is told of.
const DEFAULT_PENDING: Span = Span::from_seconds(900);
/// After so long a message that nobody takes is given up.
const DEFAULT_GIVE_UP: Span = Span::from_days(3);
/// A command runs for no longer than this.
const DEFAULT_TIMEOUT: Span = Span::from_seconds(10);
/// The longest that it may be given, so that one message at least fits into a round.
const LONGEST_TIMEOUT: Span = Span::from_seconds(25);
/// What is shown in the place of a secret.
const HIDDEN: &str = "…";
/// What that means to somebody who copied it.
const STANDS_FOR_A_SECRET: &str = "\"…\" stands in `bowline config show` where the secret is";

/// `[notify]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Notify {
    /// After so long a pending host is told of.
    pub pending: Span,
    /// After so long a message that nobody takes is given up.
    pub give_up: Span,
    /// `[notify.mail]`.
    pub mail: Option<Mail>,
    /// `[notify.webhook]`.
    pub webhook: Option<Webhook>,
    /// `[notify.command]`.
    pub command: Option<Command>,
}

/// `[notify.mail]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "WrittenMail")]
pub struct Mail {
    /// Who takes the mail.
    pub smtp: MailServer,
    /// Whom it comes from.
    pub from: Mailbox,
    /// Where mail goes that is for nobody else: the operator.
    pub to: Option<Mailbox>,
    /// The user and the password there.
    pub login: Option<(String, Hidden)>,
    /// A directory with templates that replace ours.
    pub templates: Option<PathBuf>,
    /// What is told.
    pub events: Events,
}

/// `[notify.webhook]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where messages are posted to.
    #[serde(deserialize_with = "url")]
    pub url: Uri,
    /// What they are signed with.
    #[serde(default)]
    pub secret: Option<Hidden>,
    /// Further header fields.
    #[serde(default, deserialize_with = "headers")]
    pub headers: BTreeMap<String, Hidden>,
    /// The JSON document that is posted instead of ours; its texts are templates.
    #[serde(default)]
    pub body: Option<toml::Table>,
    /// What is told.
    #[serde(default = "all")]
    pub events: Events,
}

/// `[notify.command]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// The program and its arguments.
    #[serde(deserialize_with = "program")]
    pub command: Vec<String>,
    /// For how long it may run.
    #[serde(default = "timeout", deserialize_with = "some_timeout")]
    pub timeout: Span,
    /// What is told.
    #[serde(default = "all")]
    pub events: Events,
}

/// A secret of the configuration; it shows itself to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(String);

impl Notify {
    /// What is told, and where.
    pub fn wanted(&self) -> Wanted {
        let mail = self.mail.as_ref();
        Wanted {
            channels: Channel::ALL.map(|channel| match channel {
                Channel::Mail => mail.map(|mail| mail.events),
                Channel::Webhook => self.webhook.as_ref().map(|webhook| webhook.events),
                Channel::Command => self.command.as_ref().map(|command| command.events),
            }),
            operator: mail.is_some_and(|mail| mail.to.is_some()),
        }
    }

    /// Whether some channel wants an event of its own accord.
    pub fn wants(&self, event: Event) -> bool {
        self.wanted()
            .iter()
            .any(|(_, events)| events.contains(event))
    }

    /// Whether anything is told at all.
    pub fn is_on(&self) -> bool {
        self.wanted() != Wanted::NOTHING
    }

    /// Whether a channel is configured.
    pub const fn has(&self, channel: Channel) -> bool {
        match channel {
            Channel::Mail => self.mail.is_some(),
            Channel::Webhook => self.webhook.is_some(),
            Channel::Command => self.command.is_some(),
        }
    }

    /// For how long a message may take on a channel, where that is set.
    pub fn timeout(&self, channel: Channel) -> Option<Duration> {
        let command = self
            .command
            .as_ref()
            .filter(|_| channel == Channel::Command);
        command.map(|command| command.timeout.duration())
    }

    /// The directory with the operator's templates.
    pub fn templates(&self) -> Option<&Path> {
        self.mail.as_ref()?.templates.as_deref()
    }

    /// Whether there is a secret in it.
    pub fn has_secret(&self) -> bool {
        let webhook = self.webhook.as_ref();
        self.mail.as_ref().is_some_and(|mail| mail.login.is_some())
            || webhook.is_some_and(|hook| {
                hook.secret.is_some() || !hook.headers.is_empty() || hook.has_path()
            })
    }
}

impl Webhook {
    /// Whether more than a host is in the URL: many receivers know by it who may post.
    fn has_path(&self) -> bool {
        self.url.path_and_query().is_some_and(|path| path != "/")
    }

    /// The URL as `config show` has it.
    pub fn shown_url(&self) -> String {
        match (self.url.scheme_str(), self.url.authority()) {
            (Some(scheme), Some(authority)) if self.has_path() => {
                format!("{scheme}://{authority}/{HIDDEN}")
            }
            _ => self.url.to_string(),
        }
    }
}

impl Default for Notify {
    fn default() -> Self {
        Notify {
            pending: DEFAULT_PENDING,
            give_up: DEFAULT_GIVE_UP,
            mail: None,
            webhook: None,
            command: None,
        }
    }
}

/// `[notify.mail]` as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenMail {
    #[serde(deserialize_with = "mail_server")]
    smtp: MailServer,
    #[serde(deserialize_with = "mailbox")]
    from: Mailbox,
    #[serde(default, deserialize_with = "some_mailbox")]
    to: Option<Mailbox>,
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    password: Option<Hidden>,
    #[serde(default)]
    templates: Option<PathBuf>,
    #[serde(default = "all")]
    events: Events,
}

impl TryFrom<WrittenMail> for Mail {
    type Error = &'static str;

    fn try_from(written: WrittenMail) -> Result<Self, Self::Error> {
        let login = match (written.user, written.password) {
            (Some(user), Some(password)) => Some((user, password)),
            (None, None) => None,
            _ => return Err("user and password go together"),
        };
        let local = ["localhost", "127.0.0.1", "::1"];
        match &written.smtp {
            MailServer::Sendmail(_) if login.is_some() => {
                return Err("sendmail takes no user and password");
            }
            MailServer::Smtp {
                security: Security::Plain,
                host,
                ..
            } if login.is_some() && !local.contains(&host.as_str()) => {
                return Err(
                    "the password would be sent in clear; write starttls:// or smtps:// before the server",
                );
            }
            _ => {}
        }
        Ok(Mail {
            smtp: written.smtp,
            from: written.from,
            to: written.to,
            login,
            templates: written.templates,
            events: written.events,
        })
    }
}

impl Hidden {
    /// The secret itself.
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

/// As `config show` has it.
impl fmt::Display for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match String::deserialize(from)? {
            text if text.is_empty() => Err(D::Error::custom("an empty secret is none")),
            text if text == HIDDEN => Err(D::Error::custom(STANDS_FOR_A_SECRET)),
            text => Ok(Hidden(text)),
        }
    }
}

fn mail_server<'de, D: Deserializer<'de>>(from: D) -> Result<MailServer, D::Error> {
    let form = "a mail server in quotes, such as \"smtp://localhost:25\" or \"sendmail\"";
    written::parsed(from, form)
}

fn mailbox<'de, D: Deserializer<'de>>(from: D) -> Result<Mailbox, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map_err(|error| {
        D::Error::custom(format_args!(
            "{text:?} is no mail address ({error}); write ADDR or \"NAME <ADDR>\""
        ))
    })
}

fn some_mailbox<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Mailbox>, D::Error> {
    mailbox(from).map(Some)
}

fn url<'de, D: Deserializer<'de>>(from: D) -> Result<Uri, D::Error> {
    let bad = |why: &str| D::Error::custom(format_args!("url: {why}"));
    // It may hold a secret: it is not repeated.
    let text = String::deserialize(from)?;
    if text.contains(HIDDEN) {
        return Err(bad(STANDS_FOR_A_SECRET));
    }
    let uri: Uri = text.parse().map_err(|_| bad("that is no URL"))?;
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    match uri.scheme_str() {
        Some("http" | "https") if authority.contains('@') => {
            Err(bad("write the credentials into headers"))
        }
        Some("http" | "https") if !authority.is_empty() => Ok(uri),
        _ => Err(bad("write https://HOST/PATH")),
    }
}

fn headers<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, Hidden>, D::Error> {
    let headers = BTreeMap::<String, Hidden>::deserialize(from)?;
    for (name, value) in &headers {
        let fits = HeaderName::from_bytes(name.as_bytes()).is_ok()
            && HeaderValue::from_str(value.secret()).is_ok();
        if !fits {
            return Err(D::Error::custom(format_args!(
                "{name:?} is no header field"
            )));
        }
    }
    Ok(headers)
}

fn program<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let words = Vec::<String>::deserialize(from)?;
    match words.first() {
        Some(program) if program.starts_with('/') => Ok(words),
        _ => Err(D::Error::custom(
            "write the program with its whole path, and each argument, as a list: [\"/usr/local/bin/tell\", \"me\"]",
        )),
    }
}

fn some_timeout<'de, D: Deserializer<'de>>(from: D) -> Result<Span, D::Error> {
    let span = Span::deserialize(from)?;
    match span > Span::ZERO && span <= LONGEST_TIMEOUT {
        true => Ok(span),
        false => Err(D::Error::custom(format_args!(
            "write 1s to {LONGEST_TIMEOUT}"
        ))),
    }
}

fn timeout() -> Span {
    DEFAULT_TIMEOUT
}

fn all() -> Events {
    Events::ALL
}
