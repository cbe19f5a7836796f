//! Which files a restore is to write, all of them looked at before the first is written.
//!
//! The checksums of a backup find damage, not malice: whoever changes one makes them anew, and
//! its configuration says where root is to write. So what is written is what it is to be, and
//! goes where bowline keeps its files. Neither is enough alone: a template may say anything, and
//! a key's name may be a path.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf, absolute};

use super::{Backup, CONFIG, Kept, is_there};
use crate::command::{Failure, note};
use crate::config::{Config, Named, read_invitation};
use crate::dns::Key;
use crate::notify::is_template;
use crate::one_line::OneLine;
use crate::setup::place::DEFAULT_STATE;
use crate::token::LookupKey;

/// What a backup has, by where it goes.
pub(super) struct Plan<'b> {
    files: BTreeMap<PathBuf, Planned<'b>>,
    /// What stays in the backup, by its names there.
    left: Vec<String>,
}

/// A file to restore.
pub(super) struct Planned<'b> {
    what: What,
    /// Its name in the backup.
    name: String,
    /// What it is to have.
    pub(super) content: &'b [u8],
}

/// What a file is to be.
#[derive(Clone, Copy)]
enum What {
    /// It was read already, to know all the others.
    Configuration,
    LookupKey,
    ZoneKey,
    Invitation,
    /// Any text is one.
    Template,
}

impl<'b> Plan<'b> {
    /// What the configuration names, and itself.
    pub(super) fn of(config: &Config, backup: &'b Backup) -> Result<Self, Failure> {
        let mut plan = Plan {
            files: BTreeMap::new(),
            left: Vec::new(),
        };
        let own = backup.file(CONFIG)?;
        plan.put(&config.file, What::Configuration, CONFIG, own);
        config.files(|named, path| {
            match (What::of(&named), Kept::of(&named)) {
                (Some(what), Kept::File(name)) => {
                    plan.put(path, what, &name, backup.file(&name)?);
                }
                (Some(what), Kept::Directory(directory)) => {
                    for (below, content) in backup.files_below(directory) {
                        let name = format!("{directory}/{below}");
                        match is_template(below) {
                            true => plan.put(&path.join(below), what, &name, content),
                            false => plan.left.push(name),
                        }
                    }
                }
                (None, _) | (_, Kept::Elsewhere) => {}
            }
            Ok::<(), Failure>(())
        })?;
        Ok(plan)
    }

    fn put(&mut self, path: &Path, what: What, name: &str, content: &'b [u8]) {
        let name = name.to_owned();
        let planned = Planned {
            what,
            name,
            content,
        };
        // Zones may share a key.
        self.files.entry(path.to_owned()).or_insert(planned);
    }

    /// Those that are not there yet, and are what they are to be.
    ///
    /// # Errors
    /// When another file is in the place of one, or one is something else than it is to be.
    pub(super) fn missing(&self) -> Result<Vec<(&Path, &Planned<'b>)>, Failure> {
        let mut missing = Vec::new();
        for (path, planned) in &self.files {
            if !is_there(path, planned.content)? {
                missing.push((path.as_path(), planned));
            }
        }
        for (path, planned) in &missing {
            planned.check().map_err(|why| {
                Failure::new(format!("{} in the backup: {why}", planned.name)).hint(format!(
                    "nothing was restored; if that is right as it is, take it out with tar, put it at {} yourself, and run the restore again",
                    path.display()
                ))
            })?;
        }
        Ok(missing)
    }

    /// Says what stays in the backup.
    pub(super) fn note_left(&self) {
        if !self.left.is_empty() {
            note(format!(
                "bowline has no templates of these names, which stay in the backup: {}",
                OneLine(self.left.join(", "))
            ));
        }
    }
}

impl What {
    /// What stands where a path leads to; nothing where that is no file of its own.
    fn of(named: &Named<'_>) -> Option<Self> {
        Some(match named {
            Named::LookupKey => What::LookupKey,
            Named::ZoneKey(_) => What::ZoneKey,
            Named::Invitation => What::Invitation,
            Named::Templates => What::Template,
            Named::Registry | Named::Log => return None,
        })
    }
}

impl Planned<'_> {
    /// Reads it as it will be read from its file; else why it is not what it is to be.
    fn check(&self) -> Result<(), String> {
        let text = std::str::from_utf8(self.content).map_err(|error| error.to_string())?;
        match self.what {
            What::Configuration | What::Template => Ok(()),
            What::LookupKey => (LookupKey::read(text).map(drop)).map_err(|why| why.to_string()),
            What::ZoneKey => (Key::read_alone(text).map(drop)).map_err(|why| why.to_string()),
            What::Invitation => (read_invitation(text).map(drop)).map_err(|why| why.to_string()),
        }
    }
}

/// Whether all of it goes where bowline keeps its files: beside the configuration, and the
/// registry into its usual directory. Those who put them elsewhere know where, and say so.
///
/// # Errors
/// When something goes elsewhere.
pub(super) fn check_places(
    config: &Config,
    missing: &[(&Path, &Planned<'_>)],
) -> Result<(), Failure> {
    let home = absolute(&config.file)?;
    let home = home.parent().unwrap_or(Path::new("/"));
    let registry = &config.state.registry;
    let files = missing.iter().map(|(path, _)| *path);
    let mut elsewhere: Vec<&Path> = files.filter(|path| !is_below(path, home)).collect();
    let is_usual = config.state_directory() == Path::new(DEFAULT_STATE);
    if !(registry.exists() || is_usual || is_below(registry, home)) {
        elsewhere.push(registry);
    }
    if elsewhere.is_empty() {
        return Ok(());
    }
    let named: Vec<String> = elsewhere
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    Err(Failure::new(format!(
        "it would write elsewhere than into {} and {DEFAULT_STATE}: {}",
        home.display(),
        named.join(", ")
    ))
    .hint("nothing was restored; the backup says where: if that is where you had them, add --elsewhere"))
}

/// Whether a path leads to something below a directory, without a way out of there.
fn is_below(path: &Path, directory: &Path) -> bool {
    let path = absolute(path).unwrap_or_default();
    let below = path.strip_prefix(directory);
    below.is_ok_and(|below| {
        let mut parts = below.components();
        parts.all(|part| matches!(part, Component::Normal(_)))
    })
}
