//! Dynamic DNS on your own Knot server.

pub mod command;
pub mod deadline;
pub mod dns;
pub mod ip;
pub mod name;
pub mod span;
pub mod ttl;
