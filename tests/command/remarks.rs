//! Warnings, notes and hints beside what a verb does.

use crate::place::Place;

#[test]
fn a_weak_key_is_warned_of() {
    let it = Place::new();
    assert_eq!(it.run("config check").err, "");
    for (key, weakness) in [
        (
            "hmac-sha1:bowline:c2VjcmV0LXNlY3JldC1zZWNyZXQ=",
            "hmac-sha1 is obsolete; make a key with hmac-sha256",
        ),
        (
            "hmac-sha256:bowline:c2VjcmV0",
            "the secret is shorter than 16 octets",
        ),
    ] {
        it.write("etc/tsig.key", key);
        for verb in ["config check", "host list", "status", "zone list"] {
            let ran = it.run(verb);
            let file = it.file("etc/tsig.key");
            let warning = format!("warning: key {}: {weakness}\n", file.display());
            assert_eq!((ran.code, ran.err), (0, warning), "{verb}");
        }
    }
}

#[test]
fn a_token_that_dies_is_said_to() {
    let it = Place::new();
    it.done("host add home --ipv4 203.0.113.7");
    let note = "note: home.dyn.example.org is static now, and its token is dead\n";
    let ran = it.run("host set home --static");
    assert!(ran.err.contains(note), "{ran:?}");
    let ran = it.run("host set home --static");
    assert!(!ran.err.contains(note), "{ran:?}");
}
