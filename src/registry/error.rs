//! What can be wrong with the registry, or with what was asked of it.

use std::fmt;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::NotBehind;
use crate::hint::Hint;
use crate::name::{HostName, NameError};
use crate::owner_name::OwnerName;
use crate::time::Timestamp;

/// Why the registry did not do it; nothing was changed.
#[derive(Debug)]
pub enum RegistryError {
    /// There is no such file.
    Missing(PathBuf),
    /// Its directory is closed to us.
    Closed(PathBuf, std::io::Error),
    /// There is one already.
    Exists(PathBuf),
    /// The file cannot be made.
    Unwritable(PathBuf, std::io::Error),
    /// The file is no registry.
    Foreign(PathBuf),
    /// The registry was made with another lookup key.
    OtherKey(PathBuf),
    /// A later version of bowline has written it.
    Newer {
        /// The registry.
        file: PathBuf,
        /// Its schema version.
        version: i64,
    },
    /// SQLite says no.
    Sqlite(rusqlite::Error),
    /// A row holds what bowline never writes.
    Damaged(String),
    /// Likewise, and this host's.
    DamagedHost {
        /// The host, as the row names it.
        name: String,
        /// What it holds.
        what: String,
    },
    /// No host has that name.
    NoHost(String),
    /// A host has that name already.
    Taken(HostName),
    /// Another host had that name and keeps it for a while.
    Former {
        /// The name.
        name: HostName,
        /// Until when it means the renamed host.
        until: Timestamp,
    },
    /// Another host may still have records there.
    Held {
        /// The name.
        name: HostName,
        /// The other host, which was renamed or is being removed.
        holder: String,
    },
    /// The name was removed a short time ago.
    Removed {
        /// The name.
        name: HostName,
        /// When it can be given out again.
        free: Timestamp,
    },
    /// A host of another owner is above it.
    Below {
        /// The name.
        name: HostName,
        /// The other host's, perhaps a former one.
        upper: HostName,
        /// What the other host is called today, where that is its former name.
        today: Option<Box<HostName>>,
    },
    /// A host of another owner is below it.
    Above {
        /// The name.
        name: HostName,
        /// The other host's, perhaps a former one.
        lower: HostName,
        /// What the other host is called today, where that is its former name.
        today: Option<Box<HostName>>,
        /// Whose that is.
        owner: Option<OwnerName>,
    },
    /// A host cannot be behind another one.
    NotBehind {
        /// The host.
        name: HostName,
        /// The other one.
        site: HostName,
        /// Why.
        why: NotBehind,
    },
    /// There is no owner of that name.
    NoOwner(OwnerName),
    /// The owner is switched off.
    OwnerOff(OwnerName),
    /// The host was off with its owner, who is on here.
    WouldWake {
        /// The host.
        name: HostName,
        /// The owner.
        owner: OwnerName,
    },
    /// There is one already.
    OwnerTaken(OwnerName),
    /// The owner has so many hosts.
    HasHosts(OwnerName, u32),
    /// The token belongs to a host already.
    TokenTaken,
    /// The host has no token: its addresses are set by the operator.
    Static(HostName),
    /// The host is being removed.
    Removing(HostName),
}

