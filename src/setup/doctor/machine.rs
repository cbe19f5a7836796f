//! The machine: its clock, its network, what it starts by itself, and who else runs as the
//! user that has the keys.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::report::Report;
use super::sandbox;
use crate::config::Config;
use crate::setup::runner::Runner;
use crate::setup::systemctl::systemctl;
use crate::setup::systemd::{is_active, is_disabled};
use crate::setup::users::is_web_user;
use crate::setup::{Place, again};

/// Where systemd-timesyncd says that it has set the clock.
const SYNCHRONISED: &str = "/run/systemd/timesync/synchronized";

/// Our units that systemd has to start by itself, and the check that would fail without.
const STARTED: [(&str, &str); 2] = [
    ("bowline-upkeep.timer", "upkeep"),
    ("bowline.socket", "url"),
];

/// Looks at all of it.
pub fn examine(config: &Config, place: &Place, runner: Option<&Runner>, report: &mut Report) {
    clock(report);
    route_localnet(report);
    if place.unit_dir.is_some() {
        units(report);
        responder(report);
        sandbox::examine(config, report);
    }
    others(config, place, runner, report);
}

/// Signatures are good for five minutes.
fn clock(report: &mut Report) {
    match Path::new(SYNCHRONISED).exists() {
        true => report.ok("clock", "systemd-timesyncd has set it"),
        false => report.unknown(
            "clock",
            "whether this machine's clock is right",
            "see `timedatectl` or `chronyc tracking`",
        ),
    }
}

/// With it the kernel lets packets for loopback in from outside.
fn route_localnet(report: &mut Report) {
    let Ok(entries) = fs::read_dir("/proc/sys/net/ipv4/conf") else {
        return report.unknown("route-localnet", "/proc/sys is not here", "see `sysctl -a`");
    };
    let on: Vec<String> = entries
        .flatten()
        .filter(|entry| {
            fs::read_to_string(entry.path().join("route_localnet"))
                .is_ok_and(|value| value.trim() == "1")
        })
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    match on.first() {
        None => report.ok(
            "route-localnet",
            "packets for 127.0.0.0/8 stay on this machine",
        ),
        Some(first) => report.problem(
            "route-localnet",
            format_args!(
                "others on the network of {} can send from 127.0.0.1 to this machine",
                on.join(", ")
            ),
            format_args!(
                "`sysctl -w net.ipv4.conf.{first}.route_localnet=0`, and find out who set it"
            ),
        ),
    }
}

/// What runs now and is not enabled is gone with the next start of the machine.
fn units(report: &mut Report) {
    for (unit, check) in STARTED {
        if is_active(unit) && is_disabled(unit) {
            report.problem(
                check,
                format_args!("{unit} is not enabled: it ends with the next restart of the machine"),
                format_args!("`systemctl enable {unit}`"),
            );
        }
    }
}

/// Whoever has replaced the program without the package may not have the responder begin anew: it
/// goes on as it was, beside commands and upkeep of another version.
fn responder(report: &mut Report) {
    let property = ["show", "--property=MainPID", "--value", "bowline.service"];
    let process = systemctl(&property).unwrap_or_default();
    let (check, restart) = ("responder", "`systemctl restart bowline.service`");
    match fs::metadata(Path::new("/proc").join(process.trim()).join("exe")) {
        Ok(executable) if executable.nlink() == 0 => report.problem(
            check,
            "it runs an executable that has been replaced since",
            format_args!("{restart}: no visit is lost by that"),
        ),
        Ok(_) => report.ok(check, "it runs what is installed"),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => report.unknown(
            check,
            "only root sees what it runs",
            format_args!("run this as root, or {restart} after each new version"),
        ),
        // It does not run: the next visit begins it.
        Err(_) => {}
    }
}

/// With CGI the web server's user has the keys, and all else that it runs.
fn others(config: &Config, place: &Place, runner: Option<&Runner>, report: &mut Report) {
    let (Some(Runner::Known(owner)) | Some(Runner::Lost { owner, .. })) = runner else {
        return;
    };
    let user = &owner.user;
    match is_web_user(user) {
        true => report.unknown(
            "own-user",
            format_args!(
                "what else runs as {user}: all of it can read the key for updates and the registry"
            ),
            format_args!(
                "FastCGI under a user of its own keeps them apart: {}",
                again::hint(
                    config,
                    place,
                    &[("--gateway", "fastcgi"), ("--user", "bowline")]
                )
            ),
        ),
        false => report.ok(
            "own-user",
            format_args!("keys and registry are for {user} alone"),
        ),
    }
}
