//! FastCGI 1.0: a responder that stays, for web servers that keep one running.
//!
//! - `record` and `pairs`: the frames and what is in them
//! - `conversation`: what is said on a connection, without the connection
//! - `socket`, `connection`, `lobby`, `server`: sockets, time and workers
//! - `listen`: where the sockets come from
//! - `current`: configuration and keys, and how they are read again
//!
//! The answer is all that is ever said: STDERR stays unused, since web servers put the
//! request line, with the secret in it, beside what comes there.

mod connection;
mod conversation;
mod current;
mod limits;
mod listen;
mod lobby;
pub mod pairs;
pub mod record;
mod server;
mod socket;

pub use conversation::{Conversation, Heard, Received};
pub use current::Current;
pub use limits::{Limits, WORKERS};
pub use listen::{ListenAddress, ListenError, from_input, from_systemd, listen};
pub use server::{Respond, Server};
pub use socket::Listener;

use std::io::{self, Write};
use std::process::ExitCode;
use std::thread;

use rustix::process::{Resource, getrlimit};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::hide_panics;
use crate::config::{FILE_VARIABLE, file_in_force};

/// Serves the socket on standard input, if it is one that listens; `None` if not.
pub fn run() -> Option<ExitCode> {
    let served = match from_input(io::stdin(), &[]) {
        Ok(None) => return None,
        Ok(Some(listener)) => {
            let file = file_in_force(std::env::var_os(FILE_VARIABLE));
            serve(vec![listener], Limits::default(), &Current::new(&file))
                .map_err(ListenError::from)
        }
        Err(error) => Err(error),
    };
    Some(match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody need be there to read it.
            let _ = writeln!(io::stderr(), "bowline: {error}");
            ExitCode::FAILURE
        }
    })
}

/// Answers requests until SIGTERM or SIGINT; SIGHUP reads the configuration again.
///
/// # Errors
/// When the system has neither socket nor thread to give.
pub fn serve(listeners: Vec<Listener>, limits: Limits, current: &Current) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    let files = getrlimit(Resource::Nofile).current;
    let files = files.and_then(|files| files.try_into().ok());
    let limits = limits.within(files.unwrap_or(usize::MAX));
    let workers = limits.workers;
    let server = Server::new(listeners, limits)?;
    hide_panics();
    thread::scope(|scope| {
        for number in 0..workers {
            let worker = || server.work(|| current.worker());
            let spawned = thread::Builder::new()
                .name("worker".to_owned())
                .spawn_scoped(scope, worker);
            match spawned {
                Ok(_) => {}
                // Fewer workers are better than none.
                Err(_) if number > 0 => break,
                Err(error) => return Err(error),
            }
        }
        for signal in signals.forever() {
            match signal {
                SIGHUP => current.reload(),
                _ => break,
            }
        }
        server.stop();
        Ok(())
    })
}
