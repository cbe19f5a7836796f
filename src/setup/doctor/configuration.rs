//! Whether `bowline.toml` can be used, and the files that `init` wrote are still there.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::mode::Allowed;
use super::report::Report;
use crate::config::Config;
use crate::setup::files::{Written, read};
use crate::setup::runner::Runner;
use crate::setup::{Place, again};

/// Reads the configuration; without one nothing else can be looked at.
pub fn load(file: &Path, report: &mut Report) -> Option<Config> {
    match Config::load(file) {
        Ok(config) if config.zones.is_empty() => {
            report.problem(
                "configuration",
                format_args!("{} has no zone", file.display()),
                "add one with `bowline zone add ZONE`",
            );
            Some(config)
        }
        Ok(config) => {
            let zones: Vec<&str> = config.zones.iter().map(|zone| zone.name.as_str()).collect();
            let says = format!("{} can be used: {}", file.display(), zones.join(", "));
            report.ok("configuration", says);
            Some(config)
        }
        Err(error) => {
            report.problem("configuration", error, unusable(file));
            None
        }
    }
}

/// What helps where it cannot be used: it is not there, or closed, or has a mistake.
fn unusable(file: &Path) -> &'static str {
    match fs::read(file) {
        Ok(_) => "mend that line; `bowline config check` says whether all of it can be used",
        Err(error) if error.kind() == ErrorKind::PermissionDenied => "run this as root, with sudo",
        Err(_) => "`bowline init` makes one, `--config` names another",
    }
}

/// Whoever can change `bowline.toml` chooses commands, servers and files: nobody but root and
/// who runs bowline; and who runs it has to read it.
pub fn owner(config: &Config, runner: Option<&Runner>, fix: bool, report: &mut Report) {
    let allowed = Allowed::for_runner(runner).public();
    let mut sound = true;
    for path in with_directories(&config.file) {
        let Ok(is) = fs::metadata(&path) else {
            continue;
        };
        let closed = fix && is.is_file() && allowed.is_closed_to_reader(&is);
        let (name, wrong) = match allowed.changed_by(&is) {
            Some(wrong) => ("configuration-owner", wrong),
            None if closed => ("keys-readable", "is closed to who runs bowline".to_owned()),
            None => continue,
        };
        sound = false;
        let says = format!("{} {wrong}", path.display());
        match fix.then(|| allowed.close(&path)) {
            None => report.problem(
                name,
                says,
                "`bowline doctor --fix` closes it; then read it: strangers may have changed it",
            ),
            Some(Ok(changed)) => report.fixed(name, changed),
            Some(Err(error)) => report.problem(
                name,
                format_args!("{says}; it was not changed: {error}"),
                "put owner and mode right by hand, and read it: strangers may have changed it",
            ),
        }
    }
    if sound {
        let says = "nobody but its owner can change it";
        report.ok(
            "configuration-owner",
            format_args!("{}: {says}", config.file.display()),
        );
    }
}

/// A file's directory and the file, and the same of what it links to.
fn with_directories(file: &Path) -> Vec<PathBuf> {
    let named = std::path::absolute(file).ok();
    let target = fs::canonicalize(file).ok();
    let directory = |path: &Option<PathBuf>| Some(path.as_deref()?.parent()?.to_owned());
    let mut all: Vec<PathBuf> = [directory(&named), directory(&target), target]
        .into_iter()
        .flatten()
        .collect();
    all.dedup();
    all
}

/// Looks whether the files that were written are there, and which were changed since.
pub fn examine(config: &Config, place: &Place, report: &mut Report) {
    let Ok(written) = Written::load(&place.written()) else {
        return report.unknown(
            "files",
            format_args!("{} cannot be read", place.written().display()),
            "run this as root, with sudo",
        );
    };
    let (mut gone, mut changed, mut closed, mut count) = (Vec::new(), Vec::new(), 0, 0);
    // A key that is gone is told where it is needed: `init` would make another one. And
    // bowline.toml is for changing: `init` leaves in it what it finds.
    let is_own = |path: &Path| {
        path == config.file
            || path == config.state.lookup_key
            || config.zones.iter().any(|zone| path == zone.key_file)
    };
    for path in written.paths().filter(|path| !is_own(path)) {
        count += 1;
        match read(path) {
            Ok(Some(text)) if written.is_ours(path, &text) => {}
            Ok(Some(_)) => changed.push(path.display().to_string()),
            Ok(None) => gone.push(path.display().to_string()),
            Err(_) => closed += 1,
        }
    }
    if !gone.is_empty() {
        report.problem(
            "files",
            format_args!("gone since init wrote them: {}", gone.join(", ")),
            format_args!(
                "{}: it writes what is missing",
                again::hint(config, place, &[])
            ),
        );
    } else if closed > 0 {
        report.unknown(
            "files",
            format_args!("{closed} of {count} files that init wrote cannot be read"),
            "run this as root, with sudo",
        );
    } else if count == 0 {
        report.unknown(
            "files",
            "init has written nothing here",
            "the servers' files are yours: compare them with those that are shipped",
        );
    } else if changed.is_empty() {
        report.ok(
            "files",
            format_args!("all {count} files are as init wrote them"),
        );
    } else {
        report.ok_but(
            "files",
            format_args!(
                "changed by hand or by another version: {}",
                changed.join(", ")
            ),
            format_args!(
                "{} shows how they differ from what this version writes",
                again::hint(config, place, &[("--dry-run", "")])
            ),
        );
    }
}
