//! The state directory: what else is in it, and whether it can be given to one user.

use std::fs;
use std::path::Path;

use super::error::SetupError;
use super::handover;
use super::place::Place;
use super::users::Owners;
use crate::config::{Config, LogTarget};

/// Its directories: the locks, and which zones' hosts came out of a backup.
pub(super) const DIRECTORIES: [&str; 2] = ["locks", "restored"];
/// What every file system has at its top.
const LOST_AND_FOUND: &str = "lost+found";

/// Whether bowline can have its state there.
///
/// Beside the registry there are the locks: where `bowline.toml` has it elsewhere, this one would
/// be of no use. Where no registry is yet, the directory may be one that others use, such as
/// `/var/lib`: it is not handed over, with all that is in it.
///
/// # Errors
/// A link, which no verb would follow, and such directories.
pub(super) fn check(place: &Place, owners: &Owners, config: &Config) -> Result<(), SetupError> {
    let directory = &place.state_dir;
    let refused = |why, hint| Err(SetupError::StateDirectory(directory.clone(), why, hint));
    if directory.is_symlink() {
        let hint = "say where it leads to with --state-dir".to_owned();
        return refused("is a link".to_owned(), hint);
    }
    let there = config.state_directory();
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if real(directory) != real(there) {
        return refused(
            format!("is not where {} has the registry", config.file.display()),
            format!(
                "without --state-dir it stays in {}; to have it elsewhere, move that directory and change [state] registry",
                there.display()
            ),
        );
    }
    if config.state.registry.exists() || handover::former(place, owners).is_none() {
        return Ok(());
    }
    match stranger(directory, config) {
        None => Ok(()),
        Some(other) => refused(
            format!("has {other:?}, which is not bowline's"),
            format!(
                "a directory of its own can be given to {}: --state-dir {}",
                owners.state.user,
                directory.join("bowline").display()
            ),
        ),
    }
}

/// What is in the state directory and not of bowline's making: it may be a directory that
/// others use.
pub(super) fn stranger(directory: &Path, config: &Config) -> Option<String> {
    let registry = config.state.registry.file_name()?.to_string_lossy();
    let registry = registry.into_owned();
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let ours = [Some(registry), own_log(directory, config)];
    names.find(|name| {
        let is_file = ours.iter().flatten().any(|file| name.starts_with(file));
        let is_ours =
            is_file || name.ends_with(".counters") || DIRECTORIES.contains(&name.as_str());
        name != LOST_AND_FOUND && !is_ours
    })
}

/// The name of the log, where it is in the state directory too.
fn own_log(directory: &Path, config: &Config) -> Option<String> {
    let LogTarget::File(file) = &config.log.target else {
        return None;
    };
    let beside = file.parent() == Some(directory);
    let name = file.file_name().filter(|_| beside)?;
    Some(name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_beside_the_registry_is_no_stranger() {
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().display();
        let text = format!(
            "url = \"https://u.example.org\"\n[state]\nregistry = \"{state}/bowline.db\"\n\
             [log]\ntarget = \"file:{state}/bowline.log\"\n"
        );
        let config = Config::parse(Path::new("/etc/bowline/bowline.toml"), &text).unwrap();
        let found = || stranger(directory.path(), &config);
        for ours in ["bowline.db", "bowline.db-wal", "bowline.log"] {
            fs::write(directory.path().join(ours), "").unwrap();
            assert_eq!(found(), None, "{ours}");
        }
        for ours in ["locks", "restored", LOST_AND_FOUND] {
            fs::create_dir(directory.path().join(ours)).unwrap();
            assert_eq!(found(), None, "{ours}");
        }
        fs::write(directory.path().join("theirs"), "").unwrap();
        assert_eq!(found().as_deref(), Some("theirs"));
    }
}
