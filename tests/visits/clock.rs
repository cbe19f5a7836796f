//! The clock was ahead for a while, and is right again: times to come hold nothing up.

use bowline::challenge::ChallengeValue;
use bowline::registry::{ChallengeAsk, ChallengeEdit};
use bowline::span::Span;
use bowline::time::Timestamp;
use bowline::upkeep::Word;

use crate::support::site::{Home, Site, host_name};

/// Puts a time of a host, or of what it has, where the clock was.
fn ahead(site: &Site, home: &Home, sql: &str) {
    let then = Timestamp::now().plus(Span::from_days(3)).seconds();
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    assert_eq!(
        db.execute(sql, (home.id.number(), then)).unwrap(),
        1,
        "{sql}"
    );
}

#[test]
fn a_pending_host_is_tried() {
    let site = Site::new();
    let home = site.add("home");
    site.knot.freeze();
    assert!(site.visit(&home.with("203.0.113.7")).is_pending());
    site.knot.thaw();
    ahead(
        &site,
        &home,
        "UPDATE host SET retry_at = ?2, wish_at = ?2 WHERE id = ?1",
    );
    let settled = site.round(Word::Registry).settled;
    assert_eq!((settled.confirmed, settled.pending.len()), (1, 0));
    assert_eq!(site.dns("home"), "203.0.113.7");
}

#[test]
fn what_a_limit_holds_back_waits_for_its_window_and_no_longer() {
    let site = Site::new();
    let limits = "[limits]\nchanges = \"1/2h\"\n";
    site.configure("http://update.example.org", limits);
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.7")).status, 200);
    assert_eq!(site.visit(&home.with("203.0.113.8")).said(), "503 911");
    assert_eq!(
        site.round(Word::Registry).settled.confirmed,
        0,
        "not due yet"
    );
    ahead(&site, &home, "UPDATE host SET retry_at = ?2 WHERE id = ?1");
    assert_eq!(site.round(Word::Registry).settled.confirmed, 1);
    assert_eq!(site.dns("home"), "203.0.113.8");
}

#[test]
fn a_challenge_is_tried() {
    let site = Site::new();
    let home = site.add("home");
    let value: ChallengeValue = "A".repeat(43).parse().unwrap();
    let ask = ChallengeAsk {
        host: home.id,
        token: site.digest(&home.token),
        name: &host_name("home"),
        edit: &ChallengeEdit::Add(value, 2),
        dialect: "httpreq",
        now: Timestamp::now(),
    };
    site.registry().accept_challenge(&ask).unwrap();
    ahead(
        &site,
        &home,
        "UPDATE challenge SET retry_at = ?2 WHERE host = ?1",
    );
    site.round(Word::Registry);
    let shown = site
        .knot
        .kdig("_acme-challenge.home.dyn.example.org", "TXT");
    assert_eq!(shown.len(), 1);
}

#[test]
fn a_removed_host_is_forgotten() {
    let site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.7")).status, 200);
    site.registry().remove(home.id, Timestamp::now()).unwrap();
    ahead(
        &site,
        &home,
        "UPDATE host SET unconfirmed = ?2 WHERE id = ?1",
    );
    site.round(Word::Registry);
    assert!(site.registry().host_by_id(home.id).unwrap().is_none());
    assert_eq!(site.dns("home"), "");
}

#[test]
fn a_zone_that_went_back_then_is_no_older_one_for_ever() {
    let site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.7")).status, 200);
    ahead(&site, &home, "UPDATE zone SET went_back = ?2 WHERE ?1 > 0");
    site.round(Word::Registry);
    let zone = "dyn.example.org".parse().unwrap();
    assert_eq!(site.registry().zone_state(&zone).unwrap().went_back, None);
}

#[test]
fn a_zone_is_compared() {
    let site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.7")).status, 200);
    site.round(Word::Registry);
    for same_serial in [true, false] {
        site.knot.unset("home");
        assert_eq!(site.dns("home"), "");
        let serial = match same_serial {
            true => site.knot.serial().to_string(),
            false => "compared_serial".to_owned(),
        };
        let was = format!(
            "UPDATE zone SET serial = {serial}, compared_serial = {serial}, took = 5000, \
             compared_at = ?2 WHERE ?1 > 0"
        );
        ahead(&site, &home, &was);
        let mended = site.round(Word::Registry).compared.mended;
        assert_eq!((mended, site.dns("home").as_str()), (1, "203.0.113.7"));
    }
}
