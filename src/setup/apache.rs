//! Apache's files and commands: what is shipped in `apache/`, filled.

use std::path::Path;

use super::error::SetupError;
use super::files::{File, State};
use super::gateway::Gateway;
use super::installed::program;
use super::next::{Step, is_running, remove, service};
use super::place::Place;
use super::site::{Site, is_changed};
use crate::fill::Fill;

const CGI: &str = include_str!("../../apache/bowline.conf");
const FASTCGI: &str = include_str!("../../apache/bowline-fastcgi.conf");
const APACHE_CONF: &str = include_str!("../../apache/apache2.conf");

/// The line after which more of the environment is set.
const ENVIRONMENT: &str = "    SetEnv ap_trust_cgilike_cl 1\n";

/// The virtual hosts, and for a private Apache the file it is started from.
///
/// # Errors
/// A shipped file that does not fit.
pub fn files(site: &Site<'_>) -> Result<Vec<File>, SetupError> {
    let (place, owners) = (site.place, site.owners);
    let mut files = Vec::new();
    if place.private {
        let user = &owners.state;
        let text = Fill::new(APACHE_CONF)
            .part("listen", site.http.is_none())
            .part("cgi", site.gateway == Gateway::Cgi)
            .part("fastcgi", site.gateway == Gateway::Fastcgi)
            .value("/etc/bowline/apache", place.apache_dir.display())
            .value(
                "/live/update.example.org/",
                format_args!("/live/{}/", site.url.host()),
            )
            .value("User www-data", format_args!("User {}", user.user))
            .value("Group www-data", format_args!("Group {}", user.group))
            .text()?;
        files.extend([
            File::directory(place.apache_dir.clone(), 0o755, &owners.root),
            File::directory(place.apache_dir.join("run"), 0o755, &owners.root),
            File::text(place.apache_conf(), 0o644, &owners.root, text),
        ]);
    }
    let text = virtual_hosts(site)?;
    files.push(File::text(place.apache_site(), 0o644, &owners.root, text));
    Ok(files)
}

fn virtual_hosts(site: &Site<'_>) -> Result<String, SetupError> {
    let place = site.place;
    let port = |standard: u16, https: bool| match (site.http, site.port()) {
        (Some(address), _) => listening(&address.to_string()),
        (None, Some(port)) if https == site.url.is_https() && port != standard => {
            listening(&format!("*:{port}"))
        }
        (None, _) => format!("<VirtualHost *:{standard}>"),
    };
    let mut environment = ENVIRONMENT.to_owned();
    let fill = match site.gateway {
        Gateway::Fastcgi => Fill::new(FASTCGI).value(
            "/run/bowline/bowline.sock",
            place.socket().display().to_string(),
        ),
        Gateway::Cgi => {
            if let Some(config) = site.config() {
                environment += &format!("    SetEnv BOWLINE_CONFIG \"{}\"\n", config.display());
            }
            Fill::new(CGI).value("/usr/bin/bowline", site.executable.display())
        }
    };
    if site.is_behind_tls() {
        environment += "    # The proxy in front speaks TLS.\n    SetEnv HTTPS on\n";
    }
    let logs = match place.private {
        true => place.apache_dir.join("run"),
        false => "/var/log/apache2".into(),
    };
    let host = site.url.host();
    // An IPv6 address is taken as an alias only.
    let server_name = match host.contains(':') {
        true => format!("localhost\n    ServerAlias [{host}]"),
        false => host.to_owned(),
    };
    let text = fill
        .part("tls", site.is_tls())
        .part("certbot", site.is_tls())
        .value("<VirtualHost *:80>", port(80, false))
        .value("<VirtualHost *:443>", port(443, true))
        .value(
            "ServerName update.example.org",
            format_args!("ServerName {server_name}"),
        )
        .value("/live/update.example.org/", format_args!("/live/{host}/"))
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

/// Modules, site, check and reload, and for a private Apache its start.
pub fn steps(site: &Site<'_>, files: &[(File, State)]) -> Vec<Step> {
    let place = site.place;
    let changed = is_changed(files, &place.apache_dir);
    let mut steps = Vec::new();
    if !Path::new(&program("apache2")).exists() {
        steps.push(Step::yours("the web server", "apt-get install apache2"));
    }
    if place.private {
        let run = private(place);
        let running = is_running(&place.apache_dir.join("run/apache2.pid"));
        if changed || !running {
            let how = if running { "graceful" } else { "start" };
            steps.push(Step::here("all of it is valid", format!("{run} -t")));
            steps.push(
                Step::here("the web server", format!("{run} -k {how}")).reads(&place.apache_dir),
            );
        }
        return steps;
    }
    let enabled = |what: &str| place.apache_dir.join(what).exists();
    let gateway: &[&str] = match site.gateway {
        Gateway::Fastcgi => &["proxy", "proxy_fcgi"],
        Gateway::Cgi if enabled("mods-enabled/mpm_prefork.load") => &["cgi"],
        Gateway::Cgi => &["cgid"],
    };
    let modules: Vec<&str> = ["alias", "env"]
        .iter()
        .chain(gateway)
        .copied()
        .chain(site.is_tls().then_some("ssl"))
        .filter(|module| !enabled(&format!("mods-enabled/{module}.load")))
        .collect();
    let site_name = place.apache_site();
    let site_name = site_name.file_stem().unwrap_or_default().to_string_lossy();
    let site_off = !enabled(&format!("sites-enabled/{site_name}.conf"));
    if !modules.is_empty() {
        steps.push(Step::here(
            "modules",
            format!("a2enmod -q {}", modules.join(" ")),
        ));
    }
    if site_off {
        steps.push(Step::here("the site", format!("a2ensite -q {site_name}")));
    }
    // A reload that loads mod_cgid does not start its daemon: every visit would hear 503. A run
    // that did not get so far may have enabled it.
    let unread =
        |(file, state): &(File, State)| file.path == place.apache_site() && *state == State::Unread;
    let verb = match modules.is_empty() && !files.iter().any(unread) {
        true => "reload-or-restart",
        false => "restart",
    };
    if changed || site_off || !modules.is_empty() {
        steps.push(Step::here("all of it is valid", "apache2ctl configtest"));
        let read = Step::here("Apache reads it", service("apache2", verb));
        steps.push(read.reads(&place.apache_dir));
    }
    steps
}

/// How a private Apache is called.
pub(super) fn private(place: &Place) -> String {
    format!("apache2 -f {}", place.apache_conf().display())
}

/// Our site, and the copy with TLS that `certbot --apache` makes of it.
const SITES: [&str; 2] = ["bowline", "bowline-le-ssl"];

/// The way back.
pub fn removal(place: &Place) -> Vec<Step> {
    let conf = |directory: &str, site: &str| {
        let directory = place.apache_dir.join(directory);
        directory.join(format!("{site}.conf"))
    };
    let mut enabled = SITES.to_vec();
    enabled.retain(|site| conf("sites-enabled", site).is_symlink());
    let files = SITES.map(|site| conf("sites-available", site));
    let mut steps = Vec::new();
    if !enabled.is_empty() {
        let (sites, reload) = (enabled.join(" "), service("apache2", "reload"));
        let off = format!("a2dissite {sites} && {reload}");
        steps.push(Step::yours("the site", off));
    }
    steps.extend(remove("its file", &files).map(Step::left));
    steps
}
