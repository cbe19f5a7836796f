//! `bowline host disable`: no visits, no records, until it is switched on again.

use clap::Args;

use super::super::session::Session;
use super::super::settle::settle;
use super::super::{Context, Failure};
use super::report;

/// Switch a host off: no visits, no records
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Its name, short or in full
    name: String,
}

/// Switches it off, then clears its records.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let mut session = Session::open(context)?;
    let host = session.host(&options.name)?;
    session.registry.disable(host.id, session.now)?;
    settle(&mut session, &[host.id]);
    report::changed(&session, &host, "switched off", context)
}
