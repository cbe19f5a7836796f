//! A zone that is held up, and a neighbour whose UPDATE spoils those that came with it.

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use bowline::publish::TOGETHER;
use bowline::upkeep::Word;
use rusqlite::TransactionBehavior;

use crate::support::at_once;
use crate::support::knot::{Options, ZONE, wait_until};
use crate::support::site::{Home, Site};

/// Every answer comes within it: eight seconds, and what a loaded machine adds.
const LONGEST: Duration = Duration::from_millis(8500);

#[test]
fn a_zone_that_is_held_up() {
    at_once([
        ("frozen", frozen),
        ("transaction", transaction),
        ("neighbours", neighbours),
        ("writer", writer),
        ("compared", compared),
    ]);
}

/// What the troubleshooting says of a transaction left open, and since Knot 3.4 of a frozen zone.
const SILENT: &str = "could not confirm: the name server does not answer";
/// What it says of a frozen zone before.
const REFUSED: &str = "the name server refused: REFUSED";

/// A visit that has to wait for upkeep, and why that is, in the log and in the registry.
fn pending(site: &Site, home: &Home, address: &str, reasons: &[&str]) {
    let answer = site.visit(&home.with(address));
    let line = site.last_line();
    assert!(answer.is_pending(), "{line}");
    assert!(answer.took.own < LONGEST, "{:?}", answer.took);
    assert!(line.contains("hint=") && line.contains("frozen"), "{line}");
    assert!(reasons.iter().any(|reason| line.contains(reason)), "{line}");
    assert!(site.host(home).trouble.is_some());
}

/// Somebody writes the registry for long: what is only remarked does not wait for it.
fn writer() {
    let site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    let mut db = rusqlite::Connection::open(site.registry_file()).unwrap();
    db.execute("UPDATE host SET last_seen = last_seen - 7200", [])
        .unwrap();
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate);
    let answer = site.visit(&home.with("203.0.113.1"));
    assert_eq!(answer.said(), "200 nochg 203.0.113.1");
    assert!(
        answer.took.own < Duration::from_secs(2),
        "{:?}",
        answer.took
    );
    let refused = site.visit(&home.with("203.0.113.2"));
    assert_eq!(refused.said(), "503 911");
    assert!(refused.took.own < LONGEST, "{:?}", refused.took);
    drop(tx);
    let before = site.host(&home).last_seen.unwrap();
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    assert!(site.host(&home).last_seen.unwrap() > before);
}

/// After a round everything is as the last visit wished.
fn settled(site: &Site, home: &Home, address: &str) {
    site.round(Word::Registry);
    assert!(!site.host(home).is_pending(), "{}", site.log());
    assert_eq!(site.dns(&home.name), address);
    let again = site.visit(&home.with(address)).said();
    assert_eq!(again, format!("200 nochg {address}"));
}

fn frozen() {
    let site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    site.knot.freeze();
    pending(&site, &home, "203.0.113.2", &[REFUSED, SILENT]);
    pending(&site, &home, "203.0.113.3", &[REFUSED, SILENT]);
    site.knot.thaw();
    settled(&site, &home, "203.0.113.3");
}

/// UPDATEs that were sent meanwhile are applied one after the other when it ends.
fn transaction() {
    let site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    site.knot.knotc(&["zone-begin", ZONE]);
    pending(&site, &home, "203.0.113.2", &[SILENT]);
    pending(&site, &home, "203.0.113.3", &[SILENT]);
    assert_eq!(site.dns("home"), "203.0.113.1");
    site.knot.knotc(&["zone-abort", ZONE]);
    wait_until("the late update", || site.dns("home") != "203.0.113.1");
    settled(&site, &home, "203.0.113.3");
}

/// What differs there is tried once, for eight seconds, and not with each part of many hosts.
fn compared() {
    let site = Site::new();
    let all = 0..TOGETHER + 1;
    let rows: String = (all.clone())
        .map(|n| format!("h{n},203.0.113.1\n"))
        .collect();
    let list = site.path("list.csv");
    fs::write(&list, "name,ipv4\n".to_owned() + &rows).unwrap();
    let tokens = site.path("tokens.csv");
    let [list, tokens] = [list, tokens].map(|path| path.display().to_string());
    site.bowline(&["host", "import", &list, "--out", &tokens]);
    let last = format!("h{TOGETHER}");
    assert_eq!(site.dns(&last), "203.0.113.1");
    site.knot.knotc(&["zone-begin", ZONE]);
    for n in all.clone() {
        site.knot
            .knotc(&["zone-unset", ZONE, &format!("h{n}"), "A"]);
    }
    site.knot.knotc(&["zone-commit", ZONE]);
    site.forget_log();

    site.knot.knotc(&["zone-begin", ZONE]);
    let round = site.round(Word::Registry);
    assert_eq!(round.compared.left, all.len());
    assert_eq!(site.log().matches("result=dnserr").count(), 1);
    site.knot.knotc(&["zone-abort", ZONE]);
    // The next round, though this one took its time.
    site.round(Word::Registry);
    for n in all {
        assert_eq!(site.dns(&format!("h{n}")), "203.0.113.1");
    }
}

/// Knot before 3.4 answers SERVFAIL to all that came with an UPDATE it cannot apply.
fn neighbours() {
    let site = Site::with(&Options {
        records: vec!["d 60 DNAME elsewhere.example.".to_owned()],
        ..Options::default()
    });
    let homes: Vec<Home> = (0..4).map(|n| site.add(&format!("h{n}"))).collect();
    let script = site.path("bad");
    let text = format!(
        "server 127.0.0.1 {}\nzone {ZONE}.\nupdate add x.d.{ZONE}. 60 A 192.0.2.66\nsend\n",
        site.knot.addr().port()
    );
    fs::write(&script, text).unwrap();
    let key = site.knot.key_text().lines().next().unwrap();
    let key = key.trim_start_matches("# ");
    for round in 0..3 {
        // All of them wait in its socket, and are taken together.
        site.knot.pause();
        let mut bad = Command::new("knsupdate")
            .arg("-y")
            .arg(key)
            .arg(&script)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let address = |n| format!("203.0.113.{}", round * 10 + n);
        let visits: Vec<_> = homes
            .iter()
            .enumerate()
            .map(|(n, home)| site.get(&home.with(address(n))).spawn())
            .collect();
        sleep(Duration::from_millis(400));
        site.knot.resume();
        for (n, visit) in visits.into_iter().enumerate() {
            let said = visit.wait().said();
            assert_eq!(said, format!("200 good {}", address(n)), "{}", site.log());
            assert_eq!(site.dns(&format!("h{n}")), address(n));
        }
        bad.wait().unwrap();
    }
}
