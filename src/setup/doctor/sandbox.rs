//! What systemd lets our units do: a log that can be written from a shell may be closed to them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::StatVfsMountFlags;

use super::report::Report;
use crate::config::{Config, LogTarget};

/// The units that write.
const WRITING: [&str; 2] = ["bowline.service", "bowline-upkeep.service"];
/// What is asked of a unit.
const PROPERTIES: &str =
    "LoadState,MainPID,PrivateTmp,ProtectSystem,ReadWritePaths,StateDirectory,LogsDirectory";
/// What stays open under `ProtectSystem=strict`.
const OPEN: [&str; 2] = ["/dev", "/proc"];
/// What is another one under `PrivateTmp=`.
const TEMPORARY: [&str; 2] = ["/tmp", "/var/tmp"];

/// Looks at what is configured and runs in a unit.
pub(super) fn examine(config: &Config, report: &mut Report) {
    for unit in WRITING.iter().filter_map(|name| Unit::of(name)) {
        log(&unit, config, report);
    }
}

/// Whether a unit can append to the log; the state directory's owner was asked before, but
/// outside of it.
fn log(unit: &Unit, config: &Config, report: &mut Report) {
    let LogTarget::File(file) = &config.log.target else {
        return;
    };
    let directory = file.parent().unwrap_or(file);
    let (name, shown) = (unit.name, directory.display());
    if !unit.opens(file) {
        report.problem(
            "log-file",
            format_args!("{name} may not write in {shown}: its lines are in the journal"),
            format_args!(
                "name a file in /var/log/bowline, or `systemctl edit {name}`: [Service] ReadWritePaths={shown}"
            ),
        );
    } else if directory.is_dir() && unit.is_behind(directory) {
        report.problem(
            "log-file",
            format_args!(
                "{name} was started before {shown} was there: its lines are in the journal"
            ),
            format_args!("`systemctl restart {name}`"),
        );
    }
}

/// A unit that systemd has read.
struct Unit {
    name: &'static str,
    /// `NAME=VALUE`, each on a line.
    properties: String,
}

impl Unit {
    /// What systemd says about it, where it knows it.
    fn of(name: &'static str) -> Option<Self> {
        let mut systemctl = Command::new("systemctl");
        let asked = systemctl.args(["show", "-p", PROPERTIES, name]).output();
        let properties = String::from_utf8_lossy(&asked.ok()?.stdout).into_owned();
        let unit = Unit { name, properties };
        (unit.is("LoadState") == "loaded").then_some(unit)
    }

    /// The value of a property; empty where this systemd does not know it.
    fn is(&self, property: &str) -> &str {
        let mut lines = self.properties.lines();
        lines
            .find_map(|line| line.strip_prefix(property)?.strip_prefix('='))
            .unwrap_or_default()
    }

    /// Whether what is written to that file from there is in it.
    fn opens(&self, file: &Path) -> bool {
        let below = |directory: &PathBuf| file.starts_with(directory);
        let private = !matches!(self.is("PrivateTmp"), "no" | "");
        if private && TEMPORARY.map(PathBuf::from).iter().any(below) {
            return false;
        }
        if self.is("ProtectSystem") != "strict" {
            return true;
        }
        let words = |property| self.is(property).split_whitespace();
        words("ReadWritePaths")
            .map(|path| PathBuf::from(path.trim_start_matches(['-', '+'])))
            .chain(words("StateDirectory").map(|name| Path::new("/var/lib").join(name)))
            .chain(words("LogsDirectory").map(|name| Path::new("/var/log").join(name)))
            .chain(OPEN.map(PathBuf::from))
            .any(|open| below(&open))
    }

    /// Whether it runs, and what is there for it cannot be written.
    fn is_behind(&self, directory: &Path) -> bool {
        let root = Path::new("/proc").join(self.is("MainPID")).join("root");
        let Ok(inside) = directory.strip_prefix("/") else {
            return false;
        };
        // Nobody but root may look; for number 0, which does not run, there is nothing to see.
        fs::canonicalize(&root).is_ok()
            && rustix::fs::statvfs(root.join(inside))
                .is_ok_and(|found| found.f_flag.contains(StatVfsMountFlags::RDONLY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_writes_where_it_says() {
        let shipped = "ProtectSystem=strict\nPrivateTmp=yes\nStateDirectory=bowline\nLogsDirectory=\n\
             ReadWritePaths=-/var/log/bowline /srv/x\n";
        let free = "ProtectSystem=full\nPrivateTmp=no\n";
        for (file, in_shipped, in_free) in [
            ("/var/log/bowline/bowline.log", true, true),
            ("/var/lib/bowline/log", true, true),
            ("/srv/x/log", true, true),
            ("/dev/stderr", true, true),
            ("/var/log/bowline.log", false, true),
            ("/tmp/log", false, true),
        ] {
            for (properties, opens) in [(shipped, in_shipped), (free, in_free)] {
                let unit = Unit {
                    name: "x",
                    properties: properties.to_owned(),
                };
                assert_eq!(unit.opens(Path::new(file)), opens, "{file} {properties}");
            }
        }
    }
}
