//! What a person sees in a browser, or fetches to set up a machine.

mod confirm;
mod person;
mod script;

pub use confirm::confirm;
pub use person::is_person;
pub use script::script;
