//! What is in the state directory: locks, counters, and what SQLite keeps beside the registry.

use std::fs::{self, DirBuilder, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use super::mode::Allowed;
use super::report::Report;
use crate::setup::users::user_name;

/// What bowline needs of files here.
const OWN: u32 = 0o600;
/// Others change nothing here.
const WRITABLE: u32 = 0o022;

/// Owner or mode of something that is there: told, or put right.
pub(super) fn amend(
    path: &Path,
    allowed: &Allowed,
    wrong: &str,
    name: &'static str,
    fix: bool,
    report: &mut Report,
) {
    if !fix {
        let says = format!("{} {wrong}", path.display());
        return report.problem(name, says, "`bowline doctor --fix` puts it right");
    }
    match allowed.close(path) {
        Ok(changed) => report.fixed(name, changed),
        Err(error) => report.problem(
            name,
            format_args!("{} {wrong}; it was not changed: {error}", path.display()),
            "put owner and mode right by hand",
        ),
    }
}

/// A file in our directory that somebody else made, such as root with `sqlite3`.
pub(super) fn foreign(path: &Path, uid: u32, name: &str, report: &mut Report) {
    let me = user_name(rustix::process::geteuid().as_raw());
    let path = path.display();
    report.problem(
        name,
        format_args!(
            "{path} belongs to {}, and {me} runs bowline",
            user_name(uid)
        ),
        format_args!("`chown --no-dereference {me}: {path}`"),
    );
}

/// Whose file it is, where that is not who runs bowline.
fn foreigner(path: &Path) -> Option<u32> {
    let me = rustix::process::geteuid();
    let uid = fs::symlink_metadata(path).ok()?.uid();
    (uid != me.as_raw() && !me.is_root()).then_some(uid)
}

/// What SQLite keeps beside the registry.
pub(super) fn beside(registry: &Path, fix: bool, report: &mut Report) {
    let files = ["-wal", "-shm"].map(|end| PathBuf::from(format!("{}{end}", registry.display())));
    each(&files, "registry-owner", fix, report);
}

/// Files that are to be ours alone; whether they are.
fn each(files: &[PathBuf], name: &'static str, fix: bool, report: &mut Report) -> bool {
    let (mut sound, mut told) = (true, false);
    for file in files {
        let allowed = in_directory_of(file, OWN);
        let Ok(is) = fs::symlink_metadata(file) else {
            continue;
        };
        if let Some(uid) = foreigner(file) {
            // One tells what is the matter with all; what is ours is put right beside them.
            if !told {
                foreign(file, uid, name, report);
            }
            (sound, told) = (false, true);
            if !fix {
                return false;
            }
            continue;
        }
        // The directory keeps strangers out; nothing is to be read in the others.
        let usable = is.mode() & (WRITABLE | OWN) == OWN;
        if name != "registry-owner" && usable && allowed.is_owned(&is) {
            continue;
        }
        if let Some(wrong) = allowed.wrong(&is) {
            amend(file, &allowed, &wrong, name, fix, report);
            sound = false;
            // Likewise; all are put right.
            if !fix {
                return false;
            }
        }
    }
    sound
}

/// Limits are counted in them; where that cannot be done nobody is ever beyond a limit.
pub(super) fn counters(state: &Path, fix: bool, report: &mut Report) {
    let entries = fs::read_dir(state).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let is_counter = |path: &PathBuf| path.extension().is_some_and(|end| end == "counters");
    let mut files: Vec<PathBuf> = paths.filter(is_counter).collect();
    files.sort();
    let mut sound = true;
    files.retain(|file| {
        let is = fs::symlink_metadata(file).ok();
        let kind = is.as_ref().map(Metadata::file_type);
        if kind.is_some_and(|kind| !kind.is_file()) {
            report.problem(
                "counters",
                format_args!("{} is no file, so its limit is off", file.display()),
                "move it away: bowline makes another one",
            );
        } else if let Some(uid) = foreigner(file) {
            Useless::Counters.examine(file, uid, fix, report);
        } else {
            return true;
        }
        sound = false;
        false
    });
    if each(&files, "counters", fix, report) && sound {
        report.ok("counters", "limits are counted");
    }
}

/// What is of no use when somebody else owns it; to lose it is to begin anew.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Useless {
    Counters,
    Lock,
}

