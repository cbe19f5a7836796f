//! Where connections wait until a whole request has arrived.
//!
//! A worker that is free looks after all of them until it has a request, which it then
//! answers itself while another one takes its place. So no worker ever waits for a slow
//! or silent peer, and while all of them work nothing more is accepted or read.

use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Limits;
use super::connection::{Connection, Now};
use super::conversation::Received;
use super::server::Returned;
use super::socket::{Listener, Socket};

/// How much is read at once.
const CHUNK: usize = 16 * 1024;
/// How long nothing is accepted when the system has no more to give, or there is no room.
const PAUSE: Duration = Duration::from_millis(100);
/// A peer that is slower may have to make room for others; one that is idle, after a pause.
const SLOW: Duration = Duration::from_secs(1);

/// The connections on which nobody works.
pub(super) struct Lobby {
    listeners: Vec<Listener>,
    connections: Vec<Connection>,
    returned: Arc<Returned>,
    /// Readable when something has been returned, or everything is to end.
    wake: UnixStream,
    stop: Arc<AtomicBool>,
    /// When the last connection is closed, once everything is to end.
    end: Option<Instant>,
    paused_until: Option<Instant>,
    chunk: Vec<u8>,
    limits: Limits,
}

/// What may be done, after waiting.
struct Ready {
    accept: Vec<usize>,
    connections: Vec<usize>,
}

impl Lobby {
    pub(super) fn new(
        listeners: Vec<Listener>,
        returned: Arc<Returned>,
        wake: UnixStream,
        stop: Arc<AtomicBool>,
        limits: Limits,
    ) -> Self {
        Lobby {
            listeners,
            connections: Vec::new(),
            returned,
            wake,
            stop,
            end: None,
            paused_until: None,
            chunk: vec![0; CHUNK],
            limits,
        }
    }

    /// The next request and its connection; `None` when everything is to end and
    /// nothing is left to do.
    pub(super) fn next(&mut self) -> Option<(Connection, Box<Received>)> {
        loop {
            self.connections.append(&mut self.returned.take());
            if self.end.is_none() && self.stop.load(Ordering::Acquire) {
                self.end();
            }
            self.hurry();
            let more = self.connections.iter().position(Connection::has_more);
            if let Some(at) = more {
                if let Some(request) = self.go_on(at) {
                    return Some(request);
                }
                continue;
            }
            if self.end.is_some() && self.connections.is_empty() {
                return None;
            }
            let ready = self.wait();
            let mut fresh: Vec<Connection> = (ready.accept.into_iter())
                .filter_map(|listener| self.accept(listener))
                .collect();
            // In the order in which they wait; those before keep their places.
            let mut closed = 0;
            for at in ready.connections {
                let before = self.connections.len();
                if let Some(request) = self.go_on(at - closed) {
                    self.connections.append(&mut fresh);
                    return Some(request);
                }
                closed += before - self.connections.len();
            }
            // Most new ones have brought their request along.
            while let Some(connection) = fresh.pop() {
                match connection.go_on(&mut self.chunk, &self.limits) {
                    Now::Waits(connection) => self.connections.push(connection),
                    Now::Request(connection, received) => {
                        self.connections.append(&mut fresh);
                        return Some((connection, received));
                    }
                    Now::Closed => {}
                }
            }
            // Not before: what came while all workers were busy did not come late.
            if let Some(late) = self.late() {
                return Some(late);
            }
            self.close_the_late();
        }
    }

    /// Lets one connection do what it can; it keeps its place unless it is closed or
    /// has a request.
    fn go_on(&mut self, at: usize) -> Option<(Connection, Box<Received>)> {
        if at >= self.connections.len() {
            return None;
        }
        let connection = self.connections.remove(at);
        match connection.go_on(&mut self.chunk, &self.limits) {
            Now::Waits(connection) => {
                self.connections.insert(at, connection);
                None
            }
            Now::Request(connection, received) => Some((connection, received)),
            Now::Closed => None,
        }
    }

