//! `scripts/bowline-client` in every shell and with every program it can use, against the real
//! bowline behind Apache, and against servers that misbehave. Knot is the witness.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    dead_code
)]

mod support;

#[path = "client_script/client.rs"]
mod client;
#[path = "client_script/installed.rs"]
mod installed;
#[path = "client_script/offered.rs"]
mod offered;
#[path = "client_script/relay.rs"]
mod relay;
#[path = "support/apache.rs"]
mod site;
#[path = "client_script/trouble.rs"]
mod trouble;
#[path = "client_script/visits.rs"]
mod visits;
