//! The executable: a CGI program where a web server runs it, else a command line.

use std::process::ExitCode;

use bowline::{command, gateway};

fn main() -> ExitCode {
    if std::env::var_os("GATEWAY_INTERFACE").is_some() {
        return match gateway::cgi::run() {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    command::main(std::env::args_os())
}
