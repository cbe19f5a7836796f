//! What is typed for BIND: first contents, check, the main file, restart or reload.

use std::path::Path;
use std::process::Command;

use super::super::error::SetupError;
use super::super::files::{File, State, read};
use super::super::installed::{is_installed, program};
use super::super::nameserver::{Program, WAIT};
use super::super::next::{FIRST_CONTENTS, Step, is_running, remove, service};
use super::super::ns::{APEX, Ns};
use super::super::own_ns;
use super::super::place::Place;
use super::{Bind, key_conf};
use crate::dns::Rtype;
use crate::dns::apex::{Reply, ask};
use crate::name::ZoneName;
use crate::port::AddressPort;

/// The ending of the copy of what stood in the main file before.
const BEFORE: &str = ".before-bowline";
/// Zones that come with the package, and that a server for other zones can do without.
const STOCK: [&str; 5] = [
    ".",
    "localhost",
    "127.in-addr.arpa",
    "0.in-addr.arpa",
    "255.in-addr.arpa",
];

/// First contents, check, the main file, restart or reload.
pub(super) fn next(
    place: &Place,
    files: &[(File, State)],
    update: AddressPort,
    zone: &ZoneName,
) -> Result<Vec<Step>, SetupError> {
    let mut steps = Vec::new();
    if !is_installed("named") {
        steps.push(Step::yours("the name server", "apt-get install bind9"));
    }
    let included = reads_ours(place)?;
    let changed = |path: &Path| {
        files
            .iter()
            .any(|(file, state)| file.path.starts_with(path) && state.writes())
    };
    let served = ask(update.0, zone, Rtype::SOA, WAIT);
    let is_served = matches!(served, Reply::Data(_));
    let own_ns = own_ns::steps(&Bind, place, files, update, zone)?;
    if is_served && included && !changed(&place.bind_dir) {
        steps.extend(own_ns);
        return Ok(steps);
    }
    // Even where it is served: by then perhaps from a configuration that is gone already.
    let script = Bind.first_contents(place, zone);
    steps.push(Step::here(
        FIRST_CONTENTS,
        format!("sh {}", script.display()),
    ));
    steps.push(Step::here("all of it is valid", check(place)));
    if !included {
        let (main, line) = (place.bind_main.display(), include_line(place));
        steps.push(Step::here(
            "BIND serves these zones from now on and resolves no others; what it read so far is kept",
            format!("cp -p {main} {main}{BEFORE} && echo '{line}' > {main}"),
        ));
    }
    let anew = changed(&place.bind_conf()) || !included || served == Reply::Silence;
    let read = match anew {
        true => Step::here("a new listener needs a restart", restart(place)),
        false => Step::here("BIND reads it", reload(place)),
    };
    steps.push(read.reads(&place.bind_dir));
    steps.extend(own_ns);
    Ok(steps)
}

/// Another NS for a zone that has first contents. The file is edited by hand, as for any static
/// record; BIND would go on with a signature that stands there, and that is one of the NS as they
/// were. Those of a delegation have none.
pub(super) fn add_ns(place: &Place, zone: &ZoneName, ns: &Ns<'_>) -> Step {
    let file = place.bind_storage.join(format!("{zone}.zone"));
    let (name, ttl, server) = (ns.name(zone), ns.ttl, ns.server.as_str());
    let signature = match ns.below {
        APEX => "; take the RRSIG of NS out there, BIND makes it anew",
        _ => "",
    };
    Step::yours(
        ns.why(zone),
        format!(
            "# as a static record into {}: {name}. {ttl} NS {server}.{signature}",
            file.display()
        ),
    )
}

