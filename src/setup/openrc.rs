//! OpenRC, where it starts the responder (openrc-run(8), rc-service(8)).

use std::path::Path;

use super::next::Step;
use super::place::Place;
use super::site::Site;

/// Its script, where the source was installed.
const SCRIPT: &str = "/etc/init.d/bowline";
/// The user whom the script starts it as, and the group of its socket unless `conf.d` says another.
const USER: &str = "bowline";
const GROUP: &str = "www-data";
/// Where that is said.
const SETTINGS: &str = "/etc/conf.d/bowline";
/// What OpenRC keeps while it runs a machine, and while the responder is started.
const RUNS: &str = "/run/openrc/softlevel";
const STARTED: &str = "/run/openrc/started/bowline";

/// The responder's start, now and with this machine, where the script is for such a one.
pub(super) fn start(site: &Site<'_>) -> Option<Step> {
    let is_there = [SCRIPT, RUNS].iter().all(|file| Path::new(file).exists());
    let fits = site.config().is_none() && site.owners.state.user == USER;
    if site.place.private || !is_there || !fits {
        return None;
    }
    let start = "rc-update add bowline default && rc-service bowline start";
    let command = match site.owners.web.group.as_str() {
        GROUP => start.to_owned(),
        group => format!(
            "{{ grep -qs ^bowline_group= {SETTINGS} || echo bowline_group={group} >>{SETTINGS}; }} && {start}"
        ),
    };
    Some(Step::here(
        "the responder, now and at every start of this machine",
        command,
    ))
}

/// How a running one is told of a changed `bowline.toml`.
pub(super) fn reload(place: &Place) -> Option<&'static str> {
    let has_started = !place.private && Path::new(STARTED).exists();
    has_started.then_some("rc-service bowline reload")
}
