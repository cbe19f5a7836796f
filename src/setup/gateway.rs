//! Which web server runs bowline, and how.

use std::fs::metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::installed::program;
use super::place::Place;
use super::users::web_server;

/// A web server that can be set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebServer {
    /// Apache 2.4.
    Apache,
    /// nginx.
    Nginx,
}

/// How the web server runs bowline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gateway {
    /// A responder that stays, as a user of its own.
    Fastcgi,
    /// A process for each visit, as the web server's user; nginx needs fcgiwrap for it.
    Cgi,
}

/// The user that the responder runs as where systemd starts it.
pub const FIXED_USER: &str = "bowline";

impl WebServer {
    /// The one that is installed; Apache where both are, or none.
    pub fn installed() -> Self {
        let there = |name: &str| Path::new(&program(name)).is_absolute();
        match !there("apache2") && there("nginx") {
            true => WebServer::Nginx,
            false => WebServer::Apache,
        }
    }

    /// Debian's name of its package, its service and its program.
    pub fn as_str(self) -> &'static str {
        match self {
            WebServer::Apache => "apache2",
            WebServer::Nginx => "nginx",
        }
    }

    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            WebServer::Apache => "Apache",
            WebServer::Nginx => "nginx",
        }
    }
}

impl Gateway {
    /// FastCGI where systemd keeps the responder running, else CGI; where a set-up with CGI
    /// stands, as its registry shows, it stays with that.
    pub fn usual(place: &Place) -> Self {
        let stands = || {
            let owner = metadata(&place.state_dir).ok()?.uid();
            Some(web_server()?.uid == owner)
        };
        match place.unit_dir {
            Some(_) if stands() != Some(true) => Gateway::Fastcgi,
            _ => Gateway::Cgi,
        }
    }
}
