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
