//! Receivers of mail and webhooks, and a site that tells them what happens.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::site::{Home, Site};

/// Debian's, which has aiosmtpd.
const PYTHON: &str = "/usr/bin/python3";

/// A receiver, stopped when it is dropped.
pub struct Receiver {
    pub port: u16,
    kept: TempDir,
    child: Child,
}

impl Receiver {
    /// A mail server.
    pub fn smtp(mode: &str, certificate: &[&Path]) -> Self {
        let paths = certificate.iter().map(|path| path.display().to_string());
        let arguments: Vec<String> = std::iter::once(mode.to_owned()).chain(paths).collect();
        Receiver::start("smtp.py", &arguments)
    }

    /// A receiver of webhooks.
    pub fn http() -> Self {
        Receiver::start("hook.py", &[])
    }

    /// One at a port that was free a moment ago.
    pub fn http_at(port: u16) -> Self {
        Receiver::start("hook.py", &[port.to_string()])
    }

    /// One that speaks TLS.
    pub fn https(certificate: &Path, key: &Path) -> Self {
        let paths = [certificate, key].map(|path| path.display().to_string());
        Receiver::start("hook.py", &[vec!["0".to_owned()], paths.to_vec()].concat())
    }

    fn start(script: &str, arguments: &[String]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/notify")
            .join(script);
        let kept = tempfile::tempdir().unwrap();
        let mut child = Command::new(PYTHON)
            .arg(script)
            .arg(kept.path())
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let port = line.trim().parse().expect("python3-aiosmtpd is installed");
        Receiver { port, kept, child }
    }

    /// What was taken, oldest first.
    pub fn taken(&self) -> Vec<String> {
        let mut files: Vec<PathBuf> = (fs::read_dir(self.kept.path()).unwrap())
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_none())
            .collect();
        files.sort();
        let read = |file| fs::read_to_string(file).unwrap();
        files.into_iter().map(read).collect()
    }

    /// What was posted, oldest first.
    pub fn posted(&self) -> Vec<Value> {
        let parse = |text: String| serde_json::from_str(&text).unwrap();
        self.taken().into_iter().map(parse).collect()
    }

    /// The documents that were posted, oldest first.
    pub fn documents(&self) -> Vec<Value> {
        let parse = |post: Value| serde_json::from_str(post["body"].as_str().unwrap()).unwrap();
        self.posted().into_iter().map(parse).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A certificate of its own authority for this machine, and its key.
pub fn certificate(directory: &Path) -> (PathBuf, PathBuf) {
    let (certificate, key) = (directory.join("cert.pem"), directory.join("key.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ])
        .args(["-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        // An end entity that is its own authority is none to rustls.
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args([Path::new("-out"), &certificate, Path::new("-keyout"), &key])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    (certificate, key)
}

/// A site that tells what `notify` says.
pub fn telling(notify: &str) -> Site {
    let site = Site::new();
    site.configure("http://update.example.org", notify);
    site
}

/// A webhook to a receiver, for these events.
pub fn webhook(receiver: &Receiver, path: &str, events: &str) -> String {
    format!(
        "[notify.webhook]\nurl = \"http://127.0.0.1:{}{path}\"\nevents = {events}\n",
        receiver.port
    )
}

/// The real executable with these arguments, for a site.
pub fn bowline(site: &Site, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bowline"));
    command
        .args(arguments)
        .env("BOWLINE_CONFIG", site.path("bowline.toml"));
    command
}

/// Runs it; what it wrote, standard error behind standard output.
pub fn run(site: &Site, arguments: &[&str]) -> String {
    let output = bowline(site, arguments).output().unwrap();
    text(&output)
}

/// Runs it; what it wrote to standard output.
pub fn out(site: &Site, arguments: &[&str]) -> String {
    let output = bowline(site, arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// A round of upkeep.
pub fn upkeep(site: &Site) -> String {
    let output = bowline(site, &["upkeep"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    text(&output)
}

/// A round of upkeep, so much later.
pub fn upkeep_later(site: &Site, later: &str) -> String {
    let output = Command::new("faketime")
        .args(["-f", later, env!("CARGO_BIN_EXE_bowline"), "upkeep"])
        .env("BOWLINE_CONFIG", site.path("bowline.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    text(&output)
}

/// What was written.
pub fn text(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8(both).unwrap()
}

/// Moves a host.
pub fn moves(site: &Site, home: &Home, address: &str) {
    let answer = site.visit(&home.with(address));
    assert_eq!(answer.status, 200, "{}", answer.raw);
    assert_eq!(site.dns(&home.name).split(',').next(), Some(address));
}
