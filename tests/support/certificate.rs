//! A certificate that nobody vouches for.

use std::path::Path;
use std::process::Command;

/// Makes one of a host with openssl(1), for two days.
pub fn self_signed(host: &str, key: &Path, chain: &Path) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt"])
        .args(["ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", &format!("/CN={host}")])
        .args(["-addext", &format!("subjectAltName=DNS:{host}")])
        .arg("-keyout")
        .arg(key)
        .arg("-out")
        .arg(chain)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
}
