//! Apache's files: what is shipped in `apache/`, filled.

use std::path::Path;

use super::error::SetupError;
use super::files::{Content, File};
use super::fill::Fill;
use super::place::Place;
use super::users::{Owner, Owners};
use crate::base_url::BaseUrl;
use crate::config::DEFAULT_FILE;
use crate::port::AddressPort;

const SITE: &str = include_str!("../../apache/bowline.conf");
const APACHE_CONF: &str = include_str!("../../apache/apache2.conf");

/// The line after which more of the environment is set.
const ENVIRONMENT: &str = "    SetEnv ap_trust_cgilike_cl 1\n";

/// The virtual hosts, and for a private Apache the file it is started from.
///
/// # Errors
/// A shipped file that does not fit.
pub fn files(
    place: &Place,
    owners: &Owners,
    url: &BaseUrl,
    http: Option<AddressPort>,
    executable: &Path,
) -> Result<Vec<File>, SetupError> {
    let mut files = Vec::new();
    let mut add = |path, mode, owner: &Owner, content| {
        files.push(File {
            path,
            owner: owner.clone(),
            mode,
            content,
        });
    };
    if place.private {
        add(
            place.apache_dir.clone(),
            0o755,
            &owners.root,
            Content::Directory,
        );
        add(
            place.apache_dir.join("run"),
            0o755,
            &owners.root,
            Content::Directory,
        );
        let text = Fill::new(APACHE_CONF)
            .part("listen", http.is_none())
            .value("/etc/bowline/apache", place.apache_dir.display())
            .value(
                "/live/update.example.org/",
                format_args!("/live/{}/", url.host()),
            )
            .value("User www-data", format_args!("User {}", owners.state.user))
            .value(
                "Group www-data",
                format_args!("Group {}", owners.state.group),
            )
            .text()?;
        add(
            place.apache_conf(),
            0o644,
            &owners.root,
            Content::Text(text),
        );
    }
    let text = site(place, url, http, executable)?;
    add(
        place.apache_site(),
        0o644,
        &owners.root,
        Content::Text(text),
    );
    Ok(files)
}

fn site(
    place: &Place,
    url: &BaseUrl,
    http: Option<AddressPort>,
    executable: &Path,
) -> Result<String, SetupError> {
    let tls = url.is_https() && http.is_none();
    let port = |standard: u16, https: bool| match (http, url_port(url)) {
        (Some(address), _) => listening(&address.to_string()),
        (None, Some(port)) if https == url.is_https() && port != standard => {
            listening(&format!("*:{port}"))
        }
        (None, _) => format!("<VirtualHost *:{standard}>"),
    };
    let mut environment = ENVIRONMENT.to_owned();
    if place.config != Path::new(DEFAULT_FILE) {
        environment += &format!("    SetEnv BOWLINE_CONFIG \"{}\"\n", place.config.display());
    }
    if http.is_some() && url.is_https() {
        environment += "    # The proxy in front speaks TLS.\n    SetEnv HTTPS on\n";
    }
    let logs = match place.private {
        true => place.apache_dir.join("run"),
        false => "/var/log/apache2".into(),
    };
    let host = url.host();
    // An IPv6 address is taken as an alias only.
    let server_name = match host.contains(':') {
        true => format!("localhost\n    ServerAlias [{host}]"),
        false => host.to_owned(),
    };
    let text = Fill::new(SITE)
        .part("tls", tls)
        .part("certbot", tls)
        .value("<VirtualHost *:80>", port(80, false))
        .value("<VirtualHost *:443>", port(443, true))
        .value(
            "ServerName update.example.org",
            format_args!("ServerName {server_name}"),
        )
        .value("/live/update.example.org/", format_args!("/live/{host}/"))
        .value("/usr/bin/bowline", executable.display())
        .value("/var/log/apache2", logs.display())
        .value(ENVIRONMENT, environment)
        .text()?;
    Ok(text)
}

/// A virtual host at an address that Apache does not listen on by itself.
fn listening(address: &str) -> String {
    let socket = address.strip_prefix("*:").unwrap_or(address);
    format!("Listen {socket}\n\n<VirtualHost {address}>")
}

/// The port that a URL names.
pub fn url_port(url: &BaseUrl) -> Option<u16> {
    url.authority().rsplit_once(':')?.1.parse().ok()
}
