//! How a verb fails: what went wrong, and what to do about it.

use std::fmt;

/// A cause in lower case without a full stop, and a hint where one is useful.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    cause: String,
    hint: Option<String>,
}

impl Failure {
    /// A failure that says `cause`.
    pub fn new(cause: impl fmt::Display) -> Self {
        Failure {
            cause: cause.to_string(),
            hint: None,
        }
    }

    /// The same with what to do about it.
    pub fn hint(self, hint: impl fmt::Display) -> Self {
        Failure {
            hint: Some(hint.to_string()),
            ..self
        }
    }
}

/// The two lines for standard error: `bowline: cause` and `hint: what to do`.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "bowline: {}", self.cause)?;
        match &self.hint {
            Some(hint) => writeln!(f, "hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure::new(error)
    }
}
