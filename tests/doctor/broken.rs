//! Set-ups that are broken in one way each.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use bowline::config::Config;
use bowline::dns::Key;
use bowline::setup::parent::{self, Ds};
use bowline::token::LookupKey;

use crate::parent::{DELEGATION, Parent};
use crate::patient::{doctor, edit, edit_knot, examine, healthy, options};
use crate::support::knot::Options;
use crate::support::site::Site;
use crate::support::skip::installed;

/// A way to break a set-up: the checks that name it, a part of what they say, how.
pub(crate) type Case = (&'static [&'static str], &'static str, fn(&mut Site));

/// Each in a fresh set-up: exactly these checks have a problem, besides the URL's, at which
/// nobody listens.
pub(crate) fn each(parent: &Parent, options: &Options, cases: &[Case]) {
    for (names, says, breaks) in cases {
        let mut site = healthy(options.clone());
        breaks(&mut site);
        let said = doctor(&site, parent, &[]);
        let mut expected = names.to_vec();
        expected.push("url");
        if names == &["configuration"] {
            expected.pop();
        }
        assert_eq!(said.problems(), expected, "{says}: {:#}", said.document);
        assert!(
            said.about(names[0]).contains(says),
            "{says}: {}",
            said.about(names[0])
        );
        // Whatever is found, no secret is shown.
        let text = said.document.to_string();
        let secret = site
            .knot
            .key_text()
            .lines()
            .next()
            .unwrap()
            .rsplit(':')
            .next()
            .unwrap();
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn nothing_is_broken_yet() {
    let site = healthy(options());
    let said = doctor(&site, &Parent::with(DELEGATION), &[]);
    assert_eq!(said.problems(), ["url"], "{:#}", said.document);
    assert!(said.about("url").contains("does not answer"));
}

#[test]
fn files_and_registry() {
    let cases: [Case; 11] = [
        (&["ttl"], "TTL of 604800 s of dyn.example.org", |site| {
            edit(site, "bowline.toml", "key_file", "ttl = 604800\nkey_file");
        }),
        (&["configuration"], "unknown key `tttl`", |site| {
            edit(site, "bowline.toml", "server = ", "tttl = 1\nserver = ");
        }),
        (&["secrets"], "open to everybody", |site| {
            let open = fs::Permissions::from_mode(0o644);
            fs::set_permissions(site.path("tsig.key"), open).unwrap();
        }),
        (&["state-directory"], "open to everybody", |site| {
            let open = fs::Permissions::from_mode(0o755);
            fs::set_permissions(site.path("state"), open).unwrap();
        }),
        (&["locks"], "No such file", |site| {
            fs::remove_dir_all(site.path("state/locks")).unwrap();
        }),
        (&["registry-integrity"], "damaged", |site| {
            overwrite(site, |pages| pages / 2);
        }),
        (&["registry-integrity"], "damaged", |site| {
            overwrite(site, |_| 0);
        }),
        (&["lookup-key"], "made with another one", |site| {
            let key = LookupKey::random().unwrap().to_hex();
            fs::write(site.path("lookup.key"), key).unwrap();
        }),
        (&["upkeep"], "it was never done", |site| {
            fs::remove_file(site.path("state/locks/upkeep")).unwrap();
        }),
        (&["upkeep"], "it was last done at", |site| {
            let file = site.path("state/locks/upkeep");
            let touched = Command::new("touch")
                .args(["-d", "-1 hour"])
                .arg(file)
                .status();
            assert!(touched.unwrap().success());
        }),
        (&["log-tokens"], "access.log has a token in force", |site| {
            let home = site.add("home");
            fs::create_dir_all(site.path("apache/run")).unwrap();
            let line = format!(
                "192.0.2.1 - - \"GET {} HTTP/1.1\" 200 20\n",
                home.at("/home")
            );
            fs::write(site.path("apache/run/access.log"), line).unwrap();
        }),
    ];
    each(&Parent::with(DELEGATION), &options(), &cases);
}

/// Writes something else over a page of the registry.
fn overwrite(site: &Site, choose: fn(usize) -> usize) {
    site.add("home");
    let file = site.registry_file();
    // All of it in the file itself, without its log.
    let db = rusqlite::Connection::open(&file).unwrap();
    db.pragma_update(None, "journal_mode", "delete").unwrap();
    drop(db);
    let mut octets = fs::read(&file).unwrap();
    let page = choose(octets.len() / 4096) * 4096;
    octets[page..page + 4096].fill(0x55);
    fs::write(&file, octets).unwrap();
}

#[test]
fn keys_and_rules() {
    let cases: [Case; 10] = [
        (&["key"], "another secret", |site| {
            let text = site.knot.key_text();
            let (before, secret) = text.rsplit_once("secret: ").unwrap();
            let first = if secret.starts_with('A') { "B" } else { "A" };
            let text = format!("{before}secret: {first}{}", &secret[1..]);
            fs::write(site.path("tsig.key"), text).unwrap();
        }),
        (&["key"], "another secret", |site| {
            let (_, text) = Key::generate("bowline").unwrap();
            fs::write(site.path("tsig.key"), text).unwrap();
        }),
        (&["acl"], "no key nobody", |site| {
            edit(site, "tsig.key", "bowline", "nobody");
        }),
        (&["acl"], "with hmac-sha256", |site| {
            edit(site, "tsig.key", "hmac-sha256", "hmac-sha512");
        }),
        (&["acl"], "only from elsewhere", |site| {
            edit_knot(site, "address: 127.0.0.1", "address: 192.0.2.99");
        }),
        (&["acl"], "no acl of the zone", |site| {
            edit_knot(site, "acl: bowline_update", "");
        }),
        (&["key-rights"], "may not change AAAA", |site| {
            edit_knot(site, "[ A, AAAA ]", "[ A ]");
        }),
        (&["key-reach"], "A at the apex", |site| {
            edit_knot(site, "match: sub", "match: sub-or-equal");
        }),
        (&["key-reach"], "TXT", |site| {
            edit_knot(site, "[ A, AAAA ]", "[ A, AAAA, TXT ]");
        }),
        (
            &["update-unsigned", "acl"],
            "unsigned updates are accepted",
            |site| edit_knot(site, "    key: bowline\n", ""),
        ),
    ];
    each(&Parent::with(DELEGATION), &options(), &cases);
}

#[test]
fn secrets_that_everybody_may_read() {
    let site = healthy(options());
    let parent = Parent::with(DELEGATION);
    let more = "[acme]\nregister = \"file:invitation\"\n\
                [notify.webhook]\nurl = \"http://127.0.0.1:1/services/hunter2\"\n";
    edit(
        &site,
        "bowline.toml",
        "[[zone]]",
        &format!("{more}[[zone]]"),
    );
    fs::write(site.path("invitation"), "come-in-come-in-come-in\n").unwrap();
    let mode = |file: &Path, mode| fs::set_permissions(file, fs::Permissions::from_mode(mode));
    let config = Config::load(&site.path("bowline.toml")).unwrap();
    let secrets = config.secrets();
    // bowline.toml, the key for updates, the lookup key, the invitation.
    assert_eq!(secrets.len(), 4, "{secrets:?}");
    for secret in &secrets {
        mode(secret, 0o640).unwrap();
    }
    for secret in &secrets {
        mode(secret, 0o644).unwrap();
        let said = doctor(&site, &parent, &[]);
        assert_eq!(said.problems(), ["secrets", "url"], "{:#}", said.document);
        let open = format!("{} is open to everybody", secret.display());
        assert!(said.about("secrets").contains(&open), "{:#}", said.document);
        mode(secret, 0o640).unwrap();
    }
    let said = doctor(&site, &parent, &[]);
    assert_eq!(said.problems(), ["url"], "{:#}", said.document);
}

#[test]
fn servers_and_zones() {
    let cases: [Case; 10] = [
        (&["server-udp"], "does not answer", |site| site.knot.stop()),
        (&["zone"], "does not serve it", |site| {
            edit_knot(site, "domain: dyn.example.org", "domain: other.example.org");
        }),
        (&["zone-frozen"], "takes no updates", |site| {
            site.knot.freeze();
        }),
        (&["zone-transaction"], "holds up every update", |site| {
            site.knot.knotc(&["zone-begin", "dyn.example.org"]);
        }),
        (&["durability"], "every restart", |site| {
            edit_knot(
                site,
                "zonefile-load: none",
                "zonefile-load: difference-no-serial",
            );
        }),
        (&["durability"], "without a journal", |site| {
            edit_knot(site, "journal-content: all", "journal-content: none");
        }),
        (&["durability"], "there is no zone", |site| {
            edit_knot(site, "journal-content: all", "journal-content: changes");
        }),
        (&["durability"], "power cut", |site| {
            edit_knot(site, "mode: robust", "mode: asynchronous");
        }),
        (&["zone-soa"], "remembered for 3600 s", |site| {
            let zone = "dyn.example.org";
            site.knot.knotc(&["zone-begin", zone]);
            site.knot.knotc(&["zone-unset", zone, "@", "SOA"]);
            let data = "ns1.example.net. hostmaster.example.net. 9 3600 600 1209600 3600";
            site.knot
                .knotc(&["zone-set", zone, "@", "3600", "SOA", data]);
            site.knot.knotc(&["zone-commit", zone]);
        }),
        (&["zone-ns", "delegation"], "inside the zone", |site| {
            site.knot.set("ns1 3600 A 192.0.2.1");
            site.knot.set("@ 3600 NS ns1.dyn.example.org.");
        }),
    ];
    each(&Parent::with(DELEGATION), &options(), &cases);
}

#[test]
fn what_the_world_sees() {
    let ds = format!(
        "{DELEGATION}dyn.example.org. DS 1 13 2 {}\n",
        "ab".repeat(32)
    );
    let orphan = "dyn.example.org. NS ns.nowhere.example.org.\n";
    let none: fn(&mut Site) = |_| {};
    let signed: fn(&mut Site) = |site| {
        edit_knot(
            site,
            "serial-policy: increment",
            "serial-policy: increment\n    dnssec-signing: on",
        );
        crate::support::knot::wait_until("keys", || {
            !site.knot.kdig("dyn.example.org", "DNSKEY").is_empty()
        });
    };
    for (records, case) in [
        ("", (&["delegation"][..], "has no NS", none)),
        (
            orphan,
            (
                &["delegation", "glue"][..],
                "the world sees ns.nowhere",
                none,
            ),
        ),
        (&ds, (&["ds"][..], "is not signed", none)),
        (&ds, (&["ds"][..], "of no key in the zone", signed)),
    ] {
        each(&Parent::with(records), &options(), &[case]);
    }
    // And the DS that fits.
    let mut site = healthy(options());
    signed(&mut site);
    let cds = site.knot.kdig("dyn.example.org", "CDS").concat();
    let config = Config::load(&site.path("bowline.toml")).unwrap();
    let shown = |parent: &Parent| parent::ds(&config.zones[0], true, Some(parent.address));
    assert!(matches!(shown(&Parent::with(DELEGATION)), Ds::Enter(_)));
    let parent = Parent::with(&format!("{DELEGATION}dyn.example.org. DS {cds}\n"));
    assert!(matches!(shown(&parent), Ds::Entered(_)));
    let may_be_unsigned =
        |resolver| parent::check_no_ds(&config.zones[0].name, resolver).map_err(|e| e.to_string());
    let why = may_be_unsigned(Some(parent.address)).unwrap_err();
    assert!(why.contains("has a DS of dyn.example.org"), "{why}");
    let why = may_be_unsigned(None).unwrap_err();
    assert!(why.contains("could not be told"), "{why}");
    let without = Parent::with(DELEGATION);
    assert_eq!(may_be_unsigned(Some(without.address)), Ok(()));
    let said = doctor(&site, &parent, &[]);
    assert_eq!(said.problems(), ["url"], "{:#}", said.document);
    assert!(
        said.about("ds").contains("that of a key"),
        "{:#}",
        said.document
    );
}

#[test]
fn a_clock_that_is_off() {
    if !installed("faketime") {
        return;
    }
    let site = healthy(options());
    let parent = Parent::with(DELEGATION);
    let config = site.path("bowline.toml");
    let mut command = Command::new("faketime");
    command
        .args(["-f", "-2h", env!("CARGO_BIN_EXE_bowline"), "--config"])
        .arg(config)
        .args(["doctor", "--json", "--via", &parent.address.to_string()]);
    let said = examine(&mut command);
    assert_eq!(said.problems(), ["clock", "url"], "{:#}", said.document);
    let clock = said.about("clock");
    assert!(
        clock.contains("7200 s ahead of ours") || clock.contains("7199 s ahead"),
        "{clock}"
    );
    assert!(clock.contains("still to come"), "{clock}");
}

#[test]
fn a_rule_without_an_address() {
    let site = healthy(options());
    let parent = Parent::with(DELEGATION);
    let before = doctor(&site, &parent, &[]).about("update-source");
    assert!(before.starts_with("ok"), "{before}");
    edit_knot(&site, "    address: 127.0.0.1\n", "");
    // Nothing but loopback is listened on here, so it does no harm yet.
    let after = doctor(&site, &parent, &[]).about("update-source");
    assert!(
        after.starts_with("cannot tell") && after.contains("names no address"),
        "{after}"
    );
}
