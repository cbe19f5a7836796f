//! `bowline doctor` against real servers: a healthy set-up has no problem, and one that is
//! broken in one way has exactly that.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr
)]

#[path = "doctor/broken.rs"]
mod broken;
#[path = "doctor/certificate.rs"]
mod certificate;
#[path = "doctor/challenges.rs"]
mod challenges;
#[path = "doctor/durability.rs"]
mod durability;
#[path = "doctor/elsewhere.rs"]
mod elsewhere;
#[path = "doctor/fix.rs"]
mod fix;
#[path = "doctor/healthy.rs"]
mod healthy;
#[path = "doctor/hints.rs"]
mod hints;
#[path = "doctor/installed.rs"]
mod installed;
#[path = "servers/instance.rs"]
#[allow(dead_code)]
mod instance;
#[path = "doctor/parent.rs"]
mod parent;
#[path = "doctor/patient.rs"]
mod patient;
#[path = "doctor/peers.rs"]
mod peers;
#[path = "doctor/rules.rs"]
mod rules;
#[path = "support/apache.rs"]
#[allow(dead_code)]
mod site;
mod support;
#[path = "doctor/user.rs"]
mod user;
