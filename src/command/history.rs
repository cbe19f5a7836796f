//! `bowline history`: which addresses changed, when, and who asked for it; and what was told.

use std::fmt;

use clap::Args;
use serde::Serialize;

use super::host::some_span;
use super::session::Session;
use super::{Context, Failure};
use crate::event::Channel;
use crate::one_line::OneLine;
use crate::registry::{Change, Notice};
use crate::span::Span;
use crate::time::Timestamp;

/// Show which addresses changed and what was told of it, oldest first
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Only those of this host
    name: Option<String>,
    /// Only those of the last so long
    #[arg(long, value_name = "D", value_parser = some_span)]
    since: Option<Span>,
}

/// A change, as JSON has it.
#[derive(Serialize)]
struct Shown {
    at: String,
    name: String,
    family: &'static str,
    old: Option<String>,
    new: Option<String>,
    source: Option<String>,
    dialect: String,
}

/// What was told to somebody, or given up.
#[derive(Serialize)]
struct Told {
    at: String,
    name: Option<String>,
    event: &'static str,
    /// When that happened.
    happened: String,
    channel: &'static str,
    /// Whose address mail went to; `None`: the operator's, or it was no mail.
    to: Option<String>,
    message: Option<String>,
    given_up: bool,
    reason: Option<String>,
}

/// A change, or what was told.
#[derive(Serialize)]
#[serde(untagged)]
enum Entry {
    Change(Shown),
    Told(Told),
}

/// Writes a line, or a JSON object, per change and per event that was told.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let session = Session::open(context)?;
    let host = match &options.name {
        Some(name) => Some(session.host(name)?.id),
        None => None,
    };
    let begin = Timestamp::from_seconds(0);
    let since = options.since.map_or(begin, |span| session.now.minus(span));
    let changes = session.registry.history(host, since)?;
    let changes = changes
        .into_iter()
        .map(|change| (change.at, Shown::from(change).into()));
    let told = session.registry.told(host, since)?;
    let told = told
        .into_iter()
        .map(|notice| (notice.done.unwrap_or(notice.at), Told::from(notice).into()));
    let mut all: Vec<(Timestamp, Entry)> = changes.chain(told).collect();
    all.sort_by_key(|(at, _)| *at);
    let all: Vec<Entry> = all.into_iter().map(|(_, entry)| entry).collect();
    if context.json {
        return context.write_json(&all);
    }
    for entry in all {
        writeln!(context.out, "{}", OneLine(entry))?;
    }
    Ok(())
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Entry::Change(change) => change.fmt(f),
            Entry::Told(told) => told.fmt(f),
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_none = |address: &Option<String>| address.clone().unwrap_or("none".to_owned());
        let (old, new) = (or_none(&self.old), or_none(&self.new));
        let from = self.source.iter().map(|source| format!(" from {source}"));
        let from: String = from.collect();
        let Shown {
            at,
            name,
            family,
            dialect,
            ..
        } = self;
        write!(f, "{at}  {name}  {family}  {old} -> {new}  {dialect}{from}")
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Told {
            at, event, channel, ..
        } = self;
        let name = self.name.as_deref().unwrap_or("-");
        let to = self.to.iter().map(|to| format!(" to {to}"));
        let to: String = to.collect();
        match (&self.given_up, &self.reason) {
            (true, Some(why)) => {
                write!(f, "{at}  {name}  {event}  not told by {channel}{to}: {why}")
            }
            (true, None) => write!(f, "{at}  {name}  {event}  not told by {channel}{to}"),
            (false, _) => write!(f, "{at}  {name}  {event}  told by {channel}{to}"),
        }
    }
}

impl From<Shown> for Entry {
    fn from(change: Shown) -> Self {
        Entry::Change(change)
    }
}

impl From<Told> for Entry {
    fn from(told: Told) -> Self {
        Entry::Told(told)
    }
}

impl From<Notice> for Told {
    fn from(notice: Notice) -> Self {
        Told {
            at: notice.done.unwrap_or(notice.at).to_string(),
            name: notice.name.as_ref().map(ToString::to_string),
            event: notice.event().as_str(),
            happened: notice.at.to_string(),
            channel: notice.channel.as_str(),
            to: notice.to.filter(|_| notice.channel == Channel::Mail),
            message: notice.message,
            given_up: notice.given_up,
            reason: notice.trouble,
        }
    }
}

impl From<Change> for Shown {
    fn from(change: Change) -> Self {
        Shown {
            at: change.at.to_string(),
            name: change.host.to_string(),
            family: change.family.as_str(),
            old: change.old.map(|address| address.to_string()),
            new: change.new.map(|address| address.to_string()),
            source: change.source.map(|address| address.to_string()),
            dialect: change.dialect,
        }
    }
}
