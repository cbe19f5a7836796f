//! One script for every name server: what `init` writes for Knot, BIND and PowerDNS,
//! each as a private instance on loopback.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr
)]

mod support;

#[path = "servers/beside.rs"]
mod beside;
#[path = "servers/challenges.rs"]
mod challenges;
#[path = "servers/files.rs"]
mod files;
#[path = "servers/hidden.rs"]
mod hidden;
#[path = "servers/instance.rs"]
mod instance;
#[path = "servers/moved.rs"]
mod moved;
#[path = "servers/outage.rs"]
mod outage;
#[path = "servers/own_ns.rs"]
mod own_ns;
#[path = "servers/rights.rs"]
mod rights;
#[path = "servers/secondary.rs"]
mod secondary;
#[path = "servers/served.rs"]
mod served;
#[path = "servers/several.rs"]
mod several;
#[path = "servers/slow.rs"]
mod slow;
#[path = "servers/story.rs"]
mod story;
#[path = "servers/trouble.rs"]
mod trouble;
#[path = "servers/wildcards.rs"]
mod wildcards;
#[path = "servers/zones.rs"]
mod zones;
