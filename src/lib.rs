//! Dynamic DNS on your own Knot server.

pub mod application;
pub mod base_url;
pub mod command;
pub mod config;
pub mod deadline;
pub mod dns;
pub mod gateway;
pub mod health;
pub mod http;
pub mod ip;
pub mod lock;
pub mod log;
pub mod name;
pub mod pages;
pub mod patience;
pub mod port;
pub mod publish;
pub mod registry;
pub mod setup;
pub mod span;
pub mod time;
pub mod token;
pub mod ttl;
pub mod update;
