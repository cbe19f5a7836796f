//! `bowline owner add`: somebody with several hosts, and the one token for them.

use clap::Args;

use super::super::handed::Argument;
use super::super::host::mail;
use super::super::session::Session;
use super::super::token::{self, TokenSource, taken_or_new};
use super::super::{Context, Failure};
use super::report;
use crate::devices::Device;
use crate::owner_name::OwnerName;

/// Add an owner; prints the token, this once
#[derive(Debug, Args)]
pub(super) struct Options {
    /// A name of letters, digits and -._@
    name: OwnerName,
    /// Where the person is reached
    #[arg(long, value_name = "ADDR", value_parser = mail)]
    mail: Option<String>,
    /// Take a secret over: from standard input (-) or a file (@FILE)
    #[arg(long, value_name = "-|@FILE", value_parser = TokenSource::parse, allow_hyphen_values = true)]
    token: Option<TokenSource>,
    /// Print what is to be pasted into this device, the token in it
    #[arg(long = "for", value_name = "DEVICE")]
    device: Option<Device>,
}

impl Options {
    /// The file with the token.
    pub(super) fn files(&self) -> Vec<Argument> {
        token::files(self.token.as_ref())
    }

    /// Why they cannot be used, beyond what clap sees.
    pub(super) fn misuse(&self) -> Option<&'static str> {
        token::misplaced(self.token.as_ref())
    }
}

/// Adds the owner, and says the token.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let mut session = Session::open(context)?;
    let token = taken_or_new(options.token.as_ref(), &mut context.handed)?;
    let digest = session.registry.digest(&token);
    let mail = options.mail.as_deref();
    session
        .registry
        .add_owner(&options.name, mail, &digest, session.now)?;
    let owner = session.owner(&options.name)?;
    report::with_token(&session, &owner, &token, options.device, context)
}
