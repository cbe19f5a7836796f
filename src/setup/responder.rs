//! The FastCGI responder where systemd does not start it.

use std::path::{Path, PathBuf};

use super::files::File;
use super::gateway::{Gateway, WebServer};
use super::next::{Step, is_running, runs};
use super::openrc;
use super::place::Place;
use super::site::Site;
use super::systemd;
use super::users::Owners;
use crate::log::has_syslog;

/// What systemd keeps while the responder's unit is active, for the journal. `systemctl` says the
/// same, but to root alone where there is no D-Bus.
const ACTIVE: &str = "/run/systemd/units/invocation:bowline.service";

/// The directory of sockets in a private set-up, where one is needed; elsewhere the
/// socket's unit makes it.
pub(super) fn directory(site: &Site<'_>, web: Option<WebServer>) -> Option<File> {
    let wanted = site.gateway == Gateway::Fastcgi || web == Some(WebServer::Nginx);
    let (place, owner) = (site.place, &site.owners.state);
    (place.private && wanted).then(|| File::directory(place.run_dir(), 0o750, owner))
}

/// The file for what it logs, beside the registry and its user's as that is, where nothing else
/// takes its lines: neither systemd nor syslog, and whoever starts it drops its standard error.
pub(super) fn log(site: &Site<'_>) -> Option<PathBuf> {
    let place = site.place;
    let kept = site.gateway == Gateway::Cgi || place.unit_dir.is_some() || has_syslog();
    (!kept).then(|| place.state_dir.join("bowline.log"))
}

/// Its start, unless it runs or systemd does that.
pub(super) fn start(site: &Site<'_>) -> Option<Step> {
    let (place, socket) = (site.place, site.place.socket());
    if site.gateway == Gateway::Cgi || place.unit_dir.is_some() || runs(&socket) {
        return None;
    }
    if let Some(start) = openrc::start(site) {
        return Some(start);
    }
    let config = match site.config() {
        Some(file) => format!(" --config {}", file.display()),
        None => String::new(),
    };
    let executable = site.executable.display();
    let socket = socket.display();
    if place.private {
        let run = format!("{executable}{config} fastcgi --listen unix:{socket}");
        let started = background(&run, &pid_file(place));
        return Some(Step::here("the responder", started).reads(&place.config));
    }
    let (user, web) = (&site.owners.state, &site.owners.web);
    let command = format!(
        "mkdir -p {} && spawn-fcgi -s {socket} -M 0660 -U {} -G {} -u {} -g {} -- {executable}{config} fastcgi",
        place.run_dir().display(),
        user.user,
        web.group,
        user.user,
        user.group,
    );
    let why = "the responder, now and at every start of this machine (package spawn-fcgi)";
    Some(Step::yours(why, command))
}

/// How a running one is told of a changed `bowline.toml`.
pub(super) fn reload(place: &Place) -> Option<Step> {
    let command = if systemd::has_socket(place) {
        "systemctl try-reload-or-restart bowline.service".to_owned()
    } else if let Some(command) = openrc::reload(place) {
        command.to_owned()
    } else if place.private && is_running(&pid_file(place)) {
        format!("kill -HUP $(cat {})", pid_file(place).display())
    } else {
        return None;
    };
    Some(Step::here("the responder reads bowline.toml", command).reads(&place.config))
}

/// The same as a command, where one runs now: it has read `bowline.toml` when it began.
pub fn reload_running(place: &Place) -> Option<String> {
    let step = reload(place)?;
    let waits = systemd::has_socket(place) && !Path::new(ACTIVE).is_symlink();
    (!waits).then_some(step.command)
}

/// Where its number is in a private set-up: root writes there, nobody else.
fn pid_file(place: &Place) -> PathBuf {
    place.config_dir().join("bowline.pid")
}

/// A command that goes on when this shell has ended, its number in `pid_file`.
pub(super) fn background(command: &str, pid_file: &Path) -> String {
    let pid_file = pid_file.display();
    format!("(setsid {command} </dev/null >/dev/null 2>&1 & echo $! >{pid_file})")
}

/// A command as the user that bowline runs as.
pub(super) fn as_user(owners: &Owners, command: &str) -> String {
    let user = &owners.state;
    match owners.settable {
        true => format!(
            "setpriv --reuid {} --regid {} --clear-groups {command}",
            user.uid, user.gid
        ),
        false => command.to_owned(),
    }
}
