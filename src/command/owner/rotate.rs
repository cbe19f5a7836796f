//! `bowline owner rotate`: a new token for all of an owner's hosts.

use clap::Args;

use super::super::session::Session;
use super::super::{Context, Failure};
use super::report;
use crate::devices::Device;
use crate::owner_name::OwnerName;
use crate::span::Span;
use crate::token::Token;

/// Give an owner a new token; prints it, this once
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The owner
    name: OwnerName,
    /// The old token is good for so long still; 0: dead at once
    #[arg(long, value_name = "D", default_value = "0")]
    keep_old: Span,
    /// Print what is to be pasted into this device, the token in it
    #[arg(long = "for", value_name = "DEVICE")]
    device: Option<Device>,
}

/// Makes the token, and says it.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let mut session = Session::open(context)?;
    let owner = session.owner(&options.name)?;
    let token = Token::random()?;
    let digest = session.registry.digest(&token);
    session
        .registry
        .rotate_owner(owner.id, &digest, options.keep_old, session.now)?;
    report::with_token(&session, &owner, &token, options.device, context)
}
