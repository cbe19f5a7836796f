//! The executable: a command line where it is given a verb; without one a FastCGI responder where
//! standard input is a socket that listens. A CGI program where a web server runs it.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bowline::{command, gateway};
use signal_hook::consts::SIGXFSZ;
use signal_hook::flag;
// C's malloc and free, and so SQLite's, by the allocator below. With glibc they would meet
// memory that it has aligned itself; what musl itself takes it gives back itself.
#[cfg(target_env = "musl")]
use tinyrlibc as _;

/// musl's own allocator asks the system for memory, and gives it back, tens of times in a
/// visit (BENCHMARKS.md).
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    // A file that is as large as this process may make one (RLIMIT_FSIZE) refuses what is
    // written, as on a full disk; else that would be the end, perhaps before an answer. Not
    // ignored: what we run would inherit that.
    let _ = flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
    let is_gateway = std::env::var_os("GATEWAY_INTERFACE").is_some();
    // mod_fcgid sets that as well. `bowline fastcgi` has options, and takes the socket by itself.
    let is_told = std::env::args_os().len() > 1 && !is_gateway;
    if !is_told && let Some(code) = gateway::fastcgi::run() {
        return code;
    }
    if is_gateway {
        return match gateway::cgi::run() {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    command::main(std::env::args_os())
}
