//! What systemd lets our units do: a log that can be written from a shell may be closed to
//! them, and a program that takes mail there may not do so for upkeep.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::StatVfsMountFlags;

use super::report::Report;
use crate::config::{Config, LogTarget, MailServer};
use crate::setup::systemctl::systemctl;

/// The units that write; the last one runs what tells of changes.
const WRITING: [&str; 2] = ["bowline.service", UPKEEP];
const UPKEEP: &str = "bowline-upkeep.service";
/// Without `CAP_SYS_ADMIN` each of these brings `NoNewPrivileges=` with it, before systemd 253.
const FILTERS: [&str; 14] = [
    "LockPersonality",
    "MemoryDenyWriteExecute",
    "PrivateDevices",
    "ProtectClock",
    "ProtectHostname",
    "ProtectKernelLogs",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "RestrictAddressFamilies",
    "RestrictNamespaces",
    "RestrictRealtime",
    "RestrictSUIDSGID",
    "SystemCallArchitectures",
    "SystemCallFilter",
];
/// How a filter that is none is shown.
const NONE: [&str; 3] = ["", "no", "~"];
/// The programs to which the `sendmail` of Postfix and that of nullmailer leave the queue.
const QUEUES: [&str; 2] = ["/usr/sbin/postdrop", "/usr/sbin/nullmailer-queue"];
/// The set-user-ID and set-group-ID bits.
const SET_ID: u32 = 0o6000;
/// Where it is described.
const PAGE: &str = "see \"What upkeep lets a program do\" in the book's \"Word of what happened\"";
/// What stays open under `ProtectSystem=strict`.
const OPEN: [&str; 2] = ["/dev", "/proc"];
/// What is another one under `PrivateTmp=`.
const TEMPORARY: [&str; 2] = ["/tmp", "/var/tmp"];

/// Looks at what is configured and runs in a unit.
pub(super) fn examine(config: &Config, report: &mut Report) {
    for unit in WRITING.iter().filter_map(|name| Unit::of(name)) {
        log(&unit, config, report);
        if unit.name == UPKEEP {
            programs(&unit, config, report);
        }
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

/// Whether upkeep can run what is to tell of changes; `notify test` is no proof of that.
fn programs(unit: &Unit, config: &Config, report: &mut Report) {
    if let Some(MailServer::Sendmail(program)) = config.notify.mail.as_ref().map(|mail| &mail.smtp)
    {
        let queue = QUEUES.map(Path::new);
        let is_sendmail = fs::canonicalize(program).is_ok_and(|file| file.ends_with("sendmail"));
        let queue = queue.into_iter().filter(|_| is_sendmail);
        let hint = format!(
            "if a mail server listens here, `smtp = \"smtp://127.0.0.1:25\"` in [notify.mail] is as good; else {PAGE}"
        );
        program_in(unit, program, queue, &hint, report);
    }
    if let Some(command) = &config.notify.command {
        let program = Path::new(command.command.first().map_or("", String::as_str));
        program_in(unit, program, [], PAGE, report);
    }
}

/// Whether a unit can run one, which may need `others`.
fn program_in<'a>(
    unit: &Unit,
    program: &'a Path,
    others: impl IntoIterator<Item = &'a Path>,
    hint: &str,
    report: &mut Report,
) {
    let gains =
        |file: &&Path| fs::metadata(file).is_ok_and(|is| is.permissions().mode() & SET_ID != 0);
    let mut needed = [program].into_iter().chain(others);
    let (name, shown) = (unit.name, program.display());
    match needed.find(gains).filter(|_| unit.gives_nothing()) {
        Some(closed) => report.problem(
            "notify",
            format_args!(
                "{} is setuid or setgid, which counts for nothing in {name}; `bowline notify test` from a shell may succeed all the same",
                closed.display()
            ),
            hint,
        ),
        None if unit.gives_nothing() || unit.is("ProtectSystem") == "strict" => report.ok_but(
            "notify",
            format_args!("{shown} may do less in {name} than in `bowline notify test` from a shell"),
            format_args!("`bowline status` has what failed; then {PAGE}"),
        ),
        None => report.ok("notify", format_args!("{name} leaves {shown} alone")),
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
        let properties = systemctl(&["show", name])?;
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

    /// Whether setuid and setgid mean nothing there.
    fn gives_nothing(&self) -> bool {
        let filtered = || {
            FILTERS
                .iter()
                .any(|filter| !NONE.contains(&self.is(filter)))
        };
        self.is("NoNewPrivileges") == "yes" || filtered() && is_before_253()
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
        let Ok(inside) = directory.strip_prefix("/") else {
            return false;
        };
        // Nobody but root may look; there is no number 0, which is that of one that does not run.
        let root = Path::new("/proc").join(self.is("MainPID")).join("root");
        rustix::fs::statvfs(root.join(inside))
            .is_ok_and(|found| found.f_flag.contains(StatVfsMountFlags::RDONLY))
    }
}

/// Whether systemd filters the calls of a user's processes under `NoNewPrivileges=` only.
fn is_before_253() -> bool {
    let said = systemctl(&["show", "--property=Version"]).unwrap_or_default();
    let version = said.trim().strip_prefix("Version=").unwrap_or_default();
    let digits = version.split(|c: char| !c.is_ascii_digit()).next();
    digits
        .and_then(|digits| digits.parse().ok())
        .is_some_and(|version: u32| version < 253)
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
