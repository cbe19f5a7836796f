//! Whether `bowline.toml` can be used, and the files that `init` wrote are still there.

use std::path::Path;

use super::report::Report;
use crate::config::Config;
use crate::setup::Place;
use crate::setup::files::{Written, read};

/// Reads the configuration; without one nothing else can be looked at.
pub fn load(file: &Path, report: &mut Report) -> Option<Config> {
    let hint = "`bowline init` makes one, `--config` names another; as root every one can be read";
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
            report.problem("configuration", error, hint);
            None
        }
    }
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
    // A key that is gone is told where it is needed: `init` would make another one.
    let is_key = |path: &Path| {
        path == config.state.lookup_key || config.zones.iter().any(|zone| path == zone.key_file)
    };
    for path in written.paths().filter(|path| !is_key(path)) {
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
            "run `bowline init` again with the same options: it writes what is missing",
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
            "`bowline init --dry-run` shows how they differ from what this version writes",
        );
    }
}
