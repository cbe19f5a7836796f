//! `bowline notify`: trying out word of what happened, and setting it up.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::session::Session;
use super::{Context, Failure, warn};
use crate::notify::{Preset, test};

/// Try or set up word of what happened
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Send a test by every way that is configured
    Test {
        /// As if it were about this host: mail goes to its person
        name: Option<String>,
    },
    /// Print what to put into bowline.toml for a receiver that many people have
    Preset {
        /// The receiver
        #[arg(value_name = "RECEIVER")]
        preset: Preset,
    },
}

/// What came of a test.
#[derive(Serialize)]
struct Tested {
    channel: &'static str,
    sent: bool,
    reason: Option<String>,
}

impl Options {
    /// Whether it opens the registry.
    pub(super) fn touches_state(&self) -> bool {
        matches!(self.verb, Verb::Test { .. })
    }
}

/// Runs one of its verbs.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    match options.verb {
        Verb::Test { name } => try_all(name.as_deref(), context),
        Verb::Preset { preset } => {
            let text = preset.text();
            match context.json {
                true => context.write_json(&toml::from_str::<serde_json::Value>(text)?),
                false => Ok(context.out.write_all(text.as_bytes())?),
            }
        }
    }
}

/// Sends a test by every way, and says what came of it.
fn try_all(name: Option<&str>, context: &mut Context<'_>) -> Result<(), Failure> {
    let session = Session::open(context)?;
    let host = name.map(|name| session.host(name)).transpose()?;
    let (results, errors) = test(&session.config, &session.registry, host.as_ref())?;
    for error in errors {
        warn(format!("{error}; the built-in template is used"));
    }
    if results.is_empty() {
        return Err(Failure::new("nobody is told anything")
            .hint("put [notify.mail], [notify.webhook] or [notify.command] into bowline.toml"));
    }
    let tested: Vec<Tested> = (results.into_iter())
        .map(|(channel, result)| Tested {
            channel: channel.as_str(),
            sent: result.is_ok(),
            reason: result.err().map(|fault| fault.to_string()),
        })
        .collect();
    if context.json {
        context.write_json(&tested)?;
    } else {
        for one in &tested {
            match &one.reason {
                None => writeln!(context.out, "{:<8} sent", one.channel)?,
                Some(why) => writeln!(context.out, "{:<8} failed: {why}", one.channel)?,
            }
        }
    }
    match tested.iter().filter(|one| !one.sent).count() {
        0 => Ok(()),
        1 => Err(Failure::new("a test failed")),
        count => Err(Failure::new(format!("{count} tests failed"))),
    }
}
