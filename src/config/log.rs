//! `[log]`: where lines go, which, and with how much of the client's address.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;

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
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
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

impl TryFrom<String> for LogTarget {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
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
