//! A place to run bowline in: a configuration, keys and an empty registry.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use bowline::registry::Registry;
use bowline::token::LookupKey;
use serde_json::Value;

/// A temporary directory with all that bowline needs, and no name server.
pub(crate) struct Place {
    pub(crate) directory: tempfile::TempDir,
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    /// One zone, `dyn.example.org`, whose name server does not answer.
    pub(crate) fn new() -> Self {
        Place::with_zones(&["dyn.example.org"])
    }

    /// Several zones.
    pub(crate) fn with_zones(zones: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let place = Place { directory };
        let mut config = format!(
            "url = \"https://update.example.org\"\n[state]\nregistry = \"{}\"\n",
            place.file("state/bowline.db").display()
        );
        for zone in zones {
            config += &format!(
                "[[zone]]\nname = \"{zone}\"\nserver = \"127.0.0.1:9\"\nkey_file = \"tsig.key\"\n"
            );
        }
        fs::create_dir_all(place.file("state/locks")).unwrap();
        fs::create_dir(place.file("etc")).unwrap();
        place.write("etc/bowline.toml", &config);
        let secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldC0=";
        place.write("etc/tsig.key", &format!("hmac-sha256:bowline:{secret}\n"));
        let key = LookupKey::random().unwrap();
        place.write("etc/lookup.key", &key.to_hex());
        Registry::create(&place.file("state/bowline.db"), key).unwrap();
        place
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file, mode 0640.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.file(name), text).unwrap();
        fs::set_permissions(self.file(name), fs::Permissions::from_mode(0o640)).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap()
    }

    /// The command, arguments split at spaces.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bowline"));
        command
            .args(arguments.split_whitespace())
            .env("BOWLINE_CONFIG", self.file("etc/bowline.toml"))
            .current_dir(self.directory.path())
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &str) -> Ran {
        self.command(arguments).output().unwrap().into()
    }

    /// Runs it with a text on standard input.
    pub(crate) fn run_with(&self, arguments: &str, input: &str) -> Ran {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped());
        let pipes = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().unwrap();
        // A verb that refuses its arguments may not read at all.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap().into()
    }

    /// Standard output of a run that must succeed.
    pub(crate) fn done(&self, arguments: &str) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments}: {ran:?}");
        ran.out
    }

    /// The one JSON document of a run that must succeed.
    pub(crate) fn json(&self, arguments: &str) -> Value {
        serde_json::from_str(&self.done(&format!("{arguments} --json"))).unwrap()
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
