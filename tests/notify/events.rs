//! Every kind of event, as it happens at a real name server.

use serde_json::Value;

use crate::receiver::{Receiver, moves, run, telling, upkeep, upkeep_later, webhook};
use crate::support::site::Site;

/// The events that a receiver has heard of, with their hosts.
fn heard(hook: &Receiver) -> Vec<String> {
    let documents = hook.documents();
    let events = documents
        .iter()
        .flat_map(|one| one["events"].as_array().unwrap());
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    events
        .map(|event| format!("{} {}", text(&event["event"]), text(&event["host"])))
        .collect()
}

fn all(hook: &Receiver) -> Site {
    let events = "[\"expired\", \"silent\", \"pending\", \"mended\", \"old-token\", \"upkeep\"]";
    telling(&webhook(hook, "/", events))
}

#[test]
fn expired() {
    let hook = Receiver::http();
    let site = telling(&webhook(&hook, "/", "[\"expired\"]"));
    let home = site.add("home");
    run(&site, &["host", "set", "home", "--expire", "1h"]);
    moves(&site, &home, "203.0.113.7");
    // Rounds have to be regular for as long before anything expires.
    for later in ["+0", "+9m", "+18m", "+27m", "+36m", "+45m", "+54m", "+62m"] {
        upkeep_later(&site, later);
    }
    assert_eq!(heard(&hook), ["expired home.dyn.example.org"]);
    assert_eq!(site.dns("home"), "");
    assert_eq!(hook.documents()[0]["events"][0]["last_ipv4"], "203.0.113.7");
}

#[test]
fn mended() {
    let hook = Receiver::http();
    let site = all(&hook);
    let home = site.add("home");
    moves(&site, &home, "203.0.113.7");
    upkeep(&site);
    site.knot.unset("home A");
    site.knot.set("home 60 A 203.0.113.99");
    upkeep(&site);
    upkeep(&site);
    assert_eq!(heard(&hook), ["mended home.dyn.example.org"]);
    assert_eq!(site.dns("home"), "203.0.113.7");
}

#[test]
fn an_old_token_in_use() {
    let hook = Receiver::http();
    let site = all(&hook);
    let home = site.add("home");
    moves(&site, &home, "203.0.113.7");
    run(&site, &["host", "rotate", "home", "--keep-old", "1d"]);
    moves(&site, &home, "203.0.113.8");
    moves(&site, &home, "203.0.113.9");
    upkeep(&site);
    assert_eq!(heard(&hook), ["old-token home.dyn.example.org"], "once");
}

#[test]
fn pending_for_too_long_and_upkeep_that_did_not_run() {
    let hook = Receiver::http();
    let mut site = all(&hook);
    let home = site.add("home");
    moves(&site, &home, "203.0.113.7");
    upkeep(&site);
    site.knot.stop();
    let answer = site.visit(&home.with("203.0.113.8"));
    assert_eq!(answer.status, 503);
    upkeep_later(&site, "+5m");
    assert_eq!(heard(&hook), Vec::<String>::new());
    upkeep_later(&site, "+14m");
    upkeep_later(&site, "+20m");
    upkeep_later(&site, "+25m");
    assert_eq!(heard(&hook), ["pending home.dyn.example.org"], "once");
    upkeep_later(&site, "+2h");
    assert_eq!(heard(&hook)[1..], ["upkeep -"]);
}

#[test]
fn removal_takes_unsent_messages_with_it() {
    let hook = Receiver::http();
    let site = telling(&webhook(&hook, "/", "[\"changed\"]"));
    let home = site.add("home");
    moves(&site, &home, "203.0.113.7");
    run(&site, &["host", "remove", "home"]);
    upkeep(&site);
    assert_eq!(heard(&hook), Vec::<String>::new());
}
