//! Set-up: the files of the servers, the keys, the records of the parent, and
//! the commands that are still to be typed.
//!
//! The shipped files in `apache/`, `nginx/`, `systemd/`, `knot/`, `bind/` and `pdns/` are valid
//! as they stand, with `dyn.example.org` inside; [`fill`](crate::fill) puts the real values in
//! their place. A [`Plan`] is made without touching anything, then written, then applied.

pub mod access;
pub mod again;
pub mod apache;
pub mod apply;
pub mod bind;
pub mod change;
pub mod configuration;
pub mod cron;
pub mod delegation;
mod diff;
pub(crate) mod directories;
pub mod doctor;
pub mod error;
pub mod files;
mod fit;
pub mod gateway;
mod handover;
mod in_force;
pub mod installed;
pub mod issuer;
pub mod keys;
pub mod knot;
pub mod listen;
pub mod lock;
mod namesake;
pub mod nameserver;
pub mod next;
pub mod nginx;
mod notes;
mod ns;
mod openrc;
mod own_ns;
pub mod parent;
pub mod place;
pub mod plan;
pub mod powerdns;
pub mod records;
mod registry;
pub mod report;
pub mod responder;
pub mod runner;
pub mod site;
mod state_directory;
mod systemctl;
pub mod systemd;
pub mod taken;
pub mod users;
pub mod zone;

pub use error::SetupError;
pub use gateway::{Gateway, WebServer};
pub use place::Place;
pub use plan::{Plan, Setup};
pub use site::Site;
pub use zone::NewZone;
