//! Limits: how often something has happened lately, counted across processes.
//!
//! Each limit has a file of counters in the state directory, always of the same size, in
//! buckets that a keyed hash picks. A counter says whose it is, so nobody is ever taken for
//! somebody else: who comes to a full bucket takes over the counter that has counted least.
//! Counting never stops a visit: where the file cannot be used, everybody is within the limit,
//! and the log says so.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::config::{Config, LogLevel};
use crate::lock::{self, LockError};
use crate::log::{Line, Logger};
use crate::rate::Rate;
use crate::span::Span;
use crate::time::Timestamp;

/// What a file of counters begins with; behind it is its key.
const MAGIC: &[u8; 32] = b"bowline counters, version 1     ";
/// Octets of the key.
const KEY: usize = 32;
/// Octets of a counter: whose it is, since when, how many.
const COUNTER: usize = 16;
/// Octets of a bucket; the first one holds magic and key.
const BUCKET: usize = 8 * COUNTER;
/// How many buckets there are.
const BUCKETS: u16 = 1024;
/// So many accounts one source may register: an address, of IPv6 what one customer has.
const REGISTRATIONS: Rate = Rate::AtMost(10, Span::from_days(1));
/// How often a file that is locked is tried again, a millisecond apart.
const TRIES: usize = 50;

/// A limit, and how near to it each of those is whom it is for.
#[derive(Debug)]
pub struct Limit {
    /// What it is.
    pub rate: Rate,
    file: PathBuf,
    logger: Logger,
}

/// Whether it was said that there are counters which cannot be used: once is enough, and a
/// flood of wrong secrets must not become one of such lines.
static SAID: AtomicBool = AtomicBool::new(false);

impl Limit {
    /// That of the changes of a host.
    pub fn of_changes(config: &Config) -> Self {
        Limit::new(config, config.limits.changes, "changes.counters")
    }

    /// That of the new challenges of a host: the same, and counted for itself.
    pub fn of_challenges(config: &Config) -> Self {
        Limit::new(config, config.limits.changes, "challenges.counters")
    }

    /// That of the accounts that one source registers, where everybody may.
    pub fn of_registrations(config: &Config) -> Self {
        Limit::new(config, REGISTRATIONS, "registrations.counters")
    }

    /// That of the wrong secrets from one source.
    pub fn of_wrong_secrets(config: &Config) -> Self {
        Limit::new(
            config,
            config.limits.wrong_secrets,
            "wrong-secrets.counters",
        )
    }

    fn new(config: &Config, rate: Rate, file: &str) -> Self {
        Limit {
            rate,
            file: config.state_directory().join(file),
            logger: Logger::new(&config.log),
        }
    }

    /// Counts one; when that is beyond the limit it is not counted, and the answer is when
    /// the next one will be within it.
    pub fn count(&self, whose: &[u8], now: Timestamp) -> Option<Timestamp> {
        self.with(whose, now, |counter, most| {
            let within = counter.count < most;
            counter.count += u32::from(within);
            !within
        })
    }

    /// Whether one more would be beyond the limit: then until when.
    pub fn until(&self, whose: &[u8], now: Timestamp) -> Option<Timestamp> {
        self.with(whose, now, |counter, most| counter.count >= most)
    }

    /// Takes back one that was counted, and then did not happen.
    pub fn take_back(&self, whose: &[u8], now: Timestamp) {
        self.with(whose, now, |counter, _| {
            counter.count = counter.count.saturating_sub(1);
            false
        });
    }

    /// Looks at a counter and perhaps changes it: the end of its time where `beyond` says so.
    fn with(
        &self,
        whose: &[u8],
        now: Timestamp,
        beyond: impl FnOnce(&mut Counter, u32) -> bool,
    ) -> Option<Timestamp> {
        let Rate::AtMost(most, per) = self.rate else {
            return None;
        };
        self.look(most, per, whose, now, beyond)
            .unwrap_or_else(|error| {
                self.tell(&error);
                None
            })
    }

    /// The same with a file that may not be usable.
    fn look(
        &self,
        most: u32,
        per: Span,
        whose: &[u8],
        now: Timestamp,
        beyond: impl FnOnce(&mut Counter, u32) -> bool,
    ) -> io::Result<Option<Timestamp>> {
        let Some(counters) = Counters::open(&self.file)? else {
            return Ok(None);
        };
        let (place, own) = counters.place(whose);
        let mut bucket = counters.read(place)?;
        let is_running = |counter: &Counter| {
            counter.count > 0 && counter.since <= now && now < counter.since.plus(per)
        };
        let fresh = Counter {
            whose: own,
            since: now,
            count: 0,
        };
        let slot = bucket.iter_mut().min_by_key(|counter| {
            // One's own; else one whose time is over; else the least.
            match is_running(counter) {
                true if counter.whose == own => (0, 0),
                true => (2, counter.count),
                false => (1, 0),
            }
        });
        let Some(slot) = slot else {
            return Ok(None);
        };
        if !is_running(slot) || slot.whose != own {
            *slot = fresh;
        }
        let before = slot.count;
        let until = beyond(slot, most).then(|| slot.since.plus(per));
        if slot.count != before {
            counters.write(place, &bucket)?;
        }
        Ok(until)
    }

