//! The workers, and how they pass connections on.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Limits;
use super::connection::{Connection, Now};
use super::conversation::Received;
use super::lobby::Lobby;
use super::socket::Listener;
use crate::http::{Refusal, Request, Response};

/// What answers requests.
pub trait Respond {
    /// Answers one.
    fn respond(&mut self, request: &Request) -> Response;

    /// Answers one that was not taken; of its head there may be nothing.
    fn refuse(&mut self, refusal: Refusal, request: &Request) -> Response;

    /// Answers one that has panicked; after that it is made anew.
    fn fail(&mut self, json: bool) -> Response;
}

/// A responder on some sockets, for as many workers as call [`Server::work`].
pub struct Server {
    lobby: Mutex<Lobby>,
    returned: Arc<Returned>,
    stop: Arc<AtomicBool>,
    limits: Limits,
}

impl Server {
    /// A responder that nobody works for yet.
    ///
    /// # Errors
    /// When the system has no socket to give.
    pub fn new(listeners: Vec<Listener>, limits: Limits) -> io::Result<Self> {
        let (returned, wake) = Returned::new()?;
        let returned = Arc::new(returned);
        let stop = Arc::new(AtomicBool::new(false));
        let lobby = Lobby::new(
            listeners,
            Arc::clone(&returned),
            wake,
            Arc::clone(&stop),
            limits.clone(),
        );
        Ok(Server {
            lobby: Mutex::new(lobby),
            returned,
            stop,
            limits,
        })
    }

    /// Answers requests until [`Server::stop`]; `new` makes what answers them, again
    /// after a panic.
    pub fn work<R: Respond>(&self, new: impl Fn() -> R) {
        let mut respond = new();
        loop {
            let next = catch_unwind(AssertUnwindSafe(|| lock(&self.lobby).next()));
            let (connection, received) = match next {
                Ok(Some(request)) => request,
                Ok(None) => return,
                Err(_) => continue,
            };
            let Received {
                id,
                keep,
                whole,
                meta,
                body,
            } = *received;
            let (head_only, json) = (meta.is_head(), meta.prefers_json());
            let answered = catch_unwind(AssertUnwindSafe(|| {
                let response = match body {
                    Ok(body) => respond.respond(&Request::new(meta, &body)),
                    Err(refusal) => respond.refuse(refusal, &Request::new(meta, &[])),
                };
                response.octets(head_only)
            }));
            let octets = answered.unwrap_or_else(|_| {
                let response = respond.fail(json);
                respond = new();
                response.octets(head_only)
            });
            let keep = keep && !self.stop.load(Ordering::Acquire);
            let now = connection.answer(id, whole, &octets, keep, &self.limits);
            if let Now::Waits(connection) | Now::Request(connection, _) = now {
                self.returned.give(connection);
            }
        }
    }

    /// Lets the workers finish what they have, and nothing else.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.returned.wake();
    }
}

/// Connections on their way back from workers to the lobby.
pub(super) struct Returned {
    connections: Mutex<Vec<Connection>>,
    wake: UnixStream,
}

impl Returned {
    /// None yet, and the socket that is readable when there are some.
    fn new() -> io::Result<(Self, UnixStream)> {
        let (wake, woken) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        woken.set_nonblocking(true)?;
        let connections = Mutex::default();
        Ok((Returned { connections, wake }, woken))
    }

    /// Brings one back.
    fn give(&self, connection: Connection) {
        lock(&self.connections).push(connection);
        self.wake();
    }

    /// All that have been brought back.
    pub(super) fn take(&self) -> Vec<Connection> {
        std::mem::take(&mut *lock(&self.connections))
    }

    /// Ends the waiting of whoever waits.
    fn wake(&self) {
        // A full socket wakes as well as one octet more.
        let _ = (&self.wake).write(&[0]);
    }

    /// Takes all wake-up calls away.
    pub(super) fn woken(&self, socket: &mut UnixStream) {
        let mut calls = [0; 256];
        while matches!(socket.read(&mut calls), Ok(256)) {}
    }
}

/// The lock, whoever panicked with it: what it guards is whole between any two steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
