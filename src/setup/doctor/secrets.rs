//! Secrets: who may read them, and whether the name server has the same key.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::mode::Allowed;
use super::report::Report;
use crate::config::Config;
use crate::dns::Key;
use crate::setup::runner::Runner;
use crate::setup::{Place, nameserver};

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
    let files = config.secrets();
    let copies = copies(place);
    let ours = Allowed::for_runner(runner);
    let mut sound = 0;
    for file in &files {
        sound += usize::from(secret(file, &ours, fix, report));
    }
    for copy in &copies {
        // The name server reads it with the group that its directory has.
        let beside = copy.parent().and_then(|parent| fs::metadata(parent).ok());
        sound += usize::from(secret(copy, &Allowed::beside(beside.as_ref()), fix, report));
    }
    if sound == files.len() + copies.len() {
        report.ok("secrets", "only those read the secrets who need to");
    }
    for file in config.update_keys() {
        weakness(file, report);
    }
    compare(config, &copies, report);
}

/// Whether one file is as closed as it should be; if not, it has been said, or mended.
fn secret(file: &Path, allowed: &Allowed, fix: bool, report: &mut Report) -> bool {
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
    let (name, wrong) = match allowed.wrong(&is) {
        Some(wrong) => ("secrets", wrong),
        // Else whoever cannot read it says so.
        None if fix && allowed.is_closed_to_reader(&is) => {
            ("keys-readable", "is closed to who runs bowline".to_owned())
        }
        None => return true,
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

/// The name servers' own copies of the key, where there are some.
fn copies(place: &Place) -> Vec<PathBuf> {
    let files = nameserver::ALL
        .iter()
        .filter_map(|server| fs::read_dir(server.key_copies(place)).ok());
    let mut copies: Vec<PathBuf> = files
        .flatten()
        .flatten()
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
fn compare(config: &Config, copies: &[PathBuf], report: &mut Report) {
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
                    format_args!("{} and {} have different keys", copy.display(), file.display()),
                    format_args!(
                        "copy the one that is right over the other, keeping owner and mode, and reload the name server: `cp {} {}`",
                        file.display(),
                        copy.display()
                    ),
                ),
            }
        }
    }
}
