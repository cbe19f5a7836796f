//! Zones after the first, DS, and the way back, on every name server.

use bowline::config::Config;
use bowline::setup::change::Standing;
use bowline::setup::parent::{Ds, ds};

use crate::instance::{Instance, Kind, for_each, shell, steps};
use crate::support::knot::{ZONE, wait_until};

#[test]
fn a_second_zone_comes_and_goes() {
    for_each(|dns| {
        let server = Instance::start(dns, &[]);
        let home = server.add("home");
        assert_eq!(
            server.visit(&home.with("203.0.113.7")).status,
            200,
            "{dns:?}"
        );
        let two = "two.example.org";
        let report = server.bowline(&["zone", "add", two, "--no-dnssec"]);
        server.run_steps(&report);
        server.wait_for(two);
        assert_eq!(server.dig(two, "NS"), ["ns1.example.org."], "{dns:?}");
        let nas = server.add("nas.two.example.org");
        let answer = server.visit(&nas.with("203.0.113.8"));
        assert_eq!(
            answer.said(),
            "200 good 203.0.113.8",
            "{dns:?} {}",
            server.last_line()
        );
        assert_eq!(
            server.dig("nas.two.example.org", "A"),
            ["203.0.113.8"],
            "{dns:?}"
        );
        assert_eq!(server.shows("home"), "203.0.113.7", "{dns:?}");

        // Nothing is left to do the second time.
        let again = server.bowline(&["zone", "set", two, "--ttl", "90"]);
        assert_eq!(steps(&again), Vec::<String>::new(), "{dns:?}");

        server.bowline(&["host", "remove", "nas.two.example.org"]);
        let way = server.bowline(&["zone", "remove", two]);
        let local: Vec<String> = steps(&way);
        let local = local.iter().filter(|step| {
            !step.starts_with('#')
                && !step.contains("bowline --config")
                && !step.contains("zone-purge")
        });
        for step in local {
            shell(step);
        }
        wait_until("the end of the zone", || server.dig(two, "SOA").is_empty());
        wait_until("the first zone", || server.shows("home") == "203.0.113.7");
    });
}

/// Both are this machine's: nobody else has to enter anything.
#[test]
fn a_zone_below_another_one_is_delegated_there() {
    for_each(|dns| {
        let server = Instance::start(dns, &[]);
        let home = server.add("home");
        let below = format!("sub.{ZONE}");
        let add = ["zone", "add", &below, "--nameserver=ns1.example.org"];
        let report = server.bowline(&add);
        let all = steps(&report);
        assert!(!all.iter().any(|step| step.contains("is kept")), "{all:?}");
        // What is there already is not entered again.
        server.run_steps(&report);
        server.wait_for(&below);
        server.run_steps(&report);
        let path = |below: &str| server.path(below).display().to_string();
        let ns = match dns {
            Kind::Knot => shell(&format!(
                "knotc -c {} zone-read {ZONE} sub NS",
                path("knot/knot.conf")
            )),
            Kind::Bind => all.join("\n"),
            Kind::PowerDns => {
                let pdnsutil = format!("pdnsutil --config-dir={}", path("pdns"));
                shell(&format!("{pdnsutil} check-zone {ZONE}"));
                shell(&format!("{pdnsutil} list-zone {ZONE}"))
            }
        };
        let words = ns.split_whitespace().collect::<Vec<&str>>().join(" ");
        let expected = match dns {
            Kind::Knot => format!("{below}. 3600 NS ns1.example.org."),
            Kind::Bind => format!(".zone: {below}. 3600 NS ns1.example.org."),
            Kind::PowerDns => format!("{below} 3600 IN NS ns1.example.org."),
        };
        assert_eq!(words.matches(&expected).count(), 1, "{dns:?}: {ns}");
        let visited = server.visit(&home.with("203.0.113.7"));
        assert_eq!(visited.said(), "200 good 203.0.113.7", "{dns:?}");
        assert_eq!(server.shows("home"), "203.0.113.7", "{dns:?}");
    });
}

/// As one whose first contents were never given, or a removal that is run once more.
#[test]
fn a_zone_goes_that_the_name_server_never_had() {
    for_each(|dns| {
        let server = Instance::start(dns, &["--no-dnssec"]);
        let two = "two.example.org";
        server.bowline(&["zone", "add", two, "--no-dnssec"]);
        server.bowline(&["zone", "remove", two, "--apply"]);
        let left = Config::load(&server.path("bowline.toml")).unwrap().zones;
        assert_eq!(left.len(), 1, "{dns:?}");
        wait_until("the first zone", || !server.dig(ZONE, "SOA").is_empty());
    });
}

