//! `bowline owner list`: the owners, and how many hosts each has.

use clap::Args;

use super::super::session::Session;
use super::super::{Context, Failure};
use super::report::{Listed, state};
use crate::one_line::OneLine;

/// List the owners
#[derive(Debug, Args)]
pub(super) struct Options {}

/// Writes one line per owner, or one JSON array.
pub(super) fn run(_: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let session = Session::open(context)?;
    let owners = session.registry.owners()?;
    if context.json {
        let listed = owners
            .iter()
            .map(|(owner, hosts)| Listed::of(owner, *hosts));
        return context.write_json(&listed.collect::<Vec<_>>());
    }
    let mut line = |name: &str, state: &str, hosts: &str, mail: &str| {
        let mail = OneLine(mail);
        writeln!(context.out, "{name:<24}  {state:<8}  {hosts:>6}  {mail}")
    };
    if !owners.is_empty() {
        line("NAME", "STATE", "HOSTS", "MAIL")?;
    }
    for (owner, hosts) in &owners {
        let mail = owner.mail.as_deref().unwrap_or("-");
        line(owner.name.as_str(), state(owner), &hosts.to_string(), mail)?;
    }
    Ok(())
}
