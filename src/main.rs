//! The executable: a FastCGI responder where standard input is a socket that listens, a
//! CGI program where a web server runs it, else a command line.

use std::process::ExitCode;

use bowline::{command, gateway};

/// musl's own allocator asks the system for memory, and gives it back, several times in a
/// visit (BENCHMARKS.md).
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    // First of all: mod_fcgid sets GATEWAY_INTERFACE as well.
    if let Some(code) = gateway::fastcgi::run() {
        return code;
    }
    if std::env::var_os("GATEWAY_INTERFACE").is_some() {
        return match gateway::cgi::run() {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    command::main(std::env::args_os())
}
