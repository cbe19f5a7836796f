//! The zones' DNSSEC keys, which Knot or BIND keeps: in a backup, and back from one.
//!
//! A name server opens its keys as its own user, so files and directories come back with
//! the owner, the group and the mode that they had. PowerDNS has them in its database,
//! where only PowerDNS and SQLite can copy them while it runs.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{MemfdFlags, OFlags, memfd_create};
use tar::{Builder, EntryType, Header};

use super::handed::new_secret_file;
use super::{Failure, hint, note};
use crate::config::Config;
use crate::setup::bind::Bind;
use crate::setup::knot::Knot;
use crate::setup::nameserver::{self, Program};
use crate::setup::place::Place;
use crate::setup::users::{group_name, user_name};

/// In front of the names of the name server's files in a backup.
pub(super) const DNSSEC: &str = "dnssec";
/// The database of Knot's keys; where it is, Knot has keys.
const DATABASE: &str = "data.mdb";
/// The ending of BIND's keys; where one is, BIND has keys.
const PRIVATE: &str = ".private";

/// Where the name server keeps the keys of this set-up's zones.
#[derive(Debug)]
pub(super) struct Kasp {
    directory: PathBuf,
    /// What is there where the name server is.
    home: PathBuf,
    /// What people call the name server.
    server: &'static str,
    /// Whether all directories of that name server are this set-up's own.
    private: bool,
}

/// A file or directory of the key database as a backup has it.
#[derive(Debug)]
pub(super) struct Saved {
    /// Below the database's directory; empty: that itself.
    below: PathBuf,
    /// Nothing: it is a directory.
    content: Option<Vec<u8>>,
    mode: u32,
    uid: u32,
    gid: u32,
}

impl Kasp {
    /// That of the name server beside this configuration; nothing where its keys are no files.
    pub(super) fn of(config: &Config) -> Result<Option<Self>, Failure> {
        let place = place(config)?;
        let first = config.zones.first();
        let server = first
            .and_then(|zone| nameserver::found(&place, &zone.name))
            .unwrap_or_else(nameserver::installed);
        let kasp = Kasp::at(&place, server);
        if kasp.is_none() {
            note(format!(
                "the backup has no DNSSEC keys: {} has them in its own database",
                server.name()
            ));
        }
        Ok(kasp)
    }

    /// That of the name server whose files were saved.
    pub(super) fn of_saved(config: &Config, saved: &[Saved]) -> Result<Option<Self>, Failure> {
        let is_knot = saved.iter().any(|one| one.below == Path::new(DATABASE));
        let server: &dyn Program = if is_knot { &Knot } else { &Bind };
        Ok(Kasp::at(&place(config)?, server))
    }

    fn at(place: &Place, server: &dyn Program) -> Option<Self> {
        let (home, directory) = server.key_directory(place)?;
        Some(Kasp {
            directory,
            home,
            server: server.name(),
            private: place.private,
        })
    }

    /// Whether this process may be able to read it.
    pub(super) fn is_ours(&self) -> bool {
        self.private || rustix::process::geteuid().is_root()
    }

    /// The database and its keys as an archive in memory; nothing where there are none.
    pub(super) fn save(&self) -> Result<Option<File>, Failure> {
        let mut memory = File::from(memfd_create(DNSSEC, MemfdFlags::CLOEXEC)?);
        let mut tar = Builder::new(memory.try_clone()?);
        let (mut count, mut closed) = (0, false);
        for below in [Path::new(""), Path::new("keys")] {
            let directory = self.directory.join(below);
            let entries = match fs::read_dir(&directory) {
                Ok(entries) => entries,
                Err(error) => {
                    closed |= error.kind() == io::ErrorKind::PermissionDenied;
                    continue;
                }
            };
            add(&mut tar, below, &directory)?;
            for entry in entries {
                let entry = entry?;
                if entry.file_type()?.is_file() {
                    add(&mut tar, &below.join(entry.file_name()), &entry.path())?;
                    count += 1;
                }
            }
        }
        tar.finish()?;
        if count == 0 {
            let (server, directory) = (self.server, self.directory.display());
            match closed {
                true => self.note_closed(),
                false => note(format!("no DNSSEC keys of {server} in {directory}")),
            }
            return Ok(None);
        }
        memory.rewind()?;
        Ok(Some(memory))
    }

