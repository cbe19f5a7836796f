//! A set-up in a temporary directory, on ports of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::support::knot::port;

/// A directory, two ports, and the Knot that may run there.
pub(crate) struct Trial {
    pub(crate) dir: tempfile::TempDir,
    /// What is run, and set up to be run by the web server.
    pub(crate) executable: PathBuf,
    /// Where the outside would ask.
    pub(crate) dns: u16,
    /// Where updates go.
    pub(crate) update: u16,
    /// Where a web server would listen.
    pub(crate) http: u16,
}

impl Trial {
    pub(crate) fn new() -> Self {
        // Were this program ever run by the Apache that it tests, it would start that again.
        assert!(std::env::var_os("GATEWAY_INTERFACE").is_none());
        let dir = tempfile::tempdir().unwrap();
        let [dns, update, http] = [(); 3].map(|()| port::free_port(10_000));
        Trial {
            dir,
            executable: env!("CARGO_BIN_EXE_bowline").into(),
            dns,
            update,
            http,
        }
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.dir.path().join("etc/bowline.toml")
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join("etc").join(below)
    }

    pub(crate) fn read(&self, below: &str) -> String {
        fs::read_to_string(self.path(below)).unwrap()
    }

    /// What an operator does who signs a zone no more: whether a resolver here tells of its
    /// parent is not known.
    pub(crate) fn unsign(&self, zone: &str) {
        let clause = self.path(&format!("knot/bowline.d/50-{zone}.conf"));
        let text = fs::read_to_string(&clause).unwrap();
        assert!(text.contains("dnssec-signing: on"));
        fs::write(clause, text.replace("signing: on", "signing: off")).unwrap();
    }

    /// A program that answers with its environment.
    pub(crate) fn echo(&self) -> PathBuf {
        let path = self.dir.path().join("echo");
        let text = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nenv\n";
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Has Apache run that, and not bowline. Before any Apache starts.
    pub(crate) fn use_echo(&self) {
        let site = self.path("apache/bowline.conf");
        let (me, echo) = (
            env!("CARGO_BIN_EXE_bowline"),
            self.echo().display().to_string(),
        );
        let text = fs::read_to_string(&site).unwrap().replace(me, &echo);
        assert!(text.contains(&echo) && !text.contains(me));
        fs::write(&site, text).unwrap();
    }

    /// The options that every trial has.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut arguments: Vec<String> = [
            "init",
            "dyn.example.org",
            "--nameserver",
            "ns1.example.org",
            "--url=https://update.example.org",
            "--public",
            "192.0.2.53",
        ]
        .map(str::to_owned)
        .to_vec();
        arguments.push(format!("--dns-listen=127.0.0.1@{}", self.dns));
        arguments.push(format!("--update=127.0.0.1:{}", self.update));
        arguments.push(format!("--http=127.0.0.1:{}", self.http));
        arguments
    }

    /// Runs `init` with more options; what it printed, or why it failed.
    pub(crate) fn init(&self, more: &[&str]) -> Result<String, String> {
        let name = |argument: &str| argument.split('=').next().unwrap().to_owned();
        let mut arguments = self.arguments();
        arguments.retain(|known| {
            !known.contains('=') || more.iter().all(|new| name(new) != name(known))
        });
        arguments.extend(more.iter().map(|option| (*option).to_owned()));
        self.verb(&arguments)
    }

    /// Runs a verb with JSON: what it reported, or why it failed.
    ///
    /// As a process of its own: what it sets up runs the executable it is.
    pub(crate) fn verb(&self, arguments: &[String]) -> Result<String, String> {
        let output = Command::new(&self.executable)
            .arg("--config")
            .arg(self.config())
            .arg("--json")
            .args(arguments)
            .output()
            .unwrap();
        let text = |octets| String::from_utf8(octets).unwrap();
        match output.status.success() {
            true => Ok(text(output.stdout)),
            false => Err(text(output.stderr)),
        }
    }

    /// `kdig` at the public listener: the short answer.
    pub(crate) fn dig(&self, arguments: &[&str]) -> String {
        let port = self.dns.to_string();
        let output = run(
            "kdig",
            &[&["+short", "@127.0.0.1", "-p", &port], arguments].concat(),
        );
        String::from_utf8(output.stdout).unwrap()
    }
}

/// A private Knot ends with its test.
impl Drop for Trial {
    fn drop(&mut self) {
        let pid = fs::read_to_string(self.path("knot/run/knot.pid")).unwrap_or_default();
        if !pid.trim().is_empty() {
            run("kill", &[pid.trim()]);
            let process = Path::new("/proc").join(pid.trim());
            wait_until(|| !process.exists());
        }
    }
}

/// Runs a program of the system.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Output {
    let path = std::env::var("PATH").unwrap_or_default();
    Command::new(program)
        .args(arguments)
        .env("PATH", format!("{path}:/usr/sbin:/sbin"))
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"))
}

/// Runs a program and wants it to succeed; everything it printed.
pub(crate) fn succeed(program: &str, arguments: &[&str]) -> String {
    let output = run(program, arguments);
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {text}");
    text.into_owned()
}

/// Waits up to ten seconds.
pub(crate) fn wait_until(mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !done() {
        assert!(Instant::now() < end, "waited too long");
        std::thread::sleep(Duration::from_millis(50));
    }
}
