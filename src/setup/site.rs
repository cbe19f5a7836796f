//! What the files of a web server are made of, whichever it is.

use std::net::IpAddr;
use std::path::Path;

use super::error::SetupError;
use super::files::{File, State};
use super::gateway::{Gateway, WebServer};
use super::next::{Step, service};
use super::place::Place;
use super::users::Owners;
use super::{apache, namesake, nginx, systemd};
use crate::base_url::BaseUrl;
use crate::config::DEFAULT_FILE;
use crate::name::ZoneName;
use crate::port::AddressPort;

/// A site to be written for a web server.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    /// Where files go.
    pub place: &'a Place,
    /// Whose they are.
    pub owners: &'a Owners,
    /// In front of every token.
    pub url: &'a BaseUrl,
    /// A plain-HTTP host there instead of ports 80 and 443.
    pub http: Option<AddressPort>,
    /// How bowline is run.
    pub gateway: Gateway,
    /// What is run.
    pub executable: &'a Path,
}

impl Site<'_> {
    /// Refuses a web server that is not there, or has its sites elsewhere: what else is
    /// written would be half a set-up, of a server that nobody chose. And one with a site of
    /// the same name, all of whose pages ours would hide.
    ///
    /// # Errors
    /// The directory that is missing, the site that is there.
    pub fn check(&self, web: WebServer) -> Result<(), SetupError> {
        let file = match web {
            WebServer::Apache => self.place.apache_site(),
            WebServer::Nginx => self.place.nginx_site(),
        };
        let directory = file.parent().unwrap_or(Path::new("/"));
        if !self.place.private && !directory.is_dir() {
            return Err(SetupError::NoSites(web, directory.to_owned()));
        }
        let host = self.url.host();
        match namesake::hidden(self.place, web, host, &self.ports()) {
            Some(file) => Err(SetupError::SiteThere(host.to_owned(), file)),
            None => Ok(()),
        }
    }

    /// The files of a web server.
    ///
    /// # Errors
    /// A shipped file that does not fit.
    pub fn files(&self, web: WebServer) -> Result<Vec<File>, SetupError> {
        match web {
            WebServer::Apache => apache::files(self),
            WebServer::Nginx => nginx::files(self),
        }
    }

    /// What is to be done with them.
    pub fn steps(&self, web: WebServer, files: &[(File, State)]) -> Vec<Step> {
        let mut steps = match web {
            WebServer::Apache => apache::steps(self, files),
            WebServer::Nginx => nginx::steps(self, files),
        };
        steps.extend(systemd::enable(self.place, web.as_str()));
        steps.extend(self.certificate(web));
        steps
    }

    /// Whether the web server speaks TLS.
    pub fn is_tls(&self) -> bool {
        self.url.is_https() && self.http.is_none()
    }

    /// Whether a proxy in front speaks TLS.
    pub fn is_behind_tls(&self) -> bool {
        self.url.is_https() && self.http.is_some()
    }

    /// The configuration file, where it is not the one that is looked for anyway.
    pub fn config(&self) -> Option<&Path> {
        let file = self.place.config.as_path();
        (file != Path::new(DEFAULT_FILE)).then_some(file)
    }

    /// The port that the URL names.
    pub fn port(&self) -> Option<u16> {
        self.url.authority().rsplit_once(':')?.1.parse().ok()
    }

    /// The ports of its virtual hosts.
    pub(super) fn ports(&self) -> Vec<u16> {
        match self.http {
            Some(address) => vec![address.0.port()],
            None => self.open_ports(),
        }
    }

    /// Ports that the outside has to reach.
    pub fn open_ports(&self) -> Vec<u16> {
        match self.http {
            Some(address) if address.0.ip().is_loopback() => Vec::new(),
            Some(address) => vec![address.0.port()],
            None => [Some(80), self.is_tls().then_some(443), self.port()]
                .into_iter()
                .flatten()
                .collect(),
        }
    }

    /// The certificate, where there is none yet.
    fn certificate(&self, web: WebServer) -> Option<Step> {
        let host = self.url.host();
        let command = certbot(self.place, web, host).filter(|_| self.is_tls())?;
        let why = format!("the certificate, once {host} resolves and port 80 is open (below)");
        Some(Step::yours(why, command))
    }
}

/// What gets the certificate of `host`, where there is none yet. Whoever may not look there is
/// not told that there is none.
pub(super) fn certbot(place: &Place, web: WebServer, host: &str) -> Option<String> {
    let chain = Path::new("/etc/letsencrypt/live")
        .join(host)
        .join("fullchain.pem");
    let named = host.parse::<ZoneName>().is_ok() && host.parse::<IpAddr>().is_err();
    let none = named && matches!(chain.try_exists(), Ok(false));
    let reload = reload(place, web);
    none.then(|| {
        format!("certbot certonly --webroot -w /var/www/html -d {host} --deploy-hook '{reload}'")
    })
}

/// How the web server is told of a new certificate.
fn reload(place: &Place, web: WebServer) -> String {
    match (place.private, web) {
        (false, _) => service(web.as_str(), "reload"),
        (true, WebServer::Apache) => format!("{} -k graceful", apache::private(place)),
        (true, WebServer::Nginx) => format!("{} -s reload", nginx::private(place)),
    }
}

/// Whether one of the files below `directory` is new or other than before.
pub fn is_changed(files: &[(File, State)], directory: &Path) -> bool {
    files
        .iter()
        .any(|(file, state)| file.path.starts_with(directory) && state.writes())
}
