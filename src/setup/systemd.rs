//! systemd's units: what is shipped in `systemd/`, filled. A timer runs upkeep; with
//! FastCGI a socket starts the responder.

use std::path::{Path, PathBuf};

use super::error::SetupError;
use super::files::{File, State, read};
use super::gateway::Gateway;
use super::next::Step;
use super::place::{DEFAULT_STATE, Place};
use super::site::{Site, is_changed};
use super::systemctl::systemctl;
use crate::fill::Fill;

const SERVICE: &str = include_str!("../../systemd/bowline.service");
const SOCKET: &str = include_str!("../../systemd/bowline.socket");
const UPKEEP_SERVICE: &str = include_str!("../../systemd/bowline-upkeep.service");
const UPKEEP_TIMER: &str = include_str!("../../systemd/bowline-upkeep.timer");

/// Where packages put units; one that is there as wanted is not written again.
const PACKAGED: [&str; 2] = ["/usr/lib/systemd/system", "/lib/systemd/system"];

/// How the state directory is given to a unit.
const STATE: &str = "StateDirectory=bowline\nStateDirectoryMode=0750\n";

/// The units, where systemd runs.
///
/// # Errors
/// A shipped file that does not fit, or a unit that cannot be read.
pub fn files(site: &Site<'_>) -> Result<Vec<File>, SetupError> {
    let Some(directory) = &site.place.unit_dir else {
        return Ok(Vec::new());
    };
    let config = site.place.config.display();
    let conditional = |text| Fill::new(text).value("/etc/bowline/bowline.toml", &config);
    let upkeep = conditional(UPKEEP_SERVICE);
    let mut units = vec![
        ("bowline-upkeep.service", service(site, upkeep, "upkeep")?),
        ("bowline-upkeep.timer", conditional(UPKEEP_TIMER).text()?),
    ];
    if site.gateway == Gateway::Fastcgi {
        let (user, web) = (&site.owners.state.user, &site.owners.web.group);
        let socket = Fill::new(SOCKET)
            .value("SocketUser=bowline", format_args!("SocketUser={user}"))
            .value("SocketGroup=www-data", format_args!("SocketGroup={web}"))
            .text()?;
        let responder = service(site, Fill::new(SERVICE), "fastcgi")?;
        units.push(("bowline.service", responder));
        units.push(("bowline.socket", socket));
    }
    units
        .into_iter()
        .map(|(name, text)| {
            let path = path(directory, name, &text)?;
            Ok(File::text(path, 0o644, &site.owners.root, text))
        })
        .collect()
}

/// A unit that runs the executable.
fn service(site: &Site<'_>, fill: Fill<'_>, verb: &str) -> Result<String, SetupError> {
    let config = match site.config() {
        Some(file) => format!(" --config {}", file.display()),
        None => String::new(),
    };
    let state = match site.place.state_dir.as_path() {
        usual if usual == Path::new(DEFAULT_STATE) => STATE.to_owned(),
        other => format!("ReadWritePaths={}\n", other.display()),
    };
    let user = &site.owners.state;
    let shipped = format!("ExecStart=/usr/bin/bowline {verb}\n");
    let command = format!("ExecStart={}{config} {verb}\n", site.executable.display());
    let text = fill
        .value(&shipped, command)
        .value("User=bowline\n", format_args!("User={}\n", user.user))
        .value("Group=bowline\n", format_args!("Group={}\n", user.group))
        .value(STATE, state)
        .text()?;
    Ok(text)
}

/// Where a unit is, or is to be.
fn path(directory: &Path, name: &str, text: &str) -> Result<PathBuf, SetupError> {
    let own = directory.join(name);
    if own.exists() {
        return Ok(own);
    }
    for packaged in PACKAGED.map(|directory| Path::new(directory).join(name)) {
        if read(&packaged)?.as_deref() == Some(text) {
            return Ok(packaged);
        }
    }
    Ok(own)
}

