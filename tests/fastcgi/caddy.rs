//! Caddy with the shipped file, before a real Knot.

use std::fs;
use std::process::Command;

use crate::site::Site;
use crate::support::knot::free_port;
use crate::web::{Web, errors_keep_tokens_out, everything_arrives, no_token_anywhere, places};

const SITE: &str = include_str!("../../caddy/Caddyfile");

#[test]
fn it_passes_everything_on_and_no_token_to_a_log() {
    let site = Site::new();
    // The client speaks plain HTTP.
    site.configure("http://update.example.org");
    let places = places(&site);
    let (port, socket) = (places.port, &places.socket);
    let own = format!(
        "{{\n\tadmin off\n\tdefault_bind 127.0.0.1\n\thttp_port {port}\n\thttps_port {}\n\
         \tlocal_certs\n\tskip_install_trust\n\tlog {{",
        free_port()
    );
    places.write(SITE, "Caddyfile", &[("{\n\tlog {", own.as_str())]);
    let bowline = site.listen();
    let (file, log) = (site.path("Caddyfile"), site.path("caddy.log"));
    let script = "exec caddy run --adapter caddyfile --config \"$1\" 2>\"$2\"";
    let mut caddy = Command::new("sh");
    caddy.args(["-c", script, "caddy"]).arg(&file).arg(&log);
    caddy.env("HOME", site.path(""));
    let web = Web::start(&mut caddy, port);
    everything_arrives(&site, &web);
    // Neither is redirected.
    for host in ["Host: update.example.org", "Host:"] {
        let answer = web.curl("/ip", &["--http1.0", "-H", host]);
        assert!(answer.ends_with("\r\n\r\n127.0.0.1\n"), "{host} {answer}");
    }
    no_token_anywhere(&site);
    drop(bowline);
    errors_keep_tokens_out(&site, &web, socket);
    assert!(!fs::read_to_string(log).unwrap().is_empty());
}

#[test]
fn the_shipped_file_is_valid() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("Caddyfile");
    fs::write(&file, SITE).unwrap();
    let out = Command::new("caddy")
        .args(["validate", "--adapter", "caddyfile", "--config"])
        .arg(&file)
        .env("HOME", directory.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(
        out.status.success() && said.contains("Valid configuration")
            || String::from_utf8_lossy(&out.stdout).contains("Valid configuration"),
        "{said}"
    );
}
