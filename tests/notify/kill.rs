//! A sender that dies at any moment: no event is told twice, and none is forgotten unsaid.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use crate::receiver::{out, Receiver, bowline, moves, run, telling, upkeep_later, webhook};

#[test]
fn killed_between_event_and_delivery() {
    let hook = Receiver::http();
    let site = telling(&webhook(&hook, "/", "[\"changed\"]"));
    let home = site.add("home");
    let mut seed = std::process::id();
    for number in 1..=40 {
        moves(&site, &home, &format!("203.0.113.{number}"));
        let mut upkeep = bowline(&site, &["upkeep"]).spawn().unwrap();
        seed = seed.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        sleep(Duration::from_micros(u64::from(seed >> 16) % 60_000));
        let _ = upkeep.kill();
        upkeep.wait().unwrap();
    }
    upkeep_later(&site, "+2h");
    let mut told: BTreeMap<String, u32> = BTreeMap::new();
    for document in hook.documents() {
        for event in document["events"].as_array().unwrap() {
            *told
                .entry(event["ipv4"].as_str().unwrap().to_owned())
                .or_default() += 1;
        }
    }
    assert!(told.values().all(|times| *times == 1), "{told:?}");
    let history = out(&site, &["history", "--json"]);
    let history: Vec<serde_json::Value> = serde_json::from_str(&history).unwrap();
    let events = history.iter().filter(|one| one["event"] == "changed");
    let (given_up, sent): (Vec<_>, Vec<_>) = events.partition(|one| one["given_up"] == true);
    assert_eq!(sent.len() + given_up.len(), 40, "every event has an end");
    assert!(
        sent.len() <= told.len(),
        "what is said to be sent has arrived"
    );
    assert!(told.len() >= 20, "most arrive: {}", told.len());
    for one in given_up {
        let why = one["reason"].as_str().unwrap();
        assert!(why.starts_with("interrupted while it was sent"), "{why}");
    }
}
