//! The wire against a real Knot, and against peers that lie.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

#[path = "dns/apex.rs"]
mod apex;
#[path = "dns/common.rs"]
mod common;
#[path = "dns/keys.rs"]
mod keys;
#[path = "dns/lookups.rs"]
mod lookups;
#[path = "dns/peer.rs"]
mod peer;
#[path = "dns/peers.rs"]
mod peers;
#[path = "dns/refusals.rs"]
mod refusals;
#[path = "dns/silence.rs"]
mod silence;
#[path = "dns/updates.rs"]
mod updates;