/// Files, reload, and what BIND keeps of the zone.
pub(super) fn removal(place: &Place, zone: &ZoneName, last: bool) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut files = Bind.zone_paths(place, zone);
    if last {
        let main = place.bind_main.display();
        if !place.private && Path::new(&format!("{main}{BEFORE}")).exists() {
            let back = format!("mv {main}{BEFORE} {main}");
            steps.push(Step::here("BIND reads what it read before", back));
        }
        files.extend([key_conf(place), place.bind_conf()]);
    }
    steps.extend(remove("BIND's files", &files));
    if !last {
        steps.push(Step::here("the rest is valid", check(place)));
    }
    if !place.private || runs(place) {
        let how = match (last, place.private) {
            (false, _) => reload(place),
            (true, true) => format!("kill \"$(cat {})\"", pid_file(place)),
            (true, false) => service("named", "restart"),
        };
        steps.push(Step::here("BIND forgets the zone", how));
    }
    let storage = place.bind_storage.display();
    steps.push(Step::yours(
        "its records, journal and keys, for good",
        format!("rm -f {storage}/{zone}.zone* {storage}/keys/K{zone}.+*"),
    ));
    steps
}

/// Refuses a `named.conf` with zones or views of its own: where there is one view, every
/// zone has to be in one.
pub(super) fn check_theirs(place: &Place) -> Result<(), SetupError> {
    if reads_ours(place)? || !place.bind_main.exists() {
        return Ok(());
    }
    // As BIND reads it, with everything that it includes. What it cannot read it does not run.
    let mut print = Command::new("named-checkconf");
    let Ok(output) = print.arg("-p").arg(&place.bind_main).output() else {
        return Ok(());
    };
    let text = String::from_utf8_lossy(&output.stdout);
    match text.lines().find_map(theirs) {
        Some(what) => Err(SetupError::ServerHas(
            Bind.name(),
            what,
            place.bind_main.clone(),
        )),
        None => Ok(()),
    }
}

/// A zone or view at the beginning of a line of `named-checkconf -p`, unless it comes
/// with the package.
fn theirs(line: &str) -> Option<String> {
    let (kind, rest) = line.split_once(" \"")?;
    let name = rest.split('"').next()?;
    let theirs = kind == "view" || kind == "zone" && !STOCK.contains(&name);
    theirs.then(|| format!("{kind} {name:?}"))
}

/// Whether BIND reads our main file.
pub(super) fn reads_ours(place: &Place) -> Result<bool, SetupError> {
    let line = include_line(place);
    let text = read(&place.bind_main)?.unwrap_or_default();
    Ok(place.private
        || text
            .lines()
            .any(|known| known.trim_start().starts_with(&line)))
}

/// The one line for `named.conf`.
fn include_line(place: &Place) -> String {
    format!("include \"{}\";", place.bind_conf().display())
}

fn check(place: &Place) -> String {
    format!("named-checkconf {}", place.bind_conf().display())
}

/// How BIND is started, or told of new listeners.
fn restart(place: &Place) -> String {
    match (place.private, runs(place)) {
        (true, false) => format!("{} -c {}", program("named"), place.bind_conf().display()),
        (true, true) => reload(place),
        (false, _) => service("named", "restart"),
    }
}

/// How a running BIND is told of new zones and rights.
fn reload(place: &Place) -> String {
    match place.private {
        true => format!("kill -HUP \"$(cat {})\"", pid_file(place)),
        false => "rndc reconfig".to_owned(),
    }
}

/// Whether a private BIND is up.
fn runs(place: &Place) -> bool {
    is_running(Path::new(&pid_file(place)))
}

fn pid_file(place: &Place) -> String {
    place.bind_dir.join("run/named.pid").display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_with_the_package_is_not_theirs() {
        for (line, found) in [
            ("zone \"localhost\" {", None),
            ("zone \".\" {", None),
            ("\tfile \"/etc/bind/db.local\";", None),
            ("options {", None),
            ("zone \"example.net\" {", Some("zone \"example.net\"")),
            ("view \"inside\" {", Some("view \"inside\"")),
        ] {
            assert_eq!(theirs(line).as_deref(), found, "{line}");
        }
    }
}