/// The unit of upkeep, which names the user that runs bowline; where there is one.
pub(super) fn upkeep(place: &Place) -> Option<PathBuf> {
    let own = place.unit_dir.as_deref()?;
    let directories = [own].into_iter().chain(PACKAGED.map(Path::new));
    let mut units = directories.map(|directory| directory.join("bowline-upkeep.service"));
    units.find(|unit| unit.exists())
}

/// Whether a unit is started with a target.
fn is_enabled(place: &Place, unit: &str, target: &str) -> bool {
    place.unit_dir.as_ref().is_some_and(|directory| {
        let wants = directory.join(format!("{target}.wants"));
        wants.join(unit).is_symlink()
    })
}

/// Whether the responder is started by its socket.
pub fn has_socket(place: &Place) -> bool {
    is_enabled(place, "bowline.socket", "sockets.target")
}

/// Whether the unit runs.
pub fn is_active(unit: &str) -> bool {
    systemctl(&["is-active", unit]).is_some_and(|said| said.trim() == "active")
}

/// Whether systemd knows the unit and does not start it with the machine.
pub fn is_disabled(unit: &str) -> bool {
    systemctl(&["is-enabled", unit]).is_some_and(|said| said.trim() == "disabled")
}

/// A server that was found disabled, as one is that made room for another, starts with the
/// machine from now on: until then all is well, and after its next start nothing answers.
pub fn enable(place: &Place, service: &str) -> Option<Step> {
    let is_off = place.unit_dir.is_some() && is_disabled(service);
    is_off.then(|| {
        Step::here(
            "it runs after every start of this machine",
            format!("systemctl enable {service}"),
        )
    })
}

/// The way back.
pub fn removal(directory: &Path) -> Vec<Step> {
    let names = [
        "bowline.socket",
        "bowline.service",
        "bowline-upkeep.timer",
        "bowline-upkeep.service",
    ];
    let files: Vec<String> = names
        .iter()
        .map(|name| directory.join(name))
        .filter(|file| file.exists())
        .map(|file| file.display().to_string())
        .collect();
    let stop = format!("systemctl disable --now {}", names.join(" "));
    let mut steps = vec![Step::yours("responder and upkeep", stop)];
    if !files.is_empty() {
        let remove = format!("rm -f {} && systemctl daemon-reload", files.join(" "));
        steps.push(Step::yours("their units", remove));
    }
    steps
}

/// The units are read, enabled and started.
pub fn steps(site: &Site<'_>, files: &[(File, State)]) -> Vec<Step> {
    let Some(directory) = &site.place.unit_dir else {
        return Vec::new();
    };
    let mut steps = Vec::new();
    let changed = is_changed(files, directory);
    if changed {
        steps.push(Step::here(
            "systemd reads its units",
            "systemctl daemon-reload",
        ));
    }
    let timer = is_enabled(site.place, "bowline-upkeep.timer", "timers.target");
    let socket = has_socket(site.place);
    let fastcgi = site.gateway == Gateway::Fastcgi;
    let units = match fastcgi {
        true => "bowline.socket bowline-upkeep.timer",
        false => "bowline-upkeep.timer",
    };
    if socket && !fastcgi {
        steps.push(Step::here(
            "with CGI no responder runs",
            "systemctl disable --now bowline.socket bowline.service",
        ));
    }
    if !timer || fastcgi && !socket {
        steps.push(
            Step::here(
                "now and at every start of this machine",
                format!("systemctl enable --now {units}"),
            )
            .reads(directory)
            .reads(&site.place.config),
        );
    } else if changed {
        let stop = if fastcgi {
            "systemctl stop bowline.service && "
        } else {
            ""
        };
        steps.push(
            Step::here("they run anew", format!("{stop}systemctl restart {units}"))
                .reads(directory)
                .reads(&site.place.config),
        );
    }
    steps
}
