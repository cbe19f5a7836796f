//! The executable: a FastCGI responder where standard input is a socket that listens, a
//! CGI program where a web server runs it, else a command line.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use bowline::command::{Context, fastcgi};
use clap::Parser;

#[derive(Parser)]
#[command(name = "bowline", version)]
struct Arguments {
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    Fastcgi(fastcgi::Options),
}

fn main() -> ExitCode {
    // First of all: mod_fcgid sets GATEWAY_INTERFACE as well.
    if let Some(code) = bowline::gateway::fastcgi::run() {
        return code;
    }
    if std::env::var_os("GATEWAY_INTERFACE").is_some() {
        return match bowline::gateway::cgi::run() {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    let Arguments { config, verb } = Arguments::parse();
    let config = config
        .or_else(|| std::env::var_os("BOWLINE_CONFIG").map(PathBuf::from))
        .unwrap_or_else(|| bowline::config::DEFAULT_FILE.into());
    let mut context = Context {
        config,
        json: false,
        out: &mut io::stdout(),
    };
    let Verb::Fastcgi(options) = verb;
    match fastcgi::run(&options, &mut context) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = write!(io::stderr(), "{failure}");
            ExitCode::FAILURE
        }
    }
}
