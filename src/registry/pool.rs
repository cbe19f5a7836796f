//! Registries that are open, for threads that take turns with them.
//!
//! A visit looks into the registry for moments and waits for others most of the time: for the
//! name server, or for those with whom it shares a transaction. So a few registries, each
//! with its memory of the file, serve many workers.

use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::files::{Files, Paths};
use super::{Registry, RegistryError};
use crate::event::Wanted;
use crate::token::LookupKey;

/// So many stay open where workers share them.
const KEPT: usize = 8;
/// How long a thread waits for one of those before it opens another: nearly all are back much
/// sooner, but for those that wait for the disk or for another process that writes.
const PATIENCE: Duration = Duration::from_millis(5);
/// How long it waits until none is open, where that alone helps: those who have one rest while
/// they wait for others.
const RENEWAL: Duration = Duration::from_secs(1);

/// The registry in one file, open as often as its users need it at once.
pub struct Pool {
    file: PathBuf,
    key: Mutex<LookupKey>,
    wanted: Wanted,
    /// Where they stay open for others: what may be replaced meanwhile.
    shared: Option<Paths>,
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
    /// How many threads wait for one. To tell that one is back is a system call, even where
    /// nobody hears it.
    waiting: usize,
    /// Which files those that are open have open.
    files: Files,
    /// Counts how often all were closed: one from before is not kept.
    generation: u64,
    /// Whether all must be closed before one is opened. SQLite shares the log's index among all
    /// connections of a process: while one has a file open that was replaced or that it could
    /// only read, so has every new one.
    renew: bool,
}

struct Open {
    registry: Registry,
    generation: u64,
}

/// A registry that is somebody's for a while, but not while they rest.
pub struct Lease<'a>(Held<'a>);

enum Held<'a> {
    Own(&'a mut Registry),
    Lent(&'a Pool, Option<Open>),
}

impl Pool {
    /// The registry in `file`, which was made with `key`; what is `wanted` is told when it
    /// happens. Nothing is opened yet.
    ///
    /// Where it is `shared`, several stay open for the workers of one process.
    pub fn new(file: &Path, key: LookupKey, wanted: Wanted, shared: bool) -> Self {
        Pool {
            file: file.to_owned(),
            key: Mutex::new(key),
            wanted,
            shared: shared.then(|| Paths::of(file)),
            state: Mutex::default(),
            back: Condvar::new(),
        }
    }

    /// A registry that is open, and of the files that are there now.
    ///
    /// # Errors
    /// As [`Registry::open`].
    pub fn lease(&self) -> Result<Lease<'_>, RegistryError> {
        if let Some(paths) = &self.shared {
            let now = Files::at(paths);
            let mut state = self.state();
            if state.lent == 0 && state.idle.is_empty() {
                state.files = Files::default();
            } else {
                state.renew |= !state.files.are_still(now);
            }
        }
        Ok(Lease(Held::Lent(self, Some(self.take()?))))
    }

    /// Opens it with another key from now on: both were put in place of others.
    pub fn take_key(&self, key: LookupKey) {
        *self.key() = key;
    }

    fn take(&self) -> Result<Open, RegistryError> {
        let mut state = self.state();
        if state.renew {
            state.idle.clear();
            state.generation += 1;
            state.files = Files::default();
            state = self.wait(state, RENEWAL, |state| state.renew && state.lent > 0);
            state.renew &= state.lent > 0;
        }
        if state.lent >= KEPT && state.idle.is_empty() {
            state = self.wait(state, PATIENCE, |state| state.idle.is_empty());
        }
        let idle = state.idle.pop();
        let generation = state.generation;
        state.lent += 1;
        drop(state);
        let taken = idle.map_or_else(|| self.open(generation), Ok);
        if taken.is_err() {
            self.state().lent -= 1;
            self.back.notify_all();
        }
        taken
    }

    /// Waits for others while that helps, and no longer than `time`.
    fn wait<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        time: Duration,
        mut helps: impl FnMut(&State) -> bool,
    ) -> MutexGuard<'a, State> {
        state.waiting += 1;
        let mut state = (self.back)
            .wait_timeout_while(state, time, |state| helps(state))
            .unwrap_or_else(PoisonError::into_inner)
            .0;
        state.waiting -= 1;
        state
    }

    fn open(&self, generation: u64) -> Result<Open, RegistryError> {
        // Before it is opened: one that is replaced meanwhile is not taken for the new one.
        let before = self.shared.as_ref().map(Files::at);
        let key = self.key().clone();
        let mut registry = Registry::open(&self.file, key)?.tell(self.wanted);
        if let (Some(paths), Some(before)) = (&self.shared, before) {
            registry.stay_open()?;
            let writable = registry.is_writable()?;
            let files = Files::at(paths).with_database_of(before);
            let mut state = self.state();
            if state.generation == generation {
                state.renew |= !writable || !state.files.are_still(files);
            }
        }
        Ok(Open {
            registry,
            generation,
        })
    }

    /// Takes one back; beyond those that stay open it is closed.
    fn put(&self, open: Open) {
        let mut state = self.state();
        if state.idle.len() < KEPT && open.generation == state.generation && !state.renew {
            state.idle.push(open);
            state.lent -= 1;
            let waiting = state.waiting;
            drop(state);
            if waiting > 0 {
                self.back.notify_one();
            }
        } else {
            drop(state);
            self.close(open);
        }
    }

    /// Closes one, and only then counts it as closed.
    fn close(&self, open: Open) {
        drop(open);
        self.state().lent -= 1;
        self.back.notify_all();
    }

    /// The key it is opened with.
    fn key(&self) -> MutexGuard<'_, LookupKey> {
        self.key.lock().unwrap_or_else(PoisonError::into_inner)
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
            pool.close(open);
        }
        self.rest();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::super::Durable;
    use super::*;

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

    /// Begins to write.
    fn touch(registry: &mut Registry) {
        drop(registry.write(Durable::Soon).unwrap());
    }

    fn generation(lease: &Lease<'_>) -> u64 {
        match &lease.0 {
            Held::Lent(_, Some(open)) => open.generation,
            _ => panic!("none is open"),
        }
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
        let lease = pool.lease().unwrap();
        assert_eq!(generation(&lease), 1);
    }

    #[test]
    fn a_log_that_is_gone_is_noticed_and_nobody_keeps_the_old_one() {
        let directory = tempfile::tempdir().unwrap();
        let pool = pool(directory.path());
        // The first to write makes the log.
        touch(pool.lease().unwrap().get().unwrap());
        let one = pool.lease().unwrap();
        for ending in ["-wal", "-shm"] {
            let path = format!("{}{ending}", pool.file.display());
            std::fs::remove_file(path).unwrap();
        }
        thread::scope(|scope| {
            let next = scope.spawn(|| {
                let mut next = pool.lease().unwrap();
                touch(next.get().unwrap());
                generation(&next)
            });
            thread::sleep(Duration::from_millis(100));
            assert!(!next.is_finished(), "one is open that has the old index");
            drop(one);
            assert_eq!(next.join().unwrap(), 1);
        });
        assert_eq!(idle(&pool), 1);
        assert_eq!(generation(&pool.lease().unwrap()), 1, "once is enough");
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
