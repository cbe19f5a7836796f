//! What is shipped and written for BIND and PowerDNS, read by BIND and PowerDNS.

use std::fs;
use std::path::Path;

use crate::instance::{Instance, Kind, shell, steps};

/// A shipped file with other paths.
pub(crate) fn shipped(name: &str, paths: &[(&str, &str)]) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let text = fs::read_to_string(file).unwrap();
    let changed = |text: String, (old, new): &(&str, &str)| {
        assert!(text.contains(old), "{name}: {old}");
        text.replace(old, new)
    };
    paths.iter().fold(text, changed)
}

#[test]
fn shipped_files_for_bind_are_valid_as_they_stand() {
    if !Kind::Bind.is_installed() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path().to_str().unwrap();
    for below in ["update.d", "public.d", "run", "keys"] {
        fs::create_dir(dir.path().join(below)).unwrap();
    }
    let write = |name: &str, text: String| fs::write(dir.path().join(name), text).unwrap();
    let paths = [("/etc/bind/bowline", here), ("/var/lib/bind/bowline", here)];
    let key = "key \"bowline\" { algorithm hmac-sha256; secret \"c2VjcmV0c2VjcmV0\"; };\n";
    write("named.conf", shipped("bind/named.conf", &paths));
    write("update.d/00-key.conf", key.to_owned());
    write("update.d/50-zone.conf", shipped("bind/zone.conf", &[]));
    write("public.d/50-zone.conf", shipped("bind/public.conf", &[]));
    let script = shipped("bind/first-contents", &[("/var/lib/bind/bowline", here)]);
    write("first-contents", script);
    for _ in 0..2 {
        let said = shell(&format!("sh {here}/first-contents"));
        assert!(said.contains("has its first records"), "{said}");
    }
    // With the zone's file, as BIND would load it.
    let said = shell(&format!("named-checkconf -z {here}/named.conf"));
    assert!(
        said.contains("zone dyn.example.org/IN: loaded serial"),
        "{said}"
    );
}

#[test]
fn shipped_files_for_powerdns_are_valid_as_they_stand() {
    if !Kind::PowerDns.is_installed() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path().to_str().unwrap();
    for below in ["pdns.d", "bowline", "run"] {
        fs::create_dir(dir.path().join(below)).unwrap();
    }
    let write = |name: &str, text: String| fs::write(dir.path().join(name), text).unwrap();
    write(
        "pdns.conf",
        shipped("pdns/pdns.conf", &[("/etc/powerdns", here)]),
    );
    let paths = [("/etc/powerdns", here), ("/var/lib/powerdns", here)];
    write("pdns.d/bowline.conf", shipped("pdns/bowline.conf", &paths));
    write("bowline/key.sql", shipped("pdns/key.sql", &[]));
    write("first-contents", shipped("pdns/first-contents", &paths));
    shell(&format!("pdns_server --config-dir={here} --config=check"));
    for _ in 0..2 {
        let said = shell(&format!("sh {here}/first-contents"));
        assert!(said.contains("has its first records"), "{said}");
    }
    let checked = shell(&format!(
        "pdnsutil --config-dir={here} check-zone dyn.example.org"
    ));
    assert!(checked.contains(" 0 errors"), "{checked}");
    // A setting that nobody knows is found.
    write("pdns.d/more.conf", "nonsense=1\n".to_owned());
    let bad = format!("! pdns_server --config-dir={here} --config=check");
    assert!(shell(&bad).contains("nonsense"));
}

#[test]
fn first_contents_of_powerdns_take_back_what_they_began() {
    if !Kind::PowerDns.is_installed() {
        return;
    }
    let server = Instance::write(Kind::PowerDns, &[]);
    let script = "pdns/bowline/first-contents-dyn.example.org";
    let good = server.read(script);
    server.replace(script, "control set-nsec3", "false && control set-nsec3");
    server.replace(script, "control rectify-zone", "false");
    let run = format!("sh {}", server.path(script).display());
    shell(&format!("! {run}"));
    let list = format!(
        "pdnsutil --config-dir={} list-all-zones",
        server.path("pdns").display()
    );
    assert!(!shell(&list).contains("dyn.example.org"));
    fs::write(server.path(script), good).unwrap();
    shell(&run);
    assert!(shell(&list).contains("dyn.example.org"));
}

