//! The command line, run as an operator runs it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr
)]

mod support;

#[path = "command/place.rs"]
mod place;

#[path = "command/clock.rs"]
mod clock;
#[path = "command/closed.rs"]
mod closed;
#[path = "command/container.rs"]
mod container;
#[path = "command/deeper.rs"]
mod deeper;
#[path = "command/devices.rs"]
mod devices;
#[path = "command/differing.rs"]
mod differing;
#[path = "command/hosts.rs"]
mod hosts;
#[path = "command/meanings.rs"]
mod meanings;
#[path = "command/refusals.rs"]
mod refusals;

#[path = "command/above.rs"]
mod above;
#[path = "command/damaged.rs"]
mod damaged;
#[path = "command/imports.rs"]
mod imports;
#[path = "command/lans.rs"]
mod lans;
#[path = "command/over.rs"]
mod over;
#[path = "command/owners.rs"]
mod owners;

#[path = "command/backups.rs"]
mod backups;
#[path = "command/forged.rs"]
mod forged;

#[path = "command/root.rs"]
mod root;

#[path = "command/published.rs"]
mod published;
#[path = "command/remarks.rs"]
mod remarks;
#[path = "command/rounds.rs"]
mod rounds;
#[path = "command/spreadsheets.rs"]
mod spreadsheets;
#[path = "command/terminal.rs"]
mod terminal;
#[path = "command/texts.rs"]
mod texts;
#[path = "command/ttl.rs"]
mod ttl;
#[path = "command/watch.rs"]
mod watch;
#[path = "command/zones.rs"]
mod zones;
