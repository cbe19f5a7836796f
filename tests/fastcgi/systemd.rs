//! The units: what systemd says about them.

use std::process::Command;

const SOCKET: &str = include_str!("../../systemd/bowline.socket");
const SERVICE: &str = include_str!("../../systemd/bowline.service");

/// systemd-analyze on both units; the executable and its page are not installed here.
fn analyze(arguments: &[&str], units: &[&str]) -> (bool, String) {
    let directory = tempfile::tempdir().unwrap();
    let service = SERVICE.replace("/usr/bin/bowline", env!("CARGO_BIN_EXE_bowline"));
    std::fs::write(directory.path().join("bowline.socket"), SOCKET).unwrap();
    std::fs::write(directory.path().join("bowline.service"), service).unwrap();
    let out = Command::new("systemd-analyze")
        .args(arguments)
        .args(units.iter().map(|unit| directory.path().join(unit)))
        .output()
        .expect("systemd-analyze is installed");
    let text = [out.stdout, out.stderr].concat();
    (out.status.success(), String::from_utf8(text).unwrap())
}

#[test]
fn units_are_in_order() {
    let units = ["bowline.socket", "bowline.service"];
    let (fine, text) = analyze(&["verify", "--man=no"], &units);
    assert!(fine && text.is_empty(), "{text}");
}

#[test]
fn the_service_is_closed_in() {
    // Tenths: 2.0 is "OK".
    let arguments = ["security", "--offline=true", "--threshold=20"];
    let (fine, text) = analyze(&arguments, &["bowline.service"]);
    assert!(fine, "{text}");
}
