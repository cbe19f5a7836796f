//! Errors that end a verb, with what to do about them.

use std::error::Error;
use std::path::Path;

/// An error of a room that the command line can tell.
///
/// A verb fails with such errors only, and takes cause and hint from them at the same time:
/// so no hint gets lost on the way.
pub trait Hint: Error {
    /// What to do about it, where something can be said.
    fn hint(&self) -> Option<String> {
        None
    }

    /// The file that could not be read, where it is about one: who may read it is the better
    /// hint then, where it is closed to us.
    fn file(&self) -> Option<&Path> {
        None
    }
}
