//! `bowline upkeep`.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::session::Session;
use super::watch::Watch;
use super::{Context, Failure, note};
use crate::log::Logger;
use crate::notify::Delivered;
use crate::span::Span;
use crate::time::Timestamp;
use crate::upkeep::{Challenges, Compared, Round, Rules, Running, Word, round};

/// A round that takes longer is stuck; systemd ends it after so long.
const STUCK: Span = Span::from_seconds(600);
/// No duty of a round takes longer: all of them, one after the other, end before upkeep is late.
const LONGEST: Duration = Duration::from_secs(40);
/// How long `--watch` rests between two rounds.
const REST: Duration = Duration::from_secs(60);

/// Do one round of what is due when nobody visits
///
/// Publishes what the name server has not confirmed yet, removes the records of hosts that were
/// silent for longer than their expiry, ends former names and forgotten challenges, mends what the
/// name server shows otherwise, forgets old history, sends word of what happened. Meant for a
/// timer, once a minute: after ten minutes without a round nobody expires for as long as its
/// expiry, at most a day, for nobody may have been heard either.
///
/// Each of these duties takes forty seconds at most, and each way of sending word thirty: what is
/// left, where a name server is slow, the next round goes on with.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Keep going, a round a minute
    ///
    /// SIGTERM and SIGINT end it when the round under way is done. Each round reads the
    /// configuration again; SIGHUP begins the next one at once.
    #[arg(long, conflicts_with = "json")]
    watch: bool,
    /// Where registry and name server differ, take the name server's addresses
    ///
    /// For a registry that is older than the zone, for instance one that was copied by hand. A host
    /// of which the name server has no address keeps its own. Such a round takes as long as it
    /// needs.
    #[arg(long, conflicts_with = "watch")]
    adopt: bool,
}

/// Runs a round, or one after the other.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let rules = match options.adopt {
        // The next round would go on with the registry's word.
        true => Rules {
            word: Word::Zone,
            longest: None,
        },
        false => Rules {
            word: Word::Registry,
            longest: Some(LONGEST),
        },
    };
    if !options.watch {
        return one(rules, context);
    }
    let watch = Watch::new()?;
    loop {
        if let Err(failure) = one(rules, context) {
            failure.note("this round failed");
        }
        if !watch.goes_on(REST) {
            return Ok(());
        }
    }
}

/// One round, with the configuration as it is now.
fn one(rules: Rules, context: &mut Context<'_>) -> Result<(), Failure> {
    let mut session = Session::open(context)?;
    let logger = Logger::new(&session.config.log);
    match round(&session.config, &mut session.registry, &logger, rules)? {
        Ok(round) => {
            report(&round, context)?;
            round.damaged.map_or(Ok(()), |error| Err(error.into()))
        }
        Err(running) => beside(&running, rules.word, session.now, context),
    }
}

/// Another round is running: it does the same, unless the zone's word was to count. One that does
/// not end is a failure.
fn beside(
    running: &Running,
    word: Word,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let took = now.since(running.since);
    if context.json {
        let since = running.since.to_string();
        context
            .write_json(&json!({ "running": { "process": running.process, "since": since } }))?;
    }
    if took < STUCK {
        if word == Word::Zone {
            return Err(
                Failure::new("another round is running, and takes the registry's word")
                    .hint("run it again in a moment"),
            );
        }
        note("another round is running");
        return Ok(());
    }
    Err(Failure::new(format!(
        "another round has been running for {}",
        took.coarse()
    ))
    .hint(format!(
        "see what process {} does, and end it; nothing is lost by that",
        running.process
    )))
}

/// Silent when there was nothing to do: a timer's journal stays empty.
fn report(round: &Round, context: &mut Context<'_>) -> Result<(), Failure> {
    let Round {
        expired,
        settled,
        challenges,
        compared,
        pruned,
        delivered,
        damaged,
    } = round;
    if context.json {
        return context.write_json(&json!({
            "expired": expired,
            "confirmed": settled.confirmed,
            "pending": settled.pending.len(),
            "challenges": { "ended": challenges.ended, "pending": challenges.pending },
            "mended": compared.mended,
            "adopted": compared.adopted,
            "differing": compared.left,
            "unasked": compared.unasked.iter().map(|(zone, why)| json!({
                "zone": zone.as_str(), "reason": why,
            })).collect::<Vec<_>>(),
            "messages": {
                "sent": delivered.sent, "failed": delivered.failed, "given_up": delivered.given_up,
            },
            "damaged": damaged.as_ref().map(ToString::to_string),
            "forgotten": { "changes": pruned.changes, "names": pruned.names, "rest": pruned.rest },
        }));
    }
    if settled.confirmed > 0 || !settled.pending.is_empty() {
        writeln!(
            context.out,
            "{} confirmed, {} still pending",
            settled.confirmed,
            settled.pending.len()
        )?;
    }
    if *challenges != Challenges::default() {
        writeln!(
            context.out,
            "{} challenges for certificates ended, those of {} hosts still pending",
            challenges.ended, challenges.pending
        )?;
    }
    let Compared {
        mended,
        adopted,
        left,
        unasked,
    } = compared;
    if mended + adopted + left > 0 {
        writeln!(
            context.out,
            "{mended} mended, {adopted} adopted, {left} left different"
        )?;
    }
    for (zone, why) in unasked {
        writeln!(context.out, "{zone} was not compared: {why}")?;
    }
    if *delivered != Delivered::default() {
        writeln!(
            context.out,
            "{} messages sent, {} failed, {} events given up",
            delivered.sent, delivered.failed, delivered.given_up
        )?;
    }
    Ok(context.out.flush()?)
}
