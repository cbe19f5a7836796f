//! Visits over CGI against a real Knot: the plain story, every refusal, and the
//! interleavings that could lose an address or bring an old one back.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

#[path = "visits/adopted.rs"]
mod adopted;
#[path = "visits/again.rs"]
mod again;
#[path = "visits/apart.rs"]
mod apart;
#[path = "visits/behind.rs"]
mod behind;
#[path = "visits/between.rs"]
mod between;
#[path = "visits/bodies.rs"]
mod bodies;
#[path = "visits/browser.rs"]
mod browser;
#[path = "visits/cgi.rs"]
mod cgi;
#[path = "visits/clock.rs"]
mod clock;
#[path = "visits/compare.rs"]
mod compare;
#[path = "visits/doubts.rs"]
mod doubts;
#[path = "visits/drift.rs"]
mod drift;
#[path = "visits/endpoint.rs"]
mod endpoint;
#[path = "visits/expiry.rs"]
mod expiry;
#[path = "visits/forged.rs"]
mod forged;
#[path = "visits/full.rs"]
mod full;
#[path = "visits/gone.rs"]
mod gone;
#[path = "visits/held.rs"]
mod held;
#[path = "visits/hurried.rs"]
mod hurried;
#[path = "visits/in_part.rs"]
mod in_part;
#[path = "visits/kill.rs"]
mod kill;
#[path = "visits/lan.rs"]
mod lan;
#[path = "visits/late.rs"]
mod late;
#[path = "visits/limits.rs"]
mod limits;
#[path = "visits/looking.rs"]
mod looking;
#[path = "visits/names.rs"]
mod names;
#[path = "visits/older.rs"]
mod older;
#[path = "visits/owners.rs"]
mod owners;
#[path = "visits/owns.rs"]
mod owns;
#[path = "visits/pages.rs"]
mod pages;
#[path = "visits/policy.rs"]
mod policy;
#[path = "visits/race.rs"]
mod race;
#[path = "visits/refusals.rs"]
mod refusals;
#[path = "visits/relay.rs"]
mod relay;
#[path = "visits/restored.rs"]
mod restored;
#[path = "visits/returned.rs"]
mod returned;
#[path = "visits/rows.rs"]
mod rows;
#[path = "visits/secrets.rs"]
mod secrets;
#[path = "visits/silent.rs"]
mod silent;
#[path = "visits/story.rs"]
mod story;
#[path = "visits/strace.rs"]
mod strace;
#[path = "visits/trouble.rs"]
mod trouble;
#[path = "visits/unseen.rs"]
mod unseen;
#[path = "visits/upkeep.rs"]
mod upkeep;
