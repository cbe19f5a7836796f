//! `bowline doctor` on whole machines that `init` has just set up: it finds nothing wrong.

use serde_json::Value;

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

/// A way to break a machine, how it is mended, and the only check with a problem.
type Case = (&'static str, &'static str, &'static str);

/// Each on a machine in which nothing else is wrong.
fn each(machine: &Machine, cases: &[Case]) {
    for (breaks, mends, check) in cases {
        let (done, said) = machine.try_run(breaks);
        assert!(done, "{breaks}: {said}");
        if *check != "upkeep" {
            // Whatever comes of it.
            machine.try_run("bowline upkeep");
        }
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

/// Files, owners and modes.
const FILES: [Case; 10] = [
    (
        "chmod 644 /etc/bowline/tsig.key",
        "chmod 640 /etc/bowline/tsig.key",
        "secrets",
    ),
    (
        "chmod 755 /var/lib/bowline",
        "chmod 750 /var/lib/bowline",
        "state-directory",
    ),
    (
        "mv /var/lib/bowline /var/lib/b && ln -s b /var/lib/bowline",
        "rm /var/lib/bowline && mv /var/lib/b /var/lib/bowline",
        "state-directory",
    ),
    (
        "cd /var/lib/bowline && chown root bowline.db",
        "chown bowline /var/lib/bowline/bowline.db",
        "registry-owner",
    ),
    (
        "cd /var/lib/bowline && touch bowline.db-wal && chown root bowline.db-wal",
        "chown bowline /var/lib/bowline/bowline.db-wal",
        "registry-owner",
    ),
    (
        "cd /var/lib/bowline/locks && touch 007 && chown root 007",
        "chown bowline /var/lib/bowline/locks/007",
        "locks",
    ),
    (
        "mv /var/lib/bowline/bowline.db /root/",
        "mv /root/bowline.db /var/lib/bowline/",
        "registry-owner",
    ),
    (
        "chgrp root /etc/bowline/lookup.key",
        "chgrp bowline /etc/bowline/lookup.key",
        "keys-readable",
    ),
    (
        "mv /etc/bowline/tsig.key /root/",
        "mv /root/tsig.key /etc/bowline/",
        "key-file",
    ),
    (
        "systemctl stop bowline-upkeep.timer; touch -d '-1 hour' /var/lib/bowline/locks/upkeep",
        "systemctl start bowline-upkeep.timer",
        "upkeep",
    ),
];

const KNOT: [Case; 10] = [
    (
        "change /etc/knot/bowline.d/10-bowline.conf 's/address: 127.0.0.1/address: [ 127.0.0.1, 192.0.2.53 ]/' knotc reload",
        "restore /etc/knot/bowline.d/10-bowline.conf knotc reload",
        "update-source",
    ),
    (
        "change /etc/knot/bowline.d/10-bowline.conf 's/address: 127.0.0.1/address: 192.0.2.99/' knotc reload",
        "restore /etc/knot/bowline.d/10-bowline.conf knotc reload",
        "acl",
    ),
    (
        "change /etc/knot/bowline.d/10-bowline.conf 's/update-type: .*/update-type: [ A, AAAA, MX ]/' knotc reload",
        "restore /etc/knot/bowline.d/10-bowline.conf knotc reload",
        "key-reach",
    ),
    (
        "change /etc/knot/bowline.d/00-key.conf 's/secret: ..../secret: AAAA/' knotc reload",
        "restore /etc/knot/bowline.d/00-key.conf knotc reload",
        "key-copy",
    ),
    (
        "mv /etc/knot/bowline.d/10-bowline.conf /root/",
        "mv /root/10-bowline.conf /etc/knot/bowline.d/",
        "files",
    ),
    (
        "knotc zone-freeze dyn.example.org; sleep 1",
        "knotc zone-thaw dyn.example.org; sleep 1",
        "zone-frozen",
    ),
    (
        "knotc zone-begin dyn.example.org",
        "knotc zone-abort dyn.example.org",
        "zone-transaction",
    ),
    (
        "systemctl stop knot",
        "systemctl start knot; sleep 1",
        "server-udp",
    ),
    (
        "change /srv/resolver/org '/^dyn NS/d' kill -HUP $(cat /srv/resolver/pid)",
        "restore /srv/resolver/org kill -HUP $(cat /srv/resolver/pid)",
        "delegation",
    ),
    (
        "change /srv/resolver/org \"\\$a dyn DS 1 13 2 $(printf %064d 7)\" kill -HUP $(cat /srv/resolver/pid)",
        "restore /srv/resolver/org kill -HUP $(cat /srv/resolver/pid)",
        "ds",
    ),
];

const APACHE: [Case; 6] = [
    (
        "a2dissite -q bowline && systemctl reload apache2 && sleep 1",
        "a2ensite -q bowline && systemctl reload apache2 && sleep 1",
        "url",
    ),
    (
        "systemctl stop apache2",
        "systemctl start apache2; sleep 1",
        "url",
    ),
    (
        "systemctl stop bowline.socket bowline.service",
        "systemctl start bowline.socket",
        "url",
    ),
    (
        "change /etc/apache2/sites-available/bowline.conf 's/%m %>s/%U %>s/' systemctl reload apache2",
        "restore /etc/apache2/sites-available/bowline.conf systemctl reload apache2",
        "log-format",
    ),
    (
        "curl -s http://192.0.2.53/$(cat /root/token)/home -o /dev/null; sleep 1",
        "rm /var/log/apache2/*.log; systemctl restart apache2; sleep 1",
        "log-tokens",
    ),
    (
        "echo ExtendedStatus On >/etc/apache2/sites-enabled/zz.conf; systemctl reload apache2; sleep 1",
        "rm /etc/apache2/sites-enabled/zz.conf; systemctl reload apache2; sleep 1",
        "server-status",
    ),
];

#[test]
fn bind_and_nginx() {
    let Some(machine) = set_up("bind", "nginx", "nginx") else {
        return;
    };
    each(&machine, &BIND);
    each(&machine, &NGINX);
}

const BIND: [Case; 6] = [
    (
        "change /etc/bind/bowline/update.d/50-dyn.example.org.conf 's/ A AAAA;/ ANY;/' systemctl reload named",
        "restore /etc/bind/bowline/update.d/50-dyn.example.org.conf systemctl reload named",
        "key-reach",
    ),
    (
        "change /etc/bind/bowline/update.d/50-dyn.example.org.conf '/deny/d' systemctl reload named",
        "restore /etc/bind/bowline/update.d/50-dyn.example.org.conf systemctl reload named",
        "key-reach",
    ),
    (
        "change /etc/bind/bowline/update.d/50-dyn.example.org.conf 's/ A AAAA;/ A;/' systemctl reload named",
        "restore /etc/bind/bowline/update.d/50-dyn.example.org.conf systemctl reload named",
        "key-rights",
    ),
    (
        "change /etc/bind/bowline/update.d/00-key.conf 's/secret \"..../secret \"AAAA/' systemctl reload named",
        "restore /etc/bind/bowline/update.d/00-key.conf systemctl reload named",
        "key-copy",
    ),
    (
        "rndc freeze dyn.example.org IN bowline; sleep 1",
        "rndc thaw dyn.example.org IN bowline; sleep 1",
        "update-accepted",
    ),
    (
        "systemctl stop named",
        "systemctl start named; sleep 1",
        "server-udp",
    ),
];

const NGINX: [Case; 3] = [
    (
        "change /etc/nginx/sites-available/bowline-tls 's/access.log bowline/access.log combined/' systemctl reload nginx",
        "restore /etc/nginx/sites-available/bowline-tls systemctl reload nginx",
        "log-format",
    ),
    (
        "rm /etc/nginx/sites-enabled/bowline; systemctl reload nginx; sleep 1",
        "ln -s ../sites-available/bowline /etc/nginx/sites-enabled/; systemctl reload nginx; sleep 1",
        "url",
    ),
    (
        "systemctl stop bowline.socket bowline.service",
        "systemctl start bowline.socket",
        "url",
    ),
];

#[test]
fn powerdns_and_nginx() {
    let Some(machine) = set_up("powerdns", "nginx", "nginx") else {
        return;
    };
    each(&machine, &POWERDNS);
}

const POWERDNS: [Case; 8] = [
    // systemd would not start it, so it is kept from looking.
    (
        "d=/etc/systemd/system/pdns.service.d; change $d/bowline.conf /Exec/d systemctl daemon-reload; \
         mv /etc/powerdns/bowline/update-policy.lua /root/; systemctl restart pdns; sleep 1",
        "mv /root/update-policy.lua /etc/powerdns/bowline/; systemctl restart pdns; sleep 1",
        "policy-script",
    ),
    (
        "chgrp root /etc/powerdns/bowline/update-policy.lua; systemctl restart pdns; sleep 1",
        "chgrp pdns /etc/powerdns/bowline/update-policy.lua; systemctl restart pdns; sleep 1",
        "policy-script",
    ),
    (
        "change /etc/powerdns/bowline/update-policy.lua '1i (' systemctl restart pdns",
        "restore /etc/powerdns/bowline/update-policy.lua systemctl restart pdns",
        "update-accepted",
    ),
    (
        "change /etc/powerdns/bowline/update-policy.lua \"s/from ~= .127.0.0.1./false/\" systemctl restart pdns",
        "restore /etc/powerdns/bowline/update-policy.lua systemctl restart pdns",
        "update-source",
    ),
    (
        "change /etc/powerdns/bowline/rights/dyn.example.org 's/ AAAA//' true",
        "restore /etc/powerdns/bowline/rights/dyn.example.org true",
        "key-rights",
    ),
    (
        "change /etc/powerdns/pdns.d/bowline.conf s/synchronous=2/synchronous=1/ true",
        "restore /etc/powerdns/pdns.d/bowline.conf true",
        "durability",
    ),
    (
        "chmod 644 /etc/powerdns/bowline/key.sql",
        "chmod 640 /etc/powerdns/bowline/key.sql",
        "secrets",
    ),
    (
        "systemctl stop pdns",
        "systemctl start pdns; sleep 1",
        "server-udp",
    ),
];
