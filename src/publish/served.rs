//! A zone, its name server, and the visits that wait for it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::{PublishError, Published};
use crate::config::Zone;
use crate::deadline::Deadline;
use crate::dns::{Key, Server};
use crate::name::ZoneName;
use crate::patience;
use crate::registry::HostId;
use crate::together::Together;

/// A zone and its name server.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) zone: ZoneName,
    pub(super) address: SocketAddr,
    key_file: PathBuf,
    /// Where it is noted that the name server is silent.
    pub(super) silence: PathBuf,
    /// With the key, read when it is first needed.
    server: OnceLock<Server>,
    /// Visits that wait for it.
    pub(super) visits: Together<Visit, Vec<Published>>,
}

/// Hosts that somebody waits for, and until when.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) hosts: Vec<HostId>,
    pub(super) deadline: Deadline,
}

impl Served {
    /// With nobody waiting.
    pub(super) fn new(zone: &Zone, state: &Path) -> Self {
        Served {
            zone: zone.name.clone(),
            address: zone.server,
            key_file: zone.key_file.clone(),
            silence: patience::file(zone.server, state),
            server: OnceLock::new(),
            visits: Together::default(),
        }
    }

    /// The name server, with its key.
    ///
    /// # Errors
    /// When the key cannot be read.
    pub(super) fn server(&self) -> Result<&Server, PublishError> {
        if let Some(server) = self.server.get() {
            return Ok(server);
        }
        let file = &self.key_file;
        let text = std::fs::read_to_string(file).map_err(|error| PublishError::KeyFile {
            file: file.clone(),
            why: error.to_string(),
        })?;
        let key = Key::read(&text).map_err(|error| PublishError::Key {
            file: file.clone(),
            error,
        })?;
        Ok(self.server.get_or_init(|| Server {
            address: self.address,
            key,
        }))
    }
}
