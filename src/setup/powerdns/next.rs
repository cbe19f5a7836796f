//! What is typed for PowerDNS: check, first contents, restart.

use std::path::{Path, PathBuf};

use super::super::error::SetupError;
use super::super::files::{Content, File, State, read};
use super::super::installed::{is_installed, program};
use super::super::nameserver::{Program, WAIT};
use super::super::next::{Step, is_running, remove, service};
use super::super::ns::{APEX, Ns};
use super::super::own_ns;
use super::super::place::Place;
use super::{PowerDns, SIGNED, key_sql, policy, settings_file};
use crate::dns::Rtype;
use crate::dns::apex::{Reply, ask};
use crate::name::ZoneName;
use crate::port::AddressPort;

/// Settings that are there once: what two files say about them does not add up.
const ONCE: [&str; 5] = [
    "launch",
    "local-address",
    "dnsupdate",
    "allow-dnsupdate-from",
    "lua-dnsupdate-policy-script",
];

/// Check, first contents, restart.
pub(super) fn next(
    place: &Place,
    files: &[(File, State)],
    update: AddressPort,
    zone: &ZoneName,
) -> Result<Vec<Step>, SetupError> {
    let mut steps = Vec::new();
    let backend = |directory: &PathBuf| directory.join("libgsqlite3backend.so").exists();
    if !is_installed("pdns_server")
        || !Path::new("/usr/bin/sqlite3").exists()
        || !backends().iter().any(backend)
    {
        steps.push(Step::yours(
            "the name server",
            "apt-get install pdns-server pdns-backend-sqlite3 sqlite3",
        ));
    }
    let changed = |path: &Path| {
        files
            .iter()
            .any(|(file, state)| file.path == path && state.writes())
    };
    // The package brings that line, its authors' own file has it behind a `#`.
    let included = reads_ours(place)? || !place.pdns_conf().exists();
    if !included {
        let (conf, ours) = (place.pdns_conf(), place.pdns_include());
        let line = format!("include-dir={}", ours.display());
        let add = format!("printf '\\n%s\\n' '{line}' >> {}", conf.display());
        steps.push(Step::here("PowerDNS reads our files", add));
    }
    let own_ns = own_ns::steps(&PowerDns, place, files, update, zone)?;
    let has = |rtype| ask(update.0, zone, rtype, WAIT);
    let is_served = matches!(has(Rtype::SOA), Reply::Data(_));
    // The script leaves a zone that is there alone.
    let script = PowerDns.first_contents(place, zone);
    let wanted = files.iter().find(|(file, _)| file.path == script);
    let signing = wanted
        .filter(|_| is_served)
        .and_then(|(file, _)| signing(place, zone, file, &has(Rtype::DNSKEY)));
    // What the key may change is read from its file each time.
    let anew = [settings_file(place), policy(place), key_sql(place)];
    if is_served && included && !anew.iter().any(|path| changed(path)) {
        steps.extend(own_ns);
        steps.extend(signing);
        return Ok(steps);
    }
    let dir = place.pdns_dir.display();
    steps.push(Step::here(
        "all of it is valid",
        format!("pdns_server --config-dir={dir} --config=check"),
    ));
    steps.push(Step::here(
        "the database, the key, the zone's SOA and NS",
        format!("sh {}", script.display()),
    ));
    let read = Step::here("new settings and zones need a restart", restart(place));
    steps.push(read.reads(&place.pdns_dir));
    steps.extend(own_ns);
    steps.extend(signing);
    Ok(steps)
}

/// That a zone which is there, and has those `keys`, is signed as its `script` would have it, or no
/// more.
fn signing(place: &Place, zone: &ZoneName, script: &File, keys: &Reply) -> Option<Step> {
    let Content::Text(text) = &script.content else {
        return None;
    };
    let dir = place.pdns_dir.display();
    let (pdnsutil, purge) = (
        format!("pdnsutil --config-dir={dir}"),
        format!("pdns_control --config-dir={dir} purge {zone}$"),
    );
    match (text.lines().any(|line| line == SIGNED), keys) {
        (false, Reply::Data(_)) => Some(Step::here(
            "its keys and signatures go",
            format!("{pdnsutil} disable-dnssec {zone} && {{ {purge} || true; }}"),
        )),
        (true, Reply::No) => Some(Step::here(
            "it is signed from now on",
            format!(
                "{pdnsutil} secure-zone {zone} && {pdnsutil} set-nsec3 {zone} '1 0 0 -' \
                 && {pdnsutil} set-publish-cds {zone} 2 && {pdnsutil} rectify-zone {zone} \
                 && {{ {purge} || true; }}"
            ),
        )),
        _ => None,
    }
}

