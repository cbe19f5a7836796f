//! Why a wish is no fact, and why nothing could be published at all.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::dns::{By, Doubt, KeyError, LookupError, Rcode, Refusal};
use crate::hint::Hint;
use crate::lock::LockError;
use crate::name::{RecordName, ZoneName};
use crate::registry::{AMONG, RegistryError};

/// Why a wish is no fact.
#[derive(Debug, Clone)]
pub enum Trouble {
    /// The name server refused the UPDATE.
    Refused(Refusal),
    /// The name server refused one for several hosts, and which of them it is about is not known.
    Among(Refusal),
    /// No verified answer to the UPDATE.
    Doubt(Doubt),
    /// The name server could not be asked what it has.
    Lookup(LookupError),
    /// Something else answers for the name.
    Hidden {
        /// The name.
        name: RecordName,
        /// What stands in the way.
        by: By,
    },
    /// The name server goes on showing something else.
    Differs(RecordName),
    /// Another visit to the host is still being settled.
    Busy,
    /// The name server is silent, and another visit waits for it.
    Waiting,
}

impl Trouble {
    /// Whether the name server has given its last word.
    pub(super) fn is_refusal(&self) -> bool {
        match self {
            Trouble::Refused(_) | Trouble::Hidden { .. } | Trouble::Differs(_) => true,
            Trouble::Among(_)
            | Trouble::Doubt(_)
            | Trouble::Lookup(_)
            | Trouble::Busy
            | Trouble::Waiting => false,
        }
    }

    /// Whether an UPDATE may have been applied, or may still be.
    pub(super) fn may_be_applied(&self) -> bool {
        match self {
            Trouble::Doubt(doubt) => doubt.may_be_applied(),
            Trouble::Lookup(_) => true,
            _ => false,
        }
    }

    /// Whether the name server refused the key, or the time of its use: whatever it is used for.
    pub fn is_of_key(&self) -> bool {
        match self {
            Trouble::Refused(Refusal::BadTime { .. }) => true,
            Trouble::Refused(Refusal::Rcode { rcode, tsig, .. }) => {
                tsig.is_some() || *rcode == Rcode::NOTAUTH
            }
            _ => false,
        }
    }

    /// Whether other hosts of the zone would fare alike.
    pub fn is_of_zone(&self) -> bool {
        matches!(
            self,
            Trouble::Doubt(_) | Trouble::Lookup(LookupError::NoAnswer(_)) | Trouble::Waiting
        )
    }

    /// Whether it is the name server's, so that its other zones would fare alike: one that
    /// refuses a zone, or does not serve it, serves others all the same.
    pub fn is_server(&self) -> bool {
        match self {
            Trouble::Waiting => true,
            Trouble::Doubt(doubt) | Trouble::Lookup(LookupError::NoAnswer(doubt)) => {
                !matches!(doubt, Doubt::RefusedLater(_) | Doubt::Late)
            }
            _ => false,
        }
    }

    /// What an operator can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Trouble::Refused(refusal) | Trouble::Among(refusal) => {
                refusal.hint().map(str::to_owned)
            }
            Trouble::Doubt(doubt) => doubt.hint().map(str::to_owned),
            Trouble::Lookup(error) => error.hint().map(str::to_owned),
            Trouble::Hidden { name, by } => {
                let remove = format!("remove what stands at or above {name} in the zone");
                Some(match by {
                    By::Delegation => {
                        format!("{remove}; where a zone of yours begins, add it there")
                    }
                    By::Cname | By::Dname => remove,
                })
            }
            Trouble::Differs(_) | Trouble::Busy => None,
            Trouble::Waiting => Doubt::Silent.hint().map(str::to_owned),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Refused(refusal) => refusal.fmt(f),
            Trouble::Among(refusal) => write!(f, "{AMONG}{refusal}"),
            Trouble::Doubt(doubt) => doubt.fmt(f),
            Trouble::Lookup(error) => write!(f, "could not ask for the records: {error}"),
            Trouble::Hidden { name, by } => write!(f, "{name} is hidden by {by}"),
            Trouble::Differs(name) => {
                write!(
                    f,
                    "the name server goes on showing other records for {name}"
                )
            }
            Trouble::Busy => f.write_str("another visit to the host is still being settled"),
            Trouble::Waiting => {
                f.write_str("the name server is silent, and another visit waits for it")
            }
        }
    }
}

/// Why nothing could be published at all.
#[derive(Debug)]
pub enum PublishError {
    /// The host's zone is not in the configuration.
    NoZone(ZoneName),
    /// A key's file cannot be read.
    KeyFile {
        /// The file.
        file: PathBuf,
        /// What the system says.
        why: String,
    },
    /// A key's file holds no usable key.
    Key {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        error: KeyError,
    },
    /// The locks cannot be used.
    Lock(LockError),
    /// The registry cannot be used.
    Registry(RegistryError),
}

impl PublishError {
    /// Whether it is about one zone, so that those of others may fare better.
    pub fn is_of_zone(&self) -> bool {
        matches!(
            self,
            PublishError::NoZone(_) | PublishError::KeyFile { .. } | PublishError::Key { .. }
        )
    }
}

impl Hint for PublishError {
    fn hint(&self) -> Option<String> {
        match self {
            PublishError::NoZone(zone) => Some(format!("run `bowline zone add {zone}`")),
            PublishError::KeyFile { .. } => {
                Some("check key_file in bowline.toml, and who may read the file".to_owned())
            }
            PublishError::Key { .. } => None,
            PublishError::Lock(_) => {
                Some("the state directory must be writable for the user bowline runs as".to_owned())
            }
            PublishError::Registry(error) => error.hint(),
        }
    }

    fn file(&self) -> Option<&Path> {
        match self {
            PublishError::KeyFile { file, .. } => Some(file),
            _ => None,
        }
    }
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PublishError::NoZone(zone) => write!(f, "zone {zone} is not in the configuration"),
            PublishError::KeyFile { file, why } => write!(f, "key {}: {why}", file.display()),
            PublishError::Key { file, error } => write!(f, "key {}: {error}", file.display()),
            PublishError::Lock(error) => error.fmt(f),
            PublishError::Registry(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PublishError {}

impl From<LockError> for PublishError {
    fn from(error: LockError) -> Self {
        PublishError::Lock(error)
    }
}

impl From<RegistryError> for PublishError {
    fn from(error: RegistryError) -> Self {
        PublishError::Registry(error)
    }
}
