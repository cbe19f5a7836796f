//! Secrets: who may read them, and whether the name server has the same key.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::mode::Allowed;
use super::report::Report;
use crate::config::Config;
use crate::dns::Key;
use crate::setup::nameserver::{self, Program};
use crate::setup::runner::Runner;
use crate::setup::users::Owner;
use crate::setup::{Place, again};

/// What only root may look at.
const AS_ROOT: &str = "run this as root, with sudo";

/// Looks at every file with a secret, and closes those that stand open when `fix`.
///
/// `runner` has to read ours: with `fix`, what is closed to that user is opened.
pub fn examine(
    config: &Config,
    place: &Place,
    runner: Option<&Runner>,
    fix: bool,
    report: &mut Report,
) {
    let mut ours = Allowed::for_runner(runner);
    if runner.is_none() {
        // Without a state directory nothing tells whose group reads them: none is shut out.
        let group = |file: &Path| Some(fs::metadata(file).ok()?.gid());
        ours.gids
            .extend(config.secrets().into_iter().filter_map(group));
    }
    let mut sound = true;
    for file in config.secrets() {
        sound &= secret(file, &ours, None, fix, report);
    }
    let mut copies = Vec::new();
    for server in nameserver::ALL {
        let directory = server.key_copies(place);
        let theirs = copies_in(&directory);
        if theirs.is_empty() {
            continue;
        }
        let is = fs::metadata(&directory).ok();
        let user = Owner::user(server.user());
        // A private server runs as whoever starts it.
        let allowed = Allowed::for_server(is.as_ref(), user, !place.private);
        if is.is_some_and(|is| allowed.is_closed_to_reader(&is)) {
            sound = false;
            closed(&directory, &allowed, server, fix, report);
        }
        for copy in &theirs {
            sound &= secret(copy, &allowed, Some(server), fix, report);
        }
        copies.extend(theirs);
    }
    if sound {
        report.ok("secrets", "only those read the secrets who need to");
    }
    for file in config.update_keys() {
        weakness(file, report);
    }
    compare(config, place, &copies, report);
}

/// Whether one file, a name server's or ours, is as closed as it should be; if not, it has
/// been said, or mended.
fn secret(
    file: &Path,
    allowed: &Allowed,
    server: Option<&dyn Program>,
    fix: bool,
    report: &mut Report,
) -> bool {
    let is = match fs::metadata(file) {
        Ok(is) => is,
        // Nobody reads it; that it is missing is told where it is needed.
        Err(error) if error.kind() == ErrorKind::NotFound => return true,
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            report.unknown(
                "secrets",
                format_args!("who may read {}", file.display()),
                AS_ROOT,
            );
            return false;
        }
        Err(error) => {
            report.problem(
                "secrets",
                format_args!("{}: {error}", file.display()),
                "put it back, as from a backup",
            );
            return false;
        }
    };
    let (name, wrong) = match (allowed.wrong(&is), server) {
        (Some(wrong), _) => ("secrets", wrong),
        (None, _) if !allowed.is_closed_to_reader(&is) => return true,
        (None, Some(server)) => {
            closed(file, allowed, server, fix, report);
            return false;
        }
        // Else whoever cannot read it says so.
        (None, None) if fix => ("keys-readable", "is closed to who runs bowline".to_owned()),
        (None, None) => return true,
    };
    let says = format!("{} {wrong}", file.display());
    if fix {
        match allowed.close(file) {
            Ok(changed) => report.fixed(name, changed),
            Err(error) => report.problem(
                name,
                format_args!("{says}; it was not changed: {error}"),
                "look at it yourself, and replace the secret when strangers may have read it",
            ),
        }
    } else {
        report.problem(
            "secrets",
            says,
            "`bowline doctor --fix` closes it; replace the secret when strangers may have read it",
        );
    }
    false
}

/// A name server cannot read its copy of the key, or the directory that it is in: at its
/// next start it has no key, or does not start.
fn closed(file: &Path, allowed: &Allowed, server: &dyn Program, fix: bool, report: &mut Report) {
    let (name, user) = (server.name(), server.user());
    let path = file.display();
    let says = format!("{path} is closed to {user}, the user of {name}");
    match fix.then(|| allowed.close(file)) {
        Some(Ok(changed)) => report.fixed("key-copy", changed),
        Some(Err(error)) => report.problem(
            "key-copy",
            format_args!("{says}; it was not changed: {error}"),
            format_args!("`chgrp {user} {path} && chmod g+rX {path}`"),
        ),
        None => report.problem(
            "key-copy",
            says,
            "`bowline doctor --fix` opens it to that user",
        ),
    }
}

/// What is weak about a key.
fn weakness(file: &Path, report: &mut Report) {
    let key = fs::read_to_string(file).ok();
    let warning = key.and_then(|text| Key::read(&text).ok()?.warning());
    if let Some(warning) = warning {
        report.problem(
            "key-strength",
            format_args!("{}: {warning}", file.display()),
            "make a key with `keymgr -t bowline hmac-sha256`, for the name server too",
        );
    }
}

/// A name server's own copies of the key in its directory, where there are some.
fn copies_in(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut copies: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.contains("key")
        })
        .collect();
    copies.sort();
    copies
}

/// Compares our keys with the name servers' copies.
fn compare(config: &Config, place: &Place, copies: &[PathBuf], report: &mut Report) {
    for file in config.update_keys() {
        let Ok(key) = fs::read_to_string(file)
            .map_err(drop)
            .and_then(|text| Key::read(&text).map_err(drop))
        else {
            // Said where the key is used.
            continue;
        };
        for copy in copies {
            let Ok(text) = fs::read_to_string(copy) else {
                report.unknown(
                    "key-copy",
                    format_args!("{} cannot be read", copy.display()),
                    AS_ROOT,
                );
                continue;
            };
            // A server may have keys for others too.
            let Ok(theirs) = Key::read_named(&text, Some(key.name())) else {
                continue;
            };
            match key.is_same(&theirs) {
                true => report.ok(
                    "key-copy",
                    format_args!("{} has the key of {}", copy.display(), file.display()),
                ),
                false => report.problem(
                    "key-copy",
                    format_args!(
                        "{} and {} have different keys",
                        copy.display(),
                        file.display()
                    ),
                    format_args!(
                        "where {} is the right one, `rm {}` and {}, which writes it anew",
                        file.display(),
                        copy.display(),
                        again::hint(config, place, &[])
                    ),
                ),
            }
        }
    }
}
