//! What a person sees in a browser.

mod confirm;
mod person;

pub use confirm::confirm;
pub use person::is_person;
