//! `bowline doctor` on whole machines that `init` has just set up: it finds nothing wrong.

use serde_json::Value;

use crate::cases::{APACHE, BIND, Case, FILES, KNOT, NGINX, POWERDNS};
use crate::machine::Machine;
use crate::{add, certify, visit};

/// What is typed on a machine with two public addresses.
const INIT: &str = "bowline init dyn.example.org --nameserver ns1.example.org \
    --url https://update.example.org --apply";
/// A resolver that has the parent zone itself and asks our name server for the rest.
const RESOLVER: &str = "options { directory \"/srv/resolver\"; pid-file \"/srv/resolver/pid\"; session-keyfile none; \
    listen-on { 127.0.0.2; }; listen-on-v6 { none; }; recursion yes; dnssec-validation no; };\n\
    controls { };\nzone \"example.org\" { type primary; file \"org\"; };\n";
const PARENT: &str = "$TTL 60\n@ SOA ns1 h 1 3600 600 1209600 60\n@ NS ns1\ndyn NS ns1\n\
    ns1 A 192.0.2.53\nns1 AAAA 2001:db8::53\nupdate A 192.0.2.53\n";

/// A machine with public addresses and the world around it.
fn start() -> Option<Machine> {
    let machine = Machine::start()?;
    machine.run(
        "ip addr add 127.0.0.2/32 dev lo; ip addr add 192.0.2.53/32 dev lo; ip addr add 2001:db8::53/128 dev lo; \
         echo '192.0.2.53 update.example.org' >>/etc/hosts; echo 'nameserver 127.0.0.2' >/etc/resolv.conf; \
         mkdir /srv/resolver",
    );
    machine.write("/srv/resolver/named.conf", RESOLVER);
    machine.write("/srv/resolver/org", PARENT);
    machine.spawn("named -g -c /srv/resolver/named.conf");
    machine.wait("kdig +short @127.0.0.2 ns1.example.org A | grep 192.0.2.53");
    Some(machine)
}

/// What doctor says, and whether it succeeds.
fn doctor(machine: &Machine) -> (bool, Value) {
    let (ok, said) = machine.try_run(
        "CURL_CA_BUNDLE=/etc/letsencrypt/live/update.example.org/fullchain.pem \
         bowline --json doctor --via 127.0.0.2 2>/dev/null",
    );
    (
        ok,
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}")),
    )
}

/// The checks with a status, each once.
fn checks(document: &Value, status: &str) -> Vec<String> {
    let checks = document["checks"].as_array().unwrap().iter();
    let checks = checks.filter(|check| check["status"] == status);
    let mut names: Vec<String> = checks
        .map(|check| check["name"].as_str().unwrap().to_owned())
        .collect();
    names.dedup();
    names
}

/// A machine in which nothing is wrong, and the token of its host.
fn healthy(dns: &str, web: &str, service: &str) -> Option<(Machine, String)> {
    let machine = start()?;
    machine.run(&format!("{INIT} --dns {dns} --web {web}"));
    certify(&machine, service);
    let token = add(&machine, "home");
    let home = format!("https://update.example.org/{token}/home?myip=203.0.113.7");
    assert_eq!(visit(&machine, &home, ""), "good 203.0.113.7\n200");
    machine.run("systemctl start bowline-upkeep.service");
    let serial = machine.run("kdig +short @192.0.2.53 dyn.example.org SOA");
    let (ok, document) = doctor(&machine);
    assert_eq!(
        checks(&document, "problem"),
        [""; 0],
        "{dns} {web}: {document:#}"
    );
    assert!(ok);
    assert_eq!(
        checks(&document, "cannot tell"),
        ["clock", "reach-ipv4", "reach-ipv6"]
    );
    assert_eq!(
        machine.run("kdig +short @192.0.2.53 dyn.example.org SOA"),
        serial
    );
    Some((machine, token))
}

/// Each on a machine in which nothing else is wrong.
fn each(machine: &Machine, cases: &[Case]) {
    for (breaks, mends, check) in cases {
        let (done, said) = machine.try_run(breaks);
        assert!(done, "{breaks}: {said}");
        if *check != "upkeep" {
            // Whatever comes of it.
            machine.try_run("bowline upkeep");
        }
        // What was so before is told for five seconds more.
        machine.try_run("rm -f /var/lib/bowline/locks/health");
        let soa = "kdig +short +retry=0 +time=1 @192.0.2.53 dyn.example.org SOA";
        let (_, serial) = machine.try_run(soa);
        let (ok, document) = doctor(machine);
        assert_eq!(
            checks(&document, "problem"),
            [*check],
            "{breaks}: {document:#}"
        );
        assert!(!ok, "{breaks}");
        assert_eq!(machine.try_run(soa).1, serial, "{breaks}");
        machine.run(mends);
    }
    machine.run("bowline upkeep");
    let (ok, document) = doctor(machine);
    assert!(ok, "{document:#}");
}

/// What the cases have in common: a file is changed and put back, a service follows.
const SCRIPTS: &str = r#"#!/bin/sh
# change FILE SED COMMAND... | restore FILE COMMAND...
set -e
file=$1; shift
kept=/root/$(echo "$file" | tr / _)
case $0 in
    *change) cp -a "$file" "$kept"; sed -i "$1" "$file"; shift; ! cmp -s "$file" "$kept" ;;
    *restore) cp -a "$kept" "$file" && touch "$file" ;;
esac
"$@"
sleep 1
"#;

fn set_up(dns: &str, web: &str, service: &str) -> Option<Machine> {
    let (machine, token) = healthy(dns, web, service)?;
    for name in ["change", "restore"] {
        machine.write(&format!("/usr/local/bin/{name}"), SCRIPTS);
    }
    machine.write("/root/token", &token);
    Some(machine)
}

#[test]
fn knot_and_apache() {
    let Some(machine) = set_up("knot", "apache", "apache2") else {
        return;
    };
    each(&machine, &FILES);
    each(&machine, &KNOT);
    each(&machine, &APACHE);
}

#[test]
fn bind_and_nginx() {
    let Some(machine) = set_up("bind", "nginx", "nginx") else {
        return;
    };
    each(&machine, &BIND);
    each(&machine, &NGINX);
}

#[test]
fn powerdns_and_nginx() {
    let Some(machine) = set_up("powerdns", "nginx", "nginx") else {
        return;
    };
    each(&machine, &POWERDNS);
}

#[test]
fn another_virtual_host_that_goes_before_ours_is_told() {
    let Some((machine, _)) = healthy("knot", "apache", "apache2") else {
        return;
    };
    let certificate = "/etc/letsencrypt/live/update.example.org";
    machine.write(
        "/etc/apache2/sites-enabled/zz.conf",
        &format!(
            "<VirtualHost 192.0.2.53:443>\nServerName www.example.org\nSSLEngine on\n\
             SSLCertificateFile {certificate}/fullchain.pem\nSSLCertificateKeyFile {certificate}/privkey.pem\n\
             CustomLog /var/log/apache2/other.log common\n</VirtualHost>\n"
        ),
    );
    machine.run("systemctl reload apache2; sleep 1");
    let (_, document) = doctor(&machine);
    assert_eq!(checks(&document, "problem"), ["url"], "{document:#}");
    let text = document.to_string();
    assert!(
        text.contains("answers 404") && text.contains("`apache2ctl -S` shows which"),
        "{text}"
    );
}
