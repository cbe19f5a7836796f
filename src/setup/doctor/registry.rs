//! The registry: whether it is whole, of this version, and made with our lookup key; what
//! waits in it, and which tokens are in force.

use super::report::Report;
use super::state::State;
use super::ttl;
use crate::config::Config;
use crate::hint::Hint as _;
use crate::name::ZoneName;
use crate::registry::{LATE_MINUTES, Registry, RegistryError, inspect, is_late};
use crate::time::Timestamp;
use crate::token::{Digest, LookupKey};

/// The registry's file, its key and its hosts.
pub(super) fn examine(config: &Config, suspects: &[Digest], state: &mut State) {
    let report = &mut state.report;
    let restore = "restore a backup with `bowline restore FILE`";
    let file = &config.state.registry;
    let key = match LookupKey::load(&config.state.lookup_key) {
        Ok(key) => Some(key),
        Err(error) => {
            report.problem(
                "lookup-key",
                error,
                "put back the lookup.key that belongs to the registry, as from a backup",
            );
            None
        }
    };
    let found = match inspect(file, key.as_ref()) {
        Ok(found) => found,
        Err(error) => {
            let hint = error.hint().unwrap_or_else(|| restore.to_owned());
            return report.problem("registry-integrity", error, hint);
        }
    };
    match found.defects.is_empty() {
        true => report.ok(
            "registry-integrity",
            format_args!("{} is whole", file.display()),
        ),
        false => report.problem(
            "registry-integrity",
            format_args!(
                "{} is damaged: {}",
                file.display(),
                found.defects.join("; ")
            ),
            restore,
        ),
    }
    let (version, current) = (found.version, found.current);
    let says = format!("version {version}; this executable makes version {current}");
    match version.cmp(&current) {
        std::cmp::Ordering::Equal => report.ok("registry-version", says),
        std::cmp::Ordering::Less if version > 0 => report.ok_but(
            "registry-version",
            says,
            "the next verb or visit brings it to this version",
        ),
        // Of which that it is damaged was said.
        std::cmp::Ordering::Less if !found.defects.is_empty() => return,
        std::cmp::Ordering::Less => {
            return report.problem(
                "registry-version",
                "it is no registry of bowline's",
                restore,
            );
        }
        std::cmp::Ordering::Greater => {
            return report.problem("registry-version", says, "install the newer bowline again");
        }
    }
    match found.key_fits {
        Some(true) => report.ok("lookup-key", "the registry was made with it"),
        Some(false) => report.problem(
            "lookup-key",
            "the registry was made with another one, so no token can be found",
            "put back the lookup.key that belongs to the registry, as from a backup",
        ),
        None if key.is_some() => report.unknown("lookup-key", "whether it fits", restore),
        None => {}
    }
    let sound = found.defects.is_empty() && version == current && found.key_fits == Some(true);
    if let Some(key) = key.filter(|_| sound) {
        match hosts(config, key, suspects, report) {
            Ok(in_force) => state.in_force = in_force,
            Err(error) => report.problem("registry-integrity", error, restore),
        }
    }
}

/// What waits for its name server, what is kept for long; which suspects are tokens.
fn hosts(
    config: &Config,
    key: LookupKey,
    suspects: &[Digest],
    report: &mut Report,
) -> Result<Vec<bool>, RegistryError> {
    let registry = Registry::open(&config.state.registry, key)?;
    let now = Timestamp::now();
    let pending = registry.pending()?;
    let mut differing = Vec::new();
    registry.each_host(|host| {
        if host.shown_otherwise().is_some() {
            differing.push(host.name);
        }
        Ok::<(), RegistryError>(())
    })?;
    registry.nothing_left_out()?;
    zones(config, &registry, report)?;
    let (mut late, mut first_late) = (0, None);
    for due in &pending {
        for host in registry.whole_hosts(&[due.id])? {
            if is_late(registry.pending_since(&host)?, now) {
                late += 1;
                first_late.get_or_insert(host.name);
            }
        }
    }
    let challenges = registry.count_challenges()?.since;
    match first_late {
        None if challenges.is_some_and(|since| is_late(since, now)) => report.problem(
            "pending",
            format_args!(
                "a challenge for a certificate waits for its name server for over {LATE_MINUTES} minutes"
            ),
            "the reason is among these checks or in the log",
        ),
        None if let Some(first) = differing.first() => report.problem(
            "pending",
            format_args!(
                "{} are shown otherwise by their name server, {first} first",
                differing.len()
            ),
            "`bowline status` shows them; the reason is among these checks or in the log",
        ),
        None => report.ok(
            "pending",
            format_args!(
                "{} hosts wait for their name server, none for over {LATE_MINUTES} minutes",
                pending.len()
            ),
        ),
        Some(first) => report.problem(
            "pending",
            format_args!(
                "{late} wait for their name server for over {LATE_MINUTES} minutes, {first} first"
            ),
            "`bowline status` shows them; the reason is among these checks or in the log",
        ),
    }
    ttl::examine(config, &registry, report)?;
    registry.in_force(suspects, now)
}

/// A host whose zone is not configured hears of trouble at every visit.
fn zones(config: &Config, registry: &Registry, report: &mut Report) -> Result<(), RegistryError> {
    let zones: Vec<&ZoneName> = config.zones.iter().map(|zone| &zone.name).collect();
    let outside = registry.hosts_outside(&zones)?;
    for (zone, hosts) in &outside {
        report.problem(
            "hosts",
            format_args!(
                "the registry has hosts in {zone}, {hosts} in all, and bowline.toml has no such zone"
            ),
            format_args!(
                "`bowline zone add {zone}`, with the options it had, puts it back; hosts that are to go: `bowline host remove` each"
            ),
        );
    }
    if outside.is_empty() {
        report.ok("hosts", "the zone of every host is configured");
    }
    Ok(())
}
