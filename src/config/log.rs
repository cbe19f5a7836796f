//! `[log]`: where lines go, which, and with how much of the client's address.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use crate::written;

/// `[log]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// Where lines go.
    pub target: LogTarget,
    /// The least important line that is written.
    pub level: LogLevel,
    /// How much of the client's address is written.
    pub client: LogClient,
}

/// Where log lines go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum LogTarget {
    /// Syslog where `/dev/log` is, else standard error.
    #[default]
    Auto,
    /// The system's log, by `/dev/log`.
    Syslog,
    /// Standard error, each line with its time.
    Stderr,
    /// A file, appended to.
    File(PathBuf),
}

/// How important a line is; each level includes those after it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Unchanged visits too.
    Debug,
    /// Changes.
    #[default]
    Info,
    /// Refusals.
    Notice,
    /// Trouble.
    Warning,
}

/// How much of a client's address is logged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogClient {
    /// All of it.
    #[default]
    Full,
    /// Its /24 or /48.
    Prefix,
    /// Nothing.
    None,
}

impl<'de> Deserialize<'de> for LogTarget {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        written::parsed(from, "\"auto\", \"syslog\", \"stderr\" or \"file:PATH\"")
    }
}

impl FromStr for LogTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(LogTarget::Auto),
            "syslog" => Ok(LogTarget::Syslog),
            "stderr" => Ok(LogTarget::Stderr),
            other => match other.strip_prefix("file:").filter(|path| !path.is_empty()) {
                Some(path) => Ok(LogTarget::File(path.into())),
                None => Err(format!(
                    "{other:?} is no log target; write auto, syslog, stderr or file:PATH"
                )),
            },
        }
    }
}

impl fmt::Display for LogTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogTarget::Auto => f.write_str("auto"),
            LogTarget::Syslog => f.write_str("syslog"),
            LogTarget::Stderr => f.write_str("stderr"),
            LogTarget::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}
