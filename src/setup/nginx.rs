//! nginx's files and commands: what is shipped in `nginx/`, filled.

use std::fmt::Write as _;
use std::path::Path;

use super::error::SetupError;
use super::files::{File, State};
use super::gateway::Gateway;
use super::installed::program;
use super::next::{Step, is_running, remove, service};
use super::place::Place;
use super::responder::{as_user, background};
use super::site::{Site, is_changed};
use crate::fill::Fill;

const SITE: &str = include_str!("../../nginx/bowline.conf");
const TLS: &str = include_str!("../../nginx/bowline.tls.conf");
const NGINX_CONF: &str = include_str!("../../nginx/nginx.conf");

/// What fcgiwrap runs.
const PROGRAM: &str = "        fastcgi_param SCRIPT_FILENAME /usr/bin/bowline;\n";

/// Where Debian's fcgiwrap listens.
const FCGIWRAP: &str = "/run/fcgiwrap.socket";

/// The servers, and for a private nginx the file it is started from.
///
/// # Errors
/// A shipped file that does not fit.
pub fn files(site: &Site<'_>) -> Result<Vec<File>, SetupError> {
    let (place, owners) = (site.place, site.owners);
    let mut files = Vec::new();
    if place.private {
        let user = &owners.state;
        let text = Fill::new(NGINX_CONF)
            .value("/etc/bowline/nginx", place.nginx_dir.display())
            .value(
                "user www-data;",
                format_args!("user {} {};", user.user, user.group),
            )
            .text()?;
        files.extend([
            File::directory(place.nginx_dir.clone(), 0o755, &owners.root),
            File::directory(place.nginx_dir.join("run"), 0o755, &owners.root),
            File::text(place.nginx_conf(), 0o644, &owners.root, text),
        ]);
    }
    let text = filled(site, SITE)?
        .part("certbot", site.is_tls())
        .part("tls", site.is_tls())
        .value(LISTEN, listen(site, 80, ""))
        .value("/live/update.example.or[g]/", pattern(site.url.host()))
        .value(
            "/etc/nginx/sites-available/bowline-tls",
            place.nginx_tls().display(),
        )
        .text()?;
    files.push(File::text(place.nginx_site(), 0o644, &owners.root, text));
    if site.is_tls() {
        let host = site.url.host();
        let text = filled(site, TLS)?
            .value(LISTEN_TLS, listen(site, 443, " ssl"))
            .value("/live/update.example.org/", format_args!("/live/{host}/"))
            .text()?;
        files.push(File::text(place.nginx_tls(), 0o644, &owners.root, text));
    }
    Ok(files)
}

/// The listeners as they are shipped.
const LISTEN: &str = "    listen 80;\n    listen [::]:80;\n";
const LISTEN_TLS: &str = "    listen 443 ssl;\n    listen [::]:443 ssl;\n";

/// What both servers have in common.
fn filled<'a>(site: &Site<'_>, shipped: &'a str) -> Result<Fill<'a>, SetupError> {
    let place = site.place;
    let logs = match place.private {
        true => place.nginx_dir.join("run"),
        false => "/var/log/nginx".into(),
    };
    let cgi = site.gateway == Gateway::Cgi;
    let socket = match cgi {
        true => fcgiwrap_socket(site),
        false => place.socket().display().to_string(),
    };
    let mut program = format!(
        "        fastcgi_param SCRIPT_FILENAME {};\n",
        site.executable.display()
    );
    if let Some(config) = site.config() {
        let _ = writeln!(
            program,
            "        fastcgi_param BOWLINE_CONFIG {};",
            config.display()
        );
    }
    let host = match site.url.host() {
        ipv6 if ipv6.contains(':') => format!("[{ipv6}]"),
        host => host.to_owned(),
    };
    let https = match site.is_behind_tls() {
        // The proxy in front speaks it.
        true => "HTTPS on;",
        false => HTTPS,
    };
    Ok(Fill::new(shipped)
        .part("cgi", cgi)
        .value(PROGRAM, program)
        .value("/run/bowline/bowline.sock", socket)
        .value(
            "server_name update.example.org;",
            format_args!("server_name {host};"),
        )
        .value(HTTPS, https)
        .value("/var/log/nginx", logs.display()))
}

