//! `bowline host rename`: another name, the same token.

use clap::Args;

use super::super::session::{Session, full_name, new_name};
use super::super::settle::settle;
use super::super::token::is_too_long;
use super::super::{Context, Failure, note};
use super::report;
use crate::registry::{RegistryError, Rename};
use crate::span::Span;
use crate::token::MADE;

/// Give a host another name; its token stays
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Its name, short or in full
    old: String,
    /// Its name from now on, in the same zone
    new: String,
    /// The old name means this host, and follows it, for so long still; 0: gone at once
    #[arg(long, value_name = "D", default_value = "0")]
    keep_old: Span,
    /// Even if the new name was removed a short time ago
    #[arg(long)]
    again: bool,
    /// Even if it is then below or above a host of another owner: the upper can obtain
    /// certificates for the lower
    #[arg(long)]
    below: bool,
}

/// Renames the host, and moves its records.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let mut session = Session::open(context)?;
    let host = session.host(&options.old)?;
    let zone = session.zone(&host.name)?.clone();
    // A short name is one in the host's zone, however many zones there are.
    let its = match session.config.zone_of(&options.new) {
        Some(_) => None,
        None => Some(&zone.name),
    };
    let name = new_name(&options.new, its, &session.config, "write the name in full")?;
    if name.zone() != zone.name {
        return Err(
            Failure::new(format!("{name} is in another zone than {}", host.name))
                .hint("add it there with `bowline host add`, and remove the old one"),
        );
    }
    if name == host.name {
        return Err(RegistryError::Taken(name).into());
    }
    let rename = Rename {
        to: name.clone(),
        keep: options.keep_old,
        reuse: match options.again {
            true => Span::ZERO,
            false => session.config.limits.reuse,
        },
        below: options.below,
    };
    session
        .registry
        .rename(host.id, &rename, zone.ttl, session.now)?;
    full_name(&options.new, &name).into_iter().for_each(note);
    settle(&mut session, &[host.id]);
    let end = match is_too_long(&session.config, MADE, &name) {
        true => "its token, without a name, which would make it too long",
        false => "the new name",
    };
    let what = format!("was {} until now; its update URL ends in {end}", host.name);
    report::changed(&session, &host, &what, context)
}
