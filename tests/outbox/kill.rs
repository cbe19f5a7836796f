//! Upkeep is killed between an event and its delivery.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::receiver::{Receiver, status};
use crate::site::{site, upkeep, waiting};

/// How many rounds are killed.
const ROUNDS: u64 = 40;

#[test]
fn nothing_is_told_twice_and_what_may_be_lost_is_said() {
    let receiver = Receiver::new();
    receiver.says(|_| {
        sleep(Duration::from_millis(20));
        status("200 OK")
    });
    let site = site(&receiver.table(""));
    let homes: Vec<_> = (0..5).map(|n| site.add(&format!("h{n}"))).collect();
    assert_eq!(site.visit(&homes[0].with("2001:db8:1::")).status, 200);
    let mut expected = 1;
    let began = Instant::now();
    upkeep(&site);
    let usual = began.elapsed();
    for round in 0..ROUNDS {
        for home in &homes {
            let address = format!("2001:db8::{round:x}:{}", home.id.number());
            assert_eq!(site.visit(&home.with(address)).status, 200);
            expected += 1;
        }
        let mut killed = site.verb(&["upkeep"]);
        let mut killed = killed
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Somewhere between its start and some time after its usual end.
        sleep(usual.mul_f64((round * 7919 % 120) as f64 / 80.0));
        let _ = killed.kill();
        killed.wait().unwrap();
    }
    while waiting(&site) > 0 {
        upkeep(&site);
    }
    let mut told: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut messages: BTreeMap<String, usize> = BTreeMap::new();
    let mut counted = 0;
    for post in receiver.take() {
        let json = post.json();
        // A message about many does not list them all.
        counted += json["count"].as_u64().unwrap() as usize;
        *messages.entry(json["id"].to_string()).or_default() += 1;
        for event in json["events"].as_array().unwrap() {
            let key = (event["host"].to_string(), event["ipv6"].to_string());
            *told.entry(key).or_default() += 1;
        }
    }
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let count = |condition: &str| {
        let count = format!("SELECT count(*) FROM outbox WHERE {condition}");
        let count: u32 = db.query_row(&count, [], |row| row.get(0)).unwrap();
        count as usize
    };
    let interrupted = count("given_up AND trouble LIKE '%interrupted%'");
    let twice: Vec<_> = told.iter().filter(|(_, times)| **times > 1).collect();
    eprintln!(
        "{expected} events, {counted} told, {interrupted} interrupted; a round takes {usual:?}"
    );
    assert!(twice.is_empty(), "{twice:?}");
    assert!(messages.values().all(|times| *times == 1), "{messages:?}");
    assert_eq!(count("given_up = 0"), expected - interrupted);
    assert!(counted >= expected - interrupted, "lost without a word");
}
