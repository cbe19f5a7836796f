//! A set-up to be looked at, and what doctor says about it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::parent::Parent;
use crate::support::knot::Options;
use crate::support::site::Site;

/// Nobody listens there: of a set-up without a web server this check always fails.
const NO_URL: &str = "http://127.0.0.1:1";

/// What doctor said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) success: bool,
    pub(crate) document: Value,
}

/// A site in whose files and modes nothing is wrong; upkeep was done.
pub(crate) fn healthy(options: Options) -> Site {
    let site = Site::with(&options);
    site.configure(NO_URL, "");
    for (name, mode) in [
        ("lookup.key", 0o640),
        ("tsig.key", 0o640),
        ("state", 0o750),
        ("state/locks", 0o750),
    ] {
        fs::set_permissions(site.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let upkeep = bowline(&site.path("bowline.toml")).arg("upkeep").status();
    assert!(upkeep.unwrap().success());
    site
}

/// The recommended rights.
pub(crate) fn options() -> Options {
    Options {
        types: "A, AAAA".into(),
        ..Options::default()
    }
}

/// Replaces a text in a file; it has to be there.
pub(crate) fn edit(site: &Site, file: &str, from: &str, to: &str) {
    let text = fs::read_to_string(site.path(file)).unwrap();
    assert!(text.contains(from), "{from} in {text}");
    fs::write(site.path(file), text.replace(from, to)).unwrap();
}

/// The same in Knot's configuration, which it then reads.
pub(crate) fn edit_knot(site: &Site, from: &str, to: &str) {
    edit(site, "knot/knot.conf", from, to);
    site.knot.knotc(&["reload"]);
}

/// The executable with a configuration.
pub(crate) fn bowline(config: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bowline"));
    command.arg("--config").arg(config);
    command
}

/// Asks doctor about a site, with more options.
pub(crate) fn doctor(site: &Site, parent: &Parent, more: &[&str]) -> Said {
    let mut command = bowline(&site.path("bowline.toml"));
    let via = parent.address.to_string();
    examine(command.args(["doctor", "--json", "--via", &via]).args(more))
}

/// Runs it and reads what it says.
pub(crate) fn examine(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    let document = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {output:?}"));
    Said {
        success: output.status.success(),
        document,
    }
}

impl Said {
    /// All that was found.
    pub(crate) fn checks(&self) -> &Vec<Value> {
        self.document["checks"].as_array().unwrap()
    }

    /// The names of the checks with a problem, each once.
    pub(crate) fn problems(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .checks()
            .iter()
            .filter(|check| check["status"] == "problem")
            .map(|check| check["name"].as_str().unwrap())
            .collect();
        names.dedup();
        assert_eq!(self.success, names.is_empty());
        names
    }

    /// What it says to do about a problem.
    pub(crate) fn hint(&self, name: &str) -> &str {
        let mut checks = self.checks().iter();
        let check = checks.find(|check| check["name"] == name && check["hint"].is_string());
        check.and_then(|check| check["hint"].as_str()).unwrap()
    }

    /// Everything said about a check.
    pub(crate) fn about(&self, name: &str) -> String {
        let checks = self.checks().iter().filter(|check| check["name"] == name);
        checks
            .map(|check| format!("{}: {}\n", check["status"].as_str().unwrap(), check["says"]))
            .collect()
    }
}
