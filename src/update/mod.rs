//! One update: from a claim to an answer.
//!
//! A [`Dialect`] says where a request has its values, [`Asked`] reads the addresses,
//! [`decide()`] is pure and says what is to become of the host, [`Visit`] does it, and
//! [`Answer`] puts the outcome into words.

mod answer;
mod asked;
mod decide;
mod dialect;
mod visit;

pub use answer::{Answer, Word};
pub use asked::{Asked, AskedError};
pub use decide::{Decision, Undecidable, decide};
pub use dialect::{Claim, Dialect, SECRET_PATH};
pub use visit::Visit;
