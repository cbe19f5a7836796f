//! `doctor`: named checks of a set-up, each with one sentence and what to do about it.
//!
//! Nothing is changed by looking: the zone is asked to delete what is not there. Where
//! something cannot be found out, it is said so; it is never taken for well.

mod challenge;
pub mod checks;
pub mod configuration;
mod formats;
mod inside;
mod issuers;
mod knot;
pub mod logs;
pub mod machine;
mod mode;
mod powerdns;
mod reach;
mod registry;
pub mod report;
mod rule;
mod sandbox;
pub mod secrets;
mod server;
pub mod servers;
mod sources;
pub mod state;
pub mod timer;
mod ttl;
mod unreachable;
pub mod user;
pub mod web;
mod world;
mod zone;

use crate::config::Config;
use crate::setup::{Place, again, nameserver};

pub use report::{Finding, Report, Status};
pub use world::World;

/// Looks at every zone, as its name server answers and as the world sees it.
pub fn zones(config: &Config, place: &Place, world: World, report: &mut Report) {
    for zone in &config.zones {
        report.about(Some(&zone.name));
        let ours = nameserver::found(place, &zone.name).is_some();
        let init = ours.then(|| again::Init::of(config, zone, place));
        if let Some(known) = server::examine(zone, init.as_ref(), report) {
            reach::examine(zone, &known, place, report);
        }
        report.explained("key", "key-copy");
        knot::examine(zone, place, report);
        let apex = zone::examine(zone, place, report);
        world.examine(zone, &apex, report);
        issuers::examine(zone, world.resolver(), report);
        for check in [
            "delegation",
            "secondaries",
            "reach",
            "reach-ipv4",
            "reach-ipv6",
        ] {
            // Who does not answer here answers nobody.
            report.explained(check, "server-udp");
            report.explained(check, "zone");
        }
    }
    report.about(None);
    report.explained("files", "policy-script");
}
