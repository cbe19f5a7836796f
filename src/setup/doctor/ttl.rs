//! How long resolvers may keep an address that has changed since.

use super::report::Report;
use crate::config::Config;
use crate::registry::{Registry, RegistryError};
use crate::ttl::Ttl;

/// A day: who moves every night would be gone until the next one.
const LONG: u32 = 86_400;

/// Looks at the zones' TTL, and at those that hosts have of their own.
pub(super) fn examine(
    config: &Config,
    registry: &Registry,
    report: &mut Report,
) -> Result<(), RegistryError> {
    let zones = config
        .zones
        .iter()
        .map(|zone| (zone.ttl, zone.name.to_string()));
    let longest_zone = zones.max();
    let mut longest_host: Option<(Ttl, String)> = None;
    registry.each_host(|host| {
        // What stays may be kept.
        let own = host.settings.ttl.filter(|_| host.settings.fixed.is_none());
        if let Some(ttl) = own {
            longest_host = longest_host.take().max(Some((ttl, host.name.to_string())));
        }
        Ok::<_, RegistryError>(())
    })?;
    for (longest, verb) in [(&longest_zone, "zone"), (&longest_host, "host")] {
        if let Some((ttl, name)) = longest
            && ttl.seconds() > LONG
        {
            report.problem(
                "ttl",
                format_args!(
                    "with a TTL of {ttl} s of {name} an old address is used for days after a change"
                ),
                format_args!("`bowline {verb} set {name} --ttl 60`"),
            );
        }
    }
    if let Some((ttl, name)) = longest_zone.max(longest_host)
        && !report.has("ttl")
    {
        report.ok(
            "ttl",
            format_args!("an old address is used for {ttl} s at most, at {name}"),
        );
    }
    Ok(())
}
