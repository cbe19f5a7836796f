//! `bowline upkeep`.

use std::thread::sleep;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::session::Session;
use super::{Context, Failure, note};
use crate::log::Logger;
use crate::upkeep::{Round, round};

/// How long `--watch` rests between two rounds.
const REST: Duration = Duration::from_secs(60);

/// Do one round of what is due when nobody visits
///
/// Publishes what the name server has not confirmed yet, removes the records of hosts that were
/// silent for longer than their expiry, ends former names, forgets old history. Meant for a timer, once a minute.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Keep going, a round a minute
    #[arg(long, conflicts_with = "json")]
    watch: bool,
}

/// Runs a round, or one after the other.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    loop {
        let mut session = Session::open(context)?;
        let logger = Logger::new(&session.config.log);
        match round(&session.config, &mut session.registry, &logger)? {
            Some(round) => report(&round, context)?,
            None => note("another round is running"),
        }
        if !options.watch {
            return Ok(());
        }
        sleep(REST);
    }
}

/// Silent when there was nothing to do: a timer's journal stays empty.
fn report(round: &Round, context: &mut Context<'_>) -> Result<(), Failure> {
    let Round {
        expired,
        settled,
        pruned,
    } = round;
    if context.json {
        return context.write_json(&json!({
            "expired": expired,
            "confirmed": settled.confirmed,
            "pending": settled.pending,
            "forgotten": { "changes": pruned.changes, "names": pruned.names, "rest": pruned.rest },
        }));
    }
    if settled.confirmed > 0 || settled.pending > 0 {
        writeln!(
            context.out,
            "{} confirmed, {} still pending",
            settled.confirmed, settled.pending
        )?;
        context.out.flush()?;
    }
    Ok(())
}
