//! Challenges for certificates, and who may issue them, on every name server.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::instance::{Home, Instance, Kind, for_each};
use crate::rights::patterns;
use crate::support::visit::Response;

const CHALLENGE: &str = "_acme-challenge.home.dyn.example.org";

/// The challenge of so many letters.
fn value(letter: char) -> String {
    letter.to_string().repeat(43)
}

fn post(server: &Instance, path: &str, body: &str, header: (&str, &str)) -> Response {
    server
        .get(path)
        .method("POST")
        .set("CONTENT_TYPE", "application/json")
        .set("CONTENT_LENGTH", body.len().to_string())
        .set(header.0, header.1)
        .set("HTTP_X_API_USER", "home")
        .body(body.as_bytes())
        .run()
}

/// As lego asks.
fn httpreq(server: &Instance, what: &str, home: &Home, value: &str) -> u16 {
    let body = format!(r#"{{"fqdn":"{CHALLENGE}.","value":"{value}"}}"#);
    let pair = STANDARD.encode(format!("home:{}", home.token));
    let basic = format!("Basic {pair}");
    let path = format!("/{what}");
    post(server, &path, &body, ("HTTP_AUTHORIZATION", &basic)).status
}

/// The challenges that the public listener shows.
fn shown(server: &Instance) -> Vec<String> {
    let texts = server.dig(CHALLENGE, "TXT");
    let unquoted = texts.iter().map(|text| text.trim_matches('"').to_owned());
    unquoted.collect()
}

#[test]
fn set_beside_each_other_and_removed_by_value() {
    for_each(|dns| {
        let server = Instance::start(dns, &["--acme"]);
        let home = server.add("home");
        let (a, b) = (value('a'), value('b'));
        let said = server.visit(&home.with("203.0.113.7")).said();
        assert_eq!(said, "200 good 203.0.113.7", "{dns:?}");
        for value in [&a, &b, &b] {
            let status = httpreq(&server, "present", &home, value);
            assert_eq!(status, 200, "{dns:?}: {}", server.last_line());
        }
        assert_eq!(shown(&server), [a.clone(), b.clone()], "{dns:?}");
        // An address that changes meanwhile leaves them alone.
        let said = server.visit(&home.with("203.0.113.8")).said();
        assert_eq!(said, "200 good 203.0.113.8", "{dns:?}");
        assert_eq!(shown(&server), [a.clone(), b.clone()], "{dns:?}");
        for _ in 0..2 {
            assert_eq!(httpreq(&server, "cleanup", &home, &a), 200, "{dns:?}");
            assert_eq!(shown(&server).concat(), b, "{dns:?}");
        }
        // acme-dns keeps the newest two of its own.
        for letter in ['c', 'd', 'e'] {
            let text = value(letter);
            let body = format!(r#"{{"subdomain":"home","txt":"{text}"}}"#);
            let said = post(&server, "/update", &body, ("HTTP_X_API_KEY", &home.token));
            assert_eq!(said.said(), format!(r#"200 {{"txt":"{text}"}}"#), "{dns:?}");
        }
        assert_eq!(shown(&server), [b, value('d'), value('e')], "{dns:?}");
        // They outlive a crash, and go with their host.
        server.stop("KILL");
        server.again();
        assert_eq!(shown(&server).len(), 3, "{dns:?}");
        server.bowline(&["host", "remove", "home"]);
        assert_eq!(shown(&server), [""; 0], "{dns:?}");
    });
}

#[test]
fn a_zone_gets_the_right_later_and_only_then() {
    for_each(|dns| {
        let server = Instance::start(dns, &["--no-dnssec"]);
        let home = server.add("home");
        let a = value('a');
        assert_eq!(httpreq(&server, "present", &home, &a), 403, "{dns:?}");
        assert!(server.last_line().contains("takes no challenges"));
        let report = server.bowline(&["zone", "set", "dyn.example.org", "--acme"]);
        server.run_steps(&report);
        server.wait_for("dyn.example.org");
        let status = httpreq(&server, "present", &home, &a);
        assert_eq!(status, 200, "{dns:?}: {}", server.last_line());
        assert_eq!(shown(&server).concat(), a, "{dns:?}");
        assert_eq!(httpreq(&server, "cleanup", &home, &a), 200, "{dns:?}");
        assert_eq!(shown(&server), [""; 0], "{dns:?}");
        // And is given back: by hosts, and by the key.
        assert_eq!(key_may(&server), Some(true), "{dns:?}");
        let report = server.bowline(&["zone", "set", "dyn.example.org", "--no-acme"]);
        server.run_steps(&report);
        server.wait_for("dyn.example.org");
        assert_eq!(httpreq(&server, "present", &home, &a), 403, "{dns:?}");
        assert_eq!(key_may(&server), Some(false), "{dns:?}");
        let said = server.visit(&home.with("203.0.113.7")).said();
        assert_eq!(said, "200 good 203.0.113.7", "{dns:?}");
    });
}

/// Whether the key may set challenges, as `doctor` finds out; `None`: it cannot tell.
fn key_may(server: &Instance) -> Option<bool> {
    let via = format!("127.0.0.1:{}", server.port);
    let output = server.bowline_output(&["doctor", "--via", &via]);
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut checks = said["checks"].as_array().unwrap().iter();
    let check = checks.find(|check| check["name"] == "challenges")?;
    match (check["status"].as_str()?, check["says"].as_str()?) {
        ("ok", "hosts may set none") => Some(false),
        ("ok", _) => Some(true),
        _ => None,
    }
}

#[test]
fn who_may_issue_is_among_the_first_records() {
    for_each(|dns: Kind| {
        let bound = "pki.example; accounturi=https://ca.example/acct/1";
        let bound = format!("--caa={bound}");
        let server = Instance::start(dns, &["--no-dnssec", "--caa=letsencrypt.org", &bound]);
        let shown = server.dig("dyn.example.org", "CAA");
        let shown: Vec<&str> = shown.iter().map(|line| line.trim_end()).collect();
        assert_eq!(
            shown,
            [
                r#"0 issue "letsencrypt.org""#,
                r#"0 issue "pki.example; accounturi=https://ca.example/acct/1""#
            ],
            "{dns:?}"
        );
        // Later it is the operator's own record.
        let again = server.init_again_with(&["--no-dnssec", "--caa=other.example"]);
        let notes = again["notes"].to_string();
        assert!(
            notes.contains("--caa is for a zone's first records"),
            "{dns:?}: {notes}"
        );
        assert_eq!(server.dig("dyn.example.org", "CAA").len(), 2, "{dns:?}");
    });
}

#[test]
fn doctor_knows_how_far_the_right_goes() {
    for_each(|dns| {
        let server = Instance::start(dns, &["--no-dnssec", "--acme", "--caa=letsencrypt.org"]);
        let via = format!("127.0.0.1:{}", server.port);
        let output = server.bowline_output(&["doctor", "--via", &via]);
        let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let about = |name: &str| {
            let checks = said["checks"].as_array().unwrap().iter();
            let found: Vec<String> = checks
                .filter(|check| check["name"] == name)
                .map(|check| format!("{}: {}", check["status"], check["says"]))
                .collect();
            found.concat().replace('"', "")
        };
        let expected = match dns {
            Kind::Bind => "ok: no rule of BIND tells _acme-challenge from other names",
            Kind::Knot if !patterns() => "ok: before 3.3.3 Knot cannot tell",
            _ => "ok: the key may set them at _acme-challenge of a host only",
        };
        let challenges = about("challenges");
        assert!(challenges.starts_with(expected), "{dns:?}: {challenges}");
        assert!(about("key-reach").starts_with("ok: "), "{dns:?}: {said:#}");
        let caa = "ok: letsencrypt.org may issue certificates, says dyn.example.org";
        assert_eq!(about("caa"), caa, "{dns:?}");
    });
}
