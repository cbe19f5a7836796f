//! What is written for Knot, read by Knot.

use std::fs;
use std::path::Path;

use crate::support::skip::installed;
use crate::trial::{Trial, run, succeed, wait_until};

fn check(conf: &Path) -> String {
    succeed("knotc", &["-c", conf.to_str().unwrap(), "conf-check"])
}

fn start(trial: &Trial) {
    let conf = trial.path("knot/knot.conf");
    let conf = conf.to_str().unwrap();
    succeed("knotd", &["-d", "-c", conf]);
    let script = trial.path("knot/bowline.d/first-contents-dyn.example.org");
    succeed("sh", &[script.to_str().unwrap()]);
}

#[test]
fn shipped_files_are_valid_as_they_stand() {
    if !installed("knotc") {
        return;
    }
    let trial = Trial::new();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("knot");
    let key = trial.dir.path().join("key.conf");
    fs::write(
        &key,
        "key:\n  - id: bowline\n    algorithm: hmac-sha256\n    secret: c2VjcmV0c2VjcmV0\n  - id: bowline-transfer\n    \
         algorithm: hmac-sha256\n    secret: c2VjcmV0c2VjcmV0\n",
    )
    .unwrap();
    let conf = trial.dir.path().join("all.conf");
    let include = |path: &Path| format!("include: \"{}\"\n", path.display());
    let text: String = [
        "knot.conf",
        "secondaries.conf",
        "bowline.conf",
        "acme-any-txt.conf",
        "zone.conf",
    ]
    .iter()
    .map(|name| include(&shipped.join(name)))
    .collect();
    fs::write(&conf, include(&key) + &text).unwrap();
    check(&conf);
    check(&shipped.join("secondary.conf"));
    succeed(
        "sh",
        &["-n", shipped.join("first-contents").to_str().unwrap()],
    );
}

#[test]
fn every_variant_is_valid() {
    if !installed("knotc") {
        return;
    }
    for more in [
        &[][..],
        &["--no-dnssec"],
        &["--acme"],
        &[
            "--acme",
            "--no-dnssec",
            "--nameserver=ns2.example.net",
            "--hostmaster=a.b@example.org",
        ],
        &["--web=none"],
        &["--dns-listen=::1@5300", "--update=[::1]:5301"],
    ] {
        let trial = Trial::new();
        trial.init(more).unwrap();
        check(&trial.path("knot/knot.conf"));
    }
}

#[test]
fn the_private_knot_starts_and_the_first_contents_are_given_once() {
    if !installed("knotd") {
        return;
    }
    let trial = Trial::new();
    let hostmaster = "--hostmaster=john.doe@example.org";
    let more = ["--nameserver=ns2.example.net", hostmaster];
    trial.init(&more).unwrap();
    start(&trial);
    let soa = trial.dig(&["dyn.example.org", "SOA"]);
    assert!(
        soa.starts_with("ns1.example.org. john\\.doe.example.org. "),
        "{soa}"
    );
    start_again(&trial);
    assert_eq!(trial.dig(&["dyn.example.org", "SOA"]), soa);
    assert_eq!(
        trial.dig(&["dyn.example.org", "NS"]),
        "ns1.example.org.\nns2.example.net.\n"
    );
    wait_until(|| !trial.dig(&["dyn.example.org", "DNSKEY"]).is_empty());
}

/// Where the zone is larger than its journal may be, Knot refuses every update.
#[test]
fn the_journal_has_room_for_the_zone_of_a_provider() {
    if !installed("knotc") {
        return;
    }
    let trial = Trial::new();
    trial.init(&[]).unwrap();
    start(&trial);
    let conf = trial.path("knot/knot.conf");
    let item = "template[bowline].journal-max-usage";
    let here = succeed("knotc", &["-c", conf.to_str().unwrap(), "conf-read", item]);
    let octets = here.trim().rsplit(' ').next().unwrap();
    assert!(octets.parse::<u64>().unwrap() >= 1 << 30, "{here}");
    let there = Path::new(env!("CARGO_MANIFEST_DIR")).join("knot/secondary.conf");
    let there = fs::read_to_string(there).unwrap();
    assert!(there.contains("journal-max-usage: 1G"), "{there}");
}

