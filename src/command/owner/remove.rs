//! `bowline owner remove`: no owner, and where that is said, no hosts either.

use clap::Args;
use serde::Serialize;

use super::super::session::Session;
use super::super::settle::settle_removal;
use super::super::{Context, Failure};
use crate::owner_name::OwnerName;

/// Remove an owner
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The owner
    name: OwnerName,
    /// The hosts too, with their records, history and mail addresses
    #[arg(long)]
    with_hosts: bool,
}

/// An owner who is no more.
#[derive(Serialize)]
struct Gone {
    name: String,
    removed: bool,
    /// How many hosts went along.
    hosts: usize,
}

/// Ends the visits to all of the hosts, then clears their records; the names rest for a while.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let mut session = Session::open(context)?;
    let owner = session.owner(&options.name)?;
    let hosts = match options.with_hosts {
        true => session.registry.remove_with_hosts(&owner, session.now)?,
        false => {
            session.registry.remove_owner(&owner)?;
            Vec::new()
        }
    };
    settle_removal(&mut session, &hosts);
    if context.json {
        return context.write_json(&Gone {
            name: owner.name.to_string(),
            removed: true,
            hosts: hosts.len(),
        });
    }
    let with = match hosts.len() {
        0 => String::new(),
        count => format!(", with {}", super::super::hosts(count)),
    };
    Ok(writeln!(context.out, "{}: removed{with}", owner.name)?)
}
