//! `bowline owner set`: another mail address, other events, or a secret to take over.

use clap::Args;

use super::super::handed::Argument;
use super::super::host::mail;
use super::super::session::Session;
use super::super::token::{self, TokenSource};
use super::super::{Context, Failure};
use super::report;
use crate::event::{Events, of_hosts};
use crate::owner_name::OwnerName;
use crate::registry::OwnerEdit;

/// Change an owner
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The owner
    name: OwnerName,
    /// Where the person is reached
    #[arg(long, value_name = "ADDR", value_parser = mail)]
    mail: Option<String>,
    /// No mail address
    #[arg(long, conflicts_with = "mail")]
    no_mail: bool,
    /// What is told of the hosts that do not say it themselves: all, none, or a list of
    /// changed, expired, silent, pending, mended, old-token
    #[arg(long, value_name = "EVENTS", value_parser = of_hosts)]
    notify: Option<Events>,
    /// What is told of the hosts is as configured again
    #[arg(long, conflicts_with = "notify")]
    no_notify: bool,
    /// Take a secret over in the place of the token: from standard input (-) or a file (@FILE)
    #[arg(long, value_name = "-|@FILE", value_parser = TokenSource::parse, allow_hyphen_values = true)]
    token: Option<TokenSource>,
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

/// Changes the owner; no record changes with it.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let mut session = Session::open(context)?;
    let owner = session.owner(&options.name)?;
    let token = match &options.token {
        Some(source) => Some(session.registry.digest(&source.read(&mut context.handed)?)),
        None => None,
    };
    let edit = OwnerEdit {
        token: token.as_ref(),
        mail: (options.mail.is_some() || options.no_mail).then_some(options.mail.as_deref()),
        notify: (options.notify.is_some() || options.no_notify).then_some(options.notify),
    };
    session.registry.set_owner(owner.id, &edit, session.now)?;
    report::changed(&session, &owner, "set", context)
}
