//! A private name server as `bowline init --apply` makes it, and bowline in front of it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::knot::{ZONE, free_port, wait_until};
use crate::support::skip::installed;
use crate::support::visit::{Request, Response};

/// Where a visit comes from when it says nothing else.
const CLIENT: &str = "198.51.100.4";

/// The name servers that can be set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Knot,
    Bind,
    PowerDns,
}

impl Kind {
    pub(crate) const ALL: [Kind; 3] = [Kind::Knot, Kind::Bind, Kind::PowerDns];

    /// As `--dns` has it.
    pub(crate) fn option(self) -> &'static str {
        match self {
            Kind::Knot => "knot",
            Kind::Bind => "bind",
            Kind::PowerDns => "powerdns",
        }
    }

    fn daemon(self) -> &'static str {
        match self {
            Kind::Knot => "knotd",
            Kind::Bind => "named",
            Kind::PowerDns => "pdns_server",
        }
    }

    fn pid_file(self) -> &'static str {
        match self {
            Kind::Knot => "knot/run/knot.pid",
            Kind::Bind => "bind/run/named.pid",
            Kind::PowerDns => "pdns/run/pdns.pid",
        }
    }

    /// Whether it is here; without it a test is skipped, which is a failure in CI.
    pub(crate) fn is_installed(self) -> bool {
        installed(self.daemon())
    }
}

/// Runs a case for every name server that is here, all at once.
pub(crate) fn for_each(case: fn(Kind)) {
    std::thread::scope(|scope| {
        for dns in Kind::ALL.into_iter().filter(|dns| dns.is_installed()) {
            let thread = std::thread::Builder::new().name(dns.option().to_owned());
            thread.spawn_scoped(scope, move || case(dns)).unwrap();
        }
    });
}

/// A running name server and its set-up; killed when dropped.
pub(crate) struct Instance {
    pub(crate) dns: Kind,
    pub(crate) port: u16,
    pub(crate) update: u16,
    dir: TempDir,
}

/// A host and its token.
pub(crate) struct Home {
    pub(crate) token: String,
}

impl Home {
    /// `/<token>` with explicit addresses.
    pub(crate) fn with(&self, addresses: &str) -> String {
        format!("/{}?myip={addresses}", self.token)
    }
}

/// So long a name server that was started may take to write its process down.
const PATIENCE: Duration = Duration::from_secs(1);

impl Instance {
    /// Set up with more options and started.
    pub(crate) fn start(dns: Kind, more: &[&str]) -> Self {
        let instance = Instance::write(dns, more);
        instance.init(&[more, &["--apply"]].concat());
        instance.wait_for(ZONE);
        instance
    }

    /// Set up, but not started.
    pub(crate) fn write(dns: Kind, more: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let instance = Instance {
            dns,
            port: free_port(),
            update: free_port(),
            dir,
        };
        instance.init(more);
        let config = instance.read("bowline.toml");
        let log = instance.path("bowline.log");
        let log = format!(
            "[log]\ntarget = \"file:{}\"\nlevel = \"debug\"\n",
            log.display()
        );
        fs::write(instance.path("bowline.toml"), format!("{config}\n{log}")).unwrap();
        instance
    }

    /// A set-up of its own for the zone of `server`, which is left as it is.
    pub(crate) fn in_front_of(server: &Instance, url: &str, more: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let instance = Instance { dir, ..*server };
        let update = format!("--update=127.0.0.1@{}", server.update);
        let given = ["init", ZONE, "--url", url, "--user=root", &update];
        let given = [&given[..], &["--web=none"], more].concat();
        instance.bowline(&given);
        instance
    }

    /// Set up once more with these options, but not started.
    pub(crate) fn init_again_with(&self, more: &[&str]) -> Value {
        self.init(more)
    }

    fn init(&self, more: &[&str]) -> Value {
        let listen = format!("--dns-listen=127.0.0.1@{}", self.port);
        let update = format!("--update=127.0.0.1@{}", self.update);
        let dns = format!("--dns={}", self.dns.option());
        let given = [
            "init",
            ZONE,
            "--nameserver=ns1.example.org",
            "--url=http://update.example.org",
            "--public=192.0.2.53",
            "--web=none",
            "--user=root",
            &dns,
            &listen,
            &update,
        ];
        let is_given = |option: &&&str| {
            let name = option.split('=').next();
            name == Some("--public") && more.iter().any(|new| new.split('=').next() == name)
        };
        let given: Vec<&str> = given
            .iter()
            .filter(|option| !is_given(option))
            .copied()
            .collect();
        self.bowline(&[&given, more].concat())
    }

    /// A verb with `--json`, which must succeed.
    pub(crate) fn bowline(&self, arguments: &[&str]) -> Value {
        let output = self.bowline_output(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {error}");
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }

    /// A verb with `--json`, however it ends.
    pub(crate) fn bowline_output(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_bowline"))
            .arg("--config")
            .arg(self.path("bowline.toml"))
            .arg("--json")
            .args(arguments)
            .output()
            .unwrap()
    }

    /// A file of the set-up.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join("etc").join(below)
    }

    pub(crate) fn read(&self, below: &str) -> String {
        fs::read_to_string(self.path(below)).unwrap()
    }

    /// Puts one text in the place of another; it must be there.
    pub(crate) fn replace(&self, below: &str, old: &str, new: &str) {
        let text = self.read(below);
        assert!(text.contains(old), "{old} in {text}");
        fs::write(self.path(below), text.replace(old, new)).unwrap();
    }

