//! `bowline host`: the hosts, one file per verb.

mod add;
mod disable;
mod enable;
mod export;
mod given;
mod import;
mod list;
mod plan;
mod remove;
mod rename;
mod report;
mod rotate;
mod row;
mod rows;
mod set;
mod show;

pub(super) use given::{expire, mail, some_span, ttl};
pub(super) use report::note_expire;

use clap::{Args, Subcommand};

use super::handed::Argument;
use super::{Context, Failure};

/// Add, change and remove hosts
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Add(add::Options),
    List(list::Options),
    Show(show::Options),
    Set(set::Options),
    Rotate(rotate::Options),
    Rename(rename::Options),
    Disable(disable::Options),
    Enable(enable::Options),
    Remove(remove::Options),
    Import(import::Options),
    Export(export::Options),
}

impl Options {
    /// The files among its arguments.
    pub(super) fn files(&self) -> Vec<Argument> {
        match &self.verb {
            Verb::Add(options) => options.files(),
            Verb::Set(options) => options.files(),
            Verb::Import(options) => options.files(),
            _ => Vec::new(),
        }
    }

    /// Why they cannot be used, beyond what clap sees.
    pub(super) fn misuse(&self, json: bool) -> Option<&'static str> {
        match &self.verb {
            Verb::Add(options) => options.misuse(),
            Verb::Set(options) => options.misuse(),
            Verb::Import(options) => options.misuse(json),
            _ => None,
        }
    }
}

/// Runs one of its verbs.
///
/// # Errors
/// When the verb failed; then nothing was committed.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    match options.verb {
        Verb::Add(options) => add::run(options, context),
        Verb::List(options) => list::run(options, context),
        Verb::Show(options) => show::run(options, context),
        Verb::Set(options) => set::run(options, context),
        Verb::Rotate(options) => rotate::run(options, context),
        Verb::Rename(options) => rename::run(options, context),
        Verb::Disable(options) => disable::run(options, context),
        Verb::Enable(options) => enable::run(options, context),
        Verb::Remove(options) => remove::run(options, context),
        Verb::Import(options) => import::run(options, context),
        Verb::Export(options) => export::run(options, context),
    }
}