impl Useless {
    /// What it is reported under, what its owner keeps from being done, and what comes of its end.
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Useless::Counters => ("counters", "its limit is off", "counting begins anew"),
            Useless::Lock => ("locks", "nobody can take it", "bowline makes another one"),
        }
    }

    /// Tells of such a file, or removes it.
    fn examine(self, file: &Path, uid: u32, fix: bool, report: &mut Report) {
        let (name, so, again) = self.words();
        let says = format!("{} belongs to {}, so {so}", file.display(), user_name(uid));
        if !fix {
            let hint = format!("`bowline doctor --fix` removes it: {again}");
            return report.problem(name, says, hint);
        }
        // Whoever holds it would share what it guards with whoever takes the new one.
        if self == Useless::Lock && is_held(file) {
            let hint = "end what runs bowline as that user, then `bowline doctor --fix` again";
            return report.problem(name, format_args!("{says}; it is held right now"), hint);
        }
        match fs::remove_file(file) {
            Ok(()) => report.fixed(name, format_args!("removed {}", file.display())),
            Err(error) => report.problem(
                name,
                format_args!("{says}; it was not removed: {error}"),
                format_args!("`rm {}`", file.display()),
            ),
        }
    }
}

/// Whether some process holds a lock on a file that we may not open (proc_locks(5)).
fn is_held(file: &Path) -> bool {
    let Ok(is) = fs::symlink_metadata(file) else {
        return false;
    };
    // Not by its device too: some file systems have another one there. `01:02:34`, inode last.
    let end = format!(":{}", is.ino());
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    locks.split_whitespace().any(|word| word.ends_with(&end))
}

/// The directory of the lock files.
pub(super) fn locks(state: &Path, fix: bool, report: &mut Report) {
    let locks = state.join("locks");
    match fs::symlink_metadata(&locks) {
        Ok(is) if is.is_dir() => within(&locks, &is, fix, report),
        Ok(_) => report.problem(
            "locks",
            format_args!("{} is no directory", locks.display()),
            "move it away, then `bowline doctor --fix`",
        ),
        Err(error) if error.kind() == ErrorKind::NotFound && fix => {
            match DirBuilder::new().mode(0o750).create(&locks) {
                Ok(()) => report.fixed("locks", format_args!("made {}", locks.display())),
                Err(error) => report.problem(
                    "locks",
                    format_args!("{}: {error}", locks.display()),
                    "make it by hand, for the owner of the directory above",
                ),
            }
        }
        Err(error) => report.problem(
            "locks",
            format_args!("{}: {error}", locks.display()),
            "`bowline doctor --fix` makes it",
        ),
    }
}

/// The directory itself, and the files in it.
fn within(locks: &Path, is: &Metadata, fix: bool, report: &mut Report) {
    if let Some(uid) = foreigner(locks) {
        return foreign(locks, uid, "locks", report);
    }
    let allowed = in_directory_of(locks, 0o700);
    let wrong = allowed.wrong(is);
    if let Some(wrong) = &wrong {
        amend(locks, &allowed, wrong, "locks", fix, report);
        if !fix {
            return;
        }
    }
    let files = fs::read_dir(locks).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = files.map(|entry| entry.path()).collect();
    files.sort();
    if let Some(link) = files.iter().find(|file| file.is_symlink()) {
        report.problem(
            "locks",
            format_args!("{} is a link", link.display()),
            "remove it: somebody else laid it there",
        );
        return;
    }
    let mut foreign = false;
    files.retain(|file| match foreigner(file) {
        Some(uid) => {
            // One tells what is the matter with all; all are put right.
            if fix || !foreign {
                Useless::Lock.examine(file, uid, fix, report);
            }
            foreign = true;
            false
        }
        None => true,
    });
    if foreign && !fix {
        return;
    }
    let sound = each(&files, "locks", fix, report) && !foreign;
    if sound && wrong.is_none() {
        report.ok("locks", format_args!("{} is there", locks.display()));
    }
}

/// Whoever owns the directory that something is in may own it, and needs so much of its mode.
fn in_directory_of(path: &Path, needs: u32) -> Allowed {
    let parent = path.parent().and_then(|parent| fs::metadata(parent).ok());
    let mut allowed = Allowed::beside(parent.as_ref());
    allowed.needs = needs;
    allowed
}