    /// Says that whoever runs this may not read them.
    pub(super) fn note_closed(&self) {
        note(format!(
            "the backup has no DNSSEC keys: those of {} in {} are not open to us",
            self.server,
            self.directory.display()
        ));
        hint("one that root makes has them too");
    }

    fn has_keys(&self) -> bool {
        let entries = fs::read_dir(&self.directory)
            .into_iter()
            .flatten()
            .flatten();
        let mut names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.any(|name| name == DATABASE || name.ends_with(PRIVATE))
    }

    /// Puts them back, where the name server has none of its own yet.
    pub(super) fn restore(&self, saved: &[Saved]) -> Result<(), Failure> {
        let path = |saved: &Saved| self.directory.join(&saved.below);
        let files = || {
            saved
                .iter()
                .filter_map(|one| Some((path(one), one, one.content.as_ref()?)))
        };
        if files().all(|(path, _, content)| fs::read(path).is_ok_and(|old| old == *content)) {
            return Ok(());
        }
        let storage = self.directory.parent().unwrap_or(Path::new("/"));
        if !(self.private || self.home.is_dir()) || self.has_keys() {
            let cause = format!(
                "{} is not here, or has keys in {}",
                self.server,
                self.directory.display()
            );
            Failure::new(cause)
                .hint(
                    "a zone that is signed with other keys needs another DS at the parent; \
                     \"Backup and restore\" in the book says how those of the backup come back",
                )
                .note(format!("the DNSSEC keys stay in the backup ({DNSSEC}/)"));
            return Ok(());
        }
        let directories = || saved.iter().filter(|one| one.content.is_none());
        if let (false, Some(top)) = (storage.exists(), directories().next()) {
            make_directory(storage)?;
            top.own(storage)?;
        }
        for one in directories() {
            make_directory(&path(one))?;
        }
        for (path, one, content) in files() {
            if let Some(directory) = path.parent() {
                make_directory(directory)?;
            }
            let failed = |error: io::Error| Failure::new(format!("{}: {error}", path.display()));
            let mut file = new_secret_file(&path).map_err(failed)?;
            file.write_all(content)
                .and_then(|()| one.own_file(&file))
                .and_then(|()| file.sync_all())
                .map_err(failed)?;
        }
        // Last: until then nobody else can put anything in our way there.
        directories().try_for_each(|one| one.own(&path(one)))
    }
}

fn place(config: &Config) -> Result<Place, Failure> {
    let state = config.state_directory().to_owned();
    Ok(Place::new(&config.file, Some(state))?)
}

impl Saved {
    /// Reads an entry of a backup; nothing when it is none of the name server's.
    pub(super) fn read(
        name: &str,
        header: &Header,
        content: &mut dyn Read,
    ) -> io::Result<Option<Self>> {
        let Ok(below) = Path::new(name).strip_prefix(DNSSEC) else {
            return Ok(None);
        };
        if !below
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
        {
            return Err(io::Error::other(format!("it has {name}")));
        }
        let content = match header.entry_type() {
            EntryType::Directory => None,
            _ => {
                let mut octets = Vec::new();
                content.read_to_end(&mut octets)?;
                Some(octets)
            }
        };
        // Numbers differ from machine to machine, names less so.
        let here = |file, name: Option<&str>, number: u64| {
            let known = name.and_then(|name| number_of(Path::new(file), name));
            known.unwrap_or(u32::try_from(number).unwrap_or(0))
        };
        Ok(Some(Saved {
            below: below.to_owned(),
            content,
            mode: header.mode()? & 0o777,
            uid: here(
                "/etc/passwd",
                header.username().ok().flatten(),
                header.uid()?,
            ),
            gid: here(
                "/etc/group",
                header.groupname().ok().flatten(),
                header.gid()?,
            ),
        }))
    }

    /// Gives a directory its owner and mode; a link in its place is an error.
    fn own(&self, directory: &Path) -> Result<(), Failure> {
        OpenOptions::new()
            .read(true)
            .custom_flags((OFlags::NOFOLLOW | OFlags::DIRECTORY).bits().cast_signed())
            .open(directory)
            .and_then(|open| self.own_file(&open))
            .map_err(|error| Failure::new(format!("{}: {error}", directory.display())))
    }

