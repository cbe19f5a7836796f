//! What is looked at before a verb begins: secrets that strangers may read, a configuration
//! that they may change, and weak keys.

use std::fs::{Metadata, metadata, read_to_string};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt};
use std::path::Path;

use super::warn;
use crate::config::Config;
use crate::dns::Key;

/// Everybody on the machine may read it.
const OTHERS_READ: u32 = 0o004;

/// Everybody on the machine may change it.
const OTHERS_WRITE: u32 = 0o002;
/// Only the owner of a file in such a directory may put another in its place.
const STICKY: u32 = 0o1000;

/// Warns of each secret that everybody on the machine may read, of a configuration that
/// everybody may change, and of each weak key.
pub(super) fn warn_of_secrets(file: &Path) {
    let Ok(config) = Config::load(file) else {
        return;
    };
    for secret in config.secrets() {
        let open =
            metadata(secret).is_ok_and(|found| found.permissions().mode() & OTHERS_READ != 0);
        if open {
            warn(format!(
                "everybody on this machine may read {0}; run `chmod o-rwx {0}`",
                secret.display()
            ));
        }
    }
    let directory = config.file.parent().filter(|it| *it != Path::new(""));
    for path in [config.file.as_path()].into_iter().chain(directory) {
        let is_open = |found: Metadata| {
            let sticky = found.is_dir() && found.mode() & STICKY != 0;
            found.mode() & OTHERS_WRITE != 0 && !sticky
        };
        if metadata(path).is_ok_and(is_open) {
            warn(format!(
                "everybody on this machine may change {0}; run `chmod o-w {0}`",
                path.display()
            ));
        }
    }
    for file in config.update_keys() {
        // One that cannot be read is an error, and the verb's to say, where it is needed.
        let key = read_to_string(file)
            .ok()
            .and_then(|text| Key::read(&text).ok());
        if let Some(weakness) = key.and_then(|key| key.warning()) {
            warn(format!("key {}: {weakness}", file.display()));
        }
    }
}
