//! The verbs there are, and what each needs before it runs.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory, FromArgMatches as _, Parser, Subcommand};

use super::handed::Argument;
use super::{
    backup, completions, config, doctor, fastcgi, history, host, init, man, notify, owner, restore,
    status, upkeep, zone,
};

/// Dynamic DNS on your own Knot server
///
/// A host has a secret URL; whoever fetches that URL moves the host's name to
/// their address.
#[derive(Debug, Parser)]
#[command(
    name = "bowline",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub(super) struct Arguments {
    /// The configuration [default: BOWLINE_CONFIG, else /etc/bowline/bowline.toml]
    #[arg(long, global = true, value_name = "FILE", display_order = 900)]
    pub(super) config: Option<PathBuf>,
    /// Report as one JSON document
    #[arg(long, global = true, display_order = 901)]
    pub(super) json: bool,
    #[command(subcommand)]
    pub(super) verb: Verb,
}

/// Every verb or group of verbs.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    Init(Box<init::Options>),
    Zone(zone::Options),
    Host(host::Options),
    Owner(owner::Options),
    History(history::Options),
    Status(status::Options),
    Upkeep(upkeep::Options),
    Doctor(doctor::Options),
    Notify(notify::Options),
    Fastcgi(fastcgi::Options),
    Backup(backup::Options),
    Restore(restore::Options),
    Config(config::Options),
    Completions(completions::Options),
    Man(man::Options),
}

impl Arguments {
    /// Reads the command line.
    pub(super) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut command = Arguments::command();
        let matches = command.try_get_matches_from_mut(arguments)?;
        if let Some(set) = idle_set(&mut command, &matches) {
            let why = "nothing to set: give one of its options";
            return Err(set.error(ErrorKind::MissingRequiredArgument, why));
        }
        let mut arguments =
            Arguments::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
        if let (Verb::Init(options), Some((_, typed))) = (&mut arguments.verb, matches.subcommand())
        {
            options.remember(typed);
        }
        let misuse = match &arguments.verb {
            Verb::Host(options) => options.misuse(arguments.json),
            Verb::Owner(options) => options.misuse(),
            Verb::Backup(options) => options.misuse(arguments.json),
            Verb::Completions(_) if arguments.json => {
                Some("--json: completions are a script for a shell, and no JSON")
            }
            _ => None,
        };
        match misuse {
            Some(why) => {
                let mut whole = Arguments::command();
                let verb = told(&mut command, &matches).unwrap_or(&mut whole);
                Err(verb.error(ErrorKind::InvalidValue, why))
            }
            None => Ok(arguments),
        }
    }
}

/// The verb that was typed, whose usage goes with what is wrong.
fn told<'a>(command: &'a mut Command, matches: &ArgMatches) -> Option<&'a mut Command> {
    let (name, below) = matches.subcommand()?;
    let verb = command.find_subcommand_mut(name)?;
    match below.subcommand() {
        Some(_) => told(verb, below),
        None => Some(verb),
    }
}

/// The verb `set` of any group, where it was told whose settings but none of them: it would do
/// nothing, and say that it did.
fn idle_set<'a>(command: &'a mut Command, matches: &ArgMatches) -> Option<&'a mut Command> {
    let (group, matches) = matches.subcommand()?;
    let (_, given) = matches.subcommand().filter(|(verb, _)| *verb == "set")?;
    let set = command
        .find_subcommand_mut(group)?
        .find_subcommand_mut("set")?;
    let is_given = |id: &str| given.value_source(id) == Some(ValueSource::CommandLine);
    let is_idle = set
        .get_arguments()
        .filter(|argument| !argument.is_positional() && !argument.is_global_set())
        .all(|option| !is_given(option.get_id().as_str()));
    is_idle.then_some(set)
}

impl Verb {
    /// Whether it reads or writes in the state directory, and so must run as its owner.
    pub(super) fn touches_state(&self) -> bool {
        match self {
            Verb::Host(_) | Verb::History(_) | Verb::Status(_) | Verb::Upkeep(_) => true,
            Verb::Owner(_) | Verb::Fastcgi(_) => true,
            Verb::Config(options) => options.touches_state(),
            Verb::Notify(options) => options.touches_state(),
            // They give up their rights themselves, when root is needed no more.
            Verb::Backup(_) | Verb::Restore(_) | Verb::Doctor(_) => false,
            // They write the servers' files too, and hand over what is the owner's.
            Verb::Init(_) | Verb::Zone(_) => false,
            Verb::Completions(_) | Verb::Man(_) => false,
        }
    }

    /// Whether there should be a configuration with keys already.
    pub(super) fn reads_keys(&self) -> bool {
        !matches!(
            self,
            Verb::Init(_)
                | Verb::Restore(_)
                | Verb::Doctor(_)
                | Verb::Completions(_)
                | Verb::Man(_)
        )
    }

    /// The files among its arguments, and standard input where it is one.
    pub(super) fn files(&self) -> Vec<Argument> {
        match self {
            Verb::Host(options) => options.files(),
            Verb::Owner(options) => options.files(),
            Verb::Fastcgi(_) => vec![fastcgi::input()],
            _ => Vec::new(),
        }
    }
}

/// The whole tree, for help, man pages and completions.
pub fn tree() -> clap::Command {
    Arguments::command()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::LATE_MINUTES;

    #[test]
    fn help_says_what_is_late() {
        let tree = tree();
        let status = tree.find_subcommand("status").unwrap();
        let about = status.get_about().unwrap().to_string();
        assert!(about.contains(&format!("for over {LATE_MINUTES} minutes")));
    }
}
