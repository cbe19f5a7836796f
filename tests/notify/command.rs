//! A command: what it is given, what it is not, and how long it may take.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Instant;

use serde_json::Value;

use crate::receiver::{bowline, moves, run, telling, text, upkeep};

fn script(directory: &Path, text: &str) -> String {
    let file = directory.join("tell");
    fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    file.display().to_string()
}

#[test]
fn no_shell_reads_its_arguments_and_the_environment_is_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let kept = directory.path().join("kept");
    let kept_name = kept.display();
    let tell = script(
        directory.path(),
        &format!(
            "{{ echo \"[$1]\"; env; echo; cat; }} > {kept_name}.part; mv {kept_name}.part {kept_name}"
        ),
    );
    let site = telling(&format!(
        "[notify.command]\ncommand = [\"{tell}\", \"$(touch {0}/evil); `id`\"]\n",
        directory.path().display()
    ));
    let home = site.add("home");
    moves(&site, &home, "203.0.113.7");
    let output = bowline(&site, &["upkeep"])
        .env("OUTSIDE", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let kept = fs::read_to_string(kept).unwrap();
    assert!(kept.starts_with("[$(touch "), "{kept}");
    assert!(!directory.path().join("evil").exists());
    assert!(kept.contains("\nBOWLINE_EVENT=changed\n"), "{kept}");
    assert!(
        kept.contains("\nBOWLINE_HOST=home.dyn.example.org\n"),
        "{kept}"
    );
    assert!(kept.contains("\nBOWLINE_IPV4=203.0.113.7\n"), "{kept}");
    assert!(
        !kept.contains("OUTSIDE") && !kept.contains("BOWLINE_CONFIG"),
        "{kept}"
    );
    let document: Value = serde_json::from_str(kept.lines().last().unwrap()).unwrap();
    assert_eq!(document["events"][0]["ipv4"], "203.0.113.7");
}

#[test]
fn one_that_takes_too_long_is_killed_with_what_it_started() {
    let directory = tempfile::tempdir().unwrap();
    let late = directory.path().join("late");
    let tell = script(
        directory.path(),
        &format!("(sleep 4; touch {}) & sleep 60", late.display()),
    );
    let site = telling(&format!(
        "[notify.command]\ncommand = [\"{tell}\"]\ntimeout = \"1s\"\n"
    ));
    let home = site.add("home");
    moves(&site, &home, "203.0.113.7");
    let began = Instant::now();
    upkeep(&site);
    assert!(began.elapsed().as_secs() < 20);
    let status = run(&site, &["status"]);
    assert!(status.contains("command: 1 event since"), "{status}");
    std::thread::sleep(std::time::Duration::from_secs(5));
    assert!(!late.exists(), "what it started lives on");
}

#[test]
fn one_that_fails_is_tried_again() {
    let directory = tempfile::tempdir().unwrap();
    let tell = script(directory.path(), "echo no such thing >&2; exit 3");
    let site = telling(&format!("[notify.command]\ncommand = [\"{tell}\"]\n"));
    let home = site.add("home");
    moves(&site, &home, "203.0.113.7");
    upkeep(&site);
    let status = run(&site, &["status"]);
    assert!(
        status.contains("ended with status 3: no such thing)"),
        "{status}"
    );
}
