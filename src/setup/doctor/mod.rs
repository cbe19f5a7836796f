//! `doctor`: named checks of a set-up, each with one sentence and what to do about it.
//!
//! Nothing is changed by looking: the zone is asked to delete what is not there. Where
//! something cannot be found out, it is said so; it is never taken for well.

pub mod configuration;
pub mod logs;
pub mod machine;
mod mode;
mod reach;
pub mod report;
pub mod secrets;
mod server;
pub mod state;
pub mod web;

use crate::config::Config;
use crate::setup::Place;

pub use report::{Finding, Report, Status};

/// Looks at every zone, as its name server answers.
pub fn zones(config: &Config, place: &Place, report: &mut Report) {
    for zone in &config.zones {
        report.about(Some(&zone.name));
        if let Some(known) = server::examine(zone, report) {
            reach::examine(zone, &known, place, report);
        }
    }
    report.about(None);
}
