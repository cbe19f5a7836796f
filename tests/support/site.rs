//! A bowline of our own in front of a Knot of our own: each visit is a CGI process.
#![allow(dead_code, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use bowline::config::Config;
use bowline::deadline::Deadline;
use bowline::ip::{Addresses, Family};
use bowline::log::Logger;
use bowline::name::HostName;
use bowline::publish::{Published, Publisher};
use bowline::registry::{Edit, Host, HostId, Lease, NewHost, Registry, RegistryError, Settings};
use bowline::span::Span;
use bowline::time::Timestamp;
use bowline::token::{Digest, LookupKey, Token};
use bowline::ttl::Ttl;
use bowline::upkeep::{self, Round, Rules, Word};
use tempfile::TempDir;

use super::knot::{Knot, Options, ZONE, wait_until};
use super::visit::{Request, Response};

/// The client that a visit comes from when it says nothing else.
pub const CLIENT: &str = "198.51.100.4";

/// Gives a host other settings and, where given, other addresses.
pub fn set(
    registry: &mut Registry,
    host: HostId,
    settings: &Settings,
    addresses: Option<Addresses>,
) -> Result<(), RegistryError> {
    registry.edit(host, Ttl::DEFAULT, Timestamp::now(), |_| {
        Ok(Edit {
            settings: settings.clone(),
            addresses,
            ..Edit::default()
        })
    })
}

/// An installation; when it is dropped, nothing it wrote may hold a secret.
pub struct Site {
    pub knot: Knot,
    key: LookupKey,
    /// Every token there ever was.
    tokens: Mutex<Vec<Token>>,
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
    /// With the recommended Knot, and without limits.
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
            tokens: Mutex::default(),
            dir,
        };
        let limits = "[limits]\nchanges = \"off\"\nwrong_secrets = \"off\"\n";
        site.configure("http://update.example.org", limits);
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
        self.tokens.lock().unwrap().push(token.clone());
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
            below: false,
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
    pub fn get(&self, path: &str) -> Request {
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
        let tokens = self.tokens.lock().unwrap();
        let tokens = tokens.iter().map(|token| token.secret().to_owned());
        variables
            .into_iter()
            .fold(Request::new(tokens.collect()), |request, (name, value)| {
                request.set(name, value)
            })
            .set("BOWLINE_CONFIG", self.path("bowline.toml"))
    }

    /// A verb of the command line, to be changed and started.
    pub fn verb(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bowline"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("BOWLINE_CONFIG", self.path("bowline.toml"))
            .stdin(Stdio::null());
        command
    }

    /// What a verb prints, which must succeed.
    pub fn bowline(&self, arguments: &[&str]) -> String {
        let output = self.verb(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Makes the name server agree with a host's wish, as a verb of the command line does.
    pub fn publish(&self, home: &Home) -> Published {
        let config = Config::load(&self.path("bowline.toml")).unwrap();
        let deadline = Deadline::after(Deadline::REQUEST);
        Publisher::new(&config)
            .publish(
                &mut Lease::of(&mut self.registry()),
                &ZONE.parse().unwrap(),
                &[home.id],
                deadline,
            )
            .unwrap()
            .remove(0)
    }

    /// One round of upkeep.
    ///
    /// Another test's child has our files open until it executes: then the lock of the last
    /// round is not given back yet.
    pub fn round(&self, word: Word) -> Round {
        self.round_by(Rules {
            word,
            longest: None,
        })
    }

    /// The same by other rules.
    pub fn round_by(&self, rules: Rules) -> Round {
        let config = Config::load(&self.path("bowline.toml")).unwrap();
        let logger = Logger::new(&config.log);
        let mut done = None;
        wait_until("upkeep", || {
            let round = upkeep::round(&config, &mut self.registry(), &logger, rules);
            done = round.unwrap().ok();
            done.is_some()
        });
        done.unwrap()
    }

    /// Whether somebody has the lock of a host.
    pub fn is_locked(&self) -> bool {
        let locks = fs::read_dir(self.path("state/locks")).unwrap();
        let mut hosts = locks
            .map(|lock| lock.unwrap())
            .filter(|lock| lock.file_name().to_string_lossy().starts_with("host-"));
        hosts.any(|lock| fs::File::open(lock.path()).unwrap().try_lock().is_err())
    }

    /// The digest by which the registry knows a token.
    pub fn digest(&self, token: &Token) -> Digest {
        self.key.digest(token)
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

    /// The files of bowline's in which a secret stands; there must be none.
    pub fn secrets_written(&self) -> Vec<String> {
        let key = self.knot.key_text().lines().next().unwrap();
        let tokens = self.tokens.lock().unwrap();
        let mut secrets: Vec<&str> = tokens.iter().map(Token::secret).collect();
        secrets.extend(key.rsplit(':').next());
        let hex = self.key.to_hex();
        secrets.push(&hex);
        let written = files(&self.path("state")).into_iter();
        written
            .chain([self.log_file()])
            .filter(|file| {
                let octets = fs::read(file).unwrap_or_default();
                secrets.iter().any(|secret| {
                    assert!(secret.len() >= 16, "it is a secret");
                    let mut windows = octets.windows(secret.len());
                    windows.any(|window| window == secret.as_bytes())
                })
            })
            .map(|file| file.display().to_string())
            .collect()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.secrets_written(), Vec::<String>::new());
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
