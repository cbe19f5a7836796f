//! Zones whose hosts came out of a backup: until they have been compared once, what the name
//! server has is taken for the newer.
//!
//! Those who heard `good` after the backup was made will not come again to say it.

use std::fs;
use std::io;
use std::path::PathBuf;

use crate::config::Config;
use crate::lock::LockError;
use crate::name::ZoneName;

/// Notes it for all zones.
///
/// # Errors
/// When the state directory cannot be written.
pub fn note(config: &Config) -> io::Result<()> {
    match fs::create_dir(directory(config)) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let mut zones = config.zones.iter();
    zones.try_for_each(|zone| fs::write(file(config, &zone.name), ""))
}

/// Whether a zone has not been compared since.
pub(super) fn is(config: &Config, zone: &ZoneName) -> bool {
    file(config, zone).exists()
}

/// A zone has been compared.
///
/// # Errors
/// When the note cannot be taken away.
pub(super) fn done(config: &Config, zone: &ZoneName) -> Result<(), LockError> {
    let file = file(config, zone);
    fs::remove_file(&file).map_err(|error| LockError::File(file, error))
}

fn directory(config: &Config) -> PathBuf {
    config.state_directory().join("restored")
}

fn file(config: &Config, zone: &ZoneName) -> PathBuf {
    directory(config).join(zone.to_string())
}
