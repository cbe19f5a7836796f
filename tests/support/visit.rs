//! One CGI process: its request, itself, and its answer.
#![allow(dead_code, unreachable_pub)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Output, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use super::stopwatch::{Took, held_up};

/// A request that is still to be made.
#[derive(Default)]
pub struct Request {
    /// What must not stand in the answer.
    secrets: Vec<String>,
    under: Vec<OsString>,
    arguments: Vec<String>,
    user: Option<u32>,
    body: Vec<u8>,
    variables: BTreeMap<OsString, OsString>,
}

impl Request {
    /// One without any meta-variable.
    pub fn new(secrets: Vec<String>) -> Self {
        Request {
            secrets,
            ..Request::default()
        }
    }

    /// By another method.
    pub fn method(self, method: &str) -> Self {
        self.set("REQUEST_METHOD", method)
    }

    /// From another client, as the proxy says.
    pub fn from(self, client: &str) -> Self {
        self.set("HTTP_X_FORWARDED_FOR", client)
    }

    /// With that meta-variable.
    pub fn set(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Without that meta-variable.
    pub fn unset(mut self, name: &str) -> Self {
        self.variables.remove(&OsString::from(name));
        self
    }

    /// With a body on standard input.
    pub fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_owned();
        self
    }

    /// With arguments, as a query string without `=` arrives.
    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments = arguments.iter().map(|text| (*text).to_owned()).collect();
        self
    }

    /// As another user.
    pub fn user(mut self, user: u32) -> Self {
        self.user = Some(user);
        self
    }

    /// Run by another program, e.g. strace.
    pub fn under<S: AsRef<std::ffi::OsStr>>(mut self, command: &[S]) -> Self {
        self.under = command.iter().map(|word| word.as_ref().into()).collect();
        self
    }

    /// Starts it.
    pub fn spawn(self) -> Running {
        let bowline = OsString::from(env!("CARGO_BIN_EXE_bowline"));
        let head_only = self.is_head();
        let mut words = self.under.into_iter().chain([bowline]);
        let mut command = Command::new(words.next().unwrap());
        command.args(words).args(self.arguments);
        command.env_clear().envs(self.variables);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        let began = Instant::now();
        let mut child = command.spawn().expect("bowline runs");
        // Who does not read a body closes the pipe.
        let _ = child.stdin.take().unwrap().write_all(&self.body);
        Running {
            pid: child.id(),
            // Several may run at once, and each is to be timed for itself.
            end: thread::spawn(move || end_of(child, began)),
            secrets: self.secrets,
            head_only,
        }
    }

    fn is_head(&self) -> bool {
        let method = self.variables.get(&OsString::from("REQUEST_METHOD"));
        method.is_some_and(|method| method == "HEAD")
    }

    /// Makes it.
    pub fn run(self) -> Response {
        self.spawn().wait()
    }
}

/// Waits for the end of a process that began then.
fn end_of(mut child: Child, began: Instant) -> (Output, Took) {
    let mut errors = child.stderr.take().unwrap();
    let errors = thread::spawn(move || {
        let mut all = Vec::new();
        errors.read_to_end(&mut all).unwrap();
        all
    });
    let (mut stdout, mut said) = (child.stdout.take().unwrap(), Vec::new());
    stdout.read_to_end(&mut said).unwrap();
    let stderr = errors.join().unwrap();
    // Once it is reaped, what the kernel has counted for it is gone.
    let pid = Pid::from_child(&child);
    waitid(
        WaitId::Pid(pid),
        WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
    )
    .unwrap();
    let took = Took::new(began.elapsed(), held_up(&child.id().to_string()));
    let status = child.wait().unwrap();
    let output = Output {
        status,
        stdout: said,
        stderr,
    };
    (output, took)
}

/// A visit under way.
pub struct Running {
    pid: u32,
    end: JoinHandle<(Output, Took)>,
    secrets: Vec<String>,
    head_only: bool,
}

impl Running {
    /// The process.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.end.is_finished()
    }

    /// Kills it.
    pub fn kill(&self) {
        let pid = self.pid.to_string();
        let _ = Command::new("kill").args(["-s", "KILL", &pid]).status();
    }

    /// Its answer; the process must end well.
    pub fn wait(self) -> Response {
        self.end().expect("an answer")
    }

    /// Its answer; what it had written when something killed it.
    pub fn end(self) -> Result<Response, String> {
        let (output, took) = self.end.join().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let Some(code) = output.status.code() else {
            return Err(String::from_utf8_lossy(&output.stdout).into_owned());
        };
        assert_eq!(code, 0, "{stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
        let response = Response::parse(output.stdout, self.head_only, took, stderr);
        for secret in self.secrets {
            assert!(!response.raw.contains(&secret), "the answer holds a token");
        }
        Ok(response)
    }
}

/// An answer as the web server gets it.
pub struct Response {
    pub status: u16,
    /// By their names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: String,
    /// All of it.
    pub raw: String,
    pub took: Took,
    /// What went to the web server's error log.
    pub stderr: String,
}

impl Response {
    /// Status and line: `200 good 203.0.113.7`.
    pub fn said(&self) -> String {
        format!("{} {}", self.status, self.body.trim_end_matches('\n'))
    }

    /// Whether it is what is said when the name server could not confirm.
    pub fn is_pending(&self) -> bool {
        self.said() == "503 dnserr"
    }

    /// Reads it, and checks what is promised of every answer.
    fn parse(octets: Vec<u8>, head_only: bool, took: Took, stderr: String) -> Self {
        let raw = String::from_utf8(octets).unwrap();
        let (head, body) = raw.split_once("\r\n\r\n").expect("a head and a body");
        let mut headers = BTreeMap::new();
        for line in head.split("\r\n") {
            let (name, value) = line.split_once(": ").expect("a header field");
            let before = headers.insert(name.to_ascii_lowercase(), value.to_owned());
            assert!(before.is_none(), "{name} twice");
        }
        let (status, reason) = headers["status"].split_once(' ').unwrap();
        assert!(!reason.is_empty() && raw.starts_with("Status: "), "{raw}");
        let status = status.parse().unwrap();
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-robots-tag", "noindex, nofollow"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(headers[name], value, "{raw}");
        }
        assert!(headers.contains_key("content-security-policy"), "{raw}");
        assert!(!headers.contains_key("location"), "{raw}");
        let waits = matches!(status, 429 | 503);
        assert_eq!(headers.contains_key("retry-after"), waits, "{raw}");
        let length = headers.get("content-length").map(|text| text.parse());
        let length = length.transpose().unwrap();
        match status {
            // No body of its own, and so no length (RFC 9110 15.4.5).
            304 => assert!(body.is_empty() && length.is_none(), "{raw}"),
            // The length of the body that it leaves out.
            _ if head_only => assert!(body.is_empty() && length.is_some(), "{raw}"),
            _ => assert_eq!(Some(body.len()), length, "{raw}"),
        }
        Response {
            status,
            body: body.to_owned(),
            headers,
            raw,
            took,
            stderr,
        }
    }
}
