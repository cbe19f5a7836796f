//! Upkeep, once a minute: a file for cron, or the line for a crontab.

use std::path::Path;

use super::error::SetupError;
use super::files::{Content, File};
use super::next::Step;
use super::place::Place;
use super::users::Owners;
use crate::fill::Fill;

/// As it is shipped.
const CRON: &str = include_str!("upkeep.cron");
/// Who runs it and what, as it is shipped.
const LINE: &str = "www-data test ! -d /run/systemd/system && test -x /usr/local/bin/bowline && \
                    /usr/local/bin/bowline upkeep";

/// The file for cron, where there is a place for it.
///
/// # Errors
/// A shipped file that does not fit.
pub fn file(place: &Place, owners: &Owners, executable: &Path) -> Result<Option<File>, SetupError> {
    let Some(path) = place.cron() else {
        return Ok(None);
    };
    let line = format!(
        "{} test ! -d /run/systemd/system && {}",
        owners.state.user,
        upkeep(place, executable)
    );
    Ok(Some(File {
        path,
        owner: owners.root.clone(),
        mode: 0o644,
        content: Content::Text(Fill::new(CRON).value(LINE, line).text()?),
    }))
}

/// What the operator does about it where systemd has no timer for it: a cron daemon, or the
/// line for a crontab.
pub fn next(place: &Place, owners: &Owners, executable: &Path) -> Option<Step> {
    if place.unit_dir.is_some() {
        return None;
    }
    if place.cron().is_none() {
        return Some(Step::yours(
            format!(
                "upkeep, once a minute: a line for the crontab of {}",
                owners.state.user
            ),
            format!("# * * * * * {} >/dev/null", upkeep(place, executable)),
        ));
    }
    let daemons = [
        "/usr/sbin/cron",
        "/usr/sbin/crond",
        "/lib/systemd/system-generators/systemd-crontab-generator",
    ];
    let none = !daemons.iter().any(|daemon| Path::new(daemon).exists());
    none.then(|| {
        Step::yours(
            "upkeep, once a minute, is run by cron",
            "apt-get install cron",
        )
    })
}

/// The way back.
pub fn removal(place: &Place) -> Step {
    match place.cron().filter(|file| file.exists()) {
        Some(file) => Step::yours("upkeep", format!("rm -f {}", file.display())),
        None => Step::yours(
            "upkeep",
            format!(
                "# take the line with {:?} out of the crontab",
                place.bowline("upkeep")
            ),
        ),
    }
}

/// The command line; nothing where the executable is gone.
fn upkeep(place: &Place, executable: &Path) -> String {
    let executable = executable.display();
    let run = place.bowline("upkeep");
    let arguments = run.strip_prefix("bowline").unwrap_or(&run);
    format!("test -x {executable} && {executable}{arguments}")
}