/// How the client's TLS is told.
const HTTPS: &str = "HTTPS $https if_not_empty;";

/// The listeners of one server.
fn listen(site: &Site<'_>, standard: u16, tls: &str) -> String {
    if let Some(address) = site.http {
        return format!("    listen {address};\n");
    }
    let named = site
        .port()
        .filter(|_| site.url.is_https() != tls.is_empty());
    let port = named.unwrap_or(standard);
    format!("    listen {port}{tls};\n    listen [::]:{port}{tls};\n")
}

/// `/live/NAME/` as a pattern that means just that name.
fn pattern(host: &str) -> String {
    let mut start = host.to_owned();
    let last = start.pop().unwrap_or_default();
    format!("/live/{start}[{last}]/")
}

/// Where fcgiwrap is reached.
fn fcgiwrap_socket(site: &Site<'_>) -> String {
    match site.place.private {
        true => site
            .place
            .run_dir()
            .join("fcgiwrap.sock")
            .display()
            .to_string(),
        false => FCGIWRAP.to_owned(),
    }
}

/// fcgiwrap where it is needed, the site, check and reload; for a private nginx its start.
pub fn steps(site: &Site<'_>, files: &[(File, State)]) -> Vec<Step> {
    let place = site.place;
    let changed = is_changed(files, &place.nginx_dir);
    let mut steps = Vec::new();
    if !Path::new(&program("nginx")).exists() {
        steps.push(Step::yours("the web server", "apt-get install nginx"));
    }
    if site.gateway == Gateway::Cgi {
        steps.extend(fcgiwrap(site));
    }
    if place.private {
        let run = private(place);
        let running = is_running(&place.nginx_dir.join("run/nginx.pid"));
        if changed || !running {
            let how = if running { " -s reload" } else { "" };
            steps.push(Step::here("all of it is valid", format!("{run} -t")));
            let read = Step::here("the web server", format!("{run}{how}"));
            steps.push(read.reads(&place.nginx_dir));
        }
        return steps;
    }
    let link = place.nginx_dir.join("sites-enabled/bowline");
    let off = !link.exists();
    if off {
        let link = link.display();
        steps.push(Step::here(
            "the site",
            format!("ln -s ../sites-available/bowline {link}"),
        ));
    }
    if changed || off {
        steps.push(Step::here("all of it is valid", "nginx -t"));
        let read = service("nginx", "reload-or-restart");
        steps.push(Step::here("nginx reads it", read).reads(&place.nginx_dir));
    }
    steps
}

/// nginx runs no CGI programs; fcgiwrap does it for it.
fn fcgiwrap(site: &Site<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    if !Path::new(&program("fcgiwrap")).exists() {
        let install = "apt-get install fcgiwrap";
        steps.push(Step::yours("what runs CGI programs for nginx", install));
    }
    let pid_file = site.place.config_dir().join("fcgiwrap.pid");
    let running = match site.place.private {
        true => is_running(&pid_file),
        false => Path::new(FCGIWRAP).exists(),
    };
    let start = match (site.place.private, site.place.unit_dir.is_some()) {
        (true, _) => {
            let socket = fcgiwrap_socket(site);
            let run = format!("fcgiwrap -c 4 -s unix:{socket}");
            format!(
                "rm -f {socket}; {}",
                background(&as_user(site.owners, &run), &pid_file)
            )
        }
        (false, true) => "systemctl enable --now fcgiwrap.socket".to_owned(),
        (false, false) => "service fcgiwrap restart".to_owned(),
    };
    if !running {
        steps.push(Step::here("it runs", start));
    }
    steps
}

/// How a private nginx is called.
pub(super) fn private(place: &Place) -> String {
    format!(
        "nginx -e {} -c {}",
        place.nginx_dir.join("run/error.log").display(),
        place.nginx_conf().display()
    )
}

/// The way back.
pub fn removal(place: &Place) -> Vec<Step> {
    let enabled = place.nginx_dir.join("sites-enabled/bowline");
    let mut steps = Vec::new();
    if enabled.is_symlink() {
        let reload = service("nginx", "reload");
        let off = format!("rm {} && {reload}", enabled.display());
        steps.push(Step::yours("the site", off));
    }
    let files = [place.nginx_site(), place.nginx_tls()];
    steps.extend(remove("its files", &files).map(Step::left));
    steps
}
