//! `bowline owner disable`: no visits to any of an owner's hosts, and no records.

use clap::Args;

use super::super::session::Session;
use super::super::settle::settle;
use super::super::{Context, Failure};
use super::report;
use crate::owner_name::OwnerName;

/// Switch an owner off: no visits and no records for any of the hosts
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The owner
    name: OwnerName,
}

/// Switches all of the hosts off, then clears their records.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let mut session = Session::open(context)?;
    let owner = session.owner(&options.name)?;
    let hosts = session.registry.disable_owner(owner.id, session.now)?;
    settle(&mut session, &hosts);
    report::changed(&session, &owner, "switched off", context)
}
