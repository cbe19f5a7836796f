//! What is over, or soon will be: tokens that have died and are still in the registry, names that
//! rest, hosts that are being removed.

use serde_json::Value;

use crate::place::Place;
use crate::published::served;

/// As if so many days had gone by since a token was replaced.
fn age_tokens(it: &Place, days: i64) {
    let registry = rusqlite::Connection::open(it.file("state/bowline.db")).unwrap();
    let set = "UPDATE token SET until = until - ?1 WHERE until IS NOT NULL";
    assert_eq!(registry.execute(set, [days * 86_400]).unwrap(), 1);
}

/// How many tokens of the host an export has, and how many old ones are shown of it.
fn tokens(it: &Place) -> [usize; 2] {
    let exported: Value = serde_json::from_str(&it.done("host export")).unwrap();
    let shown = it.json("host show home");
    let all = [&exported["tokens"], &shown["old_tokens"]];
    all.map(|tokens| tokens.as_array().unwrap().len())
}

#[test]
fn a_token_that_has_died_is_told_no_more() {
    let it = Place::new();
    it.done("host add home");
    it.done("host rotate home --keep-old 7d");
    assert_eq!(tokens(&it), [2, 1]);
    age_tokens(&it, 6);
    assert_eq!(tokens(&it), [2, 1]);
    age_tokens(&it, 2);
    assert_eq!(tokens(&it), [1, 0]);
}

#[test]
fn ten_minutes_are_the_shortest_expiry() {
    let it = Place::new();
    it.done("host add home --expire 10m");
    it.done("zone set dyn.example.org --expire 10m");
    assert_eq!(it.json("zone list")[0]["expire"], 600);
}

/// Clients that are well and say nothing for a day would lose their records.
#[test]
fn an_expiry_under_a_day_says_which_clients_visit_seldom() {
    let it = Place::new();
    for (verb, is_short) in [
        ("host add home --expire 24h", true),
        ("host add nas --expire 25h", false),
        ("host add cam --expire 0", false),
        ("host add tv", false),
        ("host set nas --expire 10m", true),
        ("host set nas --expire 2d", false),
        ("host set home --note attic", false),
        ("zone set dyn.example.org --expire 12h", true),
        ("zone set dyn.example.org --expire 0", false),
        ("zone set dyn.example.org --ttl 5m", false),
    ] {
        let ran = it.run(verb);
        let notes = ran.err.lines().filter(|line| line.starts_with("note: "));
        let notes: Vec<&str> = notes
            .filter(|note| note.contains("bowline-client visits once a day, ddclient"))
            .collect();
        assert_eq!(
            (ran.code, notes.len()),
            (0, usize::from(is_short)),
            "{verb}: {ran:?}"
        );
    }
    // What cannot be done needs no remark.
    let ran = it.run("host set nobody --expire 1h");
    assert!(ran.code == 1 && !ran.err.contains("note: "), "{ran:?}");
    // A document on standard output stays one.
    assert_eq!(it.json("host set nas --expire 1h")["expire"], 3600);
}

#[test]
fn a_name_that_rests_can_be_given_by_a_rename_too() {
    let (it, _knot) = served();
    it.done("host add gone");
    it.done("host remove gone");
    it.done("host add home");
    let ran = it.run("host rename home gone");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("its name is free again at"), "{ran:?}");
    assert_eq!(it.json("host show home")["name"], "home.dyn.example.org");
    it.done("host rename home gone --again");
    assert_eq!(it.json("host show gone")["name"], "gone.dyn.example.org");
}

#[test]
fn a_host_that_is_being_removed_is_not_in_an_export() {
    let it = Place::new();
    it.done("host add home --ipv4 203.0.113.7");
    it.done("host add nas");
    // The name server is silent, so it stays for a while.
    it.done("host remove home");
    assert_eq!(it.json("host show home")["state"], "removing");
    let exported = it.json("host export");
    let names = exported.as_array().unwrap().iter();
    let names: Vec<_> = names.map(|host| &host["name"]).collect();
    assert_eq!(names, ["nas.dyn.example.org"]);
}
