//! The command line: one file per verb.
//!
//! Each verb's file has its `Options` (read by clap, whose doc comments are the
//! help and the man page) and a `run` that writes what it reports to
//! [`Context::out`] and fails with a [`Failure`].

mod archive;
mod backup;
mod check;
mod completions;
mod config;
mod dnssec;
mod doctor;
mod failure;
mod fastcgi;
mod handed;
mod history;
mod host;
mod init;
mod man;
mod new_file;
mod notify;
mod owner;
mod restore;
mod session;
mod settle;
mod status;
mod step_down;
mod token;
mod tree;
mod typed;
mod upkeep;
mod watch;
mod zone;
mod zone_hosts;

pub use failure::Failure;
pub use handed::Handed;
pub use tree::tree;

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Write};
use std::path::{self, Path, PathBuf};
use std::process::ExitCode;
use std::sync::OnceLock;

use tree::{Arguments, Verb};

use crate::config::{FILE_VARIABLE, file_in_force};

/// What standard output is called.
const STDOUT: &str = "standard output";
/// What `--config` has named.
static NAMED: OnceLock<PathBuf> = OnceLock::new();

/// What every verb gets besides its own options.
pub struct Context<'a> {
    /// The configuration file in force.
    pub config: PathBuf,
    /// Whether one JSON document is wanted instead of text for people.
    pub json: bool,
    /// Standard output.
    pub out: &'a mut dyn Write,
    /// Files that were opened before the process gave up its rights.
    pub handed: Handed,
}

impl Context<'_> {
    /// Writes one JSON document.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn write_json(&mut self, document: &impl serde::Serialize) -> Result<(), Failure> {
        serde_json::to_writer_pretty(&mut *self.out, document).map_err(io::Error::from)?;
        Ok(writeln!(self.out)?)
    }
}

/// Runs the command line: 0 done, 1 failed, 2 wrong usage.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::read(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            let shown = error.print();
            let code = u8::try_from(error.exit_code()).unwrap_or(2);
            return match shown {
                // Help that was asked for and did not arrive; where it was standard error,
                // nobody is left to hear it.
                Err(error) if code == 0 && error.kind() != io::ErrorKind::BrokenPipe => {
                    let _ = write!(io::stderr(), "{}", Failure::from(named(STDOUT, &error)));
                    ExitCode::FAILURE
                }
                _ => ExitCode::from(code),
            };
        }
    };
    let stdout = Target {
        inner: io::stdout().lock(),
        name: STDOUT.to_owned(),
    };
    let mut out = io::BufWriter::new(stdout);
    if let Some(file) = &arguments.config {
        let _ = NAMED.set(file.clone());
    }
    let done = run(arguments, &mut out).and_then(|()| Ok(out.flush()?));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.is_closed_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = out.flush();
            let _ = write!(io::stderr(), "{failure}");
            ExitCode::FAILURE
        }
    }
}

/// What is written to, whose errors say which that is.
struct Target<W> {
    inner: W,
    name: String,
}

/// The same error with the name of what it is about. Its kind stays: that a reader went away
/// is no failure.
fn named(name: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{name}: {error}"))
}

impl<W: Write> Write for Target<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let done = self.inner.write(octets);
        done.map_err(|error| named(&self.name, &error))
    }

    fn flush(&mut self) -> io::Result<()> {
        let done = self.inner.flush();
        done.map_err(|error| named(&self.name, &error))
    }
}

/// Runs the verb, as who it has to run as.
fn run(arguments: Arguments, out: &mut dyn Write) -> Result<(), Failure> {
    let Arguments { config, json, verb } = arguments;
    let config = config.unwrap_or_else(|| file_in_force(std::env::var_os(FILE_VARIABLE)));
    // Before root's rights go: the working directory may be closed to whoever comes then.
    let config = from_everywhere(config);
    step_down::take_over()?;
    let mut context = Context {
        config,
        json,
        out,
        handed: Handed::receive()?,
    };
    // Root has said it already, where it went on as somebody else.
    if verb.reads_keys() && !Handed::is_awaited() {
        check::warn_of_secrets(&context.config);
    }
    if verb.touches_state() {
        step_down::become_owner(&context, &verb.files())?;
    }
    match verb {
        Verb::Init(options) => init::run(*options, &mut context),
        Verb::Zone(options) => zone::run(options, &mut context),
        Verb::Host(options) => host::run(options, &mut context),
        Verb::Owner(options) => owner::run(options, &mut context),
        Verb::History(options) => history::run(options, &mut context),
        Verb::Status(options) => status::run(options, &mut context),
        Verb::Upkeep(options) => upkeep::run(options, &mut context),
        Verb::Doctor(options) => doctor::run(&options, &mut context),
        Verb::Notify(options) => notify::run(options, &mut context),
        Verb::Fastcgi(options) => fastcgi::run(&options, &mut context),
        Verb::Backup(options) => backup::run(options, &mut context),
        Verb::Restore(options) => restore::run(options, &mut context),
        Verb::Config(options) => config::run(options, &mut context),
        Verb::Completions(options) => completions::run(options, &mut context),
        Verb::Man(options) => man::run(options, &mut context),
    }
}

/// The same file by a name that depends on no working directory, and leads through none that it
/// leaves again. What the file's own name leads to is not looked at: what is beside it stays so.
fn from_everywhere(file: PathBuf) -> PathBuf {
    if file.is_absolute() {
        return file;
    }
    let directory = match file.parent() {
        Some(directory) if directory != Path::new("") => directory,
        _ => Path::new("."),
    };
    match (directory.canonicalize(), file.file_name()) {
        (Ok(directory), Some(name)) => directory.join(name),
        // It cannot be reached; its reader says why.
        _ => path::absolute(&file).unwrap_or(file),
    }
}

/// So many hosts, in words.
fn hosts(count: usize) -> String {
    match count {
        1 => "1 host".to_owned(),
        _ => format!("{count} hosts"),
    }
}

/// Hosts of a zone that is not configured, for which nobody answers.
fn zone_gone(zone: &str, count: usize) -> Failure {
    let cause = format!("{} in zone {zone}, which is not configured", hosts(count));
    Failure::new(cause).hint(format!(
        "every visit to them fails: `bowline zone add {zone}`, with the options it had, puts it back; hosts that are to go: `bowline host remove` each"
    ))
}

/// A text for people: where `--config` was given, commands of ours in it have it too, so that
/// they can be pasted.
fn for_here(text: impl fmt::Display) -> String {
    let text = text.to_string();
    let Some(file) = NAMED.get() else {
        return text;
    };
    let with = format!("`bowline --config {} ", file.display());
    // Some name it already.
    let twice = format!("{with}--config ");
    text.replace("`bowline ", &with)
        .replace(&twice, "`bowline --config ")
}

/// A remark on standard error that is no failure: `note: …`.
fn note(text: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "note: {}", for_here(text));
}

/// What to do, on standard error, where nothing has failed: `hint: …`.
fn hint(text: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "hint: {}", for_here(text));
}

/// A warning on standard error: `warning: …`.
fn warn(text: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "warning: {}", for_here(text));
}
