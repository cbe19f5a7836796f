//! What a request with a secret needs besides the configuration: keys, and the registry.

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::config::Config;
use crate::publish::{PublishError, Publisher};
use crate::registry::{Registry, RegistryError};
use crate::token::{LookupKey, TokenError};

/// The keys, from their files.
pub struct Keys {
    lookup: LookupKey,
    /// Who publishes, with the keys of the zones.
    pub publisher: Publisher,
}

impl Keys {
    /// Reads the lookup key; those of the zones are read when they are needed.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn load(config: &Config) -> Result<Self, KeysError> {
        Ok(Keys {
            lookup: LookupKey::load(&config.state.lookup_key).map_err(KeysError::Lookup)?,
            publisher: Publisher::new(config),
        })
    }

    /// Reads the keys of all zones.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn load_zones(&self) -> Result<(), KeysError> {
        self.publisher.servers().map(drop).map_err(KeysError::Zones)
    }

    /// Opens the registry.
    ///
    /// # Errors
    /// When it cannot be opened, or was made with another lookup key.
    pub fn open(&self, config: &Config) -> Result<Registry, KeysError> {
        let registry = Registry::open(&config.state.registry, self.lookup.clone());
        let registry = registry.map_err(KeysError::Registry)?;
        Ok(registry.tell(config.notify.wanted()))
    }
}

/// Which file is at a path: device and inode number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId(Option<(u64, u64)>);

impl FileId {
    /// That of the file there now.
    pub(super) fn of(path: &Path) -> Self {
        let found = std::fs::metadata(path);
        FileId(found.ok().map(|found| (found.dev(), found.ino())))
    }
}

/// Why nothing can be looked up.
#[derive(Debug)]
pub enum KeysError {
    /// The lookup key cannot be read.
    Lookup(TokenError),
    /// The registry cannot be opened.
    Registry(RegistryError),
    /// The key of a zone cannot be read.
    Zones(PublishError),
}

impl KeysError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            KeysError::Lookup(_) => Some(
                "check [state] lookup_key in bowline.toml, and who may read the file".to_owned(),
            ),
            KeysError::Registry(error) => error.hint(),
            KeysError::Zones(error) => error.hint(),
        }
    }
}

impl fmt::Display for KeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeysError::Lookup(error) => error.fmt(f),
            KeysError::Registry(error) => error.fmt(f),
            KeysError::Zones(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for KeysError {}
