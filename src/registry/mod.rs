//! The registry: which hosts there are, what each wants, and what is confirmed.
//!
//! One SQLite file, shared by many short-lived processes and perhaps a long-lived
//! one. Per host it keeps the *wish* (the records last accepted, numbered) apart
//! from the *fact* (what the name server confirmed, and for which wish), so that an
//! accepted address outlives any crash between the two.
//!
//! The file is in WAL mode, and no connection checkpoints when it closes: one-shot processes would
//! otherwise write the log back and unlink it at nearly every visit, which makes five fsyncs of a
//! change instead of two (a rollback journal takes seven to nine, and lets readers starve behind
//! writers). A wish commits with `synchronous=FULL`, one fsync of the log, a fact with `NORMAL`,
//! none. Whoever opens the file alone reads the log again, some 4 µs a page, so it is written back
//! every thirty-two pages, which is every fourth change, and by upkeep and after an import; a
//! responder that keeps the file open lets it grow to a thousand. Writers that wait ask every
//! millisecond instead of in SQLite's growing pauses: of sixteen changes at once the slowest took
//! 0.13 s instead of 1 s. (Measured on a virtual machine with two processors, ext4, 10,000 hosts.)
//!
//! The file and its `-wal` and `-shm` belong together and to one user; copies are made
//! by [`Registry::copy`].

mod above;
mod account;
mod behind;
mod challenge;
mod damage;
mod due;
mod edit;
mod error;
mod expire;
mod fact;
mod files;
mod free;
mod heard;
mod history;
mod host;
mod import;
mod inspect;
mod kept_token;
mod lapse;
mod outbox;
mod owner;
mod past;
mod pool;
mod room;
mod row;
mod values;
mod verbs;
mod wish;
mod worry;
mod zone;

pub use behind::{Behind, MOST_BEHIND, NotBehind};
pub use challenge::{Challenge, ChallengeAccepted, ChallengeAsk, ChallengeCount, ChallengeEdit};
pub use due::{AMONG, Due, LATE, LATE_MINUTES, is_late};
pub use edit::Edit;
pub use error::RegistryError;
pub use fact::{Conclusion, End};
pub use heard::Heard;
pub use history::Change;
pub use host::{Fact, FormerName, Host, HostId, Records, Settings, State, Wish};
pub use import::{Entry, Imported};
pub use inspect::{Inspection, inspect};
pub use kept_token::KeptToken;
pub use outbox::{Delivery, Happening, Notice};
pub use owner::{Holder, Owner, OwnerEdit, OwnerId};
pub use pool::{Lease, Pool};
pub use verbs::{NewHost, Rename};
pub use wish::{Accepted, Ask, Source};
pub use zone::ZoneState;

use std::cell::Cell;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use crate::deadline::Deadline;
use crate::event::Wanted;
use crate::span::Span;
use crate::token::{Digest, LookupKey, Token};

/// The schema, step by step: each brings a registry to the next version.
const STEPS: [&str; 6] = [
    include_str!("schema.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
    include_str!("schema_5.sql"),
    include_str!("schema_6.sql"),
];
/// The schema's version, in the file as `user_version`.
pub const VERSION: i64 = STEPS.len() as i64;
/// How often a writer asks whether the one before it has finished.
const BUSY_STEP: Duration = Duration::from_millis(1);
/// How often at most, where nobody at the other end waits for an answer: half a minute and more.
const BUSY_STEPS: i32 = 28_000;
/// For how long an UPDATE without a verified answer may still be applied.
const UNSETTLED: Span = Span::from_seconds(600);
/// The log is written back into the file every so many pages (of 4 KiB).
const LOG_PAGES: u32 = 32;
/// Likewise by a connection that stays open: SQLite's own default.
const LOG_PAGES_OPEN: u32 = 1000;
/// How many pages a connection that stays open remembers; SQLite's own default is 2 MiB.
const CACHE_PAGES: u32 = 16;
/// How many statements a connection keeps prepared: all that visits need.
const STATEMENTS: usize = 32;
/// What the log is cut to after a burst, in octets.
const LOG_LIMIT: u32 = 1 << 20;

/// Whether a transaction must be on disk before it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Durable {
    /// It must: somebody is told of it.
    Now,
    /// It need not: losing it costs a repetition.
    Soon,
}

/// An open registry.
pub struct Registry {
    db: Connection,
    key: LookupKey,
    /// After how many pages the log is written back.
    log_pages: u32,
    /// What the connection is set to; nothing before it first writes.
    set_to: Option<Durable>,
    /// What is told when it happens.
    wanted: Wanted,
    /// A row that could not be read, and was left out.
    damaged: Cell<Option<Box<RegistryError>>>,
}

