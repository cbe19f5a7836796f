//! Set-up against the real servers: what `init` and `zone` write is what Knot and
//! Apache read.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr
)]

mod support;

#[path = "setup/again.rs"]
mod again;
#[path = "setup/apache.rs"]
mod apache;
#[path = "setup/beside.rs"]
mod beside;
#[path = "setup/files.rs"]
mod files;
#[path = "setup/kept.rs"]
mod kept;
#[path = "setup/knot.rs"]
mod knot;
#[path = "setup/listeners.rs"]
mod listeners;
#[path = "setup/secondaries.rs"]
mod secondaries;
#[path = "setup/sites.rs"]
mod sites;
#[path = "setup/state.rs"]
mod state;
#[path = "setup/trial.rs"]
mod trial;
#[path = "setup/unasked.rs"]
mod unasked;
#[path = "setup/web.rs"]
mod web;
#[path = "setup/zone.rs"]
mod zone;
