//! How a verb fails: what went wrong, and what to do about it.

use std::fmt;
use std::fs::{File, metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{Handed, for_here};
use crate::hint::Hint;
use crate::one_line::OneLine;
use crate::setup::access::Reader;
use crate::setup::users::{group_name, user_name};

/// The group may read it.
const GROUP_READS: u32 = 0o040;

/// A cause in lower case without a full stop, and a hint where one is useful.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    cause: String,
    hint: Option<String>,
    closed_pipe: bool,
}

impl Failure {
    /// A failure that says `cause`.
    pub fn new(cause: impl fmt::Display) -> Self {
        Failure {
            cause: cause.to_string(),
            hint: None,
            closed_pipe: false,
        }
    }

    /// The same with what to do about it.
    pub fn hint(self, hint: impl fmt::Display) -> Self {
        Failure {
            hint: Some(hint.to_string()),
            ..self
        }
    }

    /// The same with what to do about it, where something can be said.
    pub(super) fn maybe_hint(self, hint: Option<impl fmt::Display>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    /// The same, with the place in a list where it is.
    pub(super) fn at(self, place: impl fmt::Display) -> Self {
        Failure {
            cause: format!("{place}: {}", self.cause),
            ..self
        }
    }

    /// The same, worth saying even when only the reader of our output went away.
    pub(super) fn final_word(self) -> Self {
        Failure {
            closed_pipe: false,
            ..self
        }
    }

    /// Says it on standard error as a note about what did not come through.
    pub(super) fn note(&self, about: impl fmt::Display) {
        super::note(OneLine(format_args!("{about}: {}", self.cause)));
        if let Some(hint) = &self.hint {
            super::hint(OneLine(hint));
        }
    }

    /// What it says, and what to do about it, as standard error has them.
    pub(super) fn told(&self) -> (String, Option<String>) {
        (for_here(&self.cause), self.hint.as_ref().map(for_here))
    }

    /// Whether only the reader of our output went away, as `head` does.
    pub(super) fn is_closed_pipe(&self) -> bool {
        self.closed_pipe
    }
}

/// The two lines for standard error: `bowline: cause` and `hint: what to do`. What they say may
/// come from the registry, and never makes a third.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "bowline: {}", OneLine(for_here(&self.cause)))?;
        match &self.hint {
            Some(hint) => writeln!(f, "hint: {}", OneLine(for_here(hint))),
            None => Ok(()),
        }
    }
}

/// The hint comes along.
impl<E: Hint> From<E> for Failure {
    fn from(error: E) -> Self {
        let closed = error.file().and_then(closed);
        let hint = closed.or_else(|| error.hint());
        Failure::new(error).maybe_hint(hint)
    }
}

// Those of others know nothing to do.
impl Hint for rustix::io::Errno {}
impl Hint for serde_json::Error {}
impl Hint for toml::de::Error {}

/// The reader of our output may have gone away.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure {
            closed_pipe: error.kind() == io::ErrorKind::BrokenPipe,
            ..Failure::new(error)
        }
    }
}

/// What to do about a file that we may not read; nothing where we may, or it is not there.
fn closed(file: &Path) -> Option<String> {
    let error = File::open(file).err()?;
    if error.kind() != io::ErrorKind::PermissionDenied {
        return None;
    }
    // Root has gone on as who runs bowline: to be root once more does not help.
    if Handed::is_awaited() {
        let me = Reader::me();
        let closed = me.stopped_at(file);
        return Some(format!(
            "bowline runs as {} here, who may not read it: {}, or `bowline doctor --fix`",
            user_name(me.uid),
            me.way(closed.as_deref().unwrap_or(file))
        ));
    }
    // In a directory that is closed too, nobody can say whose it is.
    let who = metadata(file).ok().map(|found| {
        let user = user_name(found.uid());
        match found.mode() & GROUP_READS {
            0 => format!("user {user}"),
            _ => format!("user {user} and group {}", group_name(found.gid())),
        }
    });
    Some(match who {
        Some(who) => format!("only {who} may read it; run this as root, with sudo"),
        None => "run this as root, with sudo".to_owned(),
    })
}