impl Registry {
    /// The octets of an empty registry, for a file.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn blank(key: &LookupKey) -> Result<Vec<u8>, RegistryError> {
        let mut db = Connection::open_in_memory()?;
        migrate(&mut db)?;
        // A step may leave pages behind that nothing uses.
        db.execute_batch("VACUUM")?;
        db.execute(
            "INSERT INTO meta (lookup_check) VALUES (?1)",
            [key.check().as_bytes()],
        )?;
        Ok(db.serialize("main")?.to_vec())
    }

    /// Makes an empty registry in `file` and opens it.
    ///
    /// # Errors
    /// When the file exists, or cannot be written.
    pub fn create(file: &Path, key: LookupKey) -> Result<Self, RegistryError> {
        let blank = Registry::blank(&key)?;
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o640)
            .open(file)
            .and_then(|mut new| new.write_all(&blank).and_then(|()| new.sync_all()))
            .map_err(|error| match error.kind() {
                ErrorKind::AlreadyExists => RegistryError::Exists(file.to_owned()),
                _ => RegistryError::Unwritable(file.to_owned(), error),
            })?;
        Registry::open(file, key)
    }

    /// Opens the registry in `file`, which must have been made with `key`.
    ///
    /// # Errors
    /// When there is none, it is another version's or another key's, or SQLite refuses.
    pub fn open(file: &Path, key: LookupKey) -> Result<Self, RegistryError> {
        // URI: that of a copy.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_URI;
        let mut db = connect(file, flags).map_err(|error| missing(file, error))?;
        match version(&db)? {
            0 => return Err(RegistryError::Foreign(file.to_owned())),
            VERSION => {}
            version if version > VERSION => {
                return Err(RegistryError::Newer {
                    file: file.to_owned(),
                    version,
                });
            }
            _ => migrate(&mut db)?,
        }
        let check: Vec<u8> = db.query_row("SELECT lookup_check FROM meta", [], |row| row.get(0))?;
        if !key.check().matches(&check) {
            return Err(RegistryError::OtherKey(file.to_owned()));
        }
        Ok(Registry {
            db,
            key,
            log_pages: LOG_PAGES,
            set_to: None,
            wanted: Wanted::NOTHING,
            damaged: Cell::new(None),
        })
    }

    /// From now on the log may grow: this connection stays open, and the log is read again
    /// only after it. What it remembers of the file may not: the system remembers it as well,
    /// once for all workers.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn stay_open(&mut self) -> Result<(), RegistryError> {
        self.log_pages = LOG_PAGES_OPEN;
        Ok(self.db.pragma_update(None, "cache_size", CACHE_PAGES)?)
    }

    /// Whether it can be written, as far as that can be seen without writing.
    ///
    /// # Errors
    /// When SQLite refuses to tell.
    pub fn is_writable(&mut self) -> Result<bool, RegistryError> {
        self.db.busy_timeout(Duration::ZERO)?;
        let began = self.db.execute_batch("BEGIN IMMEDIATE; ROLLBACK");
        self.db.busy_handler(Some(wait_for_writer))?;
        let refused = began.is_err_and(|error| !is_busy(&error));
        // SQLite takes it for a transaction that only reads where the file is read-only.
        Ok(!refused && !self.db.is_readonly("main")?)
    }

    /// Until what this returns is dropped, registries in this thread wait for other writers
    /// until `deadline` and no longer, also while they are opened.
    pub fn give_up_at(deadline: Deadline) -> GiveUp {
        GiveUp(GIVE_UP.replace(Some(deadline)))
    }

    /// The digest under which this registry keeps `token`.
    pub fn digest(&self, token: &Token) -> Digest {
        self.key.digest(token)
    }

    /// The octets of a consistent copy, for a file, while others go on working.
    ///
    /// It is made in memory: whoever saves the registry may do so because its disk is full.
    /// What was deleted is not in it, and a registry that is damaged is not copied.
    ///
    /// # Errors
    /// When the registry cannot be read, or is damaged.
    pub fn copy(&self) -> Result<Vec<u8>, RegistryError> {
        // SQLite shares it among the connections of this process that name it.
        let name = format!("file:/copy-{:p}?vfs=memdb", std::ptr::from_ref(self));
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_URI;
        let mut copy = Connection::open_with_flags(&name, flags)?;
        self.db.execute("VACUUM INTO ?1", [&name])?;
        Ok(copy.serialize("main")?.to_vec())
    }

    /// Writes the log back into the file and empties it, so that nobody has to read it again.
    /// While somebody else is at work, or where it cannot be done, the log stays as it is.
    pub fn write_back(&mut self) {
        let _ = self.db.busy_timeout(Duration::ZERO);
        let _ = self
            .db
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        let _ = self.db.busy_handler(Some(wait_for_writer));
    }

    /// A transaction that may write; it waits for other writers before it begins, never inside.
    fn write(&mut self, durable: Durable) -> Result<Transaction<'_>, RegistryError> {
        let first = self.set_to.is_none();
        let file = self.db.path().filter(|_| first).map(PathBuf::from);
        self.prepare_to_write(durable)?;
        let begun = (self.db).transaction_with_behavior(TransactionBehavior::Immediate)?;
        // From here on there is a log.
        if let Some(file) = &file {
            files::keep_log(file);
        }
        Ok(begun)
    }

    /// Sets what only matters to writers, so that a visit that changes nothing need not.
    fn prepare_to_write(&mut self, durable: Durable) -> Result<(), RegistryError> {
        if self.set_to.is_none() {
            self.use_log()?;
            self.db
                .pragma_update(None, "wal_autocheckpoint", self.log_pages)?;
            self.db
                .pragma_update(None, "journal_size_limit", LOG_LIMIT)?;
        }
        if self.set_to != Some(durable) {
            let synchronous = match durable {
                Durable::Now => "FULL",
                Durable::Soon => "NORMAL",
            };
            self.db.pragma_update(None, "synchronous", synchronous)?;
            self.set_to = Some(durable);
        }
        Ok(())
    }

    /// Puts the file into WAL mode, which a new registry, or a restored one, is not in yet. SQLite
    /// takes that lock inside a transaction, where it waits for no other writer; so we do.
    fn use_log(&self) -> Result<(), rusqlite::Error> {
        let mut asked = 0;
        loop {
            let set = self.db.pragma_update(None, "journal_mode", "wal");
            if !set.as_ref().is_err_and(is_busy) || !wait_for_writer(asked) {
                return set;
            }
            asked += 1;
        }
    }
}

