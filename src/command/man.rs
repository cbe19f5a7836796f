//! `bowline man`.

use clap::Args;

use super::{Context, Failure};

/// Todo
#[derive(Debug, Args)]
pub(super) struct Options {}

/// Todo
pub(super) fn run(_: Options, _: &mut Context<'_>) -> Result<(), Failure> {
    Err(Failure::new("todo"))
}
