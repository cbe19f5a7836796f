//! `[acme]`: what clients for certificates may do beyond setting challenges.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::{fmt, fs};

use serde::{Deserialize, Deserializer};

use crate::token::{Token, TokenError};
use crate::written;

/// `[acme]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Acme {
    /// Who may register an account of acme-dns, which makes a host of a random name.
    pub register: Register,
}

/// Who may register.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Register {
    /// Nobody.
    #[default]
    Off,
    /// Whoever comes.
    Open,
    /// Who shows the secret in this file.
    Invited(PathBuf),
}

/// The secret in such a file.
///
/// # Errors
/// When it cannot be read, or what is in it is no secret.
pub fn invitation(file: &Path) -> Result<Token, String> {
    let failed = |error: &dyn fmt::Display| format!("{}: {error}", file.display());
    let text = fs::read_to_string(file).map_err(|error| failed(&error))?;
    read_invitation(&text).map_err(|error| failed(&error))
}

/// The secret as such a file has it.
///
/// # Errors
/// When it is none.
pub fn read_invitation(text: &str) -> Result<Token, TokenError> {
    text.trim().parse()
}

impl<'de> Deserialize<'de> for Register {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        written::parsed(from, "\"off\", \"open\" or \"file:PATH\"")
    }
}

impl FromStr for Register {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Register::Off),
            "open" => Ok(Register::Open),
            other => match other.strip_prefix("file:").filter(|path| !path.is_empty()) {
                Some(path) => Ok(Register::Invited(path.into())),
                None => Err(format!("{other:?} is nobody; write off, open or file:PATH")),
            },
        }
    }
}

impl fmt::Display for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Register::Off => f.write_str("off"),
            Register::Open => f.write_str("open"),
            Register::Invited(file) => write!(f, "file:{}", file.display()),
        }
    }
}
