//! A bowline of our own in front of a Knot of our own: each visit is a CGI process.
#![allow(dead_code, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bowline::ip::{Addresses, Family};
use bowline::name::HostName;
use bowline::registry::{Host, HostId, NewHost, Registry, Settings};
use bowline::span::Span;
use bowline::time::Timestamp;
use bowline::token::{LookupKey, Token};
use bowline::ttl::Ttl;
use tempfile::TempDir;

use super::knot::{Knot, Options, ZONE};

/// The client that a visit comes from when it says nothing else.
pub const CLIENT: &str = "198.51.100.4";

/// An installation; when it is dropped, nothing it wrote may hold a secret.
pub struct Site {
    pub knot: Knot,
    key: LookupKey,
    /// Every token there ever was.
    tokens: RefCell<Vec<Token>>,
    dir: TempDir,
}

/// A host and how to reach it.
pub struct Home {
    pub id: HostId,
    /// Relative to the zone.
    pub name: String,
    pub token: Token,
}

impl Home {
    /// `/<token>` and what follows it, e.g. `?myip=203.0.113.7`.
    pub fn at(&self, rest: &str) -> String {
        format!("/{}{rest}", self.token.secret())
    }

    /// The same with one explicit address.
    pub fn with(&self, address: impl std::fmt::Display) -> String {
        self.at(&format!("?myip={address}"))
    }
}

impl Site {
    /// With the recommended Knot.
    pub fn new() -> Self {
        Site::with(&Options::default())
    }

    /// With another Knot.
    pub fn with(options: &Options) -> Self {
        let dir = tempfile::tempdir().unwrap();
        // Some visits run as somebody else.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for sub in ["knot", "state", "state/locks"] {
            fs::create_dir(dir.path().join(sub)).unwrap();
        }
        let key = LookupKey::random().unwrap();
        fs::write(dir.path().join("lookup.key"), key.to_hex()).unwrap();
        Registry::create(&dir.path().join("state/bowline.db"), key.clone()).unwrap();
        let knot = Knot::start(&dir.path().join("knot"), options);
        fs::copy(knot.key_file(), dir.path().join("tsig.key")).unwrap();
        let site = Site {
            knot,
            key,
            tokens: RefCell::default(),
            dir,
        };
        site.configure("http://update.example.org", "");
        site
    }

    /// Writes bowline.toml anew: another URL, and further tables.
    pub fn configure(&self, url: &str, more: &str) {
        let text = format!(
            r#"url = "{url}"

[state]
registry = "state/bowline.db"

[client]
trusted_proxies = ["127.0.0.1"]

[log]
target = "file:{}"
level = "debug"

[[zone]]
name = "{ZONE}"
server = "{}"
key_file = "tsig.key"
{more}"#,
            self.log_file().display(),
            self.knot.addr(),
        );
        fs::write(self.path("bowline.toml"), text).unwrap();
    }

    /// A file of the installation.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The registry's file.
    pub fn registry_file(&self) -> PathBuf {
        self.path("state/bowline.db")
    }

    /// The registry, opened anew.
    pub fn registry(&self) -> Registry {
        Registry::open(&self.registry_file(), self.key.clone()).unwrap()
    }

    /// A token nobody has yet.
    pub fn token(&self) -> Token {
        let token = Token::random().unwrap();
        self.tokens.borrow_mut().push(token.clone());
        token
    }

    /// A host of that name relative to the zone.
    pub fn add(&self, name: &str) -> Home {
        self.add_with(name, Settings::default())
    }

    /// A host that is otherwise.
    pub fn add_with(&self, name: &str, settings: Settings) -> Home {
        let token = self.token();
        let new = NewHost {
            name: host_name(name),
            settings,
            token: Some(self.key.digest(&token)),
            addresses: Addresses::NONE,
            reuse: Span::ZERO,
        };
        let added = self
            .registry()
            .add(&[new], Ttl::DEFAULT, Timestamp::now())
            .unwrap();
        Home {
            id: *added.first().unwrap(),
            name: name.to_owned(),
            token,
        }
    }

    /// A host as the registry has it now.
    pub fn host(&self, home: &Home) -> Host {
        self.registry().host_by_id(home.id).unwrap().unwrap()
    }

    /// The addresses that were accepted last.
    pub fn wish(&self, home: &Home) -> String {
        self.host(home).wish.records.addresses.to_string()
    }

    /// The addresses that the name server shows, IPv4 first.
    pub fn dns(&self, name: &str) -> String {
        let name = format!("{name}.{ZONE}");
        let all = [self.knot.kdig(&name, "A"), self.knot.kdig(&name, "AAAA")];
        all.concat().join(",")
    }

    /// One visit by GET, and its answer.
    pub fn visit(&self, path: &str) -> Response {
        self.get(path).run()
    }

    /// A visit by GET, to be changed and started.
    pub fn get(&self, path: &str) -> Request<'_> {
        let query = path.split_once('?').map_or("", |(_, query)| query);
        let variables = [
            ("GATEWAY_INTERFACE", "CGI/1.1"),
            ("REQUEST_METHOD", "GET"),
            ("REQUEST_URI", path),
            ("QUERY_STRING", query),
            ("SERVER_PROTOCOL", "HTTP/1.1"),
            ("REMOTE_ADDR", "127.0.0.1"),
            ("HTTP_X_FORWARDED_FOR", CLIENT),
            ("HTTP_HOST", "update.example.org"),
        ];
        let config = self.path("bowline.toml");
        Request {
            site: self,
            under: Vec::new(),
            arguments: Vec::new(),
            user: None,
            body: Vec::new(),
            variables: variables
                .map(|(name, value)| (name.into(), value.into()))
                .into_iter()
                .chain([("BOWLINE_CONFIG".into(), config.into())])
                .collect(),
        }
    }

    /// What bowline has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// The newest line of the log.
    pub fn last_line(&self) -> String {
        self.log().lines().last().unwrap_or_default().to_owned()
    }

    /// Empties the log.
    pub fn forget_log(&self) {
        let _ = fs::write(self.log_file(), "");
    }

    fn log_file(&self) -> PathBuf {
        self.path("bowline.log")
    }

    /// Whether no secret stands in what bowline wrote.
    fn check_secrets(&self) {
        let secret = fs::read_to_string(self.path("tsig.key")).unwrap_or_default();
        let secret = secret
            .lines()
            .next()
            .and_then(|line| line.rsplit(':').next());
        let mut secrets: Vec<String> = secret.into_iter().map(str::to_owned).collect();
        secrets.push(self.key.to_hex());
        let tokens = self.tokens.borrow();
        secrets.extend(tokens.iter().map(|token| token.secret().to_owned()));
        for file in files(&self.path("state"))
            .into_iter()
            .chain([self.log_file()])
        {
            let octets = fs::read(&file).unwrap_or_default();
            for secret in secrets.iter().filter(|secret| secret.len() >= 16) {
                let found = octets
                    .windows(secret.len())
                    .any(|window| window == secret.as_bytes());
                assert!(!found, "{} holds a secret", file.display());
            }
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.check_secrets();
        }
    }
}

