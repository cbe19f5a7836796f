//! Word of what happened, against a real mail server, a real receiver of webhooks and a real
//! command: what is told, when it cannot be, and what a crash leaves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

#[path = "notify/command.rs"]
mod command;
#[path = "notify/events.rs"]
mod events;
#[path = "notify/kill.rs"]
mod kill;
#[path = "notify/mail.rs"]
mod mail;
#[path = "notify/support.rs"]
mod receiver;
#[path = "notify/templates.rs"]
mod templates;
#[path = "notify/webhook.rs"]
mod webhook;
