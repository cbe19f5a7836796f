//! The FastCGI responder against peers that misbehave, and behind real web servers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr
)]

mod support;

#[path = "fastcgi/apache.rs"]
mod apache;
#[path = "fastcgi/bounds.rs"]
mod bounds;
#[path = "fastcgi/caddy.rs"]
mod caddy;
#[path = "fastcgi/economy.rs"]
mod economy;
#[path = "fastcgi/full.rs"]
mod full;
#[path = "fastcgi/hostile.rs"]
mod hostile;
#[path = "fastcgi/lighttpd.rs"]
mod lighttpd;
#[path = "fastcgi/nginx.rs"]
mod nginx;
#[path = "fastcgi/peer.rs"]
mod peer;
#[path = "fastcgi/responder.rs"]
mod responder;
#[path = "fastcgi/room.rs"]
mod room;
#[path = "fastcgi/signals.rs"]
mod signals;
#[path = "fastcgi/site.rs"]
mod site;
#[path = "fastcgi/sockets.rs"]
mod sockets;
#[path = "fastcgi/systemd.rs"]
mod systemd;
#[path = "fastcgi/together.rs"]
mod together;
#[path = "fastcgi/web.rs"]
mod web;
