//! Upkeep: one round of what has to be done when nobody visits.
//!
//! Each duty is a file of its own. One round at a time runs on a machine; a second one
//! finds the lock taken and leaves the work to the first.

mod adopt;
mod catch_up;
mod challenge;
mod compare;
mod due;
mod expire;
mod look;
mod mended;
mod older;
mod prune;
mod restored;
mod returned;
mod settle;
mod turn;
mod waiting;
mod worry;

pub use catch_up::catch_up;
pub use challenge::Challenges;
pub use compare::{Compared, Word};
pub use prune::Pruned;
pub use restored::note as note_restored;
pub use settle::Settled;
pub use turn::{Running, last};

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use self::turn::Turn;
use crate::config::{Config, LogLevel};
use crate::deadline::Deadline;
use crate::hint::Hint;
use crate::log::{Line, Logger};
use crate::name::ZoneName;
use crate::notify::{self, Delivered};
use crate::publish::{PublishError, Publisher, Trouble};
use crate::registry::{Registry, RegistryError};
use crate::time::Timestamp;

/// A look before an UPDATE takes no longer than this.
const LOOK: Duration = Duration::from_secs(1);

/// How a round is run.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// What counts where name server and registry differ.
    pub word: Word,
    /// No duty begins anything more after so long, and leaves the rest to the next round: the
    /// other duties have their turn in each, however slow a name server is.
    pub longest: Option<Duration>,
}

impl Rules {
    /// Until when a duty that begins now may go on.
    fn until(self) -> Until {
        Until(self.longest.map(Deadline::after))
    }
}

/// When the time of a duty is over, if ever.
#[derive(Debug, Clone, Copy)]
struct Until(Option<Deadline>);

impl Until {
    fn passed(self) -> bool {
        self.0.is_some_and(Deadline::passed)
    }
}

/// What did not answer in this round: nothing more is asked of it.
#[derive(Debug, Default)]
struct Silent {
    /// Name servers.
    servers: BTreeSet<SocketAddr>,
    /// Zones that are held up, or whose word is wanted before anything is published.
    zones: BTreeSet<ZoneName>,
    /// Zones with hosts that cannot be seen, while others can: the word on them is wanted.
    unseen: BTreeSet<ZoneName>,
}

impl Silent {
    /// Notes that there was no answer: of the name server, or of the zone alone where that one
    /// `answers` questions about it.
    fn note(
        &mut self,
        zone: &ZoneName,
        address: Option<SocketAddr>,
        trouble: &Trouble,
        answers: bool,
    ) {
        match (trouble.is_server(), answers) {
            (true, true) => drop(self.zones.insert(zone.clone())),
            (true, false) => self.servers.extend(address),
            (false, _) => {}
        }
    }
}

/// What a round has done.
#[derive(Debug, Default)]
pub struct Round {
    /// Hosts that were silent for too long.
    pub expired: usize,
    /// Wishes made facts, or not.
    pub settled: Settled,
    /// Challenges for certificates.
    pub challenges: Challenges,
    /// Hosts that the name server showed otherwise.
    pub compared: Compared,
    /// What was forgotten.
    pub pruned: Pruned,
    /// Messages.
    pub delivered: Delivered,
    /// A host whose row in the registry is damaged; nothing was done for such ones.
    pub damaged: Option<RegistryError>,
}

/// Runs one round; or says that another one is running.
///
/// # Errors
/// When registry, locks or configuration cannot be used.
pub fn round(
    config: &Config,
    registry: &mut Registry,
    logger: &Logger,
    rules: Rules,
) -> Result<Result<Round, Running>, PublishError> {
    let now = Timestamp::now();
    let turn = match Turn::take(config, now)? {
        Ok(turn) => turn,
        Err(running) => return Ok(Err(running)),
    };
    if let Some(gap) = turn.gap {
        let told = format!("there was no upkeep for {}", gap.coarse());
        // A full disk that does not take the word must not hold back what was accepted.
        let _ = worry::need(registry, &told);
    }
    let mut done = duties(config, registry, logger, rules, &turn, now);
    if let Ok(Round {
        damaged: Some(error),
        ..
    }) = &done
    {
        let line = Line::new(LogLevel::Warning, "upkeep").field("result", "911");
        logger.write(&line.words("reason", error).hint(error.hint()));
        let _ = worry::need(registry, &error.to_string());
    }
    if let Err(error) = &done {
        // It is the first failure that counts.
        let _ = worry::need(registry, &format!("upkeep failed: {error}"));
    }
    // Word of what failed goes out too.
    let delivered = worry::run(config, registry, turn.steady, now)
        .and_then(|()| notify::deliver(config, registry, logger, turn.sure));
    registry.write_back();
    if let Ok(round) = &mut done {
        // A round that ends without a word of it has ended.
        turn.end()?;
        round.delivered = delivered?;
    }
    done.map(Ok)
}

/// All but the messages.
fn duties(
    config: &Config,
    registry: &mut Registry,
    logger: &Logger,
    rules: Rules,
    turn: &Turn,
    now: Timestamp,
) -> Result<Round, PublishError> {
    let publisher = Publisher::new(config);
    // Names that lapse become wishes, which are then settled with the others.
    let pruned = prune::run(config, registry, turn.sure);
    let expired = expire::run(config, registry, logger, turn.steady, now);
    let mut silent = Silent::default();
    let mut settled = Settled::default();
    let mut settle = |registry: &mut Registry, silent: &mut Silent| {
        let settled = &mut settled;
        settle::run(config, registry, &publisher, logger, rules, silent, settled)
    };
    let done = settle(registry, &mut silent);
    let challenges = challenge::run(config, registry, &publisher, logger, rules, &mut silent);
    let compared = compare::run(config, registry, &publisher, logger, rules, &mut silent);
    // Not before: that a disk is full, or something damaged, must not hold back the rest.
    done?;
    let (pruned, expired, challenges, mut compared) = (pruned?, expired?, challenges?, compared?);
    if compared.adopted > 0 {
        settle(registry, &mut silent)?;
    }
    compared.mended += settled.mended;
    compared.adopted += settled.adopted;
    Ok(Round {
        expired,
        settled,
        challenges,
        compared,
        pruned,
        damaged: registry.nothing_left_out().err(),
        ..Round::default()
    })
}