    /// Gives what is open its mode and, as only root can, its owner.
    fn own_file(&self, file: &File) -> io::Result<()> {
        if rustix::process::geteuid().is_root() {
            fchown(file, Some(self.uid), Some(self.gid))?;
        }
        file.set_permissions(fs::Permissions::from_mode(self.mode))
    }
}

/// Makes a directory, closed to all others, and those above it.
fn make_directory(path: &Path) -> Result<(), Failure> {
    let failed = |error| Failure::new(format!("{}: {error}", path.display()));
    if let Some(above) = path.parent() {
        fs::create_dir_all(above).map_err(failed)?;
    }
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed(error)),
        _ => Ok(()),
    }
}

/// Adds a file or directory as it is on disk, with its owner.
fn add(tar: &mut Builder<File>, below: &Path, path: &Path) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::new(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(failed)?;
    let found = file.metadata().map_err(failed)?;
    let mut header = Header::new_gnu();
    header.set_mode(found.mode() & 0o777);
    header.set_mtime(found.mtime().cast_unsigned());
    header.set_uid(found.uid().into());
    header.set_gid(found.gid().into());
    header
        .set_username(&user_name(found.uid()))
        .map_err(failed)?;
    header
        .set_groupname(&group_name(found.gid()))
        .map_err(failed)?;
    let name = Path::new(DNSSEC).join(below);
    let added = if found.is_dir() {
        header.set_entry_type(EntryType::Directory);
        header.set_size(0);
        tar.append_data(&mut header, name, io::empty())
    } else {
        header.set_size(found.len());
        tar.append_data(&mut header, name, file.take(found.len()))
    };
    added.map_err(failed)
}

/// The number of a user or group; both files have the name first and the number third
/// (passwd(5), group(5)).
fn number_of(file: &Path, name: &str) -> Option<u32> {
    let text = fs::read_to_string(file).ok()?;
    let line = text
        .lines()
        .find(|line| line.split(':').next() == Some(name))?;
    line.split(':').nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_where_there_are_none() {
        let knot = tempfile::tempdir().unwrap();
        let kasp = |name: &str| Kasp {
            directory: knot.path().join(name),
            home: knot.path().join(name).parent().unwrap().to_owned(),
            server: "Knot",
            private: false,
        };
        let at = |name: &str| knot.path().join(name);
        fs::create_dir_all(at("old/keys")).unwrap();
        fs::write(at("old/data.mdb"), "database").unwrap();
        fs::write(at("old/keys/1.pem"), "key").unwrap();
        let modes = [
            ("old/keys/1.pem", 0o640),
            ("old/keys", 0o770),
            ("old", 0o750),
        ];
        for (name, mode) in modes {
            fs::set_permissions(at(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        let mut archive = tar::Archive::new(kasp("old").save().unwrap().unwrap());
        let mut saved = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
            let header = entry.header().clone();
            saved.extend(Saved::read(&name, &header, &mut entry).unwrap());
        }
        kasp("new").restore(&saved).unwrap();
        assert_eq!(fs::read_to_string(at("new/keys/1.pem")).unwrap(), "key");
        assert_eq!(fs::read_to_string(at("new/data.mdb")).unwrap(), "database");
        for (name, mode) in modes {
            let found = fs::metadata(at(&name.replace("old", "new"))).unwrap();
            assert_eq!(found.mode() & 0o7777, mode, "{name}");
        }
        fs::write(at("new/keys/1.pem"), "other").unwrap();
        kasp("new").restore(&saved).unwrap();
        assert_eq!(fs::read_to_string(at("new/keys/1.pem")).unwrap(), "other");
        // No Knot, no keys; a private one is made.
        kasp("none/db/keys").restore(&saved).unwrap();
        assert!(!at("none").exists());
        let private = Kasp {
            private: true,
            ..kasp("none/db/keys")
        };
        private.restore(&saved).unwrap();
        assert_eq!(
            fs::read_to_string(at("none/db/keys/keys/1.pem")).unwrap(),
            "key"
        );
    }

    #[test]
    fn nothing_goes_elsewhere() {
        for name in ["dnssec/../outside", "dnssec/keys/../../outside"] {
            let read = Saved::read(name, &Header::new_gnu(), &mut io::empty());
            assert!(read.is_err(), "{name}");
        }
    }
}
