//! Whether systemd's timer of upkeep has only just begun (systemctl(1), `show`).

use std::fs;
use std::time::Duration;

use super::report::{Report, Status};
use super::state::NEVER_DONE;
use crate::setup::Place;
use crate::setup::systemctl::systemctl;

const TIMER: &str = "bowline-upkeep.timer";
/// The first round comes within a minute, and is over soon after.
const FIRST: Duration = Duration::from_secs(120);

/// That no round was done is no problem while the first is still to come. The owner of the state
/// directory, who says that there was none, need not be able to ask systemd.
pub fn examine(place: &Place, report: &mut Report) {
    let mut found = report.findings.iter_mut();
    let never = found.find(|found| found.name == "upkeep" && found.says == NEVER_DONE);
    let Some(never) = never.filter(|_| place.unit_dir.is_some()) else {
        return;
    };
    if said().is_some_and(|(shown, uptime)| has_just_begun(&shown, &uptime)) {
        never.status = Status::Unknown;
        never.says = "whether it is done: its timer has begun just now".to_owned();
        never.hint = Some("the first round comes within a minute: look again then".to_owned());
    }
}

/// What systemd says of it, and for how long this machine runs.
fn said() -> Option<(String, String)> {
    let properties = "ActiveState,ActiveEnterTimestampMonotonic";
    let shown = systemctl(&["show", "-p", properties, TIMER])?;
    Some((shown, fs::read_to_string("/proc/uptime").ok()?))
}

/// Since when it is active is told in microseconds of the machine's running (proc_uptime(5)).
fn has_just_begun(shown: &str, uptime: &str) -> bool {
    let value = |key: &str| {
        shown
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
    };
    let began = value("ActiveEnterTimestampMonotonic").and_then(|text| text.parse().ok());
    let now = uptime.split_whitespace().next();
    let now = now.and_then(|text| text.parse().ok());
    let now = now.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let (Some(began), Some(now)) = (began.map(Duration::from_micros), now) else {
        return false;
    };
    value("ActiveState") == Some("active") && now.saturating_sub(began) < FIRST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_that_has_just_begun() {
        for (state, began, uptime, expected) in [
            ("active", "4000000000", "4030.25 9.00\n", true),
            ("active", "4000000000", "4000.00 9.00\n", true),
            ("active", "4000000000", "4121.00 9.00\n", false),
            ("inactive", "4000000000", "4030.25 9.00\n", false),
            ("active", "", "4030.25 9.00\n", false),
            ("active", "4000000000", "", false),
        ] {
            let shown = format!("ActiveState={state}\nActiveEnterTimestampMonotonic={began}\n");
            assert_eq!(has_just_begun(&shown, uptime), expected, "{shown}{uptime}");
        }
        assert!(!has_just_begun("", "1.00 1.00\n"));
    }
}
