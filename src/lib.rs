//! Dynamic DNS on your own Knot server: a host has a secret URL, and whoever fetches
//! it moves the host's name to their address.
//!
//! # The way of a request
//!
//! A web server runs the executable; [`gateway`] makes a [`http::Request`] of what it
//! passes on. The [`application`] answers fixed paths itself and hands everything else to
//! [`update`], where a dialect reads a *claim* from it: a secret, names, and addresses.
//! The [`registry`] tells whose secret that is, and a pure decision what is to become of
//! the host. What is decided is written down first, as the host's *wish*, and is never
//! lost from then on. [`publish`] then makes the name server agree: under the host's lock
//! it sends one signed UPDATE that compares before it swaps, over [`dns`], and looks at
//! the result. Only what the name server shows becomes a *fact* in the registry, and only
//! then does the client hear `good`. Everything else is said in words that bring the client
//! back: its address is kept, and published as soon as the name server can be reached.
//!
//! A visit that changes nothing costs one look into the registry and one signed question to
//! the name server, so a zone that was restored from a backup heals at the next visit. Visits
//! that wait in one process at the same time share transactions and UPDATEs ([`together`]).
//!
//! On the same way come the challenges that clients for certificates set ([`acme`]): TXT beside
//! the addresses, accepted and confirmed by themselves.
//!
//! # The rooms
//!
//! A room uses only rooms below it: [`command`] and [`gateway`] on top, then
//! [`application`], [`devices`], [`upkeep`] and [`setup`], [`update`], [`acme`], [`pages`] and [`health`], [`publish`], and
//! at the bottom
//! [`dns`], [`registry`], [`http`], [`config`], [`log`], what processes share ([`lock`],
//! [`limit`], [`patience`]) and the value types ([`name`], [`token`],
//! [`ip`], [`ttl`], [`span`], [`rate`], …), which cannot hold bad data: after them no bare text travels.

pub mod acme;
pub mod application;
pub mod base_url;
pub mod challenge;
pub mod command;
pub mod config;
pub mod deadline;
pub mod devices;
pub mod dns;
pub mod event;
pub mod fixed;
pub mod gateway;
pub mod health;
pub mod http;
pub mod interface_id;
pub mod ip;
pub mod limit;
pub mod lock;
pub mod log;
pub mod name;
pub mod network;
pub mod notify;
pub mod owner_name;
pub mod pages;
pub mod patience;
pub mod port;
pub mod prefix;
pub mod publish;
pub mod rate;
pub mod registry;
pub mod setup;
pub mod span;
pub mod time;
pub mod together;
pub mod token;
pub mod ttl;
pub mod update;
pub mod upkeep;
