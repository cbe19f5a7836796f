//! Zones whose hosts came out of a backup: until they have been compared once, what the name
//! server has is taken for the newer.
//!
//! Those who heard `good` after the backup was made will not come again to say it. What was
//! accepted since the registry was restored is newer still. Nor does anybody know who was heard in
//! between: silence begins anew.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::lock::LockError;
use crate::name::ZoneName;
use crate::registry::Host;
use crate::span::Span;
use crate::time::Timestamp;

/// The note that stays: when that was. No zone is called so, for theirs are two labels at least.
const LAST: &str = "last";

/// A name that cannot be seen is waited for no longer than this.
const LONGEST: Span = Span::from_days(1);

/// When a registry was restored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Restored(Timestamp);

impl Restored {
    /// When that was.
    pub(super) fn at(self) -> Timestamp {
        self.0
    }

    /// Whether what cannot be seen may still be waited for. Until all is seen, the zone's word
    /// counts where a hand has changed it, too.
    pub(super) fn waits(self, now: Timestamp) -> bool {
        now < self.0.plus(LONGEST)
    }

    /// Whether the addresses that a host wishes came out of the backup. That it wishes them at
    /// other names since, as when a former one lapses, makes them no newer.
    pub(super) fn has(self, host: &Host) -> bool {
        host.last_change.is_none_or(|changed| changed < self.0)
    }
}

/// Notes it, and for all zones.
///
/// # Errors
/// When the state directory cannot be written.
pub fn note(config: &Config) -> io::Result<()> {
    match fs::create_dir(directory(config)) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let now = format!("{}\n", Timestamp::now().seconds());
    fs::write(directory(config).join(LAST), &now)?;
    let mut zones = config.zones.iter();
    zones.try_for_each(|zone| fs::write(file(config, &zone.name), &now))
}

/// When the registry was restored, if the zone has not been compared since.
pub(super) fn at(config: &Config, zone: &ZoneName) -> Option<Restored> {
    let file = file(config, zone);
    // Where nobody can tell when, all may have come out of the backup.
    let at = read(&file).unwrap_or(Timestamp::from_seconds(i64::MAX));
    file.exists().then_some(Restored(at))
}

/// When the registry was restored last.
pub(super) fn last(config: &Config) -> Option<Timestamp> {
    read(&directory(config).join(LAST))
}

fn read(file: &Path) -> Option<Timestamp> {
    let text = fs::read_to_string(file).ok()?;
    text.trim().parse().ok().map(Timestamp::from_seconds)
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
