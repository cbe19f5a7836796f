//! Knot's rules for updates and for rates: who may do more than is needed, and who less.

use crate::broken::{Case, each};
use crate::parent::{DELEGATION, Parent};
use crate::patient::{doctor, edit, edit_knot, healthy, options};
use crate::support::site::Site;

/// A second rule before or after the recommended one.
fn add(site: &Site, rules: &str, rule: &str) {
    edit(
        site,
        "knot/knot.conf",
        "acl: bowline_update",
        &format!("acl: {rules}"),
    );
    edit_knot(
        site,
        "acl:\n",
        &format!("acl:\n  - id: more\n    action: update\n{rule}"),
    );
}

#[test]
fn a_second_rule() {
    let cases: [Case; 5] = [
        (
            &["key-reach"],
            "A at the apex, TXT at the apex, NS at",
            |site| {
                add(site, "[ bowline_update, more ]", "    key: bowline\n");
            },
        ),
        (
            &["key-reach"],
            "it may also change NS at the apex\"",
            |site| {
                let apex = "    key: bowline\n    update-type: NS\n    update-owner: name\n\
                            \x20   update-owner-match: equal\n    update-owner-name: dyn.example.org.\n";
                add(site, "[ bowline_update, more ]", apex);
            },
        ),
        (&["update-unsigned"], "updates are accepted", |site| {
            let here = "    address: 127.0.0.0/8\n";
            add(site, "[ bowline_update, more ]", here);
        }),
        (
            &["update-unsigned"],
            "more takes updates without a key from 192.0.2.0/24",
            |site| {
                let elsewhere = "    address: 192.0.2.0/24\n";
                add(site, "[ bowline_update, more ]", elsewhere);
            },
        ),
        (&["acl"], "more denies it before", |site| {
            let denial = "    address: 127.0.0.1\n    deny: on\n";
            add(site, "[ more, bowline_update ]", denial);
        }),
    ];
    each(&Parent::with(DELEGATION), &options(), &cases);
}

#[test]
fn rules_that_are_as_good() {
    let parent = Parent::with(DELEGATION);
    let site = healthy(options());
    let acl = || doctor(&site, &parent, &[]).about("acl");
    assert_eq!(acl(), "ok: \"bowline may update it from 127.0.0.1\"\n");
    // A denial behind it is none.
    let denial = "    address: 127.0.0.1\n    deny: on\n";
    add(&site, "[ bowline_update, more ]", denial);
    let said = doctor(&site, &parent, &[]);
    assert_eq!(said.problems(), ["url"], "{:#}", said.document);
    // Address and key by a remote; and somebody else has a key too.
    let key = "key:\n  - id: other\n    algorithm: hmac-sha256\n    secret: c2VjcmV0IG9mIGEgdGVzdA==\n\
               remote:\n  - id: here\n    address: 127.0.0.1\n    key: bowline\nacl:\n";
    edit(&site, "knot/knot.conf", "acl:\n", key);
    edit(
        &site,
        "knot/knot.conf",
        "    address: 127.0.0.1\n    deny: on\n",
        "    key: other\n",
    );
    edit_knot(
        &site,
        "    address: 127.0.0.1\n    key: bowline\n    action: update",
        "    remote: here\n    action: update",
    );
    let said = doctor(&site, &parent, &[]);
    assert_eq!(said.problems(), ["url"], "{:#}", said.document);
    let says = "from 127.0.0.1; so may other keys: other\"";
    assert!(said.about("acl").contains(says), "{}", said.about("acl"));
}

#[test]
fn rate_limits() {
    let parent = Parent::with(DELEGATION);
    for (module, whitelist, alone) in [
        ("global-module", "", false),
        ("global-module", "[ 127.0.0.0/8, \"::1\" ]", true),
        ("module", "\"::1\"", false),
        ("module", "127.0.0.1", true),
    ] {
        let site = healthy(options());
        let list = match whitelist {
            "" => String::new(),
            list => format!("    whitelist: {list}\n"),
        };
        let id = match module {
            "module" => "bowline",
            _ => "default",
        };
        edit(
            &site,
            "knot/knot.conf",
            &format!("  - id: {id}\n    storage:"),
            &format!("  - id: {id}\n    {module}: [ mod-stats, mod-rrl/own ]\n    storage:"),
        );
        // So high that nothing of this is dropped.
        edit_knot(
            &site,
            "template:\n",
            &format!("mod-rrl:\n  - id: own\n    rate-limit: 1000000\n{list}template:\n"),
        );
        let said = doctor(&site, &parent, &[]);
        let about = said.about("rrl");
        assert_eq!(about.contains("leave updates alone"), alone, "{about}");
        // Only from Knot 3.4 on they drop updates.
        let harmless = alone || about.starts_with("ok: \"rate limits have no exception");
        let expected: &[&str] = if harmless { &["url"] } else { &["rrl", "url"] };
        assert_eq!(said.problems(), expected, "{:#}", said.document);
    }
}
