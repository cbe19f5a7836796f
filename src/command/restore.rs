//! `bowline restore`: what a backup has, back where its configuration says.

mod plan;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use clap::Args;
use rustix::fs::{MemfdFlags, memfd_create};
use serde_json::json;

use self::plan::{Plan, check_places};
use super::archive;
use super::backup::{CONFIG, Kept, LARGEST, REGISTRY};
use super::dnssec::{DNSSEC, Kasp, Saved};
use super::handed::{Argument, Handed, new_secret_file};
use super::new_file::NewFile;
use super::session::{load, open_registry};
use super::step_down::{go_on_as, owner};
use super::{Context, Failure, note};
use crate::config::Config;
use crate::one_line::OneLine;
use crate::setup::users::Owners;
use crate::setup::{Place, configuration, directories, nameserver};
use crate::upkeep;

/// The role in which root hands the registry over.
const HANDED_REGISTRY: &str = "registry";
/// What SQLite's files begin with: root reads no more of it.
const HEADER: &[u8; 16] = b"SQLite format 3\0";
/// Written by the owner, and read by the user or group that bowline runs as.
const KEY_MODE: u32 = 0o640;
/// The state directory's and the locks': their owner's and group's.
const STATE_MODE: u32 = 0o750;

/// Put back what `bowline backup` saved; overwrites nothing
///
/// The configuration goes where --config says, everything else where it says itself. A backup that
/// is damaged is refused. One that somebody has changed need not be: whoever may write a backup
/// decides, once root has restored it, what bowline does.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The backup; -: standard input
    #[arg(value_name = "FILE|-")]
    file: PathBuf,
    /// Even if keys, templates or the registry go elsewhere than beside the configuration and into
    /// /var/lib/bowline: the backup says where
    #[arg(long)]
    elsewhere: bool,
}

/// A backup, read.
struct Backup {
    files: BTreeMap<String, Vec<u8>>,
    /// Knot's.
    dnssec: Vec<Saved>,
    registry: File,
    /// Whose registry it was.
    user: String,
}

/// Restores; as root only what root has to, the registry as its owner.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    if let Some(registry) = context.handed.take(HANDED_REGISTRY) {
        return restore_registry(registry, context);
    }
    let file = Argument::read("backup", &options.file);
    let backup = Backup::read(context.handed.open(&file)?)
        .map_err(|failure| failure.at(options.file.display()))?;
    let text = std::str::from_utf8(backup.file(CONFIG)?)
        .map_err(|error| Failure::new(format!("{CONFIG} in the backup: {error}")))?;
    let config = Config::parse(&context.config, text)?;
    let plan = Plan::of(&config, &backup)?;
    let missing = plan.missing()?;
    owner(config.state_directory())?;
    refuse_other_registry(&config.state.registry, &backup.registry)?;
    if !options.elsewhere {
        check_places(&config, &missing)?;
    }
    let group = make_state_directory(&config, &backup.user)?;
    for (path, planned) in missing {
        put(path, planned.content, group)?;
    }
    plan.note_left();
    if !backup.dnssec.is_empty() {
        match Kasp::of_saved(&config, &backup.dnssec) {
            Ok(Some(kasp)) if kasp.is_ours() => kasp.restore(&backup.dnssec)?,
            Ok(_) => note(format!("only root puts the DNSSEC keys back ({DNSSEC}/)")),
            Err(failure) => failure.note("the DNSSEC keys stay in the backup"),
        }
    }
    (&backup.registry).rewind()?;
    if let Some(owner) = owner(config.state_directory())? {
        let mut handed = Handed::default();
        handed.put(HANDED_REGISTRY, backup.registry);
        return go_on_as(owner, handed);
    }
    restore_registry(backup.registry, context)
}

/// The registry's part, and whether it all fits together.
fn restore_registry(mut backup: File, context: &mut Context<'_>) -> Result<(), Failure> {
    let config = load(context)?;
    let path = &config.state.registry;
    // Before it is there: a timer's upkeep may look for it already.
    upkeep::note_restored(&config).map_err(|error| {
        Failure::new(format!("{}: {error}", config.state_directory().display()))
    })?;
    if !path.exists() {
        let new = NewFile::create(path)?;
        io::copy(&mut backup, &mut new.file())
            .and_then(|_| {
                new.file()
                    .set_permissions(fs::Permissions::from_mode(KEY_MODE))
            })
            .map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
        new.finish()?;
    }
    let locks = config.state_directory().join("locks");
    if !locks.is_dir() {
        fs::create_dir(&locks)
            .and_then(|()| fs::set_permissions(&locks, fs::Permissions::from_mode(STATE_MODE)))
            .map_err(|error| Failure::new(format!("{}: {error}", locks.display())))?;
    }
    let registry = open_registry(&config)?;
    let mut hosts = 0;
    registry.each_host(|_| {
        hosts += 1;
        Ok::<(), Failure>(())
    })?;
    if let Err(error) = registry.nothing_left_out() {
        Failure::from(error).note("everything is restored as it was saved");
    }
    if context.json {
        return context.write_json(&json!({
            "config": config.file,
            "registry": path,
            "hosts": hosts,
        }));
    }
    writeln!(context.out, "{}", config.file.display())?;
    let path = OneLine(path.display());
    writeln!(context.out, "{path}: {}", super::hosts(hosts))?;
    note_init(&config);
    Ok(())
}

/// Says what gives the servers their files, where this machine has none.
fn note_init(config: &Config) {
    let (place, text) = (
        Place::new(&config.file, None),
        fs::read_to_string(&config.file),
    );
    let (Ok(place), Ok(text)) = (place, text) else {
        return;
    };
    let has_site = place.apache_site().exists() || place.nginx_site().exists();
    for zone in config.zones.iter().filter(|_| !has_site) {
        let command = configuration::command(&text, &zone.name);
        if let Some(command) = command
            && nameserver::found(&place, &zone.name).is_none()
        {
            note(format!("`{command} --apply` writes the servers' files"));
        }
    }
}