    /// Waits until something can be done, or somebody is late.
    fn wait(&mut self) -> Ready {
        let timeout = self.timeout();
        let accepts = self.end.is_none() && self.paused_until.is_none() && self.has_room();
        let listeners: &[Listener] = if accepts { &self.listeners } else { &[] };
        let mut polled = Vec::with_capacity(1 + listeners.len() + self.connections.len());
        polled.push(PollFd::new(&self.wake, PollFlags::IN));
        for listener in listeners {
            polled.push(PollFd::new(listener, PollFlags::IN));
        }
        for connection in &self.connections {
            let flags = if connection.writes() {
                PollFlags::OUT
            } else {
                PollFlags::IN
            };
            polled.push(PollFd::new(&connection.socket, flags));
        }
        if poll(&mut polled, timeout.as_ref()).is_err() {
            // A signal; or no memory, which may pass.
            return Ready {
                accept: Vec::new(),
                connections: Vec::new(),
            };
        }
        let ready: Vec<bool> = polled.iter().map(|one| !one.revents().is_empty()).collect();
        let those = |from: usize, count: usize| {
            (0..count)
                .filter(|at| ready.get(from + at).copied().unwrap_or_default())
                .collect()
        };
        let (waiting, count) = (listeners.len(), self.connections.len());
        let woken = ready.first().copied().unwrap_or_default();
        let ready = Ready {
            accept: those(1, waiting),
            connections: those(1 + waiting, count),
        };
        if woken {
            self.returned.woken(&mut self.wake);
        }
        ready
    }

    /// Until the first connection is late; for ever when there is none.
    fn timeout(&mut self) -> Option<Timespec> {
        let now = Instant::now();
        if self.paused_until.is_some_and(|until| until <= now) {
            self.paused_until = None;
        }
        let full = (!self.has_room()).then(|| now + PAUSE);
        self.connections
            .iter()
            .map(|connection| connection.until)
            .chain(self.paused_until)
            .chain(full)
            .min()
            // A little later, so that whoever is late is so when we look.
            .map(|until| until.saturating_duration_since(now) + Duration::from_millis(1))
            .and_then(|wait| Timespec::try_from(wait).ok())
    }

    /// Takes in a connection that waits. Another one is there when we look again, or another
    /// worker does: to ask for it now would be in vain nearly always.
    fn accept(&mut self, at: usize) -> Option<Connection> {
        match self.listeners.get(at)?.accept() {
            Ok(socket) => Some(Connection::new(socket?, &self.limits)),
            Err(error) => {
                match error.kind() {
                    ErrorKind::WouldBlock
                    | ErrorKind::Interrupted
                    | ErrorKind::ConnectionAborted => {}
                    _ => self.paused_until = Some(Instant::now() + PAUSE),
                }
                None
            }
        }
    }

    /// Whether one more connection may come.
    fn has_room(&self) -> bool {
        self.connections.len() < self.limits.connections
    }

    /// Once everything is to end, leaves every connection the time that is left: before the
    /// next waiting, which would otherwise last as long as an idle peer says nothing.
    fn hurry(&mut self) {
        let Some(end) = self.end else { return };
        let drained = Instant::now() + self.limits.drain;
        for connection in &mut self.connections {
            let end = match connection.is_idle() {
                true => end.min(drained),
                false => end,
            };
            connection.until = connection.until.min(end);
        }
    }

    /// A request that is late, and is to be refused.
    fn late(&mut self) -> Option<(Connection, Box<Received>)> {
        let now = Instant::now();
        let mut late = (self.connections.iter_mut().enumerate())
            .filter(|(_, connection)| connection.until <= now);
        let (at, request) =
            late.find_map(|(at, connection)| connection.late().map(|request| (at, request)))?;
        Some((self.connections.remove(at), request))
    }

    /// Closes who is late, and the slowest when there is too much of them.
    fn close_the_late(&mut self) {
        let now = Instant::now();
        self.connections.retain(|connection| connection.until > now);
        let mut kept: usize = self.connections.iter().map(Connection::kept).sum();
        while kept > self.limits.octets() {
            let oldest = |(_, connection): &(usize, &Connection)| connection.since;
            let busy = self
                .connections
                .iter()
                .enumerate()
                .filter(|(_, connection)| connection.kept() > 0)
                .min_by_key(oldest)
                .map(|(at, _)| at);
            let Some(at) = busy else { break };
            kept -= self.connections.remove(at).kept();
        }
        if !self.has_room() {
            let slow = self
                .connections
                .iter()
                .enumerate()
                .filter(|(_, connection)| {
                    let patience = if connection.is_idle() { PAUSE } else { SLOW };
                    now.duration_since(connection.since) > patience
                })
                .min_by_key(|(_, connection)| (!connection.is_idle(), connection.since))
                .map(|(at, _)| at);
            if let Some(at) = slow {
                self.connections.remove(at);
            }
        }
    }

    /// Begins the end: no new connections, and the old ones have little time left.
    fn end(&mut self) {
        self.end = Some(Instant::now() + self.limits.request);
        for listener in std::mem::take(&mut self.listeners) {
            // What waits in a socket that others hold too is theirs.
            if listener.is_own() {
                listener.remove_file();
                while let Ok(socket) = listener.accept() {
                    let new = socket.map(|socket: Socket| Connection::new(socket, &self.limits));
                    self.connections.extend(new);
                }
            }
        }
    }
}
