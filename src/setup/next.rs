//! The commands that are still to be typed, in order.

use std::fmt::Display;
use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::error::SetupError;
use super::files::{File, State, read};
use super::knot::program;
use super::place::{Place, has_systemd};
use crate::dns::plain::{Kind, Reply, ask};
use crate::name::ZoneName;
use crate::port::AddressPort;

/// How long a server on this machine may take to say whether it has the zone.
const WAIT: Duration = Duration::from_millis(500);

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

/// Include line, check, restart or reload, and the zone's first contents.
///
/// # Errors
/// A `knot.conf` that cannot be read.
pub fn knot(
    place: &Place,
    files: &[(File, State)],
    update: AddressPort,
    zone: &ZoneName,
) -> Result<Vec<Step>, SetupError> {
    let mut steps = Vec::new();
    let conf = place.knot_conf();
    let conf = conf.display();
    if !Path::new(&program("knotd")).exists() {
        steps.push(Step::yours("the name server", "apt-get install knot"));
    }
    let line = format!("include: \"{}/*.conf\"", place.knot_include().display());
    let main_file = read(&place.knot_conf())?.unwrap_or_default();
    let included = place.private || main_file.lines().any(|known| known.trim_end() == line);
    if !included {
        steps.push(Step::here("Knot reads our files", include(&conf, &line)));
    }
    let changed = |path: &Path| {
        files
            .iter()
            .any(|(file, state)| file.path.starts_with(path) && state.writes())
    };
    let listeners = changed(&place.knot_include().join("10-bowline.conf"))
        || place.private && changed(&place.knot_conf());
    let served = ask(update.0, zone, Kind::Soa, WAIT);
    let is_served = matches!(served, Reply::Data(_));
    if is_served && included && !changed(&place.knot_dir) {
        return Ok(steps);
    }
    steps.push(Step::here(
        "all of it is valid",
        format!("knotc -c {conf} conf-check"),
    ));
    steps.push(if listeners || !included || served == Reply::Silence {
        Step::here(
            "a new listener needs a restart, a reload does not open it",
            restart(place),
        )
    } else {
        Step::here("Knot reads it", reload(place))
    });
    if !is_served {
        let script = place.first_contents(zone);
        steps.push(Step::here(
            "the zone's SOA and NS",
            format!("sh {}", script.display()),
        ));
    }
    Ok(steps)
}

/// Appends a line to `conf`, once a copy with it was found valid; a copy beside it, so that
/// what it includes is found.
fn include(conf: &impl Display, line: &str) -> String {
    let copy = format!("{conf}.bowline-new");
    let add = format!("printf '\\n%s\\n' '{line}'");
    format!(
        "(trap 'rm -f {copy}' EXIT; cp -p {conf} {copy} && {add} >> {copy} \
         && knotc -c {copy} conf-check && {add} >> {conf})"
    )
}

/// How Knot is started anew.
fn restart(place: &Place) -> String {
    let conf = place.knot_conf();
    let conf = conf.display();
    match (place.private, runs(&place.knot_socket())) {
        (true, false) => format!("knotd -d -c {conf}"),
        (true, true) => format!("knotc -c {conf} stop && sleep 2 && knotd -d -c {conf}"),
        (false, _) => service("knot", "restart"),
    }
}

/// How a running Knot is told of new zones and rights.
pub fn reload(place: &Place) -> String {
    format!("knotc -c {} reload", place.knot_conf().display())
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

/// A service's verb, by systemd where it runs.
pub fn service(name: &str, verb: &str) -> String {
    if has_systemd() {
        format!("systemctl {verb} {name}")
    } else if name == "apache2" && verb.starts_with("reload") {
        // Starts one that does not run, as `reload-or-restart` does.
        "apache2ctl graceful".to_owned()
    } else if verb == "reload-or-restart" {
        format!("service {name} restart")
    } else {
        format!("service {name} {verb}")
    }
}

/// Whether the process runs whose number is in that file.
pub fn is_running(pid_file: &Path) -> bool {
    let pid = read(pid_file).ok().flatten().unwrap_or_default();
    let pid = pid.trim();
    !pid.is_empty() && Path::new("/proc").join(pid).exists()
}

/// Whether a server answers at its control socket; one that refuses us answers as well.
pub fn runs(socket: &Path) -> bool {
    match UnixStream::connect(socket) {
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::PermissionDenied,
    }
}
