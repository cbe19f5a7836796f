//! Verbs and visits in any order: the name server shows what a simple model of them says.
//!
//! A model knows no wishes, facts, locks or upkeep: only what each host should have by now.
//! While the name server is away nothing is looked at; one round of upkeep after it is back,
//! everything must be as if it had never been away. `BOWLINE_STEPS` asks for more steps than the
//! usual ones, `BOWLINE_SEED` for others (0: the clock's choice), and `BOWLINE_SILENCE` for a name
//! server that stands still at times: whoever asks it then waits for seconds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

#[path = "model/challenges.rs"]
mod challenges;
#[path = "model/families.rs"]
mod families;
#[path = "model/hosts.rs"]
mod hosts;
#[path = "model/restored.rs"]
mod restored;
#[path = "model/world.rs"]
mod world;