/// A request that is still to be made.
pub struct Request<'a> {
    site: &'a Site,
    under: Vec<OsString>,
    arguments: Vec<String>,
    user: Option<u32>,
    body: Vec<u8>,
    variables: BTreeMap<OsString, OsString>,
}

impl Request<'_> {
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
        use std::os::unix::process::CommandExt;

        let bowline = OsString::from(env!("CARGO_BIN_EXE_bowline"));
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
        let tokens = self.site.tokens.borrow();
        Running {
            child,
            began,
            tokens: tokens
                .iter()
                .map(|token| token.secret().to_owned())
                .collect(),
        }
    }

    /// Makes it.
    pub fn run(self) -> Response {
        self.spawn().wait()
    }
}

/// A visit under way.
pub struct Running {
    child: Child,
    began: Instant,
    tokens: Vec<String>,
}

impl Running {
    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its answer; the process must end well.
    pub fn wait(self) -> Response {
        self.end().expect("an answer")
    }

    /// Its answer; `None` when something killed it.
    pub fn end(self) -> Option<Response> {
        let output = self.child.wait_with_output().unwrap();
        let took = self.began.elapsed();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let code = output.status.code()?;
        assert_eq!(code, 0, "{stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
        let response = Response::parse(output.stdout, took, stderr);
        for token in self.tokens {
            assert!(!response.raw.contains(&token), "the answer holds a token");
        }
        Some(response)
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
    pub took: Duration,
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
    fn parse(octets: Vec<u8>, took: Duration, stderr: String) -> Self {
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
        assert_eq!(headers.contains_key("retry-after"), status == 503, "{raw}");
        let length: usize = headers["content-length"].parse().unwrap();
        // An answer to HEAD has the length of the body that it leaves out.
        assert!(body.is_empty() || body.len() == length, "{raw}");
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

/// A host's full name.
pub fn host_name(relative: &str) -> HostName {
    HostName::new(relative, &ZONE.parse().unwrap()).unwrap()
}

/// The address number `n` of the documentation networks.
pub fn address(family: Family, n: u32) -> String {
    match family {
        Family::Ipv4 => format!("203.0.113.{}", n % 250 + 1),
        Family::Ipv6 => format!("2001:db8::{:x}", n + 1),
    }
}

/// Every file in a directory and below.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false => vec![path],
        })
        .collect()
}
