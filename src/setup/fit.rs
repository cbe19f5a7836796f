//! Mode and owner of what is there already, compared with what they should be.

use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use super::files::{Content, File, State};
use super::users::{Owner, group_name, user_name};

/// Looks at what is there: a state that says what differs, and the file as it will be.
///
/// Put right is only what root can write anew: a text that is as it should be, and a
/// directory that is there for a server, which may have been installed later. Another one
/// may be shared with others, the registry lies where somebody else could lay a link, and
/// what somebody changed stays as it is.
pub(super) fn look(mut file: File, state: State, settable: bool) -> (File, State) {
    let Ok(is) = fs::metadata(&file.path) else {
        return (file, state);
    };
    let mut differs = differences(&file, &is, settable);
    if differs.is_empty() || state.writes() {
        return (file, state);
    }
    let ours = match file.content {
        Content::Text(_) | Content::Secret(_) => true,
        // Root's still, and wanted for the group of those who read it.
        Content::Directory => is.uid() == 0 && file.owner.uid == 0 && file.owner.gid != 0,
        Content::Registry => false,
    };
    let right = settable && ours && state == State::Unchanged && !file.path.is_symlink();
    if right {
        return (file, State::Reset(differs));
    }
    file.mode = is.permissions().mode() & 0o7777;
    file.owner = owner(&is);
    match state {
        State::Kept(lines) => {
            differs.extend(lines);
            (file, State::Kept(differs))
        }
        _ => (file, State::Unfit(differs)),
    }
}

/// What differs; owners only where they can be set.
fn differences(file: &File, is: &Metadata, settable: bool) -> Vec<String> {
    let mut differs = Vec::new();
    let mode = is.permissions().mode() & 0o7777;
    if mode != file.mode {
        differs.push(format!("mode {mode:04o} instead of {:04o}", file.mode));
    }
    if settable && (is.uid(), is.gid()) != (file.owner.uid, file.owner.gid) {
        let (is, wanted) = (owner(is), &file.owner);
        differs.push(format!(
            "owner {}:{} instead of {}:{}",
            is.user, is.group, wanted.user, wanted.group
        ));
    }
    differs
}

/// Whose it is.
pub(super) fn owner(is: &Metadata) -> Owner {
    Owner {
        user: user_name(is.uid()),
        group: group_name(is.gid()),
        uid: is.uid(),
        gid: is.gid(),
    }
}