#[test]
fn rights_are_given_later() {
    for_each(|dns| {
        let server = Instance::start(dns, &[]);
        let report = server.bowline(&["zone", "set", ZONE, "--acme"]);
        server.run_steps(&report);
        server.wait_for(ZONE);
        let script = server.path("challenge");
        let text = format!(
            "server 127.0.0.1 {}\nzone {ZONE}.\nupdate add _acme-challenge.h.{ZONE}. 60 TXT x\nsend\n",
            server.update
        );
        std::fs::write(&script, text).unwrap();
        wait_until("the right", || {
            let sent = std::process::Command::new("knsupdate")
                .args(["-y", &server.key()])
                .arg(&script)
                .output();
            sent.unwrap().status.success()
        });
        let txt = server.dig(&format!("_acme-challenge.h.{ZONE}"), "TXT");
        assert_eq!(txt, ["\"x\""], "{dns:?}");
    });
}

#[test]
fn a_signed_zone_has_a_ds() {
    for_each(|dns| {
        let server = Instance::start(dns, &[]);
        wait_until("the key", || !server.dig(ZONE, "DNSKEY").is_empty());
        let config = Config::load(&server.path("bowline.toml")).unwrap();
        let standing = Standing::load(&config.file).unwrap();
        assert!(
            standing.is_signed(&ZONE.parse().unwrap()).unwrap(),
            "{dns:?}"
        );
        // The server itself stands for a resolver that sees the NS.
        let resolver = Some(([127, 0, 0, 1], server.port).into());
        let zone = config.zones.first().unwrap();
        let Ds::Enter(records) = ds(zone, true, resolver) else {
            panic!("{dns:?}: no DS")
        };
        let tag = records[0].data.split(' ').next().unwrap().to_owned();
        let etc = |below: &str| server.path(below).display().to_string();
        let own = match dns {
            Kind::Knot => shell(&format!("keymgr -c {} {ZONE} ds", etc("knot/knot.conf"))),
            Kind::Bind => shell(&format!(
                "dnssec-dsfromkey -2 {}/K{ZONE}.+*.key",
                etc("bind/db/keys")
            )),
            Kind::PowerDns => shell(&format!(
                "pdnsutil --config-dir={} show-zone {ZONE}",
                etc("pdns")
            )),
        };
        let digest = records.iter().find(|record| record.data.contains(" 13 2 "));
        let digest = digest
            .expect("SHA-256")
            .data
            .replace(' ', "")
            .to_lowercase();
        let own = own.replace(' ', "").to_lowercase();
        assert!(own.contains(&digest), "{dns:?} {tag}: {digest} in {own}");
        // A host's answer is signed too, and so is the denial of one that is not there.
        let home = server.add("home");
        assert_eq!(server.visit(&home.with("203.0.113.7")).status, 200);
        for (name, expected) in [("home", "RRSIG"), ("nobody", "NSEC3")] {
            let said = shell(&format!(
                "kdig @127.0.0.1 -p {} +dnssec +norec {name}.{ZONE} A",
                server.port
            ));
            assert!(said.contains(expected), "{dns:?} {name}: {said}");
        }
    });
}

#[test]
fn the_last_zone_takes_everything_with_it() {
    for_each(|dns| {
        let server = Instance::start(dns, &["--no-dnssec"]);
        let way = steps(&server.bowline(&["zone", "remove", ZONE]));
        let rm: Vec<&String> = way
            .iter()
            .filter(|step| step.starts_with("rm -f"))
            .collect();
        let key = match dns {
            Kind::Knot => "00-key.conf",
            Kind::Bind => "00-key.conf",
            Kind::PowerDns => "key.sql",
        };
        assert!(rm[0].contains(key), "{dns:?} {way:#?}");
        server.bowline(&["zone", "remove", ZONE, "--apply"]);
        wait_until("the end", || server.dig(ZONE, "NS").is_empty());
        assert_eq!(server.bowline(&["zone", "list"]), serde_json::json!([]));
        assert!(!server.read("written.sha256").contains(ZONE), "{dns:?}");
    });
}

