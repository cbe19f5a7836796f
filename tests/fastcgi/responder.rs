//! A responder in this process, with bounds of the test's choice.

use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bowline::gateway::fastcgi::{Limits, Listener, Respond, Server};
use bowline::http::{Refusal, Request, Response, Status};

use crate::peer::Peer;
use crate::support::knot::wait_until;

/// A running responder; stopped when dropped.
pub(crate) struct Responder {
    pub(crate) server: Arc<Server>,
    dir: tempfile::TempDir,
    workers: Vec<JoinHandle<()>>,
    held: Arc<Held>,
}

/// Answers with the client's address; `/held`, `/long` and `/panic` do what they say.
struct Echo {
    /// A panic in the middle of its work may leave anything behind.
    in_pieces: bool,
    held: Arc<Held>,
}

/// Requests that keep their workers until they are let go.
#[derive(Default)]
struct Held {
    now: AtomicUsize,
    let_go: AtomicBool,
}

impl Respond for Echo {
    fn respond(&mut self, request: &Request) -> Response {
        let at = |path| request.path.below(path).is_some();
        assert!(!self.in_pieces, "who has panicked is asked again");
        if at("/panic") {
            self.in_pieces = true;
            panic!("a test wants it");
        }
        if at("/held") {
            self.held.now.fetch_add(1, Ordering::Relaxed);
            wait_until("the end of it", || self.held.let_go.load(Ordering::Relaxed));
            self.held.now.fetch_sub(1, Ordering::Relaxed);
        }
        if at("/long") {
            return Response::text(Status::Ok, "x".repeat(1 << 20));
        }
        let peer = request.peer.map(|peer| peer.to_string());
        Response::text(Status::Ok, format!("{}\n", peer.unwrap_or_default()))
    }

    fn refuse(&mut self, refusal: Refusal, request: &Request) -> Response {
        refusal.response(request.prefers_json())
    }

    fn fail(&mut self, _json: bool) -> Response {
        Response::text(Status::ServiceUnavailable, "911\n")
    }
}

impl Responder {
    pub(crate) fn start(limits: Limits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let socket = UnixListener::bind(dir.path().join("socket")).unwrap();
        let listener = Listener::unix(socket).unwrap();
        let workers = limits.workers;
        let server = Arc::new(Server::new(vec![listener], limits).unwrap());
        let held = Arc::new(Held::default());
        let workers = (0..workers)
            .map(|_| (Arc::clone(&server), Arc::clone(&held)))
            .map(|(server, held)| {
                let echo = move || Echo {
                    in_pieces: false,
                    held: Arc::clone(&held),
                };
                thread::spawn(move || server.work(echo))
            })
            .collect();
        Responder {
            server,
            dir,
            workers,
            held,
        }
    }

    /// How many requests for `/held` are with a worker.
    pub(crate) fn held(&self) -> usize {
        self.held.now.load(Ordering::Relaxed)
    }

    /// Has them answered, and those that come.
    pub(crate) fn let_go(&self) {
        self.held.let_go.store(true, Ordering::Relaxed);
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("socket")
    }

    pub(crate) fn connect(&self) -> Peer {
        connect(&self.path())
    }
}

/// A connection, as a peer.
pub(crate) fn connect(path: &Path) -> Peer {
    Peer::connect(path)
}

/// Bounds short enough for a test.
pub(crate) fn short() -> Limits {
    Limits {
        workers: 2,
        connections: 64,
        request: Duration::from_secs(1),
        idle: Duration::from_secs(1),
        send: Duration::from_secs(1),
        linger: Duration::from_millis(300),
        drain: Duration::from_millis(200),
    }
}

/// Bounds in which nobody is given up: whoever is held up by a peer then hears nothing at all.
pub(crate) fn patient() -> Limits {
    let long = Duration::from_secs(600);
    Limits {
        request: long,
        idle: long,
        send: long,
        ..short()
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.let_go();
        self.server.stop();
        for worker in self.workers.drain(..) {
            worker.join().unwrap();
        }
    }
}
