//! `bowline completions`: what the shell needs to complete our verbs and options.

use clap::{Args, ValueEnum};
use clap_complete::Shell;

use super::tree::tree;
use super::{Context, Failure};

/// Print completions for a shell
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The shell
    #[arg(value_enum)]
    shell: Known,
}

/// The shells we know to complete.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Known {
    Bash,
    Zsh,
    Fish,
}

/// Writes the script.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let shell = match options.shell {
        Known::Bash => Shell::Bash,
        Known::Zsh => Shell::Zsh,
        Known::Fish => Shell::Fish,
    };
    // The generator panics when its output is closed: it writes into memory.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut tree(), "bowline", &mut script);
    Ok(context.out.write_all(&script)?)
}
