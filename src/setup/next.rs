//! The commands that are still to be typed, in order.

use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use super::files::read;
use super::nameserver::{self, Program};
use super::ns::Ns;
use super::own_ns;
use super::place::{Place, has_systemd};
use super::zone::NameServer;
use crate::config::Zone;
use crate::name::ZoneName;
use crate::port::AddressPort;
use crate::span::Span;

/// What a script of first contents is for; a zone that has some is left alone by it.
pub(super) const FIRST_CONTENTS: &str = "the zone's SOA and NS, unless it has them";

/// One command, and what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it does, in a few words.
    pub why: String,
    /// For a shell; begins with `#` when it is nothing a shell can do.
    pub command: String,
    /// Whether `--apply` runs it.
    pub applied: bool,
    /// Where the files are that a server has read when it is done.
    pub reads: Vec<PathBuf>,
}

impl Step {
    /// One that `--apply` runs.
    pub fn here(why: impl Into<String>, command: impl Into<String>) -> Self {
        Step {
            why: why.into(),
            command: command.into(),
            applied: true,
            reads: Vec::new(),
        }
    }

    /// The same, left to the operator.
    pub fn left(self) -> Self {
        Step {
            applied: false,
            ..self
        }
    }

    /// The same, whose server reads the files at or below `path`.
    pub fn reads(mut self, path: &Path) -> Self {
        self.reads.push(path.to_owned());
        self
    }

    /// One that the operator does.
    pub fn yours(why: impl Into<String>, command: impl Into<String>) -> Self {
        Step::here(why, command).left()
    }
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

/// Before a zone is signed no more, or gone.
pub fn without_ds(zone: &ZoneName) -> Step {
    Step::yours(
        "first, or the zone is bogus meanwhile",
        format!(
            "# take the DS of {zone} out of {}, and wait for its TTL",
            zone.parent()
        ),
    )
}

/// The right to update `zone`, where a name server of somebody else's serves it.
pub fn right(place: &Place, zone: &ZoneName, acme: bool) -> Step {
    let challenges = if acme {
        ", and TXT at their _acme-challenge"
    } else {
        ""
    };
    Step::yours(
        "the right to update the zone",
        format!(
            "# let the key in {} change A and AAAA of the names below {zone}{challenges}; \
             `bowline doctor` tries it",
            place.tsig_key().display()
        ),
    )
}

/// The right to challenges is taken back, where a name server of somebody else's serves the zone.
pub fn right_back(place: &Place, zone: &ZoneName) -> Step {
    Step::yours(
        "the key's right to challenges",
        format!(
            "# let the key in {} change TXT below {zone} no more; `bowline doctor` tries it",
            place.tsig_key().display()
        ),
    )
}

/// What is to be waited for before the key may remove challenges no more.
pub fn challenges_over(place: &Place, keep: Span) -> Step {
    Step::yours(
        format!(
            "wait until it counts no challenges: those that stand go within {keep}, and the key has \
             to remove them"
        ),
        place.bowline("status"),
    )
}

/// The delegation: where the zone above is one of ours in `zones`, by its own name server.
pub fn parent(place: &Place, zone: &ZoneName, servers: &[NameServer], zones: &[Zone]) -> Vec<Step> {
    let mut steps: Vec<Step> = match above(place, zone, zones) {
        Some((program, upper, below)) => servers
            .iter()
            .map(|server| {
                let ttl = own_ns::TTL;
                program.add_ns(place, upper, &Ns { below, server, ttl })
            })
            .collect(),
        None => vec![Step::yours(
            "the delegation",
            format!("# enter the records above where {} is kept", zone.parent()),
        )],
    };
    steps.push(Step::yours(
        "the DS, once the parent answers the NS",
        place.bowline(&format!("zone show {zone}")),
    ));
    steps
}

/// The nearest zone above that we have set up, its name server, and what `zone` is in it.
fn above<'a>(
    place: &Place,
    zone: &'a ZoneName,
    zones: &'a [Zone],
) -> Option<(&'static dyn Program, &'a ZoneName, &'a str)> {
    let above = zones
        .iter()
        .filter_map(|upper| Some((&upper.name, upper.name.relative(zone.as_str())?)));
    let (upper, below) = above.min_by_key(|(_, below)| below.len())?;
    Some((nameserver::found(place, upper)?, upper, below))
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
