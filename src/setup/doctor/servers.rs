//! The servers around bowline: whether their own files have them read ours, and whether they
//! start with the machine. Where not, all is well until their next start, and then nothing is.

use super::report::Report;
use crate::config::Config;
use crate::setup::nameserver::{self, Program};
use crate::setup::systemd::{is_active, is_disabled};
use crate::setup::{Place, WebServer, again};

/// Looks at those of the packages; private ones are started by hand, from files of ours.
pub fn examine(config: &Config, place: &Place, report: &mut Report) {
    if place.private {
        return;
    }
    let zones = config.zones.iter();
    let mut programs: Vec<&dyn Program> = zones
        .filter_map(|zone| nameserver::found(place, &zone.name))
        .collect();
    programs.sort_by_key(|program| program.name());
    programs.dedup_by_key(|program| program.name());
    for program in &programs {
        include(config, place, *program, report);
    }
    let web = [
        (WebServer::Apache, place.apache_site()),
        (WebServer::Nginx, place.nginx_site()),
    ];
    let web = web.into_iter().filter(|(_, site)| site.exists());
    let mut services: Vec<&str> = programs.iter().map(|program| program.service()).collect();
    services.extend(web.map(|(web, _)| web.as_str()));
    boot(services, report);
}

/// An update of its package may have brought a main file without that line.
fn include(config: &Config, place: &Place, program: &dyn Program, report: &mut Report) {
    let name = program.name();
    match program.reads_ours(place) {
        Ok(true) => report.ok(
            "include",
            format_args!("{name} has bowline's files included"),
        ),
        Ok(false) => report.problem(
            "include",
            format_args!(
                "no configuration of {name} includes bowline's files: from its next reload or \
                 start on it has these zones no more"
            ),
            format_args!(
                "{}: it tells the commands that put that right",
                again::hint(config, place, &[])
            ),
        ),
        Err(error) => report.unknown("include", error, "run this as root, with sudo"),
    }
}

/// One that does not run now is told of where it does not answer.
fn boot(mut services: Vec<&str>, report: &mut Report) {
    services.retain(|service| is_active(service));
    let off: Vec<&str> = services
        .iter()
        .copied()
        .filter(|service| is_disabled(service))
        .collect();
    if !off.is_empty() {
        report.problem(
            "boot",
            format_args!(
                "not enabled, and gone with the next restart of the machine: {}",
                off.join(", ")
            ),
            format_args!("`systemctl enable {}`", off.join(" ")),
        );
    } else if !services.is_empty() {
        let says = format!("started with this machine: {}", services.join(", "));
        report.ok("boot", says);
    }
}
