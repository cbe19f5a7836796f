//! What to do where nobody answers at the update URL, as curl tells it.

use std::fs;
use std::path::Path;

use super::report::Report;
use crate::config::Config;
use crate::setup::site::certbot;
use crate::setup::{Place, WebServer};

/// curl(1), EXIT CODES.
const TIMED_OUT: i32 = 28;
const CERTIFICATE: [i32; 4] = [51, 60, 77, 83];

/// Why there is no answer.
pub(super) enum Trouble {
    /// Nothing to ask with.
    NoCurl,
    /// curl's exit code, and what it says.
    Exit(i32, String),
}

/// What gets the first certificate, where a site of ours waits for it.
fn first_certificate(config: &Config, place: &Place) -> Option<String> {
    let host = config.url.host();
    let live = format!("/live/{host}/");
    let sites = [
        (WebServer::Apache, place.apache_site()),
        (WebServer::Nginx, place.nginx_tls()),
    ];
    // Without TLS of its own a proxy in front has the certificate.
    let waits = |site: &Path| fs::read_to_string(site).is_ok_and(|text| text.contains(&live));
    let (web, _) = sites.into_iter().find(|(_, site)| waits(site))?;
    certbot(place, web, host).filter(|_| config.url.is_https())
}

/// The URL could not be asked for.
pub(super) fn tell(config: &Config, place: &Place, trouble: &Trouble, report: &mut Report) {
    let url = config.url.as_str().trim_end_matches('/');
    let first = first_certificate(config, place);
    match trouble {
        Trouble::NoCurl => report.unknown(
            "url",
            format_args!("whether {url} answers: there is no curl here"),
            "install curl, or open the URL's /healthz elsewhere",
        ),
        Trouble::Exit(TIMED_OUT, says) => report.unknown(
            "url",
            format_args!("whether {url} answers: {says}"),
            "behind NAT a machine may not reach its own public address; ask from elsewhere",
        ),
        Trouble::Exit(code, says) if CERTIFICATE.contains(code) => report.problem(
            "url-certificate",
            format_args!("{url}: {says}"),
            match first {
                Some(certbot) => format!("get the certificate: `{certbot}`"),
                None => "get a certificate for this name: `certbot certonly --webroot`, then reload the web server"
                    .to_owned(),
            },
        ),
        Trouble::Exit(_, says) => report.problem(
            "url",
            format_args!("{url} does not answer: {says}"),
            match first {
                Some(certbot) => format!(
                    "there is no certificate yet, and without it no https; once the name resolves and port 80 is \
                     open: `{certbot}`"
                ),
                None => "does the web server run, is the site enabled, and does the name have an address?".to_owned(),
            },
        ),
    }
}
