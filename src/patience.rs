//! Patience with a silent name server: one visit waits for it, the others do not.
//!
//! Each server has a file in the state directory, and so has each zone, whose changes may be held
//! up while the server answers. It is empty while there are answers; whoever has waited too long
//! marks it. While it is marked, its lock is the right to wait: who does not get it goes on at
//! once, its wish kept for later. Processes that die leave no lock behind, and the next answer
//! takes the mark away.

use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Seek, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::lock::{self, LockError};
use crate::name::ZoneName;

/// A server one means to talk to.
#[derive(Debug)]
pub struct Patience<'a> {
    path: &'a Path,
    /// Opened when the server is, or was, silent.
    file: Option<File>,
    /// Whether the server was silent when last heard of.
    marked: bool,
    /// Whether the right to wait is ours.
    ours: bool,
}

/// The file of `server` in the state directory.
pub fn file(server: SocketAddr, state: &Path) -> PathBuf {
    let name = format!("server-{}-{}", server.ip(), server.port()).replace(':', "-");
    state.join("locks").join(name)
}

/// The file of the changes of `zone` there.
pub fn file_of_zone(zone: &ZoneName, state: &Path) -> PathBuf {
    state.join("locks").join(format!("held-{zone}"))
}

impl<'a> Patience<'a> {
    /// Begins to talk to the server with that [`file()`], or about the zone; `None` when it is
    /// silent and another one waits for it.
    ///
    /// # Errors
    /// When the state directory cannot be used.
    pub fn with(path: &'a Path) -> Result<Option<Self>, LockError> {
        let marked = match path.symlink_metadata() {
            Ok(found) => found.len() > 0,
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            Err(error) => return Err(LockError::File(path.to_owned(), error)),
        };
        let mut patience = Patience {
            path,
            file: None,
            marked,
            ours: false,
        };
        if marked {
            patience.file = Some(lock::open(patience.path)?);
        }
        Ok((!marked || patience.take()).then_some(patience))
    }

    /// Called when nothing has come for a while: whether to go on waiting.
    pub fn goes_on(&mut self) -> bool {
        if self.file.is_none() {
            self.file = lock::open(self.path).ok();
        }
        if !self.marked {
            let file = self.file.as_mut();
            self.marked = file.is_some_and(|file| file.write_all(b"silent\n").is_ok());
        }
        self.ours || self.take()
    }

    /// Called when the server has answered, whatever it said.
    pub fn answered(&mut self) {
        if let Some(file) = self.file.as_mut().filter(|_| self.marked) {
            self.marked = file.set_len(0).is_err();
            let _ = file.rewind();
        }
    }

    fn take(&mut self) -> bool {
        self.ours = match self.file.as_ref().map(File::try_lock) {
            Some(Ok(())) => true,
            Some(Err(TryLockError::WouldBlock)) => false,
            // No file, or a file system without locks: everybody waits.
            None | Some(Err(TryLockError::Error(_))) => true,
        };
        self.ours
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_waits_and_an_answer_ends_it() {
        let state = tempfile::tempdir().unwrap();
        std::fs::create_dir(state.path().join("locks")).unwrap();
        let file = file("[::1]:5353".parse().unwrap(), state.path());
        let talk = || Patience::with(&file).unwrap();

        let (mut first, mut second) = (talk().unwrap(), talk().unwrap());
        assert!(first.goes_on(), "the first to lose patience waits");
        assert!(!second.goes_on(), "the second does not");
        assert!(talk().is_none(), "newcomers do not even begin");
        drop(first);
        let mut third = talk().expect("one who gives up makes room for one more");
        assert!(talk().is_none());
        third.answered();
        assert!(talk().is_some(), "an answer ends it for all");
        assert!(talk().is_some());
    }
}
