//! Update clients through Apache, and Knot answers: real ones where they are installed, and
//! requests in the forms of those that are built into devices.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    dead_code
)]

mod support;

#[path = "clients/devices.rs"]
mod devices;
#[path = "clients/others.rs"]
mod others;
#[path = "clients/pasted.rs"]
mod pasted;
#[path = "clients/programs.rs"]
mod programs;
#[path = "clients/reactions.rs"]
mod reactions;
#[path = "clients/refusals.rs"]
mod refusals;
#[path = "clients/schedules.rs"]
mod schedules;
#[path = "clients/secure.rs"]
mod secure;
#[path = "support/apache.rs"]
mod site;
#[path = "clients/urls.rs"]
mod urls;
