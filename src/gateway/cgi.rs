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
    let body = match body {
        Body::Whole(body) => body,
        Body::TooLong => return Response::text(Status::ContentTooLarge, "body\n"),
        Body::NoLength => return Response::text(Status::BadRequest, "length\n"),
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

/// What came as a body.
enum Body {
    /// All of it.
    Whole(Vec<u8>),
    /// More than is read.
    TooLong,
    /// Its length is no number, so where it ends is not known.
    NoLength,
}

/// Reads as much as CONTENT_LENGTH says; a body that ends early is what there is.
///
/// Without a length there is no body (RFC 3875 4.1.2), but for one that came in chunks:
/// its length the web server cannot know, and it ends where standard input ends.
fn read_body(variables: &BTreeMap<String, Vec<u8>>, input: &mut dyn Read) -> Body {
    let chunked = variables.contains_key("HTTP_TRANSFER_ENCODING");
    let digits = variables
        .get("CONTENT_LENGTH")
        .map_or(&[][..], |length| length.trim_ascii());
    let length = match digits {
        [] if chunked => DRAIN_MAX,
        [] => return Body::Whole(Vec::new()),
        _ if !digits.iter().all(u8::is_ascii_digit) => return Body::NoLength,
        // A number that does not fit is too long in any case.
        _ => std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| digits.parse().ok())
            .unwrap_or(u64::MAX),
    };
    let mut body = Vec::new();
    let most = length.min(BODY_MAX as u64 + 1);
    if (&mut *input).take(most).read_to_end(&mut body).is_err() {
        body.clear();
    }
    if body.len() > BODY_MAX || length > BODY_MAX as u64 && !chunked {
        // A web server that cannot get rid of the body may drop the answer with it.
        let _ = io::copy(&mut input.take(DRAIN_MAX), &mut io::sink());
        return Body::TooLong;
    }
    Body::Whole(body)
}
