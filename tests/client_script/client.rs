//! The script in a directory of its own, run by a shell with a program that asks.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use crate::relay::Relay;
use crate::site::Site;
use crate::support::skip::installed;

/// The script.
pub(crate) const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/bowline-client");
/// Shells, as they are run.
pub(crate) const SHELLS: [&[&str]; 2] = [&["dash"], &["busybox", "sh"]];
/// What asks; busybox alone cannot choose the family. The last stands for OpenWrt's, which
/// Debian has not.
pub(crate) const FETCHERS: [&str; 4] = [
    "curl",
    "wget",
    "busybox wget",
    concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/client_script/uclient-fetch"
    ),
];

/// Whether all of that is here.
pub(crate) fn ready() -> bool {
    ["dash", "busybox", "curl", "wget"]
        .into_iter()
        .all(installed)
}

/// A site behind a relay.
pub(crate) fn site() -> Option<(Site, Relay)> {
    if !ready() {
        return None;
    }
    let site = Site::start(&[])?;
    site.trust_loopback();
    let relay = Relay::start(site.trial.http);
    Some((site, relay))
}

/// A client with its state.
pub(crate) struct Client {
    pub(crate) root: tempfile::TempDir,
    shell: &'static [&'static str],
    fetcher: &'static str,
}

impl Client {
    /// One that knows a URL.
    pub(crate) fn new(shell: &'static [&'static str], fetcher: &'static str, url: &str) -> Self {
        let client = Client {
            root: tempfile::tempdir().unwrap(),
            shell,
            fetcher,
        };
        let urls = client.urls();
        fs::create_dir_all(urls.parent().unwrap()).unwrap();
        fs::write(&urls, format!("# the attic\n{url}\n")).unwrap();
        fs::set_permissions(&urls, fs::Permissions::from_mode(0o600)).unwrap();
        client
    }

    /// The file with the URLs.
    pub(crate) fn urls(&self) -> PathBuf {
        self.root.path().join("etc/bowline-client/url")
    }

    /// The directory of its state.
    pub(crate) fn state(&self) -> PathBuf {
        self.root.path().join("var/lib/bowline-client")
    }

    /// The command, not yet run.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.shell[0]);
        command
            .args(&self.shell[1..])
            .arg(SCRIPT)
            .args(arguments)
            .env("BOWLINE_CLIENT_ROOT", self.root.path())
            .env("BOWLINE_CLIENT_FETCH", self.fetcher)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts a run.
    pub(crate) fn start(&self) -> Child {
        self.command(&["run", "--verbose"]).spawn().unwrap()
    }

    /// Runs it: its exit status and what it said.
    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, String) {
        said(&self.command(arguments).output().unwrap())
    }

    /// The files with what it knows, one for each family.
    pub(crate) fn known(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.state()).unwrap();
        let mut files: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    /// A number it keeps for a family, e.g. `next`.
    pub(crate) fn number(&self, family: &str, field: &str) -> i64 {
        let known = self.known();
        let file = known
            .iter()
            .find(|file| file.extension().unwrap() == family);
        let text = fs::read_to_string(file.unwrap()).unwrap();
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{field}=")));
        value.unwrap().parse().unwrap()
    }

    /// Replaces a line of what it knows, for every family.
    pub(crate) fn edit(&self, field: &str, value: &str) {
        for file in self.known() {
            let text = fs::read_to_string(&file).unwrap();
            let lines: String = text
                .lines()
                .map(|line| match line.split_once('=') {
                    Some((name, _)) if name == field => format!("{field}={value}\n"),
                    _ => format!("{line}\n"),
                })
                .collect();
            fs::write(&file, lines).unwrap();
        }
    }
}

/// Exit status and everything that was said.
pub(crate) fn said(output: &Output) -> (i32, String) {
    let text = [&output.stdout[..], &output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    (output.status.code().unwrap(), text)
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}
