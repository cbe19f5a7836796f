//! Which web server runs bowline, and how.

use std::fs::metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::installed::is_installed;
use super::next::is_running;
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

/// Where Debian's Apache and nginx leave the numbers of their processes.
const PID_FILES: [&str; 2] = ["/run/apache2/apache2.pid", "/run/nginx.pid"];

/// The user that the responder runs as where systemd starts it.
pub const FIXED_USER: &str = "bowline";

impl WebServer {
    /// The one that has our site, else the one that is installed; where both are, the one that
    /// runs. Apache where that tells nothing.
    pub fn usual(place: &Place) -> Self {
        let has_site = (place.apache_site().exists(), place.nginx_site().exists());
        let installed = (is_installed("apache2"), is_installed("nginx"));
        // A private one is another program's process.
        let runs = |pid_file: &str| !place.private && is_running(Path::new(pid_file));
        let [apache, nginx] = PID_FILES;
        WebServer::first([has_site, installed, (runs(apache), runs(nginx))])
    }

    /// The one that the first of the pairs tells that tells something: Apache's part, nginx's.
    fn first(pairs: [(bool, bool); 3]) -> Self {
        match pairs.into_iter().find(|(apache, nginx)| apache != nginx) {
            Some((_, true)) => WebServer::Nginx,
            _ => WebServer::Apache,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_web_server_is_taken() {
        let (apache, nginx) = (WebServer::Apache, WebServer::Nginx);
        let (neither, both) = ((false, false), (true, true));
        let (first, second) = ((true, false), (false, true));
        for (has_site, installed, runs, expected) in [
            (neither, neither, neither, apache),
            (neither, second, neither, nginx),
            (neither, both, neither, apache),
            (neither, both, both, apache),
            (neither, both, second, nginx),
            // A set-up that stands is not moved because its web server is stopped.
            (first, both, second, apache),
            (second, both, first, nginx),
            (both, both, second, nginx),
        ] {
            let pairs = [has_site, installed, runs];
            assert_eq!(WebServer::first(pairs), expected, "{pairs:?}");
        }
    }
}
