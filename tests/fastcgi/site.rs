//! A whole site: a Knot, a registry with one host, a configuration, and bowline itself.

use std::fs;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use bowline::ip::Addresses;
use bowline::name::{HostName, ZoneName};
use bowline::registry::{NewHost, Registry, Settings};
use bowline::span::Span;
use bowline::time::Timestamp;
use bowline::token::{LookupKey, Token};
use bowline::ttl::Ttl;

use crate::support::knot::{Knot, Options, ZONE, wait_until};

/// A site in a directory of its own.
pub(crate) struct Site {
    pub(crate) knot: Knot,
    pub(crate) token: Token,
    key: LookupKey,
    /// Removed with everything in it.
    dir: tempfile::TempDir,
}

impl Site {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let knot = Knot::start(dir.path(), &Options::default());
        let (key, token) = (LookupKey::random().unwrap(), Token::random().unwrap());
        fs::create_dir_all(dir.path().join("registry/locks")).unwrap();
        let file = dir.path().join("registry/bowline.db");
        Registry::create(&file, key.clone()).unwrap();
        fs::write(dir.path().join("lookup.key"), key.to_hex()).unwrap();
        let site = Site {
            knot,
            token,
            key,
            dir,
        };
        site.configure("https://update.example.org");
        site.add_hosts([("home".to_owned(), &site.token)]);
        site
    }

    /// Adds hosts with their tokens.
    pub(crate) fn add_hosts<'a>(&self, hosts: impl IntoIterator<Item = (String, &'a Token)>) {
        let zone: ZoneName = ZONE.parse().unwrap();
        let hosts: Vec<NewHost> = hosts
            .into_iter()
            .map(|(name, token)| NewHost {
                name: HostName::new(&name, &zone).unwrap(),
                settings: Settings::default(),
                token: Some(self.key.digest(token)),
                addresses: Addresses::NONE,
                reuse: Span::from_days(30),
                below: false,
            })
            .collect();
        let mut registry = self.registry();
        registry
            .add(&hosts, Ttl::DEFAULT, Timestamp::now())
            .unwrap();
    }

    /// Writes the configuration.
    pub(crate) fn configure(&self, url: &str) {
        let text = format!(
            r#"url = "{url}"
[state]
registry = "registry/bowline.db"
[log]
target = "file:bowline.log"
level = "debug"
[limits]
changes = "off"
[[zone]]
name = "{ZONE}"
server = "{}"
key_file = "key.conf"
"#,
            self.knot.addr()
        );
        fs::write(self.config(), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path("bowline.toml")
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("bowline.log")).unwrap_or_default()
    }

    /// The path of an update URL, query included.
    pub(crate) fn update(&self, address: &str) -> String {
        format!("/{}/home?myip={address}", self.token.secret())
    }

    /// What the name server says.
    pub(crate) fn address(&self) -> Vec<String> {
        self.knot.kdig(&format!("home.{ZONE}"), "A")
    }

    /// How many hosts wait to be published.
    pub(crate) fn pending(&self) -> usize {
        self.registry().pending().unwrap().len()
    }

    fn registry(&self) -> Registry {
        Registry::open(&self.path("registry/bowline.db"), self.key.clone()).unwrap()
    }

    /// The addresses of the host that were accepted last.
    pub(crate) fn wish(&self) -> String {
        let registry = self.registry();
        let name = HostName::new("home", &ZONE.parse().unwrap()).unwrap();
        let home = registry.host_by_name(&name, Timestamp::now()).unwrap();
        home.unwrap().wish.records.addresses.to_string()
    }

    /// bowline, with its configuration; `BOWLINE_EXECUTABLE` may name a release build.
    pub(crate) fn bowline(&self) -> Command {
        let executable = std::env::var("BOWLINE_EXECUTABLE");
        let built = env!("CARGO_BIN_EXE_bowline").to_owned();
        let mut command = Command::new(executable.unwrap_or(built));
        command
            .env("BOWLINE_CONFIG", self.config())
            .env_remove("GATEWAY_INTERFACE");
        command
    }

    /// `bowline fastcgi --listen` on a socket of its own.
    pub(crate) fn listen(&self) -> Process {
        self.listen_with(&[])
    }

    /// The same, with more arguments.
    pub(crate) fn listen_with(&self, more: &[&str]) -> Process {
        let socket = self.path("bowline.sock");
        let address = format!("unix:{}", socket.display());
        let mut command = self.bowline();
        command.args(["fastcgi", "--listen", &address]).args(more);
        let process = Process::start(&mut command);
        wait_for_socket(&socket);
        process
    }
}

/// A program that is ended with the test.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        // A group of its own: whatever it leaves behind ends with it.
        let started = command.process_group(0).stdin(Stdio::null()).spawn();
        Process(started.unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    pub(crate) fn running(child: Child) -> Self {
        Process(child)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn signal(&self, signal: &str) {
        send_signal(self.pid(), signal);
    }

    /// How it has ended, where it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().unwrap()
    }

    /// Waits for its end.
    pub(crate) fn end(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "it goes on");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Resident memory in KiB.
    pub(crate) fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A web server takes its children along when it is asked to end.
        if matches!(self.0.try_wait(), Ok(None)) {
            self.signal("TERM");
        }
        for _ in 0..300 {
            if !matches!(self.0.try_wait(), Ok(None)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let group = format!("-{}", self.pid());
        let mut kill = Command::new("kill");
        kill.args(["-KILL", "--", &group]).stderr(Stdio::null());
        let _ = kill.status();
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn send_signal(pid: u32, signal: &str) {
    let pid = pid.to_string();
    let sent = Command::new("kill").args(["-s", signal, &pid]).status();
    assert!(sent.unwrap().success());
}

/// Waits until somebody answers on a socket.
pub(crate) fn wait_for_socket(socket: &Path) {
    wait_until("the socket", || UnixStream::connect(socket).is_ok());
}
