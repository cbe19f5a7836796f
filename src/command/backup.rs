//! `bowline backup`: configuration, keys and registry in one tar file.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use tar::{Archive, Builder, Header};

use super::dnssec::Kasp;
use super::handed::{Argument, Handed, new_secret_file};
use super::session::{load, open_registry};
use super::step_down::{execute_as, owner, run_as};
use super::{Context, Failure};
use crate::config::Config;
use crate::registry::Registry;
use crate::setup::users::user_name;
use crate::time::Timestamp;

/// The configuration's name in a backup.
pub(super) const CONFIG: &str = "bowline.toml";
/// The lookup key's.
pub(super) const LOOKUP_KEY: &str = "lookup.key";
/// The registry's.
pub(super) const REGISTRY: &str = "registry.db";
/// The role in which root hands Knot's files over.
const HANDED_DNSSEC: &str = "dnssec";
/// The mode that every file of ours has in the archive: its owner's alone.
const SECRET: u32 = 0o600;

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

/// The name of a zone's TSIG key in a backup.
pub(super) fn key_name(zone: &crate::name::ZoneName) -> String {
    format!("zones/{zone}.key")
}

/// Writes the backup; as root only what root alone may read, the rest as the registry's owner.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let target = Argument::new("backup", &options.file);
    if target.is_standard() && context.json {
        return Err(
            Failure::new("standard output cannot hold a backup and JSON")
                .hint("name a file, or leave --json out"),
        );
    }
    let config = load(context)?;
    let file = context.handed.open(&target)?;
    let saved = save(&config, &target, &file, context);
    if let Err(failure) = saved {
        if !target.is_standard() {
            // Half a backup must not look like one.
            let _ = file.set_len(0);
            let _ = fs::remove_file(&target.path);
        }
        return Err(failure);
    }
    match (context.json, target.is_standard()) {
        (_, true) => Ok(()),
        (true, _) => context.write_json(&json!({"file": options.file})),
        (false, _) => Ok(writeln!(
            context.out,
            "{}: keep it secret, it has the keys",
            options.file.display()
        )?),
    }
}

/// As root, goes on as the state directory's owner with what root alone may read.
fn save(
    config: &Config,
    target: &Argument,
    file: &File,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
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
            return execute_as(owner, handed);
        }
        handed.put(target.role, file.try_clone()?);
        return run_as(owner, handed, &target.path, file);
    }
    let registry = open_registry(config)?;
    write(config, &registry, dnssec, file.try_clone()?)
}

/// The name server's files; nothing where it has none, or none that we may read.
fn save_dnssec(config: &Config) -> Result<Option<File>, Failure> {
    match Kasp::of(config) {
        Ok(Some(kasp)) if kasp.is_ours() => kasp.save(),
        Ok(_) => Ok(None),
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
    to: File,
) -> Result<(), Failure> {
    let mut tar = Builder::new(io::BufWriter::new(to));
    add_file(&mut tar, CONFIG, &config.file)?;
    add_file(&mut tar, LOOKUP_KEY, &config.state.lookup_key)?;
    for zone in &config.zones {
        add_file(&mut tar, &key_name(&zone.name), &zone.key_file)?;
    }
    let copy = copy_of(registry, config.state_directory())?;
    let user = fs::metadata(config.state_directory())?.uid();
    add(&mut tar, REGISTRY, Some(user), &copy)?;
    if let Some(dnssec) = dnssec {
        for entry in Archive::new(dnssec).entries()? {
            let entry = entry?;
            tar.append(&entry.header().clone(), entry)?;
        }
    }
    let file = tar.into_inner()?.into_inner().map_err(io::Error::from)?;
    // Standard output may be a pipe, which cannot be synced.
    let _ = file.sync_all();
    Ok(())
}

/// A consistent copy of the registry; its file is gone as soon as it is open.
fn copy_of(registry: &Registry, state: &Path) -> Result<File, Failure> {
    let path = state.join(format!("backup-{}.db", std::process::id()));
    let failed = |error| Failure::new(format!("{}: {error}", path.display()));
    // SQLite writes into an empty file as it does into a new one, and keeps its mode.
    new_secret_file(&path).map_err(failed)?;
    let copied = registry.copy_to(&path).map_err(Failure::from);
    let opened = copied.and_then(|()| File::open(&path).map_err(failed));
    fs::remove_file(&path).map_err(failed)?;
    opened
}

/// Adds a file as it is on disk.
fn add_file(tar: &mut Builder<impl Write>, name: &str, path: &Path) -> Result<(), Failure> {
    let failed = |error| Failure::new(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(failed)?;
    add(tar, name, None, &file).map_err(|failure| failure.at(path.display()))
}

/// Adds a file; `user` is whose it is to be again.
fn add(
    tar: &mut Builder<impl Write>,
    name: &str,
    user: Option<u32>,
    file: &File,
) -> Result<(), Failure> {
    let mut header = Header::new_gnu();
    let size = file.metadata()?.len();
    header.set_size(size);
    header.set_mode(SECRET);
    header.set_mtime(Timestamp::now().seconds().cast_unsigned());
    if let Some(user) = user {
        header.set_uid(user.into());
        header.set_username(&user_name(user))?;
    }
    tar.append_data(&mut header, name, file.take(size))?;
    Ok(())
}
