//! CGI (RFC 3875): one request in the environment and on standard input, one response
//! on standard output.
//!
//! The command line is never looked at: a query string without `=` arrives there
//! (RFC 3875 4.4). Whatever comes in, a complete response goes out.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use super::meta::{BodyLength, Meta, Refusal};
use crate::application::{self, Application};
use crate::config::{Config, DEFAULT_FILE};
use crate::http::{Request, Response};
use crate::log::Logger;

/// Answers the request of this process.
///
/// # Errors
/// When the web server does not take the response.
pub fn run() -> io::Result<()> {
    let environment: Vec<(OsString, OsString)> = std::env::vars_os().collect();
    respond(
        environment,
        &mut io::stdin().lock(),
        &mut io::stdout().lock(),
    )
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
    let head_only = meta.is_head();
    let answered = catch_unwind(AssertUnwindSafe(|| answer(meta, input)));
    let response = answered.unwrap_or_else(|_| application::bug(&Logger::default()));
    response.write(output, head_only)
}

fn answer(meta: Meta, input: &mut dyn Read) -> Response {
    let body = match meta.body_length().and_then(|length| read(input, length)) {
        Ok(body) => body,
        Err(refusal) => return refusal.response(),
    };
    let file = match meta.variable("BOWLINE_CONFIG") {
        Some(file) => PathBuf::from(OsString::from_vec(file.to_vec())),
        None => PathBuf::from(DEFAULT_FILE),
    };
    match Config::load(&file) {
        Ok(config) => Application::new(config).respond(&Request::new(meta.into_variables(), &body)),
        Err(error) => {
            application::trouble(&Logger::default(), &error, "run `bowline config check`")
        }
    }
}

/// The body, exactly as long as it is said to be.
fn read(input: &mut dyn Read, length: BodyLength) -> Result<Vec<u8>, Refusal> {
    let BodyLength::Octets(length) = length else {
        return Ok(Vec::new());
    };
    let mut body = Vec::new();
    match input.take(length as u64).read_to_end(&mut body) {
        Ok(read) if read == length => Ok(body),
        _ => Err(Refusal::Malformed),
    }
}
