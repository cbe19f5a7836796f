//! The report as metrics, in the text format of Prometheus.

use std::fmt::{Display, Write};

use super::{Status, ZoneStatus};
use crate::time::Timestamp;

/// Text with one metric after the other.
struct Metrics(String);

impl Status {
    /// As metrics.
    pub(super) fn metrics(&self, now: Timestamp) -> String {
        let mut metrics = Metrics(String::new());
        metrics.begin("bowline_info", "The version that runs.");
        metrics.value("bowline_info", Some(("version", self.version)), 1);
        metrics.of_zones(self, "bowline_hosts", "Hosts.", |zone| zone.hosts as u64);
        let text = "Hosts that wait for their name server.";
        metrics.of_zones(self, "bowline_hosts_pending", text, |zone| {
            zone.pending as u64
        });
        let text = "Hosts that the name server shows otherwise, and that could not be mended or were left so.";
        metrics.of_zones(self, "bowline_hosts_differing", text, |zone| {
            zone.differing.into()
        });
        for (name, text, value) in [
            (
                "bowline_hosts_disabled",
                "Hosts that are switched off.",
                self.disabled as u64,
            ),
            (
                "bowline_hosts_removing",
                "Hosts whose records are still to be removed.",
                self.removing as u64,
            ),
            (
                "bowline_pending_oldest_seconds",
                "How long the oldest pending host has waited; 0: there is none.",
                self.pending.iter().map(|one| one.age).max().unwrap_or(0),
            ),
            (
                "bowline_challenges",
                "Challenges for certificates that the name server shows.",
                self.challenges.standing.into(),
            ),
            (
                "bowline_challenges_pending",
                "Challenges that the name server has still to set or to remove.",
                self.challenges.pending.into(),
            ),
        ] {
            metrics.begin(name, text);
            metrics.value(name, None, value);
        }
        if let Some(last) = self.upkeep_at {
            let name = "bowline_upkeep_age_seconds";
            metrics.begin(name, "How long ago the last round of upkeep ended.");
            metrics.value(name, None, now.since(last).seconds());
        }
        metrics.0
    }
}

impl Metrics {
    fn begin(&mut self, name: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} gauge");
    }

    fn value(&mut self, name: &str, label: Option<(&str, &str)>, value: impl Display) {
        let _ = match label {
            Some((label, text)) => writeln!(self.0, "{name}{{{label}=\"{text}\"}} {value}"),
            None => writeln!(self.0, "{name} {value}"),
        };
    }

    fn of_zones(
        &mut self,
        status: &Status,
        name: &str,
        help: &str,
        value: impl Fn(&ZoneStatus) -> u64,
    ) {
        self.begin(name, help);
        for zone in &status.zones {
            self.value(name, Some(("zone", &zone.name)), value(zone));
        }
    }
}
