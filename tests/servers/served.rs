//! A name server that was there before bowline, and stays as it is.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::instance::{Instance, Kind, for_each};
use crate::support::knot::ZONE;

/// A file, or everything below a directory: paths, modes and contents.
fn everything(server: &Instance, below: &str) -> Vec<(String, u32, Vec<u8>)> {
    let mut all = Vec::new();
    let mut left = vec![server.path(below)];
    while let Some(path) = left.pop() {
        let found = fs::symlink_metadata(&path).unwrap();
        if found.is_dir() {
            let entries = fs::read_dir(&path).unwrap();
            left.extend(entries.map(|entry| entry.unwrap().path()));
        } else if found.is_file() {
            let shown = path.display().to_string();
            let content = fs::read(&path).unwrap();
            all.push((shown, found.permissions().mode(), content));
        }
    }
    all.sort();
    all
}

/// bowline with a configuration of its own, in front of somebody else's server.
fn in_front_of(server: &Instance, more: &[&str]) -> Instance {
    let key = format!("--key={}", server.path("tsig.key").display());
    let more = [&["--dns=none", &key], more].concat();
    Instance::in_front_of(server, "http://update.example.org", &more)
}

#[test]
fn a_server_that_is_there_is_used_as_it_is() {
    for_each(|dns| {
        let server = Instance::start(dns, &["--no-dnssec"]);
        // Not what the server itself writes there.
        let files: &[&str] = match dns {
            Kind::Knot => &["knot/knot.conf", "knot/bowline.d"],
            Kind::Bind => &["bind/named.conf", "bind/update.d", "bind/public.d"],
            Kind::PowerDns => &["pdns/pdns.conf", "pdns/pdns.d", "pdns/bowline"],
        };
        let stand = || files.iter().map(|file| everything(&server, file));
        let before: Vec<_> = stand().collect();
        assert!(before.iter().all(|files| !files.is_empty()));
        let bowline = in_front_of(&server, &[]);
        for none in ["knot", "bind", "pdns"] {
            assert!(!bowline.path(none).exists(), "{dns:?}: {none}");
        }
        assert_eq!(bowline.read("tsig.key"), server.read("tsig.key"));

        let home = bowline.add("home");
        let answer = bowline.visit(&home.with("203.0.113.7"));
        assert_eq!(answer.said(), "200 good 203.0.113.7", "{dns:?}");
        assert_eq!(server.shows("home"), "203.0.113.7", "{dns:?}");

        // A right that is to be given is said, and nothing of the server's is written.
        let set = bowline.bowline(&["zone", "set", ZONE, "--acme"]);
        assert!(
            set["next"]
                .to_string()
                .contains("TXT at their _acme-challenge"),
            "{set:#}"
        );
        let shown = bowline.bowline(&["zone", "show"]);
        assert_eq!(shown[0]["ds"], "none: the zone is not signed", "{dns:?}");
        // Elsewhere the zone goes on.
        let removal = bowline.bowline(&["zone", "remove", ZONE]);
        assert!(!removal["next"].to_string().contains(" NS "), "{removal:#}");
        assert!(stand().eq(before), "{dns:?}");
    });
}

#[test]
fn the_url_may_be_at_the_apex_of_a_zone_that_is_there() {
    if !Kind::Knot.is_installed() {
        return;
    }
    let server = Instance::start(Kind::Knot, &["--no-dnssec"]);
    let key = format!("--key={}", server.path("tsig.key").display());
    let given = ["--dns=none", &key, "--public=192.0.2.53"];
    let bowline = Instance::in_front_of(&server, "http://dyn.example.org", &given);
    let added = bowline.bowline(&["host", "add", "home"]);
    let url = added["url"].as_str().unwrap();
    let path = url.strip_prefix("http://dyn.example.org").unwrap();
    let answer = bowline.visit(&format!("{path}?myip=203.0.113.7"));
    assert_eq!(answer.said(), "200 good 203.0.113.7");
    assert_eq!(server.shows("home"), "203.0.113.7");
    // No host has that name, and nobody may move it.
    assert!(
        !bowline
            .bowline_output(&["host", "add", ZONE])
            .status
            .success()
    );
    let init = |url: &'static str| {
        let given = ["init", ZONE, "--dns=none", "--web=apache", "--dry-run"];
        let more = ["--public=192.0.2.53", "--user=root", "--url", url];
        bowline.bowline_output(&[&given[..], &more].concat())
    };
    let planned = init("https://dyn.example.org").stdout;
    let planned: serde_json::Value = serde_json::from_slice(&planned).unwrap();
    let record = planned["records"].as_array().unwrap().first().unwrap();
    let shown = ["zone", "name", "type", "data"].map(|key| record[key].as_str().unwrap());
    assert_eq!(shown, [ZONE, "@", "A", "192.0.2.53"]);
    let refused = init("https://update.dyn.example.org");
    let error = String::from_utf8_lossy(&refused.stderr);
    assert!(error.contains("would be inside the zone"), "{error}");
}

#[test]
fn what_does_not_fit_a_server_that_stays_is_refused() {
    if !Kind::Knot.is_installed() {
        return;
    }
    let server = Instance::start(Kind::Knot, &["--no-dnssec"]);
    let bowline = in_front_of(&server, &[]);
    let refused = |arguments: &[&str], expected: &str| {
        let output = bowline.bowline_output(arguments);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && error.contains(expected),
            "{error}"
        );
    };
    let init = [
        "init",
        ZONE,
        "--url=http://update.example.org",
        "--web=none",
    ];
    let with = |more: &[&'static str]| [&init[..], &["--user=root", "--dns=none"], more].concat();
    for option in [
        "--no-dnssec",
        "--caa=letsencrypt.org",
        "--nameserver=ns1.example.org",
    ] {
        let name = option.split('=').next().unwrap();
        refused(&with(&[option]), &format!("leave {name} out"));
    }
    // A key is there already, and this is none of that name.
    fs::write(
        bowline.path("other.key"),
        "hmac-sha256:other:b3RoZXJvdGhlcm90aGVyb3RoZXI=\n",
    )
    .unwrap();
    let other = format!("--key={}", bowline.path("other.key").display());
    let given = [&init[..], &["--user=root", "--dns=none", &other]].concat();
    refused(&given, "is another key than that of --key");
    let nothing = format!("--key={}", bowline.path("nothing.key").display());
    let given = [&init[..], &["--user=root", "--dns=none", &nothing]].concat();
    refused(&given, "nothing.key");
    // What bowline has set up it does not let go of unasked.
    let own = [&init[..], &["--user=root", "--dns=none"]].concat();
    let output = server.bowline_output(&own);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("Knot is set up for the zone"), "{error}");
    // Without a name server that serves it already, somebody has to name one.
    for dns in [&["--dns=knot"][..], &[]] {
        let output = bowline.bowline_output(&[&init[..], dns].concat());
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains("--nameserver <NAME>"), "{error}");
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn a_server_that_does_not_answer_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("bowline.toml");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_bowline"))
        .arg("--config")
        .arg(&config)
        .args([
            "init",
            ZONE,
            "--url=http://update.example.org",
            "--web=none",
        ])
        .args([
            "--user=root",
            "--dns=none",
            "--update=192.0.2.1@53",
            "--dry-run",
        ])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(said.contains("192.0.2.1:53 does not answer for"), "{said}");
    assert!(said.contains("updates leave this machine"), "{said}");
    assert!(said.contains("let the key in"), "{said}");
}
