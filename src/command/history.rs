//! `bowline history`: which addresses changed, when, and who asked for it.

use clap::Args;
use serde::Serialize;

use super::host::some_span;
use super::session::Session;
use super::{Context, Failure};
use crate::registry::Change;
use crate::span::Span;
use crate::time::Timestamp;

/// Show which addresses changed, oldest first
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

/// Writes a line, or a JSON object, per change.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let session = Session::open(context)?;
    let host = match &options.name {
        Some(name) => Some(session.host(name)?.id),
        None => None,
    };
    let begin = Timestamp::from_seconds(0);
    let since = options.since.map_or(begin, |span| session.now.minus(span));
    let changes = session.registry.history(host, since)?;
    let shown: Vec<Shown> = changes.into_iter().map(Shown::from).collect();
    if context.json {
        return context.write_json(&shown);
    }
    for Shown {
        at,
        name,
        family,
        old,
        new,
        source,
        dialect,
    } in shown
    {
        let or_none = |address: Option<String>| address.unwrap_or_else(|| "none".to_owned());
        let (old, new) = (or_none(old), or_none(new));
        let from = source.map_or(String::new(), |source| format!(" from {source}"));
        writeln!(
            context.out,
            "{at}  {name}  {family}  {old} -> {new}  {dialect}{from}"
        )?;
    }
    Ok(())
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