#[test]
fn every_variant_is_valid() {
    for dns in [Kind::Bind, Kind::PowerDns]
        .into_iter()
        .filter(|dns| dns.is_installed())
    {
        for more in [
            &["--acme"][..],
            &["--no-dnssec", "--hostmaster=a.b@example.org"],
            &["--acme", "--no-dnssec", "--nameserver=ns2.example.net"],
            &["--dns-listen=::1@5300"],
        ] {
            let server = Instance::write(dns, more);
            let report = server.bowline(&["zone", "add", "two.example.org"]);
            let local = steps(&report).into_iter().filter(|step| {
                ["checkconf", "config=check", "first-contents"]
                    .iter()
                    .any(|part| step.contains(part))
            });
            assert_eq!(
                local.inspect(|step| drop(shell(step))).count(),
                2,
                "{dns:?} {more:?}"
            );
        }
    }
}

#[test]
fn a_zone_stays_with_its_name_server() {
    for dns in Kind::ALL {
        let server = Instance::write(dns, &[]);
        let listen = format!("--dns-listen=127.0.0.1@{}", server.port);
        let update = format!("--update=127.0.0.1@{}", server.update);
        let again = [
            "init",
            "dyn.example.org",
            "--nameserver=ns1.example.org",
            "--url=http://update.example.org",
            "--public=192.0.2.53",
            "--web=none",
            "--user=root",
            &listen,
            &update,
        ];
        let report = server.bowline(&again);
        let files = report["files"].as_object().unwrap();
        let changed = |(path, file): &(&String, &serde_json::Value)| {
            !path.ends_with("bowline.toml") && file["state"] != "unchanged"
        };
        assert_eq!(files.iter().find(changed), None, "{dns:?}");
        let other = if dns == Kind::Knot { "bind" } else { "knot" };
        let other = format!("--dns={other}");
        let output = server.bowline_output(&[&again[..], &[&other]].concat());
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(
            error.contains("is set up for the zone") && error.contains("hint: "),
            "{error}"
        );
    }
}

#[test]
fn a_port_that_somebody_else_has_is_refused() {
    let held = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = held.local_addr().unwrap().port();
    for dns in Kind::ALL {
        let server = Instance::write(dns, &[]);
        let output = server.bowline_output(&[
            "init",
            "x.example.org",
            "--nameserver=ns1.example.org",
            "--url=http://update.example.org",
            "--web=none",
            &format!("--dns={}", dns.option()),
            &format!("--dns-listen=127.0.0.1@{port}"),
            &format!("--config-dir={}", server.path("other").display()),
        ]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(
            error.contains("is taken by") && error.contains("hint: "),
            "{error}"
        );
    }
}

/// As when bowline's own files come from a backup, and the name server's from an `init` before it.
#[test]
fn a_copy_of_the_key_that_is_anothers_is_told_and_made_anew() {
    for dns in [Kind::Knot, Kind::Bind] {
        if !dns.is_installed() {
            continue;
        }
        let server = Instance::start(dns, &["--no-dnssec"]);
        let copy = match dns {
            Kind::Knot => "knot/bowline.d/00-key.conf",
            _ => "bind/update.d/00-key.conf",
        };
        let key = server.key();
        let secret = key.rsplit(':').next().unwrap();
        server.replace(copy, secret, "b3RoZXItc2VjcmV0LW90aGVyLXNlY3JldC1vdGhlci0=");
        let report = server.init_again_with(&["--no-dnssec", "--apply"]);
        let notes = report["notes"].to_string();
        assert!(
            notes.contains("every update is refused"),
            "{dns:?}: {notes}"
        );
        let doctor = server.bowline_output(&["doctor"]);
        let doctor: serde_json::Value = serde_json::from_slice(&doctor.stdout).unwrap();
        let mut checks = doctor["checks"].as_array().unwrap().iter();
        let about = checks.find(|check| check["name"] == "key-copy").unwrap();
        let remove = format!("rm {}", server.path(copy).display());
        let hint = about["hint"].as_str().unwrap_or_default();
        assert!(hint.contains(&format!("`{remove}`")), "{dns:?}: {about}");

        shell(&remove);
        server.init_again_with(&["--no-dnssec", "--apply"]);
        server.wait_for("dyn.example.org");
        let home = server.add("home");
        let answer = server.visit(&home.with("203.0.113.7"));
        assert_eq!(answer.said(), "200 good 203.0.113.7", "{dns:?}");
        assert_eq!(server.shows("home"), "203.0.113.7", "{dns:?}");
    }
}