impl Hint for RegistryError {
    fn file(&self) -> Option<&Path> {
        match self {
            RegistryError::Closed(file, _) => Some(file),
            _ => None,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            RegistryError::Missing(_) => {
                "run `bowline init`, or check [state] registry in bowline.toml".to_owned()
            }
            RegistryError::Closed(file, _) => {
                let directory = file.parent().unwrap_or(file);
                format!(
                    "the user bowline runs as must own {} (mode 0750) and all in it: `bowline doctor --fix` as root",
                    directory.display()
                )
            }
            RegistryError::Foreign(_) => {
                "restore a backup with `bowline restore`, or check [state] registry in bowline.toml"
                    .to_owned()
            }
            RegistryError::OtherKey(_) => {
                "put the lookup.key back that belongs to this registry, or restore a backup of both"
                    .to_owned()
            }
            RegistryError::Held { .. } => {
                "they go with the next `bowline upkeep` that reaches the name server, or ten minutes \
                 after an update that it did not answer"
                    .to_owned()
            }
            RegistryError::Below { upper, .. } => format!(
                "whoever has {upper} can obtain certificates for it; --below does it all the same"
            ),
            RegistryError::Above { name, lower, .. } => format!(
                "whoever has {name} can obtain certificates for {lower}; --below does it all the same"
            ),
            RegistryError::NotBehind { name, why, .. } => match why {
                NotBehind::Itself | NotBehind::Crowded => return None,
                NotBehind::Chain => {
                    "name the host that tells the prefix, which is behind no other".to_owned()
                }
                NotBehind::OtherOwner | NotBehind::Static | NotBehind::Ipv4Only => format!(
                    "change that first, or do without --behind: `bowline host set {name} --behind -`"
                ),
            },
            RegistryError::OwnerOff(name) => format!("run `bowline owner enable {name}` first"),
            RegistryError::NoOwner(name) => format!("add it with `bowline owner add {name}`"),
            RegistryError::HasHosts(..) => {
                "remove them too with --with-hosts, or give them away with `bowline host set --owner`"
                    .to_owned()
            }
            RegistryError::DamagedHost { name, .. } => format!(
                "put a backup back, or do without it: `bowline host remove {name}`"
            ),
            RegistryError::Newer { .. } => "use the newer bowline that wrote it".to_owned(),
            RegistryError::Removed { .. } => {
                "--again gives it out all the same".to_owned()
            }
            RegistryError::Sqlite(error) => match error.sqlite_error_code()? {
                ErrorCode::SystemIoFailure => {
                    "look at the disk of the registry: it may be full, or failing".to_owned()
                }
                ErrorCode::DatabaseBusy => {
                    "another process has been writing for long: try again".to_owned()
                }
                ErrorCode::DiskFull => "free some room on the disk of the registry".to_owned(),
                ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied => {
                    "the registry and its directory must be writable for the user bowline runs as"
                        .to_owned()
                }
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
                    "restore the newest backup with `bowline restore`".to_owned()
                }
                _ => return None,
            },
            _ => return None,
        })
    }
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RegistryError::Missing(file) => write!(f, "there is no registry {}", file.display()),
            RegistryError::Exists(file) => {
                write!(f, "there is a registry {} already", file.display())
            }
            RegistryError::Closed(file, error) | RegistryError::Unwritable(file, error) => {
                write!(f, "registry {}: {error}", file.display())
            }
            RegistryError::Foreign(file) => write!(f, "{} is no registry", file.display()),
            RegistryError::OtherKey(file) => write!(
                f,
                "the registry {} was made with another lookup key",
                file.display()
            ),
            RegistryError::Newer { file, version } => write!(
                f,
                "the registry {} has version {version}, later than this bowline's {}",
                file.display(),
                super::VERSION
            ),
            RegistryError::Sqlite(error) => write!(f, "registry: {error}"),
            RegistryError::Damaged(what) => write!(f, "the registry is damaged: {what}"),
            RegistryError::DamagedHost { name, what } => {
                write!(f, "the registry is damaged where it has {name}: {what}")
            }
            RegistryError::NoHost(name) => write!(f, "there is no host {name:?}"),
            RegistryError::Taken(name) => write!(f, "there is a host {name} already"),
            RegistryError::Former { name, until } => {
                write!(f, "{name} is the former name of a host until {until}")
            }
            RegistryError::Held { name, holder } => {
                write!(f, "{name} may still have records of {holder}")
            }
            RegistryError::Removed { name, free } => {
                write!(f, "{name} was removed; its name is free again at {free}")
            }
            RegistryError::Below { name, upper, today } => {
                write!(f, "{name} is below {upper}, ")?;
                former(f, today.as_deref())?;
                f.write_str("which is another owner's")
            }
            RegistryError::Above {
                name,
                lower,
                today,
                owner,
            } => {
                write!(f, "{name} is above {lower}, ")?;
                former(f, today.as_deref())?;
                match owner {
                    Some(owner) => write!(f, "which is {owner}'s"),
                    None => f.write_str("which has no owner"),
                }
            }
            RegistryError::NotBehind { name, site, why } => {
                write!(f, "{name} cannot be behind {site}: {why}")
            }
            RegistryError::OwnerOff(name) => write!(f, "the owner {name} is switched off"),
            RegistryError::WouldWake { name, owner } => write!(
                f,
                "{name} was switched off with its owner {owner}, who is switched on here"
            ),
            RegistryError::NoOwner(name) => write!(f, "there is no owner {name}"),
            RegistryError::OwnerTaken(name) => write!(f, "there is an owner {name} already"),
            RegistryError::HasHosts(name, 1) => write!(f, "{name} has a host"),
            RegistryError::HasHosts(name, hosts) => write!(f, "{name} has {hosts} hosts"),
            RegistryError::TokenTaken => f.write_str("that token is in use already"),
            RegistryError::Static(name) => write!(f, "{name} is static and has no token"),
            RegistryError::Removing(name) => write!(f, "{name} is being removed"),
        }
    }
}

/// Whose former name that was, where it is one.
fn former(f: &mut fmt::Formatter<'_>, today: Option<&HostName>) -> fmt::Result {
    match today {
        Some(today) => write!(f, "the former name of {today}, "),
        None => Ok(()),
    }
}

impl std::error::Error for RegistryError {}

impl From<rusqlite::Error> for RegistryError {
    fn from(error: rusqlite::Error) -> Self {
        RegistryError::Sqlite(error)
    }
}

impl RegistryError {
    /// What a host's row holds that bowline never writes there, where that is what is wrong.
    pub(super) fn damage(&self) -> Option<String> {
        match self {
            RegistryError::Damaged(what) => Some(what.clone()),
            RegistryError::Sqlite(
                error @ (rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::Utf8Error(..)),
            ) => Some(error.to_string()),
            _ => None,
        }
    }
}

impl From<NameError> for RegistryError {
    fn from(error: NameError) -> Self {
        RegistryError::Damaged(error.to_string())
    }
}
