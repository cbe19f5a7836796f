//! The hosts of a zone, and those that a deeper zone hides: names at or below its apex are
//! answered from there (RFC 1034 4.2.1).

use std::fmt::Display;
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::session::open_registry;
use super::{Failure, hosts, step_down};
use crate::config::Config;
use crate::name::ZoneName;
use crate::registry::{Registry, State};

/// So many are named.
const NAMED: usize = 3;
/// What to do with hosts that a deeper zone hides, or would hide.
const WAY: &str = "`bowline host remove` each";

/// A host in the list that another process of ours prints.
#[derive(Debug, Deserialize)]
struct Listed {
    name: String,
}

/// The names of a zone's hosts, those that are still being removed too.
///
/// Root never opens what lies in somebody else's directory: a process of ours asks, which
/// goes on as the state directory's owner.
pub(super) fn names(config: &Config, zone: &ZoneName) -> Result<Vec<String>, Failure> {
    if step_down::owner(config.state_directory())?.is_none() {
        return match config.state.registry.exists() {
            true => names_here(&open_registry(config)?, zone),
            false => Ok(Vec::new()),
        };
    }
    if config.state.registry.symlink_metadata().is_err() {
        return Ok(Vec::new());
    }
    let mut listing = Command::new(step_down::SELF);
    listing
        .arg("--json")
        .arg("--config")
        .arg(std::path::absolute(&config.file)?)
        .args(["host", "list", "--zone", zone.as_str()])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    let output = listing.output()?;
    match serde_json::from_slice::<Vec<Listed>>(&output.stdout) {
        Ok(all) if output.status.success() => Ok(all.into_iter().map(|host| host.name).collect()),
        _ => Err(Failure::new(format!(
            "the hosts of {zone} could not be listed"
        ))),
    }
}

fn names_here(registry: &Registry, zone: &ZoneName) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    registry.each_host(|host| {
        if host.name.zone() == *zone {
            names.push(host.name.to_string());
        }
        Ok::<(), Failure>(())
    })?;
    registry.nothing_left_out()?;
    Ok(names)
}

/// Refuses a new zone that would hide hosts of the zones above it.
pub(super) fn check_new(config: &Config, new: &ZoneName) -> Result<(), Failure> {
    let mut hidden = Vec::new();
    for zone in &config.zones {
        if zone.name.relative(new.as_str()).is_some() {
            let names = names(config, &zone.name)?.into_iter();
            hidden.extend(names.filter(|name| new.holds(name)));
        }
    }
    if hidden.is_empty() {
        return Ok(());
    }
    let cause = format!("zone {new} would hide {}", listed(&hidden));
    Err(Failure::new(cause).hint(format!(
        "{WAY}, add the zone, then `bowline host add --again` those that go on: they are in the new zone"
    )))
}

/// Complains of hosts that a configured zone hides.
pub(super) fn check_hidden(config: &Config, registry: &Registry) -> Result<(), Failure> {
    let above = |deeper: &ZoneName| {
        let mut zones = config.zones.iter();
        zones.any(|zone| zone.name.relative(deeper.as_str()).is_some())
    };
    // Most have no zone below another: then there is nothing to look for.
    if !config.zones.iter().any(|zone| above(&zone.name)) {
        return Ok(());
    }
    let mut hidden = Vec::new();
    let mut by = None;
    registry.each_host(|host| {
        if host.state != State::Removing
            && let Some(zone) = config.deeper_zone(&host.name)
            && *by.get_or_insert(&zone.name) == &zone.name
        {
            hidden.push(host.name.to_string());
        }
        Ok::<(), Failure>(())
    })?;
    let Some(zone) = by else { return Ok(()) };
    let cause = format!("zone {zone} hides {}", listed(&hidden));
    Err(Failure::new(cause).hint(format!(
        "nobody sees their records: {WAY}, and `bowline host add --again` those that go on: they are in the deeper zone"
    )))
}

/// How many hosts these are, and the names of the first.
fn listed(names: &[impl Display]) -> String {
    let named = names.iter().take(NAMED).map(ToString::to_string);
    let mut named = named.collect::<Vec<_>>().join(", ");
    if let Some(more @ 1..) = names.len().checked_sub(NAMED) {
        named += &format!(" and {more} more");
    }
    format!("{} of a zone above it: {named}", hosts(names.len()))
}
