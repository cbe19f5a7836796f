//! What is left to the former user when bowline is to run as another one: after a change
//! of the gateway, the registry and the keys have to follow.

use std::fs::metadata;
use std::os::unix::fs::MetadataExt as _;

use super::files::{File, State};
use super::next::Step;
use super::place::Place;
use super::users::{Owners, user_name};

/// The commands that hand state and keys over.
///
/// Only what belongs to the former user is given away: a hard link to somebody else's file,
/// laid into the state directory, keeps its owner, and symbolic links are not followed.
pub(super) fn steps(place: &Place, owners: &Owners, files: &[(File, State)]) -> Vec<Step> {
    let mut steps = Vec::new();
    let Some(former) = former(place, owners) else {
        return steps;
    };
    let new = &owners.state;
    steps.push(Step::here(
        format!(
            "the registry goes over from {} to {}",
            user_name(former),
            new.user
        ),
        chown(place, owners, former),
    ));
    // Those that nobody changed are put right when they are written.
    let left: Vec<String> = files
        .iter()
        .filter(|(file, state)| {
            let ours = [&place.config, &place.lookup_key(), &place.tsig_key()];
            ours.contains(&&file.path) && !state.replaces() && file.owner.gid != owners.user.gid
        })
        .map(|(file, _)| file.path.display().to_string())
        .collect();
    if !left.is_empty() {
        steps.push(Step::here(
            format!("{} reads configuration and keys", new.user),
            format!("chgrp {} {}", owners.user.group, left.join(" ")),
        ));
    }
    steps
}

/// The registry's once more, when the former user runs nothing any longer: what a visit or a
/// round of his has made meanwhile goes over too.
pub(super) fn rest(place: &Place, owners: &Owners) -> Option<Step> {
    let former = former(place, owners)?;
    let what = format!("what {} has made meanwhile follows", user_name(former));
    Some(Step::here(what, chown(place, owners, former)))
}

/// Who has the state, where somebody else is to have it.
pub(super) fn former(place: &Place, owners: &Owners) -> Option<u32> {
    let (state, new) = (metadata(&place.state_dir).ok()?, &owners.state);
    let goes_over = owners.settable && (state.uid(), state.gid()) != (new.uid, new.gid);
    goes_over.then(|| state.uid())
}

fn chown(place: &Place, owners: &Owners, former: u32) -> String {
    let (new, state) = (&owners.state, place.state_dir.display());
    format!(
        "chown -hR --from={former} {}:{} {state}",
        new.user, new.group
    )
}
