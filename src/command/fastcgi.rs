//! `bowline fastcgi`: a responder that stays.

use std::path::Path;

use ipnetwork::IpNetwork;

use super::handed::Argument;
use super::{Context, Failure};
use crate::gateway::fastcgi::{
    Current, Limits, ListenAddress, Listener, WORKERS, from_input, from_systemd, listen, serve,
};
use crate::network::{Network, NetworkError};

/// Answer the requests that a web server passes on by FastCGI
///
/// Takes the sockets that systemd passes on, or the one on standard input, unless
/// --listen names one. SIGTERM finishes what is running, SIGHUP reads the
/// configuration again.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Listen here: unix:PATH or ADDR:PORT
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<ListenAddress>,
    /// Hear TCP peers of this network only (repeatable); needed beyond loopback
    #[arg(long, value_name = "NETWORK", value_parser = network)]
    allow: Vec<IpNetwork>,
    /// Answer so many requests at once; further ones wait
    #[arg(long, value_name = "N", default_value_t = WORKERS, value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: u16,
}

/// Serves until it is told to end.
///
/// # Errors
/// When there is nothing to listen on; with --listen, also when the configuration
/// cannot be used.
pub(super) fn run(options: &Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let current = Current::new(&context.config);
    let listeners = match &options.listen {
        Some(address) => {
            // Somebody is there to read it; a socket that was passed on must be served.
            if let Some((reason, hint)) = current.trouble() {
                return Err(Failure::new(reason).maybe_hint(hint));
            }
            vec![listen(address, &options.allow)?]
        }
        None => passed_on(&options.allow, context)?,
    };
    if listeners.is_empty() {
        let hint = "name one with --listen, or let systemd or spawn-fcgi pass one on";
        return Err(Failure::new("there is no socket to listen on").hint(hint));
    }
    let limits = Limits {
        workers: options.workers.into(),
        ..Limits::default()
    };
    Ok(serve(listeners, limits, &current)?)
}

/// The sockets that systemd or a web server passed on.
fn passed_on(allow: &[IpNetwork], context: &mut Context<'_>) -> Result<Vec<Listener>, Failure> {
    let sockets = from_systemd(allow)?;
    if !sockets.is_empty() {
        return Ok(sockets);
    }
    let input = context.handed.open(&input())?;
    Ok(from_input(input, allow)?.into_iter().collect())
}

/// Standard input, which may be a socket.
pub(super) fn input() -> Argument {
    Argument::read("socket", Path::new("-"))
}

/// A network whose peers are heard.
fn network(text: &str) -> Result<IpNetwork, NetworkError> {
    text.parse().map(|Network(network)| network)
}
