//! CGI (RFC 3875): one request in the environment and on standard input, one response
//! on standard output.
//!
//! The command line is never looked at: a query string without `=` arrives there
//! (RFC 3875 4.4). Whatever comes in, a complete response goes out.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use crate::application::{self, Application};
use crate::config::{Config, DEFAULT_FILE};
use crate::http::{BODY_MAX, HEAD_MAX, Request, Response, Status};
use crate::log::Logger;

/// How much of a body that is too long is read and thrown away; the shipped
/// virtual host lets no longer one through.
const DRAIN_MAX: u64 = 1 << 20;

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
    let variables = meta_variables(environment);
    let head_only = variables
        .get("REQUEST_METHOD")
        .is_some_and(|method| method == b"HEAD");
    let answered = catch_unwind(AssertUnwindSafe(|| answer(variables, input)));
    let response = answered.unwrap_or_else(|_| {
        application::trouble(&Logger::default(), &"a bug in bowline", "please report it")
    });
    response.write(output, head_only)
}

fn answer(variables: BTreeMap<String, Vec<u8>>, input: &mut dyn Read) -> Response {
    let body = read_body(&variables, input);
    let head: usize = variables
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if head > HEAD_MAX {
        return Response::text(Status::HeaderFieldsTooLarge, "head\n");
    }
    let Some(body) = body else {
        return Response::text(Status::ContentTooLarge, "body\n");
    };
    let file = match variables.get("BOWLINE_CONFIG") {
        Some(file) => PathBuf::from(OsString::from_vec(file.clone())),
        None => PathBuf::from(DEFAULT_FILE),
    };
    match Config::load(&file) {
        Ok(config) => Application::new(config).respond(&Request::new(variables, &body)),
        Err(error) => {
            application::trouble(&Logger::default(), &error, "run `bowline config check`")
        }
    }
}

/// The environment as octets; a name that is no text is no variable of ours.
fn meta_variables(environment: Vec<(OsString, OsString)>) -> BTreeMap<String, Vec<u8>> {
    environment
        .into_iter()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_vec())))
        .collect()
}

/// The body, as long as CONTENT_LENGTH says; `None` when that is too long.
///
/// A length that is no number is none, and a body that ends early is what there is.
fn read_body(variables: &BTreeMap<String, Vec<u8>>, input: &mut dyn Read) -> Option<Vec<u8>> {
    let digits = variables
        .get("CONTENT_LENGTH")
        .map_or(&[][..], |length| length.trim_ascii());
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Some(Vec::new());
    }
    let length: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    if length > BODY_MAX as u64 {
        // A web server that cannot get rid of the body may drop the answer with it.
        let _ = io::copy(&mut input.take(length.min(DRAIN_MAX)), &mut io::sink());
        return None;
    }
    let mut body = Vec::new();
    let read = input.take(length).read_to_end(&mut body);
    Some(read.map_or_else(|_| Vec::new(), |_| body))
}
