//! The command line, run as an operator runs it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

#[path = "command/place.rs"]
mod place;

#[path = "command/hosts.rs"]
mod hosts;