    /// A new host.
    pub(crate) fn add(&self, name: &str) -> Home {
        let added = self.bowline(&["host", "add", name]);
        let token = added["token"].as_str().expect("a token").to_owned();
        Home { token }
    }

    /// One visit by GET, to be changed and started.
    pub(crate) fn get(&self, path: &str) -> Request {
        let query = path.split_once('?').map_or("", |(_, query)| query);
        let variables = [
            ("GATEWAY_INTERFACE", "CGI/1.1"),
            ("REQUEST_METHOD", "GET"),
            ("REQUEST_URI", path),
            ("QUERY_STRING", query),
            ("SERVER_PROTOCOL", "HTTP/1.1"),
            ("REMOTE_ADDR", CLIENT),
            ("HTTPS", "on"),
        ];
        let request = Request::new(Vec::new()).set("BOWLINE_CONFIG", self.path("bowline.toml"));
        variables
            .into_iter()
            .fold(request, |request, (name, value)| request.set(name, value))
    }

    /// One visit by GET, and its answer.
    pub(crate) fn visit(&self, path: &str) -> Response {
        self.get(path).run()
    }

    /// The newest line of bowline's log.
    pub(crate) fn last_line(&self) -> String {
        let log = self.read("bowline.log");
        log.lines().last().unwrap_or_default().to_owned()
    }

    /// What the public listener says about a name of the zone, IPv4 first.
    pub(crate) fn shows(&self, name: &str) -> String {
        let name = format!("{name}.{ZONE}");
        [self.dig(&name, "A"), self.dig(&name, "AAAA")]
            .concat()
            .join(",")
    }

    /// What `kdig +short` prints, sorted.
    pub(crate) fn dig(&self, name: &str, rtype: &str) -> Vec<String> {
        dig("127.0.0.1", self.port, name, rtype)
    }

    /// Starts it where it was; it must not run.
    pub(crate) fn again(&self) {
        let conf = |below: &str| self.path(below).display().to_string();
        let mut command = Command::new(format!("/usr/sbin/{}", self.dns.daemon()));
        match self.dns {
            Kind::Knot => command.args(["-d", "-c", &conf("knot/knot.conf")]),
            Kind::Bind => command.args(["-c", &conf("bind/named.conf")]),
            Kind::PowerDns => command.args([
                &format!("--config-dir={}", conf("pdns")),
                "--daemon=yes",
                "--guardian=no",
            ]),
        };
        command.stderr(std::process::Stdio::null());
        let mut started: Option<Instant> = None;
        wait_until(ZONE, || {
            // PowerDNS ends at once where a thread of the one before still has its port.
            if started.is_none_or(|at| at.elapsed() >= PATIENCE) && self.pid().is_none() {
                assert!(command.status().unwrap().success(), "{:?}", self.dns);
                started = Some(Instant::now());
            }
            self.pid().is_some() && !self.dig(ZONE, "SOA").is_empty()
        });
    }

    /// Ends it: `TERM` as an administrator does, `KILL` as a crash would.
    pub(crate) fn stop(&self, signal: &str) {
        let Some(pid) = self.pid() else { return };
        let status = Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(status.unwrap().success());
        let process = Path::new("/proc").join(&pid);
        wait_until("the end", || is_gone(&process));
        let _ = fs::remove_file(self.path(self.dns.pid_file()));
    }

    fn pid(&self) -> Option<String> {
        let pid = fs::read_to_string(self.path(self.dns.pid_file())).ok()?;
        let pid = pid.trim().to_owned();
        Path::new("/proc").join(&pid).exists().then_some(pid)
    }

    /// Waits until it answers for a zone.
    pub(crate) fn wait_for(&self, zone: &str) {
        wait_until(zone, || !self.dig(zone, "SOA").is_empty());
    }

    /// The shell commands of `next` that concern this machine.
    pub(crate) fn run_steps(&self, report: &Value) {
        for step in steps(report) {
            if !step.starts_with('#') && !step.starts_with("bowline ") {
                shell(&step);
            }
        }
    }

    /// Name, algorithm and secret of the key for updates: `alg:name:secret`.
    pub(crate) fn key(&self) -> String {
        let text = self.read("tsig.key");
        let line = text.lines().next().unwrap();
        line.trim_start_matches("# ").to_owned()
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if let Some(pid) = self.pid() {
            let _ = Command::new("kill").args(["-s", "KILL", &pid]).status();
        }
    }
}

/// A daemon that nobody waits for stays as a zombie where there is no init.
fn is_gone(process: &Path) -> bool {
    match fs::read_to_string(process.join("stat")) {
        Ok(stat) => stat.contains(") Z "),
        Err(_) => true,
    }
}

/// The commands of a report.
pub(crate) fn steps(report: &Value) -> Vec<String> {
    let steps = report["next"].as_array().unwrap().iter();
    steps
        .map(|step| step.as_str().unwrap().to_owned())
        .collect()
}

/// Runs a command line that must succeed.
pub(crate) fn shell(command: &str) -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .args(["-c", command])
        .env("PATH", format!("{path}:/usr/sbin:/sbin"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {said}");
    said.into_owned()
}

/// What `kdig +short` prints, sorted; nothing where nobody answers.
pub(crate) fn dig(server: &str, port: u16, name: &str, rtype: &str) -> Vec<String> {
    let out = Command::new("kdig")
        .args([&format!("@{server}"), "-p", &port.to_string()])
        .args(["+short", "+norec", "+retry=0", "+time=2", name, rtype])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let lines = text.lines().filter(|line| !line.starts_with(";;"));
    let mut lines: Vec<String> = lines.map(str::to_owned).collect();
    lines.sort();
    lines
}
