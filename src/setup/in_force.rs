//! What the servers have read: the files as they were when the step was done that has them read.
//!
//! `in-force.sha256` beside `bowline.toml` holds their digests, in the form of `written.sha256`.
//! A file with another text, or none there, has still to be checked and read by its server,
//! whoever wrote it and whenever: a run that failed or was interrupted, one without `--apply`.
//! Nobody tells us what was typed by hand, so that is shown again; it does no harm twice.

use super::error::SetupError;
use super::files::{File, State, Written, read};
use super::knot::secondaries::for_secondary;
use super::next::Step;
use super::place::Place;
use super::users::Owners;

/// Others may read it.
const PUBLIC: u32 = 0o004;

/// The files as those who make steps of them see them: one that its server may not have read
/// is [`State::Unread`].
///
/// # Errors
/// A file that is there and cannot be read.
pub(super) fn look(
    place: &Place,
    files: &[(File, State)],
) -> Result<Vec<(File, State)>, SetupError> {
    let read = Written::load(&place.in_force())?;
    let look = |(file, state): &(File, State)| {
        let known = read.paths().any(|path| path == file.path);
        let is_read = match text(file, state)? {
            // Nobody has had a chance to read it.
            _ if *state == State::New => true,
            // No server here reads it, and what is done with it there is not to be done twice.
            _ if file.path == for_secondary(place) => true,
            None => true,
            Some(_) if state.writes() => known,
            Some(text) => read.is_ours(&file.path, &text),
        };
        let state = if is_read { state } else { &State::Unread };
        Ok((file.clone(), state.clone()))
    };
    files.iter().map(look).collect()
}

/// Before anything is done, takes the files for unread that are written, or that a server is
/// to read with one of the steps.
///
/// # Errors
/// When that cannot be noted.
pub(super) fn forget(
    place: &Place,
    owners: &Owners,
    files: &[(File, State)],
    steps: &[Step],
) -> Result<(), SetupError> {
    let mut read = Written::load(&place.in_force())?;
    let before = read.paths().count();
    for (file, state) in files {
        if state.replaces() || steps.iter().any(|step| reads(step, file)) {
            read.forget(&file.path);
        }
    }
    match read.paths().count() == before {
        true => Ok(()),
        false => read.save(&owners.root, owners.settable),
    }
}

/// A step is done: its server has read its files as they are now.
///
/// # Errors
/// When that cannot be noted, or a file cannot be read.
pub(super) fn remember(
    place: &Place,
    owners: &Owners,
    files: &[(File, State)],
    step: &Step,
) -> Result<(), SetupError> {
    let mut read = Written::load(&place.in_force())?;
    for (file, state) in files.iter().filter(|(file, _)| reads(step, file)) {
        if let Some(text) = text(file, state)? {
            read.remember(&file.path, &text);
        }
    }
    match step.reads.is_empty() {
        false => read.save(&owners.root, owners.settable),
        true => Ok(()),
    }
}

fn reads(step: &Step, file: &File) -> bool {
    step.reads.iter().any(|path| file.path.starts_with(path))
}

/// What is in a file once it is written. Of one that somebody changed and not everybody may
/// read, nothing: in a digest that everybody may read, a password could be tried.
fn text(file: &File, state: &State) -> Result<Option<String>, SetupError> {
    match state {
        State::Kept(_) if file.mode & PUBLIC == 0 => Ok(None),
        State::Kept(_) => read(&file.path),
        _ => Ok(file.content.text().map(str::to_owned)),
    }
}
