//! A zone, its name server, and the visits that wait for it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use super::{Busy, PublishError, Published, Trouble, pace};
use crate::config::Zone;
use crate::deadline::Deadline;
use crate::dns::{Key, Server};
use crate::lock::{HostFile, HostLock, HostLocks, LockError};
use crate::name::ZoneName;
use crate::patience::{self, Patience};
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
    /// Where it is noted that it answers questions, but no changes of the zone.
    pub(super) held: PathBuf,
    /// The locks of its hosts.
    locks: HostLocks,
    /// With the key, read when it is first needed.
    server: RwLock<Option<Arc<Server>>>,
    /// The hosts of visits that wait for it.
    pub(super) visits: Together<Vec<HostId>, Vec<Published>>,
}

impl Served {
    /// With nobody waiting.
    pub(super) fn new(zone: &Zone, state: &Path) -> Self {
        Served {
            zone: zone.name.clone(),
            address: zone.server,
            key_file: zone.key_file.clone(),
            silence: patience::file(zone.server, state),
            held: patience::file_of_zone(&zone.name, state),
            locks: HostLocks::of(&zone.name, state),
            server: RwLock::default(),
            visits: Together::resting(pace::rest),
        }
    }

    /// The name server, with its key.
    ///
    /// # Errors
    /// When the key cannot be read.
    pub(super) fn server(&self) -> Result<Arc<Server>, PublishError> {
        let server = self.server.read().unwrap_or_else(PoisonError::into_inner);
        match &*server {
            Some(server) => Ok(Arc::clone(server)),
            None => {
                drop(server);
                Ok(self.keep(self.read()?))
            }
        }
    }

    /// The same with the key that the file has now, where that is another one: whoever replaces
    /// a key does so here and at the name server, and need not think of those that run.
    pub(super) fn with_new_key(&self, old: &Server) -> Option<Arc<Server>> {
        let new = self.read().ok()?;
        (!new.key.is_same(&old.key)).then(|| self.keep(new))
    }

    /// The lock of some hosts, or the trouble that it is somebody else's.
    ///
    /// # Errors
    /// When the locks cannot be used.
    pub(super) fn lock(
        &self,
        file: HostFile,
        busy: Busy,
        deadline: Deadline,
    ) -> Result<Result<HostLock, Trouble>, PublishError> {
        // Whoever has the lock may be the one who waits for a silent server.
        let hopeful = || {
            let is_there = |file| Ok::<_, LockError>(Patience::with(file)?.is_some());
            Ok(busy == Busy::Wait && is_there(&self.silence)? && is_there(&self.held)?)
        };
        match self.locks.lock(file, deadline, hopeful) {
            Ok(lock) => Ok(Ok(lock)),
            Err(LockError::GivenUp) if busy == Busy::Wait => Ok(Err(Trouble::Waiting)),
            Err(LockError::Busy | LockError::GivenUp) => Ok(Err(Trouble::Busy)),
            Err(error) => Err(error.into()),
        }
    }

    fn read(&self) -> Result<Server, PublishError> {
        let file = &self.key_file;
        let text = std::fs::read_to_string(file).map_err(|error| PublishError::KeyFile {
            file: file.clone(),
            why: error.to_string(),
        })?;
        let key = Key::read(&text).map_err(|error| PublishError::Key {
            file: file.clone(),
            error,
        })?;
        Ok(Server {
            address: self.address,
            key,
        })
    }

    fn keep(&self, server: Server) -> Arc<Server> {
        let server = Arc::new(server);
        let mut kept = self.server.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(kept.insert(server))
    }
}
