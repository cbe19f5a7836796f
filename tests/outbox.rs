//! Word of what happened: events of real visits, told to real receivers by real upkeep.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

#[path = "outbox/beyond.rs"]
mod beyond;
#[path = "outbox/clock.rs"]
mod clock;
#[path = "outbox/command.rs"]
mod command;
#[path = "outbox/ddns_service.rs"]
mod ddns_service;
#[path = "outbox/doubt.rs"]
mod doubt;
#[path = "outbox/events.rs"]
mod events;
#[path = "outbox/hostile.rs"]
mod hostile;
#[path = "outbox/kill.rs"]
mod kill;
#[path = "outbox/mail.rs"]
mod mail;
#[path = "outbox/receiver.rs"]
mod receiver;
#[path = "outbox/sendmail.rs"]
mod sendmail;
#[path = "outbox/server.rs"]
mod server;
#[path = "outbox/site.rs"]
mod site;
#[path = "outbox/verbs.rs"]
mod verbs;
#[path = "outbox/webhook.rs"]
mod webhook;
