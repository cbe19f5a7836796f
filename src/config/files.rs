//! The files that a configuration names.

use std::path::{Path, PathBuf};

use super::{Config, LogTarget, Register};
use crate::name::ZoneName;

/// What a path in a configuration leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named<'a> {
    /// The registry.
    Registry,
    /// The key of its digests.
    LookupKey,
    /// The key for a zone's updates.
    ZoneKey(&'a ZoneName),
    /// The log.
    Log,
    /// The secret of those who may register.
    Invitation,
    /// The directory with the operator's templates.
    Templates,
}

impl Config {
    /// Every path in it: only one that is listed here is looked for beside the configuration,
    /// and saved with it.
    fn paths(&mut self) -> impl Iterator<Item = (Named<'_>, &mut PathBuf)> {
        let state = [
            (Named::Registry, &mut self.state.registry),
            (Named::LookupKey, &mut self.state.lookup_key),
        ];
        let zones = self.zones.iter_mut();
        let keys = zones.map(|zone| (Named::ZoneKey(&zone.name), &mut zone.key_file));
        let log = match &mut self.log.target {
            LogTarget::File(path) => Some((Named::Log, path)),
            LogTarget::Auto | LogTarget::Syslog | LogTarget::Stderr => None,
        };
        let invitation = match &mut self.acme.register {
            Register::Invited(path) => Some((Named::Invitation, path)),
            Register::Off | Register::Open => None,
        };
        let mail = self.notify.mail.as_mut();
        let templates = mail.and_then(|mail| mail.templates.as_mut());
        let templates = templates.map(|path| (Named::Templates, path));
        (state.into_iter().chain(keys)).chain([log, invitation, templates].into_iter().flatten())
    }

    /// Has relative paths begin where the configuration is.
    pub(super) fn place_beside(&mut self, directory: &Path) {
        for (_, path) in self.paths() {
            *path = directory.join(&path);
        }
    }

    /// Gives `each` every path in it, and what it leads to.
    ///
    /// # Errors
    /// The first of `each`.
    pub fn files<E>(
        &self,
        mut each: impl FnMut(Named<'_>, &Path) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut copy = self.clone();
        copy.paths().try_for_each(|(named, path)| each(named, path))
    }
}
