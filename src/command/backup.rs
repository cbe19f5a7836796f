//! `bowline backup`: configuration, keys and registry in one tar file.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use clap::Args;
use serde_json::json;
use tar::Archive;

use super::archive::{Writer, secret};
use super::dnssec::Kasp;
use super::handed::{Argument, Handed};
use super::new_file::NewFile;
use super::session::{load, open_registry};
use super::step_down::{end_as, go_on_as, owner, run_as};
use super::{Context, Failure, STDOUT, Target, note};
use crate::config::{Config, Named};
use crate::registry::Registry;
use crate::setup::users::user_name;

/// The configuration's name in a backup.
pub(super) const CONFIG: &str = "bowline.toml";
/// The registry's.
pub(super) const REGISTRY: &str = "registry.db";
/// No file of a backup is larger, but for the registry and the name server's.
pub(super) const LARGEST: u64 = 64 << 20;
/// The role in which root hands Knot's files over.
const HANDED_DNSSEC: &str = "dnssec";

/// Save configuration, keys and registry in one file, which is a secret
///
/// The registry is consistent however much goes on meanwhile. Run as root, the backup
/// has the DNSSEC keys of Knot or BIND too; PowerDNS has them in its own database.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The new file, mode 0600; -: standard output
    #[arg(value_name = "FILE|-")]
    file: PathBuf,
}

impl Options {
    /// The file that is written.
    fn target(&self) -> Argument {
        Argument::new("backup", &self.file)
    }

    /// Why they cannot be used, beyond what clap sees.
    pub(super) fn misuse(&self, json: bool) -> Option<&'static str> {
        (json && self.target().is_standard()).then_some(
            "standard output cannot hold a backup and JSON: name a file, or leave --json out",
        )
    }
}

/// Where in a backup is what the configuration names.
pub(super) enum Kept {
    /// A file of that name.
    File(String),
    /// The files of a directory, below that name.
    Directory(&'static str),
    /// Nowhere, or not as it is on disk.
    Elsewhere,
}

impl Kept {
    /// Where that is which a path leads to.
    pub(super) fn of(named: &Named<'_>) -> Self {
        match named {
            Named::LookupKey => Kept::File("lookup.key".to_owned()),
            Named::ZoneKey(zone) => Kept::File(format!("zones/{zone}.key")),
            Named::Invitation => Kept::File("invitation".to_owned()),
            Named::Templates => Kept::Directory("templates"),
            // A copy of it is saved, and the log is not.
            Named::Registry | Named::Log => Kept::Elsewhere,
        }
    }
}

/// Writes the backup; as root only what root alone may read, the rest as the registry's owner.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let target = options.target();
    let config = load(context)?;
    if target.is_standard() || Handed::is_awaited() {
        let file = context.handed.open(&target)?;
        return save(&config, &target, &file, context).map(|_| ());
    }
    let new = NewFile::create(&options.file)?;
    if let Some(ended) = save(&config, &target, new.file(), context)?
        && !ended.success()
    {
        drop(new);
        end_as(ended);
    }
    new.finish()?;
    match context.json {
        true => context.write_json(&json!({"file": options.file})),
        false => Ok(writeln!(
            context.out,
            "{}: keep it secret, it has the keys",
            options.file.display()
        )?),
    }
}

/// As root, goes on as the state directory's owner with what root alone may read; how that
/// process ended.
fn save(
    config: &Config,
    target: &Argument,
    file: &File,
    context: &mut Context<'_>,
) -> Result<Option<ExitStatus>, Failure> {
    let mut dnssec = context.handed.take(HANDED_DNSSEC);
    if !Handed::is_awaited() {
        dnssec = save_dnssec(config)?;
    }
    if let Some(owner) = owner(config.state_directory())? {
        let mut handed = Handed::default();
        if let Some(dnssec) = dnssec {
            handed.put(HANDED_DNSSEC, dnssec);
        }
        if target.is_standard() {
            return go_on_as(owner, handed).map(|()| None);
        }
        handed.put(target.role, file.try_clone()?);
        return run_as(owner, handed).map(Some);
    }
    let registry = open_registry(config)?;
    let to = Target {
        inner: file.try_clone()?,
        name: match target.is_standard() {
            true => STDOUT.to_owned(),
            false => target.path.display().to_string(),
        },
    };
    write(config, &registry, dnssec, to)?;
    Ok(None)
}

/// The name server's files; nothing where it has none, or none that we may read.
fn save_dnssec(config: &Config) -> Result<Option<File>, Failure> {
    match Kasp::of(config) {
        Ok(Some(kasp)) if kasp.is_ours() => kasp.save(),
        Ok(Some(kasp)) => {
            kasp.note_closed();
            Ok(None)
        }
        Ok(None) => Ok(None),
        Err(failure) => {
            failure.note("the backup has no DNSSEC keys");
            Ok(None)
        }
    }
}

/// Writes the archive.
fn write(
    config: &Config,
    registry: &Registry,
    dnssec: Option<File>,
    to: Target<File>,
) -> Result<(), Failure> {
    let mut writer = Writer::new(io::BufWriter::new(to));
    add_file(&mut writer, CONFIG, &config.file)?;
    config.files(|named, path| match Kept::of(&named) {
        Kept::File(name) => add_file(&mut writer, &name, path),
        Kept::Directory(name) => add_directory(&mut writer, name, path),
        Kept::Elsewhere => Ok(()),
    })?;
    let copy = registry.copy()?;
    // Whose it is to be again.
    let state = config.state_directory();
    let failed = |error| Failure::new(format!("{}: {error}", state.display()));
    let user = fs::metadata(state).map_err(failed)?.uid();
    let mut header = secret(copy.len() as u64);
    header.set_uid(user.into());
    header.set_username(&user_name(user))?;
    writer.add_as(header, REGISTRY, &*copy)?;
    if let Some(dnssec) = dnssec {
        for entry in Archive::new(dnssec).entries()? {
            let entry = entry?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            writer.add_as(entry.header().clone(), &name, entry)?;
        }
    }
    let file = writer.finish()?.into_inner().map_err(io::Error::from)?;
    // Standard output may be a pipe, which cannot be synced.
    let _ = file.inner.sync_all();
    Ok(())
}

/// Adds the files of a directory; one that is not there is none that bowline uses.
fn add_directory(writer: &mut Writer<impl Write>, name: &str, path: &Path) -> Result<(), Failure> {
    let failed = |error| Failure::new(format!("{}: {error}", path.display()));
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            note(format!(
                "the backup has no {name}: there is no {}",
                path.display()
            ));
            return Ok(());
        }
        Err(error) => return Err(failed(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        // What a link leads to is saved in its place.
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort_unstable();
    for path in files {
        let below = path.file_name().unwrap_or_default().to_string_lossy();
        add_file(writer, &format!("{name}/{below}"), &path)?;
    }
    Ok(())
}

/// Adds a file as it is on disk.
fn add_file(writer: &mut Writer<impl Write>, name: &str, path: &Path) -> Result<(), Failure> {
    let failed = |error| Failure::new(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    if size > LARGEST {
        return Err(failed(io::Error::other("it is too large for a backup")));
    }
    writer.add(name, size, file.take(size)).map_err(failed)
}
