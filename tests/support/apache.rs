//! A site that runs behind Apache: set up by `init --apply`, with one host.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

#[path = "../setup/trial.rs"]
pub(crate) mod trial;

use crate::support::skip::installed;
use trial::{Trial, run, succeed};

/// A site that runs: Knot, Apache and one host.
pub(crate) struct Site {
    pub(crate) trial: Trial,
    /// Of the host `home`.
    pub(crate) token: String,
}

impl Site {
    /// Knot, Apache and `home`; `None` when a program is missing.
    pub(crate) fn start(more: &[&str]) -> Option<Self> {
        if !installed("knotd") || !installed("apache2") || !installed("curl") {
            return None;
        }
        let mut trial = Trial::new();
        // Apache runs the executable as somebody else, who must reach it.
        fs::set_permissions(trial.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let executable = trial.dir.path().join("bowline");
        // By a process of its own: were the new file open here, another test's child could
        // inherit it, and what is open for writing cannot be run.
        let copy = [
            "-m755",
            env!("CARGO_BIN_EXE_bowline"),
            executable.to_str().unwrap(),
        ];
        succeed("install", &copy);
        trial.executable = executable;
        trial.init(&[&["--apply"], more].concat()).unwrap();
        let mut site = Site {
            trial,
            token: String::new(),
        };
        site.token = site.add("home", &[]);
        Some(site)
    }

    /// Adds a host; its token.
    pub(crate) fn add(&self, name: &str, more: &[&str]) -> String {
        let host = self.bowline(&[&["host", "add", name], more].concat());
        host["token"].as_str().unwrap().to_owned()
    }

    /// Has bowline believe a proxy on loopback, and write a log that shows everything.
    pub(crate) fn trust_loopback(&self) {
        let mut config = fs::read_to_string(self.trial.config()).unwrap();
        config += "\n[client]\ntrusted_proxies = [\"127.0.0.1\"]\n";
        config += "[log]\ntarget = \"file:state/bowline.log\"\nlevel = \"debug\"\n";
        fs::write(self.trial.config(), config).unwrap();
    }

    /// Runs a verb: its report.
    pub(crate) fn bowline(&self, arguments: &[&str]) -> Value {
        let arguments: Vec<String> = arguments
            .iter()
            .map(|argument| (*argument).to_owned())
            .collect();
        let report = self.trial.verb(&arguments).unwrap();
        serde_json::from_str(&report).unwrap_or(Value::Null)
    }

    /// Visits a path through Apache: status and body.
    pub(crate) fn visit(&self, path: &str, more: &[&str]) -> (String, String) {
        let url = format!("http://127.0.0.1:{}{path}", self.trial.http);
        let arguments = [&["-sS", "-w", "\n%{http_code}", &url], more].concat();
        let output = succeed("curl", &arguments);
        let (body, status) = output.rsplit_once('\n').unwrap();
        (status.to_owned(), body.to_owned())
    }

    /// What the name server answers for a name of the zone.
    pub(crate) fn dig(&self, name: &str, kind: &str) -> String {
        self.trial
            .dig(&[&format!("{name}.dyn.example.org"), kind])
            .trim()
            .to_owned()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let conf = self.trial.path("apache/apache2.conf");
        run("apache2", &["-f", conf.to_str().unwrap(), "-k", "stop"]);
    }
}

/// Every file below `directory` is without `secret`.
pub(crate) fn search(directory: &Path, secret: &str, searched: &mut usize) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let kind = fs::symlink_metadata(&path).unwrap().file_type();
        if kind.is_dir() {
            search(&path, secret, searched);
        } else if kind.is_file() {
            let octets = fs::read(&path).unwrap();
            let found = octets
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!found, "the token is in {}", path.display());
            *searched += 1;
        }
    }
}
