//! How a verb fails: what went wrong, and what to do about it.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::io::{self, Write as _};

use crate::publish::PublishError;
use crate::registry::RegistryError;

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
        super::note(format!("{about}: {}", self.cause));
        if let Some(hint) = &self.hint {
            let _ = writeln!(io::stderr(), "hint: {hint}");
        }
    }

    /// Whether only the reader of our output went away, as `head` does.
    pub(super) fn is_closed_pipe(&self) -> bool {
        self.closed_pipe
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

/// Errors that know what to do about them give their hint along.
impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        let any: &dyn Any = &error;
        let hint = if let Some(error) = any.downcast_ref::<RegistryError>() {
            error.hint()
        } else {
            any.downcast_ref::<PublishError>()
                .and_then(PublishError::hint)
        };
        let closed_pipe = any
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
        Failure {
            hint,
            closed_pipe,
            ..Failure::new(error)
        }
    }
}
