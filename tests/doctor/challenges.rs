//! Certificates: whether the key may set challenges, and who may issue.

use crate::parent::{DELEGATION, Parent};
use crate::patient::{bowline, doctor, examine, healthy, options};
use crate::support::knot::{Options, ZONE};
use crate::support::site::Site;

/// A site whose zone takes challenges.
fn taking(types: &str) -> Site {
    let site = healthy(Options {
        types: types.into(),
        ..options()
    });
    site.configure("http://127.0.0.1:1", "acme = true\n");
    site
}

#[test]
fn the_right_to_set_challenges() {
    let parent = Parent::with(DELEGATION);
    let site = healthy(options());
    let said = doctor(&site, &parent, &[]);
    assert_eq!(said.about("challenges"), "ok: \"hosts may set none\"\n");
    assert_eq!(said.about("caa"), "");

    let site = taking("A, AAAA");
    let said = doctor(&site, &parent, &[]);
    assert_eq!(
        said.problems(),
        ["challenges", "url"],
        "{:#}",
        said.document
    );
    let text = said.document.to_string();
    assert!(
        text.contains("bowline.toml zone set dyn.example.org --acme`"),
        "{text}"
    );

    // Written by hand, and for every name.
    let site = taking("A, AAAA, TXT");
    let serial = site.knot.serial();
    let said = doctor(&site, &parent, &[]);
    assert_eq!(said.problems(), ["url"], "{:#}", said.document);
    let about = said.about("challenges");
    assert!(
        about.starts_with("ok: \"the key may set TXT at other names"),
        "{about}"
    );
    assert_eq!(site.knot.serial(), serial);

    // The right is there, and bowline.toml does not say so.
    site.configure("http://127.0.0.1:1", "");
    let said = doctor(&site, &parent, &[]);
    assert!(said.about("challenges").contains("but hosts may not"));
    // Then TXT at any name is more than it needs.
    assert_eq!(said.problems(), ["key-reach", "url"], "{:#}", said.document);
}

#[test]
fn who_may_issue() {
    let site = taking("A, AAAA, TXT");
    let open = Parent::with(DELEGATION);
    let said = doctor(&site, &open, &[]);
    let about = said.about("caa");
    assert_eq!(about, "ok: \"any authority may issue certificates\"\n");
    // What the parent says counts where the zone says nothing.
    let closed = Parent::with(&format!("{DELEGATION}@ CAA 0 issue \";\"\n"));
    let said = doctor(&site, &closed, &[]);
    assert_eq!(said.problems(), ["caa", "url"], "{:#}", said.document);
    assert!(
        said.about("caa")
            .contains("nobody may issue certificates, says example.org")
    );
    site.knot.set("@ 3600 CAA 0 issue \"letsencrypt.org\"");
    assert_eq!(site.knot.kdig("dyn.example.org", "CAA").len(), 1);
    let said = doctor(&site, &closed, &[]);
    assert_eq!(
        said.about("caa"),
        "ok: \"letsencrypt.org may issue certificates, says dyn.example.org\"\n"
    );
    for command in ["begin", "unset", "commit"] {
        let more: &[&str] = if command == "unset" {
            &["@", "CAA"]
        } else {
            &[]
        };
        site.knot
            .knotc(&[&[&*format!("zone-{command}"), ZONE], more].concat());
    }
    let toml = site.path("bowline.toml");
    let nobody = examine(bowline(&toml).args(["doctor", "--json", "--via", "127.0.0.1:1"]));
    assert!(
        nobody.about("caa").starts_with("cannot tell: "),
        "{:#}",
        nobody.document
    );
}

#[test]
fn one_that_waits_for_long() {
    let site = taking("A, AAAA, TXT");
    let parent = Parent::with(DELEGATION);
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let waits = "INSERT INTO challenge (host, zone, name, value, dialect, at, wanted)
                 VALUES (1, 'dyn.example.org', 'home.dyn.example.org', ?1, 'httpreq', unixepoch() - ?2, 1)";
    db.execute(waits, ("a".repeat(43), 100)).unwrap();
    assert_eq!(doctor(&site, &parent, &[]).problems(), ["url"]);
    db.execute(waits, ("b".repeat(43), 301)).unwrap();
    let said = doctor(&site, &parent, &[]);
    assert_eq!(said.problems(), ["pending", "url"]);
    assert!(
        said.about("pending")
            .contains("a challenge for a certificate waits")
    );
}
