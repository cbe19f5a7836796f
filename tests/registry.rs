//! The registry as its callers use it: wishes, facts, tokens and names.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "registry/beyond.rs"]
mod beyond;
#[path = "registry/challenges.rs"]
mod challenges;
#[path = "registry/file.rs"]
mod file;
#[path = "registry/fixture.rs"]
mod fixture;
#[path = "registry/hosts.rs"]
mod hosts;
#[path = "registry/names.rs"]
mod names;
#[path = "registry/owners.rs"]
mod owners;
#[path = "registry/wishes.rs"]
mod wishes;
