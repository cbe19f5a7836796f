//! What waits to be told, and what was given up.

use serde::Serialize;

use super::super::Failure;
use super::super::session::Session;
use crate::span::Span;

/// For so long a message that was given up is shown.
const GIVEN_UP: Span = Span::from_days(7);

/// What waits to be told on a channel, or was given up.
#[derive(Serialize)]
pub(super) struct Messages {
    channel: &'static str,
    given_up: bool,
    /// How many events.
    events: usize,
    /// Since when the first of them is to be told.
    since: String,
    /// Why the last of them could not be delivered.
    reason: Option<String>,
}

impl Messages {
    /// For each channel what waits, and what was given up of late.
    pub(super) fn all(session: &Session) -> Result<Vec<Self>, Failure> {
        let mut all: Vec<Messages> = Vec::new();
        for notice in (session.registry).undelivered(session.now.minus(GIVEN_UP))? {
            let (channel, given_up) = (notice.channel.as_str(), notice.given_up);
            let there = |one: &&mut Messages| (one.channel, one.given_up) == (channel, given_up);
            match all.iter_mut().find(there) {
                Some(one) => {
                    one.events += 1;
                    one.reason = notice.trouble.or(one.reason.take());
                }
                None => all.push(Messages {
                    channel,
                    given_up,
                    events: 1,
                    since: notice.at.to_string(),
                    reason: notice.trouble,
                }),
            }
        }
        Ok(all)
    }

    /// As a line for people.
    pub(super) fn line(&self) -> String {
        let events = match self.events {
            1 => "1 event".to_owned(),
            count => format!("{count} events"),
        };
        let what = if self.given_up { "given up" } else { "waiting" };
        let reason = self.reason.iter().map(|reason| format!(" ({reason})"));
        let reason: String = reason.collect();
        let Messages { channel, since, .. } = self;
        format!("messages       {channel}: {events} since {since} {what}{reason}")
    }
}
