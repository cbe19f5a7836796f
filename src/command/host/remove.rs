//! `bowline host remove`: no host, no records, no history.

use clap::Args;

use super::super::session::Session;
use super::super::settle::settle_removal;
use super::super::{Context, Failure, hint, note};
use super::report;
use crate::registry::FormerName;

/// Remove a host with its records, history and mail address
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Its name, short or in full
    name: String,
}

/// Ends its visits, then clears its records; its name rests for a while.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let mut session = Session::open(context)?;
    if let Some(name) = session.damaged_host(&options.name) {
        session.registry.remove_at_once(&name, session.now)?;
        note("it was damaged in the registry, so its records stay where they are");
        hint(format!(
            "`bowline host add {name} --again` makes it anew and takes them over"
        ));
        return report::gone(&name, context);
    }
    let host = session.host(&options.name)?;
    if let Some(former) = session.former_name(&options.name, &host)? {
        let (FormerName { name, until }, today) = (former, &host.name);
        let cause = format!("{name} is a former name of {today} until {until}");
        return Err(Failure::new(cause).hint(format!(
            "it ends by itself then; `bowline host remove {today}` removes the host, with all its \
             names, now"
        )));
    }
    let behind = session.registry.hosts_behind(host.id)?;
    let is_served = session.config.zone(&host.name.zone()).is_some();
    match is_served || host.wish.number != 0 {
        true => session.registry.remove(host.id, session.now)?,
        // It never had a record, and nobody can be asked what stands in its place.
        false => session.registry.remove_at_once(&host.name, session.now)?,
    }
    for host in behind {
        note(format!(
            "{} was behind it, keeps its addresses, and is behind nothing now",
            host.name
        ));
    }
    settle_removal(&mut session, &[host.id]);
    report::changed(&session, &host, "removed", context)
}
