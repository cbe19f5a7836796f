//! `bowline host rotate`: a new token for a host.

use clap::Args;

use super::super::session::Session;
use super::super::{Context, Failure};
use super::report;
use crate::devices::Device;
use crate::span::Span;
use crate::token::Token;

/// Give a host a new token; prints its update URL, this once
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Its name, short or in full
    name: String,
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
    let host = session.host(&options.name)?;
    let token = Token::random()?;
    let digest = session.registry.digest(&token);
    session
        .registry
        .rotate(host.id, &digest, options.keep_old, session.now)?;
    report::with_token(&session, host.id, Some(&token), options.device, context)
}
