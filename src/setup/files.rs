//! Files to be written, and the care not to overwrite what is not ours.
//!
//! `written.sha256` beside `bowline.toml` holds the digest of every file as it was
//! written last, in the form that `sha256sum --check` reads. A file that is there
//! and has another digest was changed by somebody, and stays as it is.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};

use super::diff::diff;
use super::directories;
use super::error::SetupError;
use super::fit;
use super::users::Owner;

/// A directory or a file, as it is to be.
#[derive(Debug, Clone)]
pub struct File {
    /// Where.
    pub path: PathBuf,
    /// Whose.
    pub owner: Owner,
    /// The permission bits, e.g. `0o640`.
    pub mode: u32,
    /// What is in it; nothing for a directory.
    pub content: Content,
}

impl File {
    /// A directory.
    pub fn directory(path: PathBuf, mode: u32, owner: &Owner) -> Self {
        File {
            path,
            owner: owner.clone(),
            mode,
            content: Content::Directory,
        }
    }

    /// A file that anybody may see.
    pub fn text(path: PathBuf, mode: u32, owner: &Owner, text: String) -> Self {
        File {
            content: Content::Text(text),
            ..File::directory(path, mode, owner)
        }
    }

    /// A file that is never shown.
    pub fn secret(path: PathBuf, mode: u32, owner: &Owner, text: String) -> Self {
        File {
            content: Content::Secret(text),
            ..File::directory(path, mode, owner)
        }
    }
}

/// What is in a file.
#[derive(Clone)]
pub enum Content {
    /// It is a directory.
    Directory,
    /// Text that anybody may see.
    Text(String),
    /// Text that is never shown.
    Secret(String),
    /// An empty registry.
    Registry,
}

/// `Debug` shows no secret.
impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Content::Directory => f.write_str("Directory"),
            Content::Text(text) => write!(f, "Text({text:?})"),
            Content::Secret(_) => f.write_str("Secret(…)"),
            Content::Registry => f.write_str("Registry"),
        }
    }
}

impl Content {
    /// Its text, where it has one.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Content::Directory | Content::Registry => None,
            Content::Text(text) | Content::Secret(text) => Some(text),
        }
    }
}

/// What becomes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It was not there.
    New,
    /// It is as it should be.
    Unchanged,
    /// What is in it is as it should be, its mode or owner is not and is put right: what differs.
    Reset(Vec<String>),
    /// The same, but it is not ours to put right.
    Unfit(Vec<String>),
    /// It was as written earlier, and is written anew.
    Updated,
    /// It was not written by us, or changed since, and stays; the lines that differ.
    Kept(Vec<String>),
    /// Whatever it was, its server may not have read it (`in_force`).
    Unread,
}

impl State {
    /// One word for people and JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            State::New => "new",
            State::Reset(_) => "reset",
            State::Unchanged | State::Unfit(_) | State::Unread => "unchanged",
            State::Updated => "updated",
            State::Kept(_) => "kept",
        }
    }

    /// Whether there is something new in it: servers have to read it.
    pub fn writes(&self) -> bool {
        matches!(self, State::New | State::Updated | State::Unread)
    }

    /// Whether it is written, be it for its mode and owner only.
    pub fn replaces(&self) -> bool {
        matches!(self, State::New | State::Updated | State::Reset(_))
    }

    /// What differs between what is there and what would be.
    pub fn differs(&self) -> Option<&[String]> {
        match self {
            State::Reset(differs) | State::Unfit(differs) | State::Kept(differs) => Some(differs),
            State::New | State::Unchanged | State::Updated | State::Unread => None,
        }
    }
}

/// The digests of all files as they were written last.
#[derive(Debug)]
pub struct Written {
    file: PathBuf,
    digests: BTreeMap<PathBuf, String>,
}