/// A bound for waiting; when it is dropped, the one before it is in force again.
#[derive(Debug)]
#[must_use]
pub struct GiveUp(Option<Deadline>);

impl Drop for GiveUp {
    fn drop(&mut self) {
        GIVE_UP.set(self.0);
    }
}

thread_local! {
    /// When a writer in this thread stops waiting; SQLite hands its handler no state.
    static GIVE_UP: Cell<Option<Deadline>> = const { Cell::new(None) };
}

/// Whether nothing is wrong but that somebody else is writing.
fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}

/// Waits a moment for another writer; `asked` is how often that was in vain.
fn wait_for_writer(asked: i32) -> bool {
    sleep(BUSY_STEP);
    match GIVE_UP.get() {
        Some(deadline) => !deadline.passed(),
        None => asked < BUSY_STEPS,
    }
}

fn connect(file: &Path, flags: OpenFlags) -> Result<Connection, rusqlite::Error> {
    room::look(file)?;
    let mut db = Connection::open_with_flags(file, flags)?;
    db.busy_handler(Some(wait_for_writer))?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true)?;
    // Else a statement that might use a partial index is planned anew with each value.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(db)
}

/// The version of the schema in a file; 0: there is none.
fn version(db: &Connection) -> Result<i64, rusqlite::Error> {
    db.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Takes the steps that a registry has not taken yet, all of them or none.
fn migrate(db: &mut Connection) -> Result<(), rusqlite::Error> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been quicker.
    let taken = usize::try_from(version(&tx)?).unwrap_or(0);
    for step in STEPS.iter().skip(taken) {
        tx.execute_batch(&bare(step))?;
    }
    tx.pragma_update(None, "user_version", VERSION)?;
    tx.commit()
}

/// A step without comments, in one line: SQLite keeps a table's text as it was written, and
/// every CGI process reads it.
fn bare(step: &str) -> String {
    let code = step.lines().filter_map(|line| line.split("--").next());
    let words: Vec<&str> = code.flat_map(str::split_whitespace).collect();
    words.join(" ")
}

/// SQLite does not tell a missing file from one it may not open.
fn missing(file: &Path, error: rusqlite::Error) -> RegistryError {
    match file.metadata() {
        Ok(_) => RegistryError::Sqlite(error),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            RegistryError::Closed(PathBuf::from(file), error)
        }
        Err(_) => RegistryError::Missing(PathBuf::from(file)),
    }
}
