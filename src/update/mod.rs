//! One update: from a claim to an answer.
//!
//! A [`Dialect`] says where a request has its values, [`Claim`] is what it has there and
//! [`Asked`] its addresses, [`decide()`] is pure and says what is to become of the host,
//! [`Visit`] does it, and [`respond()`] puts each [`Answer`] into the dialect's words.

mod answer;
mod asked;
mod behind;
mod challenge;
mod change;
mod decide;
mod dialect;
mod item;
mod named;
mod outcome;
mod respond;
mod visit;

pub use answer::{Answer, Word};
pub use asked::{Asked, AskedError, Lan};
pub use decide::{Decision, Undecidable, decide};
pub use dialect::{
    BUILT_IN, Captured, Claim, Dialect, Hosts, List, Omitted, PathPattern, Place, REGISTER, Style,
    Text, Unclaimed, rows,
};
pub use item::Target;
pub use named::Named;
pub use respond::respond;
pub use visit::Visit;
