//! What a responder takes on, and how long it waits.

use std::time::Duration;

use super::super::ARRIVAL;

/// How many requests are answered at once, unless it is said.
pub const WORKERS: u16 = 32;

/// Files that are open whatever comes: standard streams, sockets, what wakes us.
const OWN_FILES: usize = 16;
/// Files that a worker opens: its connection, registry, log, lock and a socket to ask.
const WORK_FILES: usize = 6;

/// The bounds of a responder.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Requests that are answered at once; further ones wait in the socket.
    pub workers: usize,
    /// Connections at once, most of them idle; further ones wait in the socket.
    pub connections: usize,
    /// A request must have arrived this long after its first octet, and a new
    /// connection must have brought one.
    pub request: Duration,
    /// A connection without a request is closed after this time: later than nginx,
    /// which closes its idle ones after a minute, would.
    pub idle: Duration,
    /// A peer must take its answer within this time.
    pub send: Duration,
    /// A peer that goes on talking after a refusal is listened to for this time.
    pub linger: Duration,
    /// At the end, idle connections may bring one more request within this time.
    pub drain: Duration,
}

impl Limits {
    /// How many octets all requests may have that have not arrived whole: 128 KiB for
    /// each worker. When there are more, the slowest peer is given up.
    pub fn octets(&self) -> usize {
        self.workers * 128 * 1024
    }

    /// What of it so many open files are enough for, half of them for those who work: else
    /// idle connections had them all.
    pub(super) fn within(self, files: usize) -> Self {
        let files = files.saturating_sub(OWN_FILES);
        let workers = (files / 2 / WORK_FILES).clamp(1, self.workers);
        let rest = files.saturating_sub(workers * WORK_FILES);
        Limits {
            workers,
            connections: rest.clamp(1, self.connections),
            ..self
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            workers: WORKERS.into(),
            connections: 256,
            request: ARRIVAL,
            idle: Duration::from_secs(75),
            send: Duration::from_secs(10),
            linger: Duration::from_secs(2),
            drain: Duration::from_secs(1),
        }
    }
}
