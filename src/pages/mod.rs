//! What a person sees in a browser, or fetches to set up a machine.

mod confirm;
mod foreign;
mod look;
mod script;

pub use confirm::{Button, confirm};
pub use look::Look;
pub use script::script;