fn start_again(trial: &Trial) {
    let script = trial.path("knot/bowline.d/first-contents-dyn.example.org");
    let said = succeed("sh", &[script.to_str().unwrap()]);
    assert!(said.contains("has its first records"), "{said}");
}

#[test]
fn first_contents_take_back_what_they_began() {
    if !installed("knotd") {
        return;
    }
    let trial = Trial::new();
    trial.init(&[]).unwrap();
    let script = trial.path("knot/bowline.d/first-contents-dyn.example.org");
    let good = fs::read_to_string(&script).unwrap();
    fs::write(
        &script,
        good.replace("3600 NS ns1.example.org.", "3600 NS a..b"),
    )
    .unwrap();
    let conf = trial.path("knot/knot.conf");
    succeed("knotd", &["-d", "-c", conf.to_str().unwrap()]);
    let failed = run("sh", &[script.to_str().unwrap()]);
    assert!(!failed.status.success());
    fs::write(&script, good).unwrap();
    succeed("sh", &[script.to_str().unwrap()]);
}

#[test]
fn the_key_may_do_nothing_but_addresses_below_the_apex() {
    if !installed("knotd") {
        return;
    }
    let trial = Trial::new();
    trial.init(&["--no-dnssec"]).unwrap();
    start(&trial);
    for (command, allowed) in [
        ("update add h.dyn.example.org. 60 A 203.0.113.7", true),
        ("update add h.dyn.example.org. 60 AAAA 2001:db8::7", true),
        ("update add a.b.dyn.example.org. 60 A 203.0.113.7", true),
        ("update delete h.dyn.example.org. A", true),
        ("update add dyn.example.org. 60 A 203.0.113.7", false),
        ("update add dyn.example.org. 60 TXT x", false),
        ("update delete dyn.example.org. NS", false),
        ("update delete dyn.example.org. SOA", false),
        ("update delete dyn.example.org.", false),
        (
            "update add h.dyn.example.org. 60 NS ns1.example.org.",
            false,
        ),
        ("update add c.dyn.example.org. 60 CNAME example.org.", false),
        ("update add h.dyn.example.org. 60 TXT x", false),
        (
            "update add _acme-challenge.h.dyn.example.org. 60 TXT x",
            false,
        ),
        (
            "update add h.dyn.example.org. 60 MX 10 mail.example.org.",
            false,
        ),
        ("update delete h.dyn.example.org.", false),
        (
            "update add h.dyn.example.org. 60 A 203.0.113.8\nupdate add dyn.example.org. 60 A 203.0.113.8",
            false,
        ),
    ] {
        let done = update(&trial, command, Some("tsig.key"), "127.0.0.1");
        assert_eq!(done, allowed, "{command}");
    }
    assert_eq!(trial.dig(&["h.dyn.example.org", "AAAA"]), "2001:db8::7\n");
    assert_eq!(trial.dig(&["h.dyn.example.org", "A"]), "");
    assert_eq!(trial.dig(&["h.dyn.example.org", "TXT"]), "");
    let add = "update add x.dyn.example.org. 60 A 203.0.113.7";
    assert!(!update(&trial, add, None, "127.0.0.1"), "unsigned");
    assert!(
        !update(&trial, add, Some("tsig.key"), "127.0.0.9"),
        "another source"
    );
    assert_eq!(trial.dig(&["x.dyn.example.org", "A"]), "");
    let axfr = run(
        "kdig",
        &[
            "@127.0.0.1",
            "-p",
            &trial.update.to_string(),
            "-y",
            &secret(&trial),
            "dyn.example.org",
            "AXFR",
        ],
    );
    let axfr = String::from_utf8_lossy(&axfr.stdout) + String::from_utf8_lossy(&axfr.stderr);
    assert!(axfr.contains("server replied with error"), "{axfr}");
}

