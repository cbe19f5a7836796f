//! What is typed for Knot: include line, check, restart or reload, first contents.

use std::fmt::Display;
use std::path::Path;

use super::super::error::SetupError;
use super::super::files::{File, State};
use super::super::installed::is_installed;
use super::super::nameserver::{Program, WAIT};
use super::super::next::{FIRST_CONTENTS, Step, remove, runs, service};
use super::super::ns::Ns;
use super::super::own_ns;
use super::super::place::{Place, has_systemd};
use super::{Knot, common_conf, common_paths, secondaries};
use crate::dns::Rtype;
use crate::dns::apex::{Reply, ask};
use crate::name::ZoneName;
use crate::port::AddressPort;

/// Include line, check, restart or reload, and the zone's first contents.
///
/// # Errors
/// A `knot.conf` that cannot be read.
pub(super) fn next(
    place: &Place,
    files: &[(File, State)],
    update: AddressPort,
    zone: &ZoneName,
) -> Result<Vec<Step>, SetupError> {
    let mut steps = Vec::new();
    let conf = place.knot_conf();
    let conf = conf.display();
    if !is_installed("knotd") {
        steps.push(Step::yours("the name server", "apt-get install knot"));
    }
    let line = format!("include: \"{}/*.conf\"", place.knot_include().display());
    let included = Knot.reads_ours(place)?;
    if !included {
        steps.push(Step::here("Knot reads our files", include(&conf, &line)));
    }
    let changed = |path: &Path| {
        files
            .iter()
            .any(|(file, state)| file.path.starts_with(path) && state.writes())
    };
    let listeners = changed(&common_conf(place)) || place.private && changed(&place.knot_conf());
    let served = ask(update.0, zone, Rtype::SOA, WAIT);
    let is_served = matches!(served, Reply::Data(_));
    let own_ns = own_ns::steps(&Knot, place, files, update, zone)?;
    if is_served && included && !changed(&place.knot_dir) {
        steps.extend(own_ns);
        return Ok(steps);
    }
    let steps_there = for_secondaries(place, files)?;
    steps.push(Step::here(
        "all of it is valid",
        format!("knotc -c {conf} conf-check"),
    ));
    let read = if listeners || !included || served == Reply::Silence {
        Step::here(
            "a new listener needs a restart, a reload does not open it",
            restart(place),
        )
    } else {
        Step::here("Knot reads it", reload(place))
    };
    steps.push(read.reads(&place.knot_dir));
    // Even where it is served: by then perhaps from a configuration that is gone already.
    let script = Knot.first_contents(place, zone);
    steps.push(Step::here(
        FIRST_CONTENTS,
        format!("sh {}", script.display()),
    ));
    steps.extend(own_ns);
    steps.extend(steps_there);
    Ok(steps)
}

/// Another NS for a zone that has first contents: in a transaction, so that it is signed along with
/// it.
pub(super) fn add_ns(place: &Place, zone: &ZoneName, ns: &Ns<'_>) -> Step {
    let knotc = format!("knotc -c {}", place.knot_conf().display());
    let Ns { below, ttl, .. } = ns;
    let data = format!("NS {}.", ns.server.as_str());
    // It may have come with first contents meanwhile. An open transaction would hold up every
    // update of the zone; that of somebody else stays.
    let add = format!(
        "{knotc} zone-read {zone} {below} NS 2>/dev/null | grep -qwF '{data}' || {{ {knotc} zone-begin {zone} && {{ {knotc} zone-set {zone} {below} {ttl} {data} && {knotc} zone-commit {zone} \
         || {{ {knotc} zone-abort {zone}; false; }}; }}; }}",
    );
    Step::here(ns.why(zone), add)
}

/// What is done once on each new secondary; a new zone needs nothing there.
fn for_secondaries(place: &Place, files: &[(File, State)]) -> Result<Vec<Step>, SetupError> {
    let ours = secondaries::for_secondary(place);
    let is_new = |(file, state): &(File, State)| file.path == ours && state.writes();
    // Those there have that file, unless it is another one now.
    let has_it = match files.iter().any(is_new) {
        true => Vec::new(),
        false => secondaries::known(place)?,
    };
    let all = secondaries::conf(place);
    let wanted = files.iter().find(|(file, _)| file.path == all);
    let text = wanted
        .and_then(|(file, _)| file.content.text())
        .unwrap_or_default();
    let there = "/etc/knot/bowline-secondary.conf";
    // Twice it would be an error.
    let include = format!("include: \\\"{there}\\\"");
    let conf = "/etc/knot/knot.conf";
    let each = |ip: String| {
        let host = if ip.contains(':') {
            format!("[{ip}]")
        } else {
            ip.clone()
        };
        [
            Step::yours(
                "the secondary gets the key for transfers, and where to fetch the zones",
                format!("scp {} root@{host}:{there}", ours.display()),
            ),
            Step::yours(
                "it reads that, and serves every zone of the primary from then on",
                format!(
                    "ssh root@{ip} \"chgrp knot {there} && chmod 640 {there} && {{ grep -qxF '{include}' {conf} \
                     || echo '{include}' >> {conf}; }} && knotc conf-check && systemctl restart knot\"",
                ),
            ),
        ]
    };
    Ok(secondaries::of(text)
        .into_iter()
        .filter(|address| !has_it.contains(address))
        .map(|address| address.0.ip().to_string())
        .flat_map(each)
        .collect())
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
        (false, _) if has_systemd() => service("knot", "restart"),
        // The script's `restart` does not make /run/knot, `start` does.
        (false, _) => "service knot stop; service knot start".to_owned(),
    }
}

/// How a running Knot is told of new zones and rights.
fn reload(place: &Place) -> String {
    format!("knotc -c {} reload", place.knot_conf().display())
}

/// Files, check, reload, and what Knot keeps of the zone.
pub(super) fn removal(place: &Place, zone: &ZoneName, last: bool) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut files = Knot.zone_paths(place, zone);
    if last {
        files.extend(common_paths(place));
    }
    steps.extend(remove("Knot's files", &files));
    let conf = place.knot_conf();
    let conf = conf.display();
    steps.push(Step::here(
        "the rest is valid",
        format!("knotc -c {conf} conf-check"),
    ));
    if place.knot_socket().exists() {
        steps.push(Step::here("Knot forgets the zone", reload(place)));
        steps.push(Step::yours(
            "its journal and keys, for good",
            format!("knotc -c {conf} -f zone-purge +orphan {zone}"),
        ));
    }
    if last && !place.private {
        let line = format!("{}/*.conf", place.knot_include().display());
        steps.push(Step::yours(
            "the include line",
            format!("# take \"{line}\" out of {conf}"),
        ));
    }
    steps
}
