//! The units: what systemd says about them.

use std::process::Command;

/// The shipped units.
const UNITS: [(&str, &str); 4] = [
    (
        "bowline.socket",
        include_str!("../../systemd/bowline.socket"),
    ),
    (
        "bowline.service",
        include_str!("../../systemd/bowline.service"),
    ),
    (
        "bowline-upkeep.timer",
        include_str!("../../systemd/bowline-upkeep.timer"),
    ),
    (
        "bowline-upkeep.service",
        include_str!("../../systemd/bowline-upkeep.service"),
    ),
];

/// systemd-analyze on some units; the executable and its page are not installed here.
fn analyze(arguments: &[&str], units: &[&str]) -> (bool, String) {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in UNITS {
        let text = text.replace("/usr/bin/bowline", env!("CARGO_BIN_EXE_bowline"));
        std::fs::write(directory.path().join(name), text).unwrap();
    }
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
    let units = UNITS.map(|(name, _)| name);
    let (fine, text) = analyze(&["verify", "--man=no"], &units);
    assert!(fine && text.is_empty(), "{text}");
}

#[test]
fn the_services_are_closed_in() {
    // Tenths: 2.0 is "OK".
    let arguments = ["security", "--offline=true", "--threshold=20"];
    for unit in ["bowline.service", "bowline-upkeep.service"] {
        let (fine, text) = analyze(&arguments, &[unit]);
        assert!(fine, "{text}");
    }
}

/// The socket's directory goes with a service that names it, and the socket with that.
#[test]
fn the_socket_outlives_its_service() {
    for (name, text) in UNITS {
        assert!(!text.contains("\nRuntimeDirectory="), "{name}");
    }
}