#[test]
fn challenges_only_when_asked_for() {
    if !installed("knotd") {
        return;
    }
    let trial = Trial::new();
    let issuer = "--caa=letsencrypt.org; accounturi=https://ca.example/1";
    trial.init(&["--no-dnssec", "--acme", issuer]).unwrap();
    start(&trial);
    assert_eq!(
        trial.dig(&["dyn.example.org", "CAA"]).trim(),
        "0 issue \"letsencrypt.org; accounturi=https://ca.example/1\""
    );
    // Said once, it stays: for hosts as for the key.
    trial.init(&["--no-dnssec"]).unwrap();
    assert!(trial.read("bowline.toml").contains("\nacme = true\n"));
    let clause = trial.read("knot/bowline.d/50-dyn.example.org.conf");
    assert!(clause.contains("bowline_acme"), "{clause}");
    for (command, allowed) in [
        (
            "update add _acme-challenge.h.dyn.example.org. 60 TXT x",
            true,
        ),
        ("update add h.dyn.example.org. 60 A 203.0.113.7", true),
        ("update add dyn.example.org. 60 TXT x", false),
        ("update add h.dyn.example.org. 60 CAA 0 issue \";\"", false),
    ] {
        assert_eq!(
            update(&trial, command, Some("tsig.key"), "127.0.0.1"),
            allowed,
            "{command}"
        );
    }
}

/// The key in knsupdate's form: what follows `# ` in the first line.
fn secret(trial: &Trial) -> String {
    let text = trial.read("tsig.key");
    text.lines()
        .next()
        .unwrap()
        .trim_start_matches("# ")
        .to_owned()
}

/// Sends one update; whether Knot took it.
fn update(trial: &Trial, command: &str, key: Option<&str>, source: &str) -> bool {
    let key = key.map_or(String::new(), |_| format!("key {}\n", secret(trial)));
    let script = trial.dir.path().join("update");
    let text = format!(
        "server 127.0.0.1 {}\nlocal {source}\n{key}zone dyn.example.org.\n{command}\nsend\n",
        trial.update
    );
    fs::write(&script, text).unwrap();
    run("knsupdate", &[script.to_str().unwrap()])
        .status
        .success()
}

#[test]
fn next_to_what_is_served_already() {
    if !installed("knotd") {
        return;
    }
    let trial = Trial::new();
    trial.init(&["--no-dnssec"]).unwrap();
    // The private Knot's files, read by somebody's server with a `default` of everything.
    let theirs = trial.path("knot/knot.conf");
    let base = trial.path("knot");
    let text = format!(
        "server:\n    rundir: \"{0}/run\"\n    listen: 127.0.0.2@{1}\n    automatic-acl: on\n\
         database:\n    storage: \"{0}/db\"\nlog:\n  - target: stderr\n    any: info\n\
         mod-rrl:\n  - id: default\n    rate-limit: 100\nmod-stats:\n  - id: default\n\
         template:\n  - id: default\n    storage: \"{0}/db\"\n    file: \"%s.zone\"\n    \
         global-module: [ mod-rrl/default, mod-stats/default ]\n\
         zone:\n  - domain: old.example\ninclude: \"{0}/bowline.d/*.conf\"\n",
        base.display(),
        trial.dns
    );
    fs::write(&theirs, text).unwrap();
    let old = "@ 3600 SOA ns.example.net. h.example.net. 7 3600 600 1209600 60\n@ 3600 NS ns.example.net.\n";
    fs::write(trial.path("knot/db/old.example.zone"), old).unwrap();
    check(&theirs);
    start(&trial);
    assert!(
        trial
            .dig(&["old.example", "SOA"])
            .starts_with("ns.example.net. h.example.net. 7 ")
    );
    assert_eq!(trial.dig(&["dyn.example.org", "NS"]), "ns1.example.org.\n");
    let theirs = run(
        "kdig",
        &[
            "+short",
            "@127.0.0.2",
            "-p",
            &trial.dns.to_string(),
            "dyn.example.org",
            "NS",
        ],
    );
    assert_eq!(theirs.stdout, b"ns1.example.org.\n");
}
