//! Challenges for certificates: each protocol by its words and statuses, everything that may
//! come between setting and removing one, and real clients that obtain certificates from a
//! real authority. The name server is asked each time, and no challenge may be left behind.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    dead_code
)]

mod support;

#[path = "acme/authority.rs"]
mod authority;
#[path = "acme/beside.rs"]
mod beside;
#[path = "acme/between.rs"]
mod between;
#[path = "acme/clients.rs"]
mod clients;
#[path = "acme/limits.rs"]
mod limits;
#[path = "acme/many.rs"]
mod many;
#[path = "acme/owners.rs"]
mod owners;
#[path = "acme/place.rs"]
mod place;
#[path = "acme/register.rs"]
mod register;
#[path = "support/apache.rs"]
mod site;
#[path = "acme/words.rs"]
mod words;
