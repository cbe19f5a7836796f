//! CGI (RFC 3875): one request in the environment and on standard input, one response
//! on standard output.
//!
//! The command line is never looked at: a query string without `=` arrives there
//! (RFC 3875 4.4). Whatever comes in, a complete response goes out.

use std::ffi::OsString;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::ARRIVAL;
use crate::application::{self, Application};
use crate::config::{Config, FILE_VARIABLE, file_in_force};
use crate::http::{BODY_MAX, BodyLength, Meta, Refusal, Request, Response};
use crate::log::Logger;

/// How much of a body that is refused is read and thrown away; the shipped virtual
/// hosts let no longer one through.
const DRAIN_MAX: u64 = 1 << 20;

/// Answers the request of this process.
///
/// # Errors
/// When the web server does not take the response.
pub fn run() -> io::Result<()> {
    super::hide_panics();
    let environment: Vec<(OsString, OsString)> = std::env::vars_os().collect();
    let mut stdin = Stdin {
        until: Instant::now() + ARRIVAL,
    };
    respond(environment, &mut stdin, &mut io::stdout().lock())
}

/// Answers the request that an environment and a body make.
///
/// # Errors
/// When `output` does not take the response.
pub fn respond(
    environment: Vec<(OsString, OsString)>,
    input: &mut dyn Read,
    output: &mut dyn Write,
) -> io::Result<()> {
    let octets = |(name, value): (OsString, OsString)| (name.into_vec(), value.into_vec());
    let meta = Meta::new(environment.into_iter().map(octets));
    let (head_only, json) = (meta.is_head(), meta.prefers_json());
    let answered = catch_unwind(AssertUnwindSafe(|| answer(meta, input, json)));
    let response = answered.unwrap_or_else(|_| application::bug(&Logger::default(), json));
    // One write: a peer that reads in pieces still gets the whole.
    output.write_all(&response.octets(head_only))?;
    output.flush()
}

fn answer(meta: Meta, input: &mut dyn Read, json: bool) -> Response {
    let length = meta.body_length();
    let body = length.and_then(|length| read(input, length, meta.is_chunked()));
    if body.is_err() {
        // A web server that cannot get rid of the body may drop the answer with it.
        let _ = io::copy(&mut input.take(DRAIN_MAX), &mut io::sink());
    }
    let variable = meta.variable(FILE_VARIABLE);
    let file = file_in_force(variable.map(|file| OsString::from_vec(file.to_vec())));
    match Config::load(&file) {
        Ok(config) => {
            let mut application = Application::new(config);
            let response = match body {
                Ok(body) => application.respond(&Request::new(meta, &body)),
                Err(refusal) => application.refuse(refusal, &Request::new(meta, &[])),
            };
            // The process ends now, and the system closes what is open in one go.
            std::mem::forget(application);
            response
        }
        Err(error) => {
            let hint = "run `bowline config check`";
            application::trouble(&Logger::default(), &error, hint, json)
        }
    }
}

/// The body, exactly as long as it is said to be.
///
/// Without a length there is none, but for one that came in chunks: its length the web
/// server cannot know, and it ends where standard input ends.
fn read(input: &mut dyn Read, length: BodyLength, chunked: bool) -> Result<Vec<u8>, Refusal> {
    let (most, said) = match length {
        BodyLength::NotSaid if !chunked => return Ok(Vec::new()),
        BodyLength::NotSaid => (BODY_MAX + 1, None),
        BodyLength::Octets(length) => (length, Some(length)),
    };
    let mut body = Vec::new();
    match (&mut *input).take(most as u64).read_to_end(&mut body) {
        Ok(read) if said.is_some_and(|said| said != read) => Err(Refusal::Malformed),
        Ok(read) if read > BODY_MAX => Err(Refusal::Body),
        Ok(_) => Ok(body),
        Err(error) if error.kind() == ErrorKind::TimedOut => Err(Refusal::Late),
        Err(_) => Err(Refusal::Malformed),
    }
}

/// Standard input, for as long as a request may take to arrive.
struct Stdin {
    until: Instant,
}

impl Read for Stdin {
    fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        let stdin = io::stdin();
        let left = self.until.saturating_duration_since(Instant::now());
        let mut polled = [PollFd::new(&stdin, PollFlags::IN)];
        match poll(&mut polled, Timespec::try_from(left).ok().as_ref())? {
            0 => Err(ErrorKind::TimedOut.into()),
            _ => Ok(rustix::io::read(&stdin, octets)?),
        }
    }
}
