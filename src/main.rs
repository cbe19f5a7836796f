//! The executable: today, the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    bowline::command::main(std::env::args_os())
}
