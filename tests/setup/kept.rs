//! What somebody changed by hand stays known as that, and nobody is told what is secret in it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::support::skip::installed;
use crate::trial::Trial;

/// Another key than the set-up's, in the form of its own.
const OTHER: &str = "b3RoZXItc2VjcmV0LW90aGVyLXNlY3JldC1vdGhlci0=";

/// The key's secret, and the text of the name server's copy with the other one.
fn another_key(trial: &Trial) -> (String, String) {
    let text = trial.read("knot/bowline.d/00-key.conf");
    let secret = text.split("secret: ").nth(1).unwrap();
    let secret = secret.split_whitespace().next().unwrap().to_owned();
    let other = text.replace(&secret, OTHER);
    (secret, other)
}

#[test]
fn a_configuration_changed_by_hand_is_so_after_a_verb_too() {
    let trial = Trial::new();
    trial.init(&[]).unwrap();
    let mine = trial.read("bowline.toml") + "# mine\n";
    fs::write(trial.config(), mine).unwrap();
    let set = ["zone", "set", "dyn.example.org", "--ttl=120"].map(str::to_owned);
    trial.verb(&set).unwrap();
    let report: Value = serde_json::from_str(&trial.init(&["--ttl=5m"]).unwrap()).unwrap();
    let file = &report["files"][trial.config().to_str().unwrap()];
    assert_eq!(file["state"], "kept", "{file}");
    let text = trial.read("bowline.toml");
    assert!(
        text.contains("# mine") && text.contains("ttl = 120"),
        "{text}"
    );
}

#[test]
fn of_a_secret_that_differs_nothing_is_shown() {
    let trial = Trial::new();
    trial.init(&[]).unwrap();
    let copy = trial.path("knot/bowline.d/00-key.conf");
    let (secret, other) = another_key(&trial);
    fs::write(&copy, &other).unwrap();
    for more in [&["--dry-run"][..], &[]] {
        let said = trial.init(more).unwrap();
        assert!(!said.contains(&secret) && !said.contains(OTHER), "{said}");
        let report: Value = serde_json::from_str(&said).unwrap();
        let state = &report["files"][copy.to_str().unwrap()]["state"];
        assert_eq!(state, "kept", "{said}");
    }
    assert_eq!(fs::read_to_string(&copy).unwrap(), other);
}

/// In a digest that everybody may read, it could be tried what is in the file.
#[test]
fn of_what_somebody_changed_and_closed_there_is_no_digest() {
    if !installed("knotd") {
        return;
    }
    let trial = Trial::new();
    trial.init(&["--web=none"]).unwrap();
    let (_, other) = another_key(&trial);
    fs::write(trial.path("knot/bowline.d/00-key.conf"), other).unwrap();
    trial.init(&["--web=none", "--apply"]).unwrap();
    let read = trial.path("in-force.sha256");
    let mode = fs::metadata(&read).unwrap().permissions().mode();
    assert_eq!(mode & 0o004, 0o004, "everybody may read it");
    let read = fs::read_to_string(read).unwrap();
    assert!(read.contains("/50-dyn.example.org.conf\n"), "{read}");
    assert!(!read.contains("/00-key.conf\n"), "{read}");
}

/// A disk that takes no more in the middle: what it took is ours, and no change of somebody's.
#[test]
fn what_was_written_before_a_disk_failed_is_known_as_ours() {
    let mut trial = Trial::new();
    let whole = trial.executable.clone();
    let script = trial.dir.path().join("on-a-bad-disk");
    // Longer files are not taken.
    let text = format!(
        "#!/bin/sh\ntrap '' XFSZ\nexec prlimit --fsize=2000 {} \"$@\"\n",
        whole.display()
    );
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    trial.executable = script;
    let failed = trial.init(&[]).unwrap_err();
    assert!(failed.contains("File too large"), "{failed}");
    assert!(trial.config().exists());
    assert!(!trial.path("knot/bowline.d/10-bowline.conf").exists());
    trial.executable = whole;
    let url = "https://other.example.org";
    let report = trial.init(&[&format!("--url={url}")]).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    let files = report["files"].as_object().unwrap();
    let kept: Vec<_> = files
        .iter()
        .filter(|(_, is)| is["state"] == "kept")
        .collect();
    assert!(kept.is_empty(), "{kept:?}");
    assert!(trial.read("bowline.toml").contains(url));
    assert!(trial.path("knot/bowline.d/10-bowline.conf").exists());
}

/// A file that is gone does not tell that the zone was unsigned: with a DS at the parent it
/// would be bogus.
#[test]
fn a_zone_whose_file_is_gone_stays_signed() {
    for (dns, file, signed) in [
        ("--dns=knot", "knot/bowline.d", "dnssec-signing: on"),
        ("--dns=bind", "bind/update.d", "dnssec-policy "),
    ] {
        let trial = Trial::new();
        trial.init(&[dns]).unwrap();
        let file = format!("{file}/50-dyn.example.org.conf");
        assert!(trial.read(&file).contains(signed), "{file}");
        fs::remove_file(trial.path(&file)).unwrap();
        let set = ["zone", "set", "dyn.example.org", "--acme"].map(str::to_owned);
        trial.verb(&set).unwrap();
        assert!(trial.read(&file).contains(signed), "{file}");
    }
}
