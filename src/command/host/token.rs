//! Tokens on the command line: made, or taken over from a file or standard input.

use std::path::PathBuf;

use super::super::Failure;
use super::super::handed::{Argument, Handed};
use crate::config::Config;
use crate::name::HostName;
use crate::token::Token;

/// Where a token to take over is.
#[derive(Debug, Clone)]
pub(super) struct TokenSource(PathBuf);

impl TokenSource {
    /// Reads `-` or `@FILE`; a token itself has no business in a process list.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text.strip_prefix('@') {
            _ if text == "-" => Ok(TokenSource(text.into())),
            Some(file) if !file.is_empty() => {
                // `-` alone is standard input; a file of that name has a directory.
                let file = if file == "-" { "./-" } else { file };
                Ok(TokenSource(file.into()))
            }
            _ => Err("a token is read from standard input (-) or a file (@FILE)".to_owned()),
        }
    }

    /// The file it is in.
    pub(super) fn argument(&self) -> Argument {
        Argument::read("token", &self.0)
    }

    /// Reads it, white space around it removed.
    pub(super) fn read(&self, handed: &mut Handed) -> Result<Token, Failure> {
        Ok(handed.read(&self.argument())?.trim().parse()?)
    }
}

/// The token taken over, or a new one.
pub(super) fn taken_or_new(
    source: Option<&TokenSource>,
    handed: &mut Handed,
) -> Result<Token, Failure> {
    match source {
        Some(source) => source.read(handed),
        None => Ok(Token::random()?),
    }
}

/// Where the host's client goes, and the only text that shows its token.
pub(super) fn update_url(config: &Config, token: &Token, name: &HostName) -> String {
    format!("{}/{}/{}", config.url, token.secret(), name.relative())
}

/// The file names of the tokens' sources.
pub(super) fn files(source: Option<&TokenSource>) -> Vec<Argument> {
    source.map(TokenSource::argument).into_iter().collect()
}
