//! `bowline host remove`: no host, no records, no history.

use clap::Args;

use super::super::session::Session;
use super::super::settle::settle;
use super::super::{Context, Failure};
use super::report;

/// Remove a host with its records, history and mail address
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Its name, short or in full
    name: String,
}

/// Ends its visits, then clears its records; its name rests for a while.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let mut session = Session::open(context)?;
    let host = session.host(&options.name)?;
    session.registry.remove(host.id, session.now)?;
    settle(&mut session, &[host.id]);
    report::changed(&session, &host, "removed", context)
}
