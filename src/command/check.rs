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
    for secret in secrets(&config) {
        let open =
            metadata(secret).is_ok_and(|found| found.permissions().mode() & OTHERS_READ != 0);
        if open {
            warn(format!(
                "everybody on this machine may read {0}; run `chmod o-rwx {0}`",
                secret.display()
            ));
        }
    }
    for file in keys(&config) {
        // One that cannot be read is an error, and the verb's to say, where it is needed.
        let key = read_to_string(file)
            .ok()
            .and_then(|text| Key::read(&text).ok());
        if let Some(weakness) = key.and_then(|key| key.warning()) {
            warn(format!("key {}: {weakness}", file.display()));
        }
    }
}

/// The files of keys, each once.
pub(super) fn secrets(config: &Config) -> Vec<&Path> {
    let mut all = keys(config);
    all.push(config.state.lookup_key.as_path());
    if config.notify.has_secret() {
        all.push(config.file.as_path());
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// The files of the zones' TSIG keys, each once.
fn keys(config: &Config) -> Vec<&Path> {
    let zones = config.zones.iter();
    let mut all: Vec<&Path> = zones.map(|zone| zone.key_file.as_path()).collect();
    all.sort_unstable();
    all.dedup();
    all
}
