//! Dynamic DNS on your own Knot server.

pub mod base_url;
pub mod command;
pub mod config;
pub mod deadline;
pub mod http;
pub mod ip;
pub mod name;
pub mod port;
pub mod setup;
pub mod span;
pub mod time;
pub mod token;
pub mod ttl;