    /// Says that nobody is counted, once in the life of a process.
    fn tell(&self, error: &io::Error) {
        if SAID.swap(true, Ordering::Relaxed) {
            return;
        }
        let reason = format!("{}: {error}", self.file.display());
        let line = Line::new(LogLevel::Warning, "limit")
            .field("result", "off")
            .words("reason", reason)
            .hint(Some("`bowline doctor --fix` as root puts it right"));
        self.logger.write(&line);
    }
}

/// What has been counted of one.
#[derive(Debug, Clone, Copy)]
struct Counter {
    /// A hash of whose it is.
    whose: u64,
    /// When the first one was.
    since: Timestamp,
    /// How many there were since then.
    count: u32,
}

impl Counter {
    fn read(octets: &[u8; COUNTER]) -> Self {
        let [w @ .., s0, s1, s2, s3, c0, c1, c2, c3] = *octets;
        Counter {
            whose: u64::from_le_bytes(w),
            since: Timestamp::from_seconds(u32::from_le_bytes([s0, s1, s2, s3]).into()),
            count: u32::from_le_bytes([c0, c1, c2, c3]),
        }
    }

    fn octets(&self) -> impl Iterator<Item = u8> + use<> {
        let since = u32::try_from(self.since.seconds()).unwrap_or_default();
        self.whose
            .to_le_bytes()
            .into_iter()
            .chain(since.to_le_bytes())
            .chain(self.count.to_le_bytes())
    }
}

/// An open file of counters, locked until it is dropped.
struct Counters {
    file: File,
    key: [u8; KEY],
}

impl Counters {
    /// Opens and locks it, making it when it is not there; `None` where others have it for long.
    fn open(path: &Path) -> io::Result<Option<Self>> {
        let file = lock::open(path).map_err(|error| match error {
            LockError::File(_, error) => error,
            LockError::Busy | LockError::GivenUp => io::ErrorKind::WouldBlock.into(),
        })?;
        for _ in 0..TRIES {
            match file.try_lock() {
                Ok(()) => return Counters::begin(file).map(Some),
                Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(1)),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Ok(None)
    }

    fn begin(file: File) -> io::Result<Self> {
        let mut head = [0; MAGIC.len() + KEY];
        let found = read_at(&file, &mut head, 0)?;
        let (magic, key) = head.split_at_mut(MAGIC.len());
        if found < MAGIC.len() + KEY || magic != MAGIC {
            getrandom::fill(key).map_err(|error| io::Error::other(error.to_string()))?;
            // What was there is nothing that can be read. The whole of the room is taken now,
            // so that a full disk later on does not matter, and the head comes last.
            file.set_len(0)?;
            file.write_all_at(&vec![0; BUCKET * (usize::from(BUCKETS) + 1)], 0)?;
            file.write_all_at(key, MAGIC.len() as u64)?;
            file.write_all_at(MAGIC, 0)?;
        }
        let key = <[u8; KEY]>::try_from(&*key).map_err(io::Error::other)?;
        Ok(Counters { file, key })
    }

    /// The place of somebody's bucket, and the hash that a counter knows them by.
    fn place(&self, whose: &[u8]) -> (u64, u64) {
        // `KeyInit::new` takes a block-sized key; ours is shorter, which HMAC pads with zeros.
        let mut block = [0; 64];
        let (key, _) = block.split_at_mut(KEY);
        key.copy_from_slice(&self.key);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(whose);
        let digest: [u8; 32] = mac.finalize().into_bytes().into();
        let [b0, b1, w0, w1, w2, w3, w4, w5, w6, w7, ..] = digest;
        let bucket = u16::from_le_bytes([b0, b1]) % BUCKETS;
        (
            BUCKET as u64 * (u64::from(bucket) + 1),
            u64::from_le_bytes([w0, w1, w2, w3, w4, w5, w6, w7]),
        )
    }

    fn read(&self, place: u64) -> io::Result<Vec<Counter>> {
        let mut octets = [0; BUCKET];
        read_at(&self.file, &mut octets, place)?;
        let (counters, _) = octets.as_chunks::<COUNTER>();
        Ok(counters.iter().map(Counter::read).collect())
    }

    fn write(&self, place: u64, bucket: &[Counter]) -> io::Result<()> {
        let octets: Vec<u8> = bucket.iter().flat_map(Counter::octets).collect();
        self.file.write_all_at(&octets, place)
    }
}

/// Reads as much as there is; the rest stays zero.
fn read_at(file: &File, buffer: &mut [u8], place: u64) -> io::Result<usize> {
    match file.read_exact_at(buffer, place) {
        Ok(()) => Ok(buffer.len()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
