//! What is looked at before a verb begins: secrets that strangers may read, and weak keys.

use std::fs::{metadata, read_to_string};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::warn;
use crate::config::Config;
use crate::dns::Key;

/// Everybody on the machine may read it.
const OTHERS_READ: u32 = 0o004;

/// Warns of each secret that everybody on the machine may read, and of each weak key.
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
