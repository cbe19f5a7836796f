//! `bowline owner enable`: visits again; static hosts have their addresses back at once.

use clap::Args;

use super::super::session::Session;
use super::super::settle::settle;
use super::super::{Context, Failure};
use super::report;
use crate::owner_name::OwnerName;
use crate::ttl::Ttl;

/// Switch an owner on again; static hosts get their addresses back
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The owner
    name: OwnerName,
}

/// Switches them on; any but static hosts have records again after their next visit.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let mut session = Session::open(context)?;
    let owner = session.owner(&options.name)?;
    let config = &session.config;
    let ttl = |zone: &_| config.zone(zone).map_or(Ttl::DEFAULT, |zone| zone.ttl);
    let hosts = session.registry.enable_owner(owner.id, ttl, session.now)?;
    settle(&mut session, &hosts);
    report::changed(&session, &owner, "switched on", context)
}
