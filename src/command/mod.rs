//! The command line: one file per verb.
//!
//! Each verb's file has its `Options` (read by clap, whose doc comments are the
//! help and the man page) and a `run` that writes what it reports to
//! [`Context::out`] and fails with a [`Failure`].

mod failure;
pub mod fastcgi;

pub use failure::Failure;

use std::io::Write;
use std::path::PathBuf;

/// What every verb gets besides its own options.
pub struct Context<'a> {
    /// The configuration file in force.
    pub config: PathBuf,
    /// Whether one JSON document is wanted instead of text for people.
    pub json: bool,
    /// Standard output.
    pub out: &'a mut dyn Write,
}
