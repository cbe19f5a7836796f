//! One connection: its socket, what is said on it, and how long it may take.

use std::time::Instant;

use super::Limits;
use super::conversation::{Conversation, Heard, Received};
use super::record;
use super::socket::{Arrived, Socket};

/// So many chunks are read before others have their turn: more than a request has.
const READS: usize = 16;
/// More replies than this wait for nobody.
const REPLIES_MAX: usize = 64 * 1024;

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    /// Its socket.
    pub(super) socket: Socket,
    conversation: Conversation,
    /// Octets that came behind a request, read when that has been answered.
    behind: Vec<u8>,
    /// Octets that the peer has not taken yet.
    out: Vec<u8>,
    after: After,
    /// When it is closed, whatever happens.
    pub(super) until: Instant,
    /// Since when it does what it does.
    pub(super) since: Instant,
}

/// What follows when everything is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    /// The peer may go on.
    Read,
    /// The peer is still talking but is no longer heard: closing at once would lose
    /// what it was told.
    Linger,
    /// The connection is closed.
    Close,
}

/// What became of a connection.
pub(super) enum Now {
    /// It waits for its peer.
    Waits(Connection),
    /// A request has arrived on it.
    Request(Connection, Box<Received>),
    /// It is closed.
    Closed,
}

impl Connection {
    /// A connection that was just accepted.
    pub(super) fn new(socket: Socket, limits: &Limits) -> Self {
        let now = Instant::now();
        Connection {
            socket,
            conversation: Conversation::default(),
            behind: Vec::new(),
            out: Vec::new(),
            after: After::Read,
            until: now + limits.request,
            since: now,
        }
    }

    /// Whether it waits for the peer to read, not to write.
    pub(super) fn writes(&self) -> bool {
        !self.out.is_empty()
    }

    /// Whether nothing is going on.
    pub(super) fn is_idle(&self) -> bool {
        self.after == After::Read && self.out.is_empty() && !self.conversation.is_busy()
    }

    /// How many octets are kept for it.
    pub(super) fn kept(&self) -> usize {
        self.conversation.kept() + self.behind.len() + self.out.len()
    }

    /// Does what the socket is ready for.
    pub(super) fn go_on(mut self, chunk: &mut [u8], limits: &Limits) -> Now {
        if self.writes() {
            if self.socket.write(&mut self.out).is_err() {
                return Now::Closed;
            }
            return self.written(limits);
        }
        if !self.behind.is_empty() {
            let behind = std::mem::take(&mut self.behind);
            return self.hear(&behind, limits);
        }
        for _ in 0..READS {
            let octets = match (self.socket.read(chunk), self.after) {
                (Arrived::Octets(octets), After::Read | After::Close) => octets,
                (Arrived::Later | Arrived::Octets(_), _) => break,
                (Arrived::Ended, _) => return Now::Closed,
            };
            let arrived = chunk.get(..octets).unwrap_or_default();
            match self.hear(arrived, limits) {
                Now::Waits(more) if octets == chunk.len() && !more.writes() => self = more,
                now => return now,
            }
        }
        Now::Waits(self)
    }

    /// Sends the answer to the request of that number; `whole` is whether nothing of it is
    /// still to come, `keep` whether the connection stays.
    pub(super) fn answer(
        mut self,
        id: u16,
        whole: bool,
        octets: &[u8],
        keep: bool,
        limits: &Limits,
    ) -> Now {
        self.after = match (whole, keep) {
            (true, true) => After::Read,
            (true, false) => After::Close,
            (false, _) => After::Linger,
        };
        record::write_answer(&mut self.out, id, octets);
        self.wait(limits.send);
        if self.socket.write(&mut self.out).is_err() {
            return Now::Closed;
        }
        self.written(limits)
    }

    /// The request that has not arrived in time, which is answered all the same.
    pub(super) fn late(&mut self) -> Option<Box<Received>> {
        let hears = self.after == After::Read && !self.writes();
        hears.then(|| self.conversation.late())?.map(Box::new)
    }

    /// Whether there is something to do without waiting for the peer.
    pub(super) fn has_more(&self) -> bool {
        self.out.is_empty() && !self.behind.is_empty()
    }

    /// Reads octets.
    fn hear(mut self, octets: &[u8], limits: &Limits) -> Now {
        let was_idle = !self.conversation.is_busy();
        let heard = self.conversation.hear(octets);
        self.out.append(&mut self.conversation.replies());
        if was_idle {
            self.wait(limits.request);
        }
        match heard {
            Heard::More => {}
            Heard::Over => self.after = After::Linger,
            Heard::Request(read, received) => {
                self.behind = octets.get(read..).unwrap_or_default().to_vec();
                return Now::Request(self, received);
            }
        }
        if self.out.is_empty() && self.after == After::Read {
            if was_idle && !self.conversation.is_busy() {
                self.wait(limits.idle);
            }
            return Now::Waits(self);
        }
        if self.out.len() > REPLIES_MAX || self.socket.write(&mut self.out).is_err() {
            return Now::Closed;
        }
        self.written(limits)
    }

    /// Called when something has been written.
    fn written(mut self, limits: &Limits) -> Now {
        match self.after {
            _ if self.writes() => Now::Waits(self),
            After::Close => Now::Closed,
            After::Linger => {
                self.socket.end();
                self.wait(limits.linger);
                Now::Waits(self)
            }
            After::Read => {
                if !self.conversation.is_busy() {
                    self.wait(limits.idle);
                }
                Now::Waits(self)
            }
        }
    }

    /// Begins a time of waiting.
    fn wait(&mut self, time: std::time::Duration) {
        self.since = Instant::now();
        self.until = self.since + time;
    }
}
