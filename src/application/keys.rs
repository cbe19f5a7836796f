//! What a request with a secret needs besides the configuration: keys, and the registry.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::hint::Hint;
use crate::publish::{PublishError, Publisher};
use crate::registry::{Lease, Pool, RegistryError};
use crate::token::{LookupKey, TokenError};

/// The keys, from their files, and the registry that goes with them.
pub struct Keys {
    /// The file of the lookup key.
    lookup: PathBuf,
    registry: Pool,
    /// Who publishes, with the keys of the zones.
    pub publisher: Publisher,
}

impl Keys {
    /// Reads the lookup key; those of the zones are read when they are needed. They are
    /// `shared` by the workers of one process, or one request's.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn load(config: &Config, shared: bool) -> Result<Self, KeysError> {
        let lookup = config.state.lookup_key.clone();
        let key = load(&lookup)?;
        let file = &config.state.registry;
        Ok(Keys {
            lookup,
            registry: Pool::new(file, key, config.notify.wanted(), shared),
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

    /// The registry, open.
    ///
    /// # Errors
    /// When it cannot be opened, or was made with another lookup key than the one in the file.
    pub fn registry(&self) -> Result<Lease<'_>, KeysError> {
        let mut lease = self.registry.lease();
        if let Err(RegistryError::OtherKey(_)) = lease {
            // A backup brings both back, also under a responder that runs.
            self.registry.take_key(load(&self.lookup)?);
            lease = self.registry.lease();
        }
        lease.map_err(KeysError::Registry)
    }
}

/// The lookup key in the file.
fn load(lookup: &Path) -> Result<LookupKey, KeysError> {
    LookupKey::load(lookup).map_err(KeysError::Lookup)
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