impl Backup {
    /// Reads the archive; the registry, which may be large, into a file without a name.
    fn read(from: File) -> Result<Self, Failure> {
        let (mut files, mut dnssec) = (BTreeMap::new(), Vec::new());
        let (mut registry, mut user) = (None, String::new());
        let read = archive::read(io::BufReader::new(from), |name, header, content| {
            if name == REGISTRY {
                let known = header.username().ok().flatten();
                user = known.unwrap_or("root").to_owned();
                let mut memory = File::from(memfd_create(REGISTRY, MemfdFlags::CLOEXEC)?);
                io::copy(content, &mut memory)?;
                registry = Some(memory);
            } else if let Some(saved) = Saved::read(name, header, content)? {
                dnssec.push(saved);
            } else if header.size()? <= LARGEST {
                let mut octets = Vec::new();
                content.read_to_end(&mut octets)?;
                files.insert(name.to_owned(), octets);
            }
            Ok(())
        });
        read.map_err(|error| Failure::new(format!("it is no backup, or damaged: {error}")))?;
        let mut registry = registry.ok_or_else(|| no_such(REGISTRY))?;
        let mut start = [0; HEADER.len()];
        registry.rewind()?;
        if registry.read_exact(&mut start).is_err() || start != *HEADER {
            let cause = format!("{REGISTRY} in the backup: it is no registry");
            return Err(Failure::new(cause).hint("nothing was restored"));
        }
        Ok(Backup {
            files,
            dnssec,
            registry,
            user,
        })
    }

    /// The file of that name in the backup.
    fn file(&self, name: &str) -> Result<&[u8], Failure> {
        self.files
            .get(name)
            .map(Vec::as_slice)
            .ok_or_else(|| no_such(name))
    }

    /// The files below that name, each with its own.
    fn files_below(&self, name: &str) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().filter_map(move |(path, content)| {
            let below = path.strip_prefix(name)?.strip_prefix('/')?;
            Some((below, content.as_slice()))
        })
    }
}

/// What a backup must have, and this one has not.
fn no_such(name: &str) -> Failure {
    Failure::new(format!(
        "it is no backup, or damaged: there is no {name} in it"
    ))
}

/// Whether that very file is there already; another one in its place is an error.
fn is_there(path: &Path, content: &[u8]) -> Result<bool, Failure> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Failure::new(format!("{}: {error}", path.display()))),
        Ok(found) if found.is_file() && fs::read(path).is_ok_and(|text| text == content) => {
            Ok(true)
        }
        Ok(_) => Err(differs(path)),
    }
}

/// A registry that is there must be the backup's; so must what SQLite keeps beside it.
fn refuse_other_registry(path: &Path, mut backup: &File) -> Result<(), Failure> {
    if fs::symlink_metadata(path).is_err() {
        // SQLite would take the leavings of another registry for this one's.
        let beside = |end| PathBuf::from(format!("{}{end}", path.display()));
        let left = ["-wal", "-shm", "-journal"].map(beside);
        return match left.iter().find(|left| left.is_symlink() || left.exists()) {
            Some(left) => Err(differs(left)),
            None => Ok(()),
        };
    }
    let mut content = Vec::new();
    backup.rewind()?;
    backup.read_to_end(&mut content)?;
    is_there(path, &content).map(|_| ())
}

/// What stands in the way is for the operator to move.
fn differs(path: &Path) -> Failure {
    Failure::new(format!(
        "{} is there and differs from the backup",
        path.display()
    ))
    .hint("move it away and run the restore again; nothing was restored")
}

/// The state directory, made where it is missing; says the group that reads the keys.
fn make_state_directory(config: &Config, user: &str) -> Result<Option<u32>, Failure> {
    let state = config.state_directory();
    let is_root = rustix::process::geteuid().is_root();
    if let Ok(found) = fs::symlink_metadata(state) {
        return Ok(is_root.then(|| found.gid()));
    }
    let failed = |error| Failure::new(format!("{}: {error}", state.display()));
    let owner = match is_root {
        false => None,
        true => Some(
            Owners::new(user)
                .map(|owners| owners.state)
                .filter(|owner| !owner.is_missing())
                .ok_or_else(|| {
                    Failure::new(format!(
                        "the registry belongs to user {user:?}, who is not here"
                    ))
                    .hint("make that user, or the state directory with the owner it is to have")
                })?,
        ),
    };
    directories::make(state).map_err(failed)?;
    fs::set_permissions(state, fs::Permissions::from_mode(STATE_MODE)).map_err(failed)?;
    if let Some(owner) = &owner {
        chown(state, Some(owner.uid), Some(owner.gid)).map_err(failed)?;
    }
    Ok(owner.map(|owner| owner.gid))
}

/// Writes a new file, for root and that group.
fn put(path: &Path, content: &[u8], group: Option<u32>) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::new(format!("{}: {error}", path.display()));
    if let Some(directory) = path.parent() {
        directories::make(directory).map_err(failed)?;
    }
    let mut file = new_secret_file(path).map_err(failed)?;
    let mut fill = || -> io::Result<()> {
        file.write_all(content)?;
        if group.is_some() {
            std::os::unix::fs::fchown(&file, None, group)?;
        }
        file.set_permissions(fs::Permissions::from_mode(KEY_MODE))?;
        file.sync_all()
    };
    fill().map_err(|error| {
        // Half a file would stand in the way of the next restore.
        let _ = fs::remove_file(path);
        failed(error)
    })
}
