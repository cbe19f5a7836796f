//! What is looked at before a verb begins: whether strangers may read secrets.

use std::fs::metadata;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::warn;
use crate::config::Config;

/// Everybody on the machine may read it.
const OTHERS_READ: u32 = 0o004;

/// Warns of each secret that everybody on the machine may read.
pub(super) fn warn_of_open_secrets(file: &Path) {
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
}

/// The files of keys, each once.
pub(super) fn secrets(config: &Config) -> Vec<&Path> {
    let mut all = vec![config.state.lookup_key.as_path()];
    all.extend(config.zones.iter().map(|zone| zone.key_file.as_path()));
    all.sort_unstable();
    all.dedup();
    all
}