impl Written {
    /// Reads `written.sha256`; a missing one is empty.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn load(file: &Path) -> Result<Self, SetupError> {
        let text = read(file)?.unwrap_or_default();
        let digests = text
            .lines()
            .filter_map(|line| line.split_once("  "))
            .map(|(digest, path)| (PathBuf::from(path), digest.to_owned()))
            .collect();
        Ok(Written {
            file: file.to_owned(),
            digests,
        })
    }

    /// The files that were written.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.digests.keys().map(PathBuf::as_path)
    }

    /// Whether `text` is what was written to `path` last.
    pub fn is_ours(&self, path: &Path, text: &str) -> bool {
        self.digests
            .get(path)
            .is_some_and(|known| *known == digest(text))
    }

    /// What would become of `file`.
    ///
    /// # Errors
    /// When what is there cannot be read.
    pub fn state(&self, file: &File) -> Result<State, SetupError> {
        let Some(wanted) = file.content.text() else {
            return Ok(if file.path.exists() {
                State::Unchanged
            } else {
                State::New
            });
        };
        Ok(match read(&file.path)? {
            None => State::New,
            Some(is) if is == wanted => State::Unchanged,
            Some(is) if self.is_ours(&file.path, &is) => State::Updated,
            Some(is) => State::Kept(match file.content {
                Content::Text(_) => diff(&is, wanted),
                Content::Directory | Content::Registry | Content::Secret(_) => Vec::new(),
            }),
        })
    }

    /// What would become of `file`, and the file as it will be: one whose mode or owner is
    /// not put right keeps those it has.
    ///
    /// # Errors
    /// As [`Written::state`].
    pub fn look(&self, file: File, settable: bool) -> Result<(File, State), SetupError> {
        let state = self.state(&file)?;
        Ok(fit::look(file, state, settable))
    }

    /// Writes `file` when its state says so, and remembers its digest.
    ///
    /// # Errors
    /// When it cannot be written; what was there stays whole.
    pub fn write(&mut self, file: &File, state: &State, set_owner: bool) -> Result<(), SetupError> {
        if state.replaces() {
            match &file.content {
                Content::Directory => directory(file, state, set_owner)?,
                Content::Text(text) | Content::Secret(text) => {
                    // Only what we know to be our own text is written where a link leads.
                    let target = match state {
                        State::Updated => behind(&file.path),
                        _ => file.path.clone(),
                    };
                    let path = target;
                    replace(
                        &File {
                            path,
                            ..file.clone()
                        },
                        text,
                        set_owner,
                    )?;
                }
                // Made by the plan, which has the key.
                Content::Registry => {}
            }
        }
        if let (Some(text), true) = (file.content.text(), !matches!(state, State::Kept(_))) {
            self.remember(&file.path, text);
        }
        Ok(())
    }

    /// Changes a file because somebody asked for just that; owner and mode stay, and so does a
    /// link that leads to it. One that
    /// was changed by hand before stays known as such.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn edit(&mut self, path: &Path, text: &str) -> Result<(), SetupError> {
        let failed = |error| SetupError::io("read", path, error);
        let is = fs::metadata(path).map_err(failed)?;
        let ours = read(path)?.is_some_and(|is| self.is_ours(path, &is));
        let file = File {
            path: behind(path),
            owner: fit::owner(&is),
            mode: is.permissions().mode() & 0o7777,
            content: Content::Text(text.to_owned()),
        };
        replace(&file, text, rustix::process::geteuid().is_root())?;
        if ours {
            self.remember(path, text);
        }
        Ok(())
    }

    /// Takes `text` for what was written to `path`.
    pub(super) fn remember(&mut self, path: &Path, text: &str) {
        self.digests.insert(path.to_owned(), digest(text));
    }

    /// Forgets a file that was removed.
    pub fn forget(&mut self, path: &Path) {
        self.digests.remove(path);
    }

    /// Forgets all files but those.
    pub(super) fn keep(&mut self, is_kept: impl Fn(&Path) -> bool) {
        self.digests.retain(|path, _| is_kept(path));
    }

    /// Writes `written.sha256`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, owner: &Owner, set_owner: bool) -> Result<(), SetupError> {
        let line = |(path, digest): (&PathBuf, &String)| format!("{digest}  {}\n", path.display());
        let text: String = self.digests.iter().map(line).collect();
        if read(&self.file)?.as_deref() == Some(text.as_str()) {
            return Ok(());
        }
        let file = File {
            path: self.file.clone(),
            owner: owner.clone(),
            mode: 0o644,
            content: Content::Directory,
        };
        replace(&file, &text, set_owner)
    }
}

/// The text of a file; `None` when there is none.
///
/// # Errors
/// When it is there and cannot be read.
pub fn read(path: &Path) -> Result<Option<String>, SetupError> {
    match fs::read(path) {
        Ok(octets) => Ok(Some(String::from_utf8_lossy(&octets).into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(SetupError::io("read", path, error)),
    }
}

/// Makes a directory that is new; then, and for one that is there, owner and mode.
fn directory(file: &File, state: &State, set_owner: bool) -> Result<(), SetupError> {
    let failed = |error| SetupError::io("make the directory", &file.path, error);
    if state.writes() {
        if let Some(parent) = file.path.parent() {
            directories::make(parent).map_err(failed)?;
        }
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&file.path)
            .map_err(failed)?;
    }
    let no_link = OFlags::NOFOLLOW | OFlags::DIRECTORY;
    let open = OpenOptions::new()
        .read(true)
        .custom_flags(no_link.bits().cast_signed())
        .open(&file.path)
        .map_err(failed)?;
    hand_over(&open, file, set_owner)
}

/// The file itself, where a link leads to it.
fn behind(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Written beside and renamed, so that nobody ever reads half a file or a secret too early.
fn replace(file: &File, text: &str, set_owner: bool) -> Result<(), SetupError> {
    let mut name = file.path.file_name().unwrap_or_default().to_owned();
    // Of this process alone; servers that read whole directories pass over that ending.
    name.push(format!(".{}.bowline-new", std::process::id()));
    let beside = file.path.with_file_name(name);
    let failed = |error| SetupError::io("write", &file.path, error);
    // One that was killed may have had the same number.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let fill = || {
        let mut open = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)
            .map_err(failed)?;
        open.write_all(text.as_bytes())
            .and_then(|()| open.sync_all())
            .map_err(failed)?;
        hand_over(&open, file, set_owner)?;
        fs::rename(&beside, &file.path).map_err(failed)
    };
    fill().inspect_err(|_| {
        let _ = fs::remove_file(&beside);
    })?;
    // The new name too outlives a power cut; not every file system can sync a directory.
    if let Some(directory) = file.path.parent() {
        let _ = fs::File::open(directory).and_then(|open| open.sync_all());
    }
    Ok(())
}

/// By the open file: a path could have become a link to something else meanwhile.
fn hand_over(open: &fs::File, file: &File, set_owner: bool) -> Result<(), SetupError> {
    let failed = |error| SetupError::io("hand over", &file.path, error);
    if set_owner {
        fchown(open, Some(file.owner.uid), Some(file.owner.gid)).map_err(failed)?;
    }
    open.set_permissions(Permissions::from_mode(file.mode))
        .map_err(failed)
}

fn digest(text: &str) -> String {
    let octets = Sha256::digest(text.as_bytes());
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
