//! The command line, run as an operator runs it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr
)]

#[path = "command/place.rs"]
mod place;

#[path = "command/devices.rs"]
mod devices;
#[path = "command/hosts.rs"]
mod hosts;
#[path = "command/refusals.rs"]
mod refusals;

#[path = "command/imports.rs"]
mod imports;
#[path = "command/lans.rs"]
mod lans;
#[path = "command/owners.rs"]
mod owners;

#[path = "command/backups.rs"]
mod backups;

#[path = "command/root.rs"]
mod root;

#[path = "command/published.rs"]
mod published;
#[path = "command/remarks.rs"]
mod remarks;
#[path = "command/texts.rs"]
mod texts;

#[path = "support/knot.rs"]
mod knot;

#[path = "command/zones.rs"]
mod zones;
