//! Registries that are open, for threads that take turns with them.
//!
//! A visit looks into the registry for moments and waits for others most of the time: for the
//! name server, or for those with whom it shares a transaction. So a few registries, each
//! with its memory of the file, serve many workers.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Registry, RegistryError};
use crate::event::Wanted;
use crate::token::LookupKey;

/// So many stay open where workers share them.
const KEPT: usize = 8;
/// How long a thread waits for one of those before it opens another: nearly all are back much
/// sooner, but for those that wait for the disk or for another process that writes.
const PATIENCE: Duration = Duration::from_millis(5);

/// The registry in one file, open as often as its users need it at once.
pub struct Pool {
    file: PathBuf,
    key: LookupKey,
    wanted: Wanted,
    /// Whether they stay open for others.
    shared: bool,
    state: Mutex<State>,
    /// Told when one comes back.
    back: Condvar,
}

#[derive(Default)]
struct State {
    /// The one that was used last is the last: what it remembers is the freshest.
    idle: Vec<Open>,
    /// How many are lent.
    lent: usize,
}

struct Open {
    registry: Registry,
    file: FileId,
}

/// A registry that is somebody's for a while, but not while they rest.
pub struct Lease<'a>(Held<'a>);

enum Held<'a> {
    Own(&'a mut Registry),
    Lent(&'a Pool, Option<Open>),
}

/// Which file is at a path: device and inode number. One restored from a backup has another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileId(Option<(u64, u64)>);

impl Pool {
    /// The registry in `file`, which was made with `key`; what is `wanted` is told when it
    /// happens. Nothing is opened yet.
    ///
    /// Where it is `shared`, several stay open for the workers of one process.
    pub fn new(file: &Path, key: LookupKey, wanted: Wanted, shared: bool) -> Self {
        Pool {
            file: file.to_owned(),
            key,
            wanted,
            shared,
            state: Mutex::default(),
            back: Condvar::new(),
        }
    }

    /// A registry that is open, and of the file that is there now.
    ///
    /// # Errors
    /// As [`Registry::open`].
    pub fn lease(&self) -> Result<Lease<'_>, RegistryError> {
        let now = FileId::of(&self.file);
        self.state().idle.retain(|open| open.file == now);
        Ok(Lease(Held::Lent(self, Some(self.take()?))))
    }

    fn take(&self) -> Result<Open, RegistryError> {
        let mut state = self.state();
        if state.lent >= KEPT && state.idle.is_empty() {
            state = self
                .back
                .wait_timeout_while(state, PATIENCE, |state| state.idle.is_empty())
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        let idle = state.idle.pop();
        state.lent += 1;
        drop(state);
        let taken = idle.map_or_else(|| self.open(), Ok);
        if taken.is_err() {
            self.state().lent -= 1;
        }
        taken
    }

    fn open(&self) -> Result<Open, RegistryError> {
        // Before it is opened: one that is replaced meanwhile is not taken for the new one.
        let file = FileId::of(&self.file);
        let mut registry = Registry::open(&self.file, self.key.clone())?.tell(self.wanted);
        if self.shared {
            registry.stay_open()?;
        }
        Ok(Open { registry, file })
    }

    /// Takes one back; beyond those that stay open it is closed.
    fn put(&self, open: Open) {
        let mut state = self.state();
        state.lent -= 1;
        if state.idle.len() < KEPT {
            state.idle.push(open);
            self.back.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Lease<'a> {
    /// That of a process which has one registry, and nobody to share it with.
    pub fn of(registry: &'a mut Registry) -> Self {
        Lease(Held::Own(registry))
    }

    /// The registry; after a rest perhaps another one of the same file.
    ///
    /// # Errors
    /// As [`Registry::open`].
    pub fn get(&mut self) -> Result<&mut Registry, RegistryError> {
        match &mut self.0 {
            Held::Own(registry) => Ok(registry),
            Held::Lent(pool, open) => {
                let open = match open {
                    Some(open) => open,
                    none => none.insert(pool.take()?),
                };
                Ok(&mut open.registry)
            }
        }
    }

    /// Leaves it to others until it is needed again.
    pub fn rest(&mut self) {
        if let Held::Lent(pool, open) = &mut self.0
            && let Some(open) = open.take()
        {
            pool.put(open);
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Held::Lent(pool, open) = &mut self.0
            && let Some(open) = open.take_if(|_| std::thread::panicking())
        {
            // Whatever the bug did to it, nobody else shall meet.
            drop(open);
            pool.state().lent -= 1;
        }
        self.rest();
    }
}

impl FileId {
    /// That of the file there now.
    fn of(path: &Path) -> Self {
        let found = fs::metadata(path);
        FileId(found.ok().map(|found| (found.dev(), found.ino())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    fn pool(directory: &Path) -> Pool {
        let key = LookupKey::random().unwrap();
        let file = directory.join("bowline.db");
        drop(Registry::create(&file, key.clone()).unwrap());
        Pool::new(&file, key, Wanted::NOTHING, true)
    }

    fn idle(pool: &Pool) -> usize {
        let state = pool.state();
        assert_eq!(state.lent, 0);
        state.idle.len()
    }

    #[test]
    fn who_rests_leaves_it_to_others() {
        let directory = tempfile::tempdir().unwrap();
        let pool = pool(directory.path());
        let mut one = pool.lease().unwrap();
        one.rest();
        let other = pool.lease().unwrap();
        drop(other);
        one.get().unwrap();
        drop(one);
        assert_eq!(idle(&pool), 1, "both had the same");
    }

    #[test]
    fn many_at_once_are_all_served_and_few_stay() {
        let directory = tempfile::tempdir().unwrap();
        let pool = pool(directory.path());
        let all: Vec<_> = (0..2 * KEPT).map(|_| pool.lease().unwrap()).collect();
        drop(all);
        assert_eq!(idle(&pool), KEPT);
    }

    #[test]
    fn who_waits_gets_what_comes_back() {
        let directory = tempfile::tempdir().unwrap();
        let pool = pool(directory.path());
        thread::scope(|scope| {
            for _ in 0..4 * KEPT {
                scope.spawn(|| {
                    for _ in 0..50 {
                        pool.lease().unwrap().get().unwrap();
                    }
                });
            }
        });
        assert!(idle(&pool) <= KEPT);
    }

    #[test]
    fn a_restored_file_is_opened_anew() {
        let directory = tempfile::tempdir().unwrap();
        let pool = pool(directory.path());
        drop(pool.lease().unwrap());
        let copy = directory.path().join("copy");
        std::fs::copy(&pool.file, &copy).unwrap();
        std::fs::rename(&copy, &pool.file).unwrap();
        let now = FileId::of(&pool.file);
        let lease = pool.lease().unwrap();
        assert!(matches!(&lease.0, Held::Lent(_, Some(open)) if open.file == now));
    }

    #[test]
    fn after_a_panic_nobody_gets_that_one() {
        let directory = tempfile::tempdir().unwrap();
        let pool = pool(directory.path());
        let ended = thread::scope(|scope| {
            let buggy = scope.spawn(|| {
                let _lease = pool.lease().unwrap();
                panic!("a bug");
            });
            buggy.join()
        });
        assert!(ended.is_err());
        assert_eq!(idle(&pool), 0);
    }

    #[test]
    fn one_that_cannot_be_opened_is_not_lent() {
        let directory = tempfile::tempdir().unwrap();
        let pool = pool(directory.path());
        std::fs::remove_file(&pool.file).unwrap();
        assert!(matches!(pool.lease(), Err(RegistryError::Missing(_))));
        assert_eq!(idle(&pool), 0);
    }
}