/// Another NS for a zone that has first contents; answers are signed as they are asked for, but
/// for a delegation, which has to be known as one.
pub(super) fn add_ns(place: &Place, zone: &ZoneName, ns: &Ns<'_>) -> Step {
    let dir = place.pdns_dir.display();
    let pdnsutil = format!("pdnsutil --config-dir={dir}");
    let (name, server) = (ns.name(zone), ns.server.as_str());
    let Ns { below, ttl, .. } = ns;
    let rectify = match *below {
        APEX => String::new(),
        _ => format!(" && {pdnsutil} rectify-zone {zone}"),
    };
    Step::here(
        ns.why(zone),
        // What is there already would be there twice. A server that was started just now has
        // nothing to purge, and perhaps does not listen to that yet.
        format!(
            "{pdnsutil} list-zone {zone} | grep -qi '^{name}[[:space:]].*[[:space:]]NS[[:space:]]{server}[.]$' \
             || {{ {pdnsutil} add-record {zone} {below} NS {ttl} {server}.{rectify} && {pdnsutil} increase-serial {zone} \
             && {{ pdns_control --config-dir={dir} purge {zone} || true; }}; }}",
        ),
    )
}

/// Zone, files, restart.
pub(super) fn removal(place: &Place, zone: &ZoneName, last: bool) -> Vec<Step> {
    let mut steps = Vec::new();
    let dir = place.pdns_dir.display();
    let database = place.pdns_storage.join("bowline.sqlite3");
    if database.exists() {
        let pdnsutil = format!("pdnsutil --config-dir={dir}");
        // One that was never loaded, or went with a run that stopped later, is not there.
        steps.push(Step::here(
            "its records and keys, for good",
            format!(
                "zones=$({pdnsutil} list-all-zones) && {{ ! echo \"$zones\" | grep -qixF {zone} \
                 || {pdnsutil} delete-zone {zone}; }}"
            ),
        ));
    }
    let mut files = PowerDns.zone_paths(place, zone);
    if last {
        // The settings go with the script that they name: without it everybody may
        // change everything.
        files.extend([settings_file(place), key_sql(place), policy(place)]);
        files.extend(place.pdns_unit());
    }
    steps.extend(remove("PowerDNS's files", &files));
    if !place.private || runs(place) {
        let how = match last && place.private {
            true => format!("pdns_control --config-dir={dir} quit"),
            false => restart(place),
        };
        steps.push(Step::here("PowerDNS forgets the zone", how));
    }
    if last && database.exists() {
        steps.push(Step::yours(
            "the database, which has the key",
            format!("rm -f {}*", database.display()),
        ));
    }
    steps
}

/// Whether `pdns.conf` has our settings read.
pub(super) fn reads_ours(place: &Place) -> Result<bool, SetupError> {
    let text = read(&place.pdns_conf())?.unwrap_or_default();
    let names_ours = |line: &str| {
        let (name, value) = line.split_once('=')?;
        Some(name.trim() == "include-dir" && Path::new(value.trim()) == place.pdns_include())
    };
    Ok(place.private || text.lines().filter_map(names_ours).any(|ours| ours))
}

/// Refuses a PowerDNS with a backend, listeners or updates of its own.
pub(super) fn check_theirs(place: &Place) -> Result<(), SetupError> {
    if place.private {
        return Ok(());
    }
    let ours = settings_file(place);
    let mut files = vec![place.pdns_conf()];
    let included = std::fs::read_dir(place.pdns_include());
    files.extend(
        included
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path()),
    );
    for file in files.into_iter().filter(|file| *file != ours) {
        let text = read(&file)?.unwrap_or_default();
        if let Some(setting) = text.lines().find_map(theirs) {
            return Err(SetupError::ServerHas(PowerDns.name(), setting, file));
        }
    }
    Ok(())
}

/// A setting with a value that ours would meet.
fn theirs(line: &str) -> Option<String> {
    let (name, value) = line.trim().split_once('=')?;
    let name = name.trim_end_matches('+').trim();
    let is_set = ONCE.contains(&name) && !value.trim().is_empty();
    is_set.then(|| name.to_owned())
}

/// How PowerDNS is started, anew where it runs; never without its policy script.
fn restart(place: &Place) -> String {
    let dir = place.pdns_dir.display();
    let start = format!(
        "test -r {} && {} --config-dir={dir} --daemon=yes --guardian=no",
        policy(place).display(),
        program("pdns_server"),
    );
    match (place.private, runs(place)) {
        (true, false) => start,
        (true, true) => format!("pdns_control --config-dir={dir} quit && sleep 2 && {start}"),
        (false, _) => match place.pdns_unit() {
            Some(_) => format!("systemctl daemon-reload && {}", service("pdns", "restart")),
            None => service("pdns", "restart"),
        },
    }
}

/// Whether a private PowerDNS is up.
fn runs(place: &Place) -> bool {
    is_running(&place.pdns_dir.join("run/pdns.pid"))
}

/// Where the packages put backends: one directory for each kind of machine.
fn backends() -> Vec<PathBuf> {
    let machines = std::fs::read_dir("/usr/lib")
        .into_iter()
        .flatten()
        .flatten();
    let mut all: Vec<PathBuf> = machines.map(|entry| entry.path().join("pdns")).collect();
    all.extend(["/usr/lib/pdns".into(), "/usr/lib64/pdns".into()]);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_without_a_value_are_not_theirs() {
        for (line, found) in [
            ("launch=", None),
            ("# launch=bind", None),
            ("include-dir=/etc/powerdns/pdns.d", None),
            ("launch=bind", Some("launch")),
            ("launch += gmysql", Some("launch")),
            (" local-address = 192.0.2.1", Some("local-address")),
        ] {
            assert_eq!(theirs(line).as_deref(), found, "{line}");
        }
    }
}
