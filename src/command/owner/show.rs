//! `bowline owner show`: everything about one owner but the token, which nobody knows.

use clap::Args;
use serde::Serialize;

use super::super::session::Session;
use super::super::token::OldToken;
use super::super::{Context, Failure};
use super::report::{Listed, state};
use crate::one_line::OneLine;
use crate::owner_name::OwnerName;

/// Show everything about one owner but the token
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The owner
    name: OwnerName,
}

/// What JSON has beyond the element of a list: the hosts themselves.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    listed: Listed,
    names: Vec<String>,
    old_tokens: Vec<OldToken>,
}

/// Writes it as aligned lines, or as JSON.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let session = Session::open(context)?;
    let owner = session.owner(&options.name)?;
    let hosts = session.registry.hosts_of(owner.id)?;
    let tokens = session.registry.owner_tokens(owner.id)?;
    let old_tokens = OldToken::all(tokens, session.now);
    if context.json {
        return context.write_json(&Shown {
            listed: Listed::of(&owner, hosts.len()),
            names: hosts.iter().map(|host| host.name.to_string()).collect(),
            old_tokens,
        });
    }
    let mut lines = vec![
        ("name", owner.name.to_string()),
        ("state", state(&owner).to_owned()),
    ];
    lines.extend(owner.notify.map(|events| ("notify", events.to_string())));
    lines.extend(owner.mail.map(|mail| ("mail", mail)));
    lines.extend(old_tokens.iter().map(|old| ("old token", old.to_string())));
    lines.push(("created", owner.created.to_string()));
    lines.extend(hosts.iter().map(|host| ("host", host.name.for_people())));
    for (name, value) in lines {
        writeln!(context.out, "{name:<14} {}", OneLine(value))?;
    }
    Ok(())
}
