//! Which files of a configuration hold a secret: the one list for all who ask who reads them.

use std::path::Path;

use super::{Config, Register};

impl Config {
    /// Every file with a secret, each once: the keys, the invitation for who may register,
    /// and `bowline.toml` itself where a password stands in it.
    pub fn secrets(&self) -> Vec<&Path> {
        let mut all = self.update_keys();
        all.push(&self.state.lookup_key);
        if let Register::Invited(file) = &self.acme.register {
            all.push(file);
        }
        if self.notify.has_secret() {
            all.push(&self.file);
        }
        each_once(all)
    }

    /// The files of the zones' TSIG keys, each once.
    pub fn update_keys(&self) -> Vec<&Path> {
        let zones = self.zones.iter();
        each_once(zones.map(|zone| zone.key_file.as_path()).collect())
    }
}

fn each_once(mut files: Vec<&Path>) -> Vec<&Path> {
    files.sort_unstable();
    files.dedup();
    files
}
