//! The executable: a CGI program where a web server runs it, else a command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::var_os("GATEWAY_INTERFACE").is_none() {
        return bowline::command::main(std::env::args_os());
    }
    match bowline::gateway::cgi::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
