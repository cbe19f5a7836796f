//! `bowline.toml` remembers the command that set it up.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::trial::Trial;

/// What stands before it.
const KEPT: &str = "# Set up with: ";

fn kept(trial: &Trial) -> String {
    let text = trial.read("bowline.toml");
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(KEPT));
    let command = lines.next().expect("a command").to_owned();
    assert_eq!(lines.next(), None, "{text}");
    command
}

/// Types what is kept, with more options.
fn type_again(trial: &Trial, more: &str) -> Value {
    let executable = trial.executable.parent().unwrap().display().to_string();
    let typed = Command::new("sh")
        .args(["-c", &format!("{} --json {more}", kept(trial))])
        .env(
            "PATH",
            format!("{executable}:/usr/sbin:/usr/bin:/sbin:/bin"),
        )
        .output()
        .unwrap();
    let (said, errors) = (typed.stdout, String::from_utf8_lossy(&typed.stderr));
    assert!(typed.status.success(), "{errors}");
    serde_json::from_slice(&said).unwrap()
}

#[test]
fn what_was_typed_is_kept_and_makes_the_same_again() {
    let trial = Trial::new();
    let more = [
        "--no-dnssec",
        "--acme",
        "--caa=letsencrypt.org",
        "--caa",
        "example.net;validationmethods=dns-01",
        "--hostmaster=who@example.org",
    ];
    trial.init(&more).unwrap();
    let command = kept(&trial);
    let config = trial.config();
    let begins = format!(
        "bowline --config {} init dyn.example.org --nameserver ns1.example.org --url ",
        config.display()
    );
    assert!(command.starts_with(&begins), "{command}");
    for option in [
        "--no-dnssec",
        "--public 192.0.2.53",
        "--caa letsencrypt.org --caa 'example.net;validationmethods=dns-01'",
    ] {
        assert!(command.contains(option), "{option}: {command}");
    }
    for again in ["--dry-run", ""] {
        let report = type_again(&trial, again);
        let files = report["files"].as_object().unwrap();
        assert!(!files.is_empty());
        for (path, file) in files {
            assert_eq!(file["state"], "unchanged", "{again} {path}");
        }
    }
    assert_eq!(kept(&trial), command);
}

#[test]
fn the_last_one_counts_and_notes_of_others_stay() {
    let trial = Trial::new();
    trial.init(&["--no-dnssec"]).unwrap();
    let first = kept(&trial);
    let noted = trial
        .read("bowline.toml")
        .replace(KEPT, "# Mine.\n# Set up with: ");
    fs::write(trial.config(), noted).unwrap();
    trial
        .init(&["--no-dnssec", "--ttl=5m", "--dry-run"])
        .unwrap();
    assert_eq!(kept(&trial), first);
    trial.init(&["--no-dnssec", "--ttl=5m"]).unwrap();
    let second = first.replace(" --dns-listen", " --ttl 5m --dns-listen");
    assert_eq!(kept(&trial), second);
    let text = trial.read("bowline.toml");
    assert!(
        text.contains("\n# Mine.\n# Set up with: bowline "),
        "{text}"
    );
    // What somebody has changed stays.
    assert!(text.contains("ttl = 60\n"), "{text}");
    let add = ["zone", "add", "two.example.org"].map(str::to_owned);
    trial.verb(&add).unwrap();
    assert!(kept(&trial).contains("init dyn.example.org"));
}
