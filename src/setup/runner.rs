//! Who runs bowline: what `init` has left that tells it, and whether all of it says the same.
//!
//! The state directory belongs to that user, the group of the keys is theirs, and files for
//! systemd, for cron and for private web servers name them. A directory that changed hands
//! (`chown -R`, a copy made by root) must not speak for itself alone.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::access::Reader;
use super::place::Place;
use super::systemd;
use super::users::{Owner, group_name, user_name};
use crate::config::Config;

/// The group may read it.
const GROUP_READS: u32 = 0o040;

/// The user that runs bowline, as far as it can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Runner {
    /// The owner of the state directory, and nothing says otherwise.
    Known(Owner),
    /// The state directory is root's, and all the rest says somebody else.
    Lost {
        /// Who.
        owner: Owner,
        /// What says so.
        because: String,
    },
    /// They contradict each other.
    Unclear {
        /// The owner of the state directory.
        owner: Owner,
        /// Who else it may be.
        or: Owner,
        /// What says so.
        because: String,
    },
}

impl Runner {
    /// Looks at what is there; nothing without a state directory.
    pub fn of(config: &Config, place: &Place) -> Option<Self> {
        let directory = config.state_directory();
        let state = fs::metadata(directory).ok()?;
        let owner = Owner {
            user: user_name(state.uid()),
            group: group_name(state.gid()),
            uid: state.uid(),
            gid: state.gid(),
        };
        // Whoever is not root has nobody else to be; a link is told, and nothing is done there.
        if !rustix::process::geteuid().is_root() || directory.is_symlink() || !state.is_dir() {
            return Some(Runner::Known(owner));
        }
        let keys = by_keys(config);
        let mut said = named(place);
        if let Some(Said { sure: true, .. }) = &keys {
            said.extend(keys.clone());
        }
        let others: Vec<&Said> = said
            .iter()
            .filter(|said| said.owner.uid != owner.uid)
            .collect();
        let users: BTreeSet<u32> = said.iter().map(|said| said.owner.uid).collect();
        Some(match (others.first(), keys) {
            // One key alone may have been given away by mistake; it may be right, too.
            (None, Some(keys)) if owner.uid == 0 && keys.owner.uid != 0 => Runner::Unclear {
                owner,
                or: keys.owner,
                because: keys.by,
            },
            (None, _) => Runner::Known(owner),
            (Some(other), _) if owner.uid == 0 && users.len() == 1 => Runner::Lost {
                owner: other.owner.clone(),
                because: other.by.clone(),
            },
            (Some(other), _) => Runner::Unclear {
                owner,
                or: other.owner.clone(),
                because: other.by.clone(),
            },
        })
    }

    /// Who it is; where that is not clear, who owns the state directory.
    pub fn owner(&self) -> &Owner {
        match self {
            Runner::Known(owner) | Runner::Lost { owner, .. } | Runner::Unclear { owner, .. } => {
                owner
            }
        }
    }

    /// Who has to read configuration and keys, where that is clear.
    pub fn reader(&self) -> Option<Reader> {
        match self {
            Runner::Known(Owner { uid, gid, .. })
            | Runner::Lost {
                owner: Owner { uid, gid, .. },
                ..
            } => Some(Reader {
                uid: *uid,
                gid: *gid,
            }),
            Runner::Unclear { .. } => None,
        }
    }
}

/// Somebody, and what names them.
#[derive(Debug, Clone)]
struct Said {
    owner: Owner,
    by: String,
    /// Whether more than one thing says so.
    sure: bool,
}

/// Whose group the keys have: that of the lookup key, which nobody but bowline reads.
fn by_keys(config: &Config) -> Option<Said> {
    let group = |file: &Path| {
        let is = fs::metadata(file).ok()?;
        (is.mode() & GROUP_READS != 0 && is.gid() != 0).then_some(is.gid())
    };
    let gid = group(&config.state.lookup_key)?;
    let mut beside = config.update_keys();
    beside.push(&config.file);
    Some(Said {
        owner: Owner::with_group(gid)?,
        by: format!("the keys are for group {}", group_name(gid)),
        sure: beside.into_iter().any(|file| group(file) == Some(gid)),
    })
}

/// The users that our files for others name.
fn named(place: &Place) -> Vec<Said> {
    let mut found = Vec::new();
    let mut look = |file: &Path, user: fn(&str) -> Option<&str>| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let user = text.lines().find_map(user).and_then(Owner::user);
        if let Some(owner) = user.filter(|owner| owner.uid != 0) {
            let by = format!("{} has user {}", file.display(), owner.user);
            let sure = true;
            found.push(Said { owner, by, sure });
        }
    };
    if let Some(unit) = systemd::upkeep(place) {
        look(&unit, |line| line.strip_prefix("User="));
    }
    if let Some(cron) = place.cron() {
        // Five fields say when.
        look(&cron, |line| {
            line.strip_prefix('*')?.split_whitespace().nth(4)
        });
    }
    if place.private {
        look(&place.apache_conf(), |line| line.strip_prefix("User "));
        look(&place.nginx_conf(), |line| {
            line.strip_prefix("user ")?
                .trim_end_matches(';')
                .split_whitespace()
                .next()
        });
    }
    found
}
