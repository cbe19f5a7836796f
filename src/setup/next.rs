//! The commands that are still to be typed, in order.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use super::files::{File, State, read};
use super::installed::program;
use super::place::Place;
use crate::base_url::BaseUrl;
use crate::name::ZoneName;
use crate::port::AddressPort;

/// One command, and what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it does, in a few words.
    pub why: String,
    /// For a shell; begins with `#` when it is nothing a shell can do.
    pub command: String,
    /// Whether `--apply` runs it.
    pub applied: bool,
}

impl Step {
    /// One that `--apply` runs.
    pub fn here(why: impl Into<String>, command: impl Into<String>) -> Self {
        Step {
            why: why.into(),
            command: command.into(),
            applied: true,
        }
    }

    /// One that the operator does.
    pub fn yours(why: impl Into<String>, command: impl Into<String>) -> Self {
        Step {
            applied: false,
            ..Step::here(why, command)
        }
    }
}

/// Modules, site, check and reload of Apache, and for a private one its start.
pub fn apache(place: &Place, files: &[(File, State)], tls: bool) -> Vec<Step> {
    let site = place.apache_site();
    let changed = files
        .iter()
        .any(|(file, state)| file.path.starts_with(&place.apache_dir) && state.writes());
    let mut steps = Vec::new();
    if !Path::new(&program("apache2")).exists() {
        steps.push(Step::yours("the web server", "apt-get install apache2"));
    }
    if place.private {
        let conf = place.apache_conf();
        let conf = conf.display();
        let running = read(&place.apache_dir.join("run/apache2.pid"))
            .ok()
            .flatten()
            .is_some_and(|pid| Path::new("/proc").join(pid.trim()).exists());
        if changed || !running {
            let how = if running { "graceful" } else { "start" };
            steps.push(Step::here(
                "all of it is valid",
                format!("apache2 -f {conf} -t"),
            ));
            steps.push(Step::here(
                "the web server",
                format!("apache2 -f {conf} -k {how}"),
            ));
        }
        return steps;
    }
    let enabled = |what: &str| place.apache_dir.join(what).exists();
    let cgi = if enabled("mods-enabled/mpm_prefork.load") {
        "cgi"
    } else {
        "cgid"
    };
    let modules: Vec<&str> = ["alias", "env", cgi]
        .into_iter()
        .chain(tls.then_some("ssl"))
        .filter(|module| !enabled(&format!("mods-enabled/{module}.load")))
        .collect();
    let site_name = site
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
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
    // A reload that loads mod_cgid does not start its daemon: every visit would hear 503.
    let verb = if modules.is_empty() {
        "reload-or-restart"
    } else {
        "restart"
    };
    if changed || site_off || !modules.is_empty() {
        steps.push(Step::here("all of it is valid", "apache2ctl configtest"));
        steps.push(Step::here("Apache reads it", service("apache2", verb)));
    }
    steps
}

/// The certificate, where there is none yet.
pub fn certificate(url: &BaseUrl) -> Option<Step> {
    let host = url.host();
    let chain = Path::new("/etc/letsencrypt/live")
        .join(host)
        .join("fullchain.pem");
    let named = host.parse::<ZoneName>().is_ok() && host.parse::<IpAddr>().is_err();
    (named && !chain.exists()).then(|| {
        Step::yours(
            format!("the certificate, once {host} resolves and port 80 is open (below)"),
            format!(
                "certbot certonly --webroot -w /var/www/html -d {host} --deploy-hook '{}'",
                service("apache2", "reload")
            ),
        )
    })
}

/// What a firewall must let in, for both families.
pub fn firewall(listeners: &[AddressPort], web: &[u16]) -> Option<Step> {
    let open = |address: &&AddressPort| !address.0.ip().is_loopback();
    let mut ports: Vec<String> = Vec::new();
    for address in listeners.iter().filter(open) {
        ports.extend(["udp", "tcp"].map(|protocol| format!("{}/{protocol}", address.0.port())));
    }
    ports.extend(web.iter().map(|port| format!("{port}/tcp")));
    let mut seen = Vec::new();
    ports.retain(|port| {
        !seen.contains(port) && {
            seen.push(port.clone());
            true
        }
    });
    if ports.is_empty() {
        return None;
    }
    let each = |command: &str| {
        let commands: Vec<String> = ports
            .iter()
            .map(|port| format!("{command}{port}"))
            .collect();
        commands.join(" && ")
    };
    let command = if Path::new("/usr/sbin/ufw").exists() {
        each("ufw allow ")
    } else if Path::new("/usr/bin/firewall-cmd").exists() {
        each("firewall-cmd --permanent --add-port=") + " && firewall-cmd --reload"
    } else {
        format!(
            "# open {} in the firewall, for IPv4 and IPv6",
            ports.join(", ")
        )
    };
    Some(Step::yours(
        "the outside gets in, over IPv4 and IPv6",
        command,
    ))
}

/// The delegation.
pub fn parent(place: &Place, zone: &ZoneName) -> Vec<Step> {
    vec![
        Step::yours(
            "the delegation",
            format!("# enter the records above where {} is kept", zone.parent()),
        ),
        Step::yours(
            "the DS, once the parent answers the NS",
            place.bowline(&format!("zone show {zone}")),
        ),
    ]
}

/// The removal of those files that are there.
pub(super) fn remove(why: &str, files: &[PathBuf]) -> Option<Step> {
    let there: Vec<String> = files
        .iter()
        .filter(|file| file.exists())
        .map(|file| file.display().to_string())
        .collect();
    (!there.is_empty()).then(|| Step::here(why, format!("rm -f {}", there.join(" "))))
}

/// A service's verb, by systemd where it runs.
pub(super) fn service(name: &str, verb: &str) -> String {
    if Path::new("/run/systemd/system").exists() {
        format!("systemctl {verb} {name}")
    } else if name == "apache2" && verb.starts_with("reload") {
        // Starts one that does not run, as `reload-or-restart` does.
        "apache2ctl graceful".to_owned()
    } else {
        format!("service {name} {verb}")
    }
}
