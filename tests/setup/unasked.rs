//! A zone that is to go, and nobody here who tells what its parent has.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::skip::{Privilege, installed, may};
use crate::trial::Trial;
use crate::zone::zone;

/// Has all that is run from now on find a system without a resolver.
fn without_resolver(trial: &mut Trial) {
    let nothing = trial.dir.path().join("resolv.conf");
    fs::write(&nothing, "").unwrap();
    let script = trial.dir.path().join("without-resolver");
    let text = format!(
        "#!/bin/sh\nexec unshare --mount sh -c \
         'mount --bind {} /etc/resolv.conf && exec {} \"$@\"' sh \"$@\"\n",
        nothing.display(),
        trial.executable.display()
    );
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    trial.executable = script;
}

#[test]
fn a_signed_zone_stays() {
    if !may(Privilege::Mount) {
        return;
    }
    let mut trial = Trial::new();
    trial.init(&["--no-dnssec"]).unwrap();
    zone(&trial, &["add", "two.example.org"]).unwrap();
    without_resolver(&mut trial);
    let clause = trial.path("knot/bowline.d/50-two.example.org.conf");
    let before = (trial.read("bowline.toml"), fs::read(&clause).unwrap());
    let refused = zone(&trial, &["remove", "two.example.org", "--apply"]).unwrap_err();
    for part in [
        "there is no resolver in /etc/resolv.conf",
        "still has the DS of two.example.org could not be told",
        "would be bogus",
        "without --apply",
    ] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    let after = (trial.read("bowline.toml"), fs::read(&clause).unwrap());
    assert!(after == before, "{refused}");
    if installed("knotc") {
        // One that is not signed goes, and what could not be told is said.
        trial.unsign("two.example.org");
        let gone = zone(&trial, &["remove", "two.example.org", "--apply"]).unwrap();
        let notes = gone["notes"].to_string();
        assert!(notes.contains("still has NS or DS"), "{notes}");
        assert!(!clause.exists());
    }
}
