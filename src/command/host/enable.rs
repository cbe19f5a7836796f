//! `bowline host enable`: visits again; a static host has its addresses back at once.

use clap::Args;

use super::super::session::Session;
use super::super::settle::settle;
use super::super::{Context, Failure, note};
use super::report;

/// Switch a host on again; a static one gets its addresses back
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Its name, short or in full
    name: String,
}

/// Switches it on; any but a static host has records again after its next visit.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let mut session = Session::open(context)?;
    let host = session.host(&options.name)?;
    let ttl = session.zone(&host.name)?.ttl;
    session.registry.enable(host.id, ttl, session.now)?;
    settle(&mut session, &[host.id]);
    if let Some(owner) = host.settings.owner.as_ref().filter(|_| host.owner_disabled) {
        note(format!(
            "it stays off as long as its owner is: `bowline owner enable {owner}`"
        ));
    }
    report::changed(&session, &host, "switched on", context)
}
