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
//! A room uses only rooms below it; a test reads the sources and holds them to that.
//!
//! 1. [`command`], the command line, one file per verb.
//! 1. [`gateway`], from what a web server passes on to a request, and back.
//! 1. [`application`], from a request to its response and a log line.
//! 1. [`update`], one update, from a dialect's words to an outcome and back to words.
//! 1. [`acme`], what clients for certificates want to stand beside the addresses.
//! 1. [`pages`], what a person sees in a browser.
//! 1. [`upkeep`], what has to be done when nobody visits.
//! 1. [`notify`], word of what happened, by mail, by webhook and by a command.
//! 1. [`setup`], the files of the servers, and whether everything is as it should be.
//! 1. [`devices`], what to paste into a device.
//! 1. [`health`], whether registry and name servers answer.
//! 1. [`publish`], from a wish to what the name server shows, and on to a fact.
//! 1. [`together`], so that what many threads want at once is done once.
//! 1. [`dns`], the wire to the name server.
//! 1. [`registry`], hosts, wishes, facts, history and the outbox.
//! 1. [`limit`], how often something has happened lately.
//! 1. [`patience`], so that one visit waits for a silent name server and the others go on.
//! 1. [`lock`], locks between processes.
//! 1. [`http`], requests and responses.
//! 1. [`log`], one line per request.
//! 1. [`config`], `bowline.toml`.
//! 1. [`fill`], shipped files as templates.
//!
//! Below them are the values, which cannot hold bad data: after them no bare text travels.
//!
//! 1. [`fixed`], the paths that mean the same everywhere.
//! 1. [`base_url`], the address under which the outside reaches us.
//! 1. [`challenge`], the value of a TXT record for a certificate.
//! 1. [`interface_id`], the lower part of a host's IPv6 addresses.
//! 1. [`prefix`], the prefix of a network at home.
//! 1. [`ip`], public addresses, and the two families.
//! 1. [`owner_name`], the name of somebody with several hosts.
//! 1. [`name`], the names of hosts and zones.
//! 1. [`token`], secrets, and the digests that are kept of them.
//! 1. [`event`], what can happen that somebody wants to hear of.
//! 1. [`one_line`], what others wrote, as it may stand on a terminal.
//! 1. [`network`], addresses that begin alike.
//! 1. [`port`], an address with its port.
//! 1. [`ttl`], for how long a record may be kept.
//! 1. [`rate`], so many in so long.
//! 1. [`time`], a moment.
//! 1. [`span`], a length of time.
//! 1. [`deadline`], until when a request waits for anything.
//! 1. [`written`], values that a configuration has as a text.
//! 1. [`hint`], what errors know to do about them.

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
pub mod fill;
pub mod fixed;
pub mod gateway;
pub mod health;
pub mod hint;
pub mod http;
pub mod interface_id;
pub mod ip;
pub mod limit;
pub mod lock;
pub mod log;
pub mod name;
pub mod network;
pub mod notify;
pub mod one_line;
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
pub mod written;
