//! What doctor says to do helps as it is typed.

use std::fs;

use crate::instance::{Instance, Kind, shell};
use crate::parent::{DELEGATION, Parent};
use crate::patient::{Said, bowline, doctor, edit, examine, healthy, options};

/// What doctor says of a set-up by `init`.
fn look(instance: &Instance, parent: &Parent) -> Said {
    let via = parent.address.to_string();
    let mut command = bowline(&instance.path("bowline.toml"));
    examine(command.args(["doctor", "--json", "--via", &via]))
}

/// The command in a hint, with the options that no file tells, where it asks for them.
fn typed(instance: &Instance, hint: &str) -> String {
    let command = hint
        .split('`')
        .find(|part| part.contains(" init "))
        .unwrap();
    let executable = env!("CARGO_BIN_EXE_bowline");
    let command = command.replacen("bowline", executable, 1);
    if !hint.contains("the other options it had") {
        return command;
    }
    format!(
        "{command} --dns-listen 127.0.0.1@{} --public 192.0.2.53 --user root",
        instance.port
    )
}

#[test]
fn the_init_that_is_named_is_the_one_that_was_typed() {
    if !Kind::Knot.is_installed() {
        return;
    }
    let instance = Instance::start(Kind::Knot, &["--no-dnssec"]);
    instance.bowline(&["upkeep"]);
    let parent = Parent::with("dyn NS ns1\nns1 A 192.0.2.53\n");
    // bowline.toml was edited, which is what it is for.
    let said = look(&instance, &parent);
    assert!(
        said.about("files").starts_with("ok: "),
        "{:#}",
        said.document
    );
    assert!(
        !said.about("files").contains("changed"),
        "{:#}",
        said.document
    );
    // Another file shows what differs.
    let rules = instance.path("knot/bowline.d/10-bowline.conf");
    let before = fs::read_to_string(&rules).unwrap();
    fs::write(&rules, format!("{before}# mine\n")).unwrap();
    let said = look(&instance, &parent);
    assert!(said.about("files").contains("10-bowline.conf"));
    // It was kept as it was typed.
    let hint = said.hint("files");
    assert!(!hint.contains("other options"), "{hint}");
    let shown = shell(&typed(&instance, hint));
    assert!(shown.contains("\n            - # mine\n"), "{shown}");
    fs::write(&rules, before).unwrap();
    // The key is lost: there is a new one, for Knot too.
    fs::remove_file(instance.path("tsig.key")).unwrap();
    let said = look(&instance, &parent);
    assert!(said.problems().contains(&"key-file"), "{:#}", said.document);
    shell(&typed(&instance, said.hint("key-file")));
    let said = look(&instance, &parent);
    assert_eq!(said.problems(), ["url"], "{:#}", said.document);
    let clause = instance.read("knot/bowline.d/50-dyn.example.org.conf");
    assert!(!clause.contains("dnssec-signing: on"), "{clause}");
}

/// The file that is gone would tell: to be on the safe side the zone stays signed.
#[test]
fn no_zone_is_unsigned_by_a_hint() {
    if !Kind::Knot.is_installed() {
        return;
    }
    let instance = Instance::start(Kind::Knot, &[]);
    let parent = Parent::with("dyn NS ns1\nns1 A 192.0.2.53\n");
    let clause = "knot/bowline.d/50-dyn.example.org.conf";
    fs::remove_file(instance.path(clause)).unwrap();
    let said = look(&instance, &parent);
    assert!(said.problems().contains(&"files"), "{:#}", said.document);
    shell(&typed(&instance, said.hint("files")));
    let clause = instance.read(clause);
    assert!(clause.contains("dnssec-signing: on"), "{clause}");
}

/// As after a `zone add` that ended before it printed what is to do.
#[test]
fn a_zone_that_was_never_loaded_can_be() {
    if !Kind::Knot.is_installed() {
        return;
    }
    let instance = Instance::start(Kind::Knot, &["--no-dnssec"]);
    instance.bowline(&["zone", "add", "two.example.org"]);
    let said = look(&instance, &Parent::with("two NS ns1\nns1 A 192.0.2.53\n"));
    let lacks = said.checks().iter().find(|check| {
        check["name"] == "zone"
            && check["status"] == "problem"
            && check["zone"] == "two.example.org"
    });
    let hint = lacks.unwrap()["hint"].as_str().unwrap();
    let shown = shell(&typed(&instance, hint));
    assert!(shown.contains("first-contents-two.example.org"), "{shown}");
}

#[test]
fn a_mistake_in_the_configuration_is_to_be_mended() {
    let site = healthy(options());
    let parent = Parent::with(DELEGATION);
    edit(&site, "bowline.toml", "server = ", "tttl = 1\nserver = ");
    let said = doctor(&site, &parent, &[]);
    assert!(said.hint("configuration").starts_with("mend that line"));
    fs::remove_file(site.path("bowline.toml")).unwrap();
    let said = doctor(&site, &parent, &[]);
    assert!(said.hint("configuration").contains("init` makes one"));
}

#[test]
fn before_the_first_certificate() {
    let site = healthy(options());
    let parent = Parent::with(DELEGATION);
    site.configure("https://update.localhost:1", "");
    let hint = |site| doctor(site, &parent, &[]).hint("url").to_owned();
    // Nothing tells that a site of ours waits for it.
    assert!(hint(&site).starts_with("does the web server run"));
    fs::create_dir_all(site.path("apache")).unwrap();
    let text = "SSLCertificateFile /etc/letsencrypt/live/update.localhost/fullchain.pem\n";
    fs::write(site.path("apache/bowline.conf"), text).unwrap();
    let said = hint(&site);
    let certbot = "`certbot certonly --webroot -w /var/www/html -d update.localhost --deploy-hook 'apache2 -f ";
    assert!(said.contains(certbot), "{said}");
}