#[test]
fn the_keys_of_a_zone_come_back_from_a_backup() {
    for_each(|dns| {
        let server = Instance::start(dns, &[]);
        wait_until("the key", || !server.dig(ZONE, "DNSKEY").is_empty());
        let before = server.dig(ZONE, "DNSKEY");
        let backup = server.path("").parent().unwrap().join("backup.tar");
        let backup = backup.display().to_string();
        let output = server.bowline_output(&["backup", &backup]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        let pdnsutil = format!("pdnsutil --config-dir={}", server.path("pdns").display());
        let by_hand = server.path("").parent().unwrap().join("zone.key");
        let by_hand = by_hand.display();
        if dns == Kind::PowerDns {
            assert!(
                said.contains("PowerDNS has them in its own database"),
                "{said}"
            );
            // So they are saved as the book says.
            shell(&format!("{pdnsutil} export-zone-key {ZONE} 1 >{by_hand}"));
        }
        server.stop("TERM");
        // All of it is gone; what is set up anew signs with the old key.
        std::fs::remove_dir_all(server.path("")).unwrap();
        let bowline = env!("CARGO_BIN_EXE_bowline");
        let config = server.path("bowline.toml").display().to_string();
        let said = shell(&format!(
            "{bowline} --config {config} restore {backup} 2>&1"
        ));
        // What it says is typed.
        let init = said.split('`').nth(1).expect("the command").to_owned();
        assert!(init.contains(" init dyn.example.org "), "{said}");
        shell(&init.replacen("bowline", bowline, 1));
        server.wait_for(ZONE);
        let said = shell(&format!(
            "{bowline} --config {config} restore {backup} 2>&1"
        ));
        assert!(!said.contains(" init "), "{said}");
        wait_until("the key", || !server.dig(ZONE, "DNSKEY").is_empty());
        if dns == Kind::PowerDns {
            shell(&format!(
                "{pdnsutil} import-zone-key {ZONE} {by_hand} active ksk && {pdnsutil} remove-zone-key {ZONE} 1 && \
                 {pdnsutil} rectify-zone {ZONE}"
            ));
            // Else it remembers the other one for half a minute.
            server.stop("TERM");
            server.again();
        }
        assert_eq!(server.dig(ZONE, "DNSKEY"), before, "{dns:?}");
    });
}

#[test]
fn a_zone_that_is_signed_no_more_is_not_said_to_be() {
    for_each(|dns| {
        let server = Instance::start(dns, &[]);
        wait_until("the key", || !server.dig(ZONE, "DNSKEY").is_empty());
        let home = server.add("home");
        assert_eq!(server.visit(&home.with("203.0.113.7")).status, 200);
        let steps = |report: &serde_json::Value| report["next"].to_string();
        let planned = server.init_again_with(&["--no-dnssec", "--dry-run"]);
        assert!(
            steps(&planned).contains("take the DS of"),
            "{dns:?} {planned:#}"
        );
        server.init_again_with(&["--no-dnssec", "--apply"]);
        let shown = server.bowline(&["zone", "show"]);
        assert_eq!(shown[0]["ds"], "none: the zone is not signed", "{dns:?}");
        let said = server.bowline_output(&["doctor", "--json"]);
        let said: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
        let checks = said["checks"].as_array().unwrap();
        let about = checks
            .iter()
            .find(|check| check["name"] == "zone-dnssec")
            .unwrap();
        assert_eq!(about["status"], "ok", "{about:#}");
        assert!(!about.to_string().contains("days"), "{about:#}");
        // The others leave what they have signed in it, which counts for nobody without a DS.
        let keys = server.dig(ZONE, "DNSKEY");
        assert_eq!(keys.is_empty(), dns == Kind::PowerDns, "{dns:?} {keys:?}");
        assert_eq!(server.visit(&home.with("203.0.113.8")).status, 200);
        assert_eq!(server.dig(&format!("home.{ZONE}"), "A"), ["203.0.113.8"]);

        server.init_again_with(&["--apply"]);
        wait_until("the key", || !server.dig(ZONE, "DNSKEY").is_empty());
        assert_eq!(server.visit(&home.with("203.0.113.9")).status, 200);
        assert_eq!(server.dig(&format!("home.{ZONE}"), "A"), ["203.0.113.9"]);
    });
}
