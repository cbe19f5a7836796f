//! Rounds of upkeep that cannot do what they are there for say so.

use crate::published::served;

#[test]
fn a_round_that_cannot_ask_the_name_server_says_so() {
    let (it, mut knot) = served();
    it.done("host add home --ipv4 203.0.113.7");
    assert_eq!(it.done("upkeep"), "");
    assert_eq!(it.json("upkeep")["unasked"], serde_json::json!([]));
    knot.stop();
    let said = it.done("upkeep");
    assert!(
        said.starts_with("dyn.example.org was not compared: ") && said.lines().count() == 1,
        "{said}"
    );
    let unasked = &it.json("upkeep")["unasked"][0];
    assert_eq!(unasked["zone"], "dyn.example.org");
    assert!(unasked["reason"].is_string(), "{unasked}");
    knot.restart();
    assert_eq!(it.done("upkeep"), "");
}

#[test]
fn a_stuck_round_is_noticed() {
    let (it, _knot) = served();
    it.done("upkeep");
    let lock = it.file("state/locks/upkeep");
    let lock = std::fs::File::options().write(true).open(lock).unwrap();
    lock.lock().unwrap();
    let now = bowline::time::Timestamp::now().seconds();
    it.write("state/locks/upkeep-running", &format!("4711 {now}\n"));
    let ran = it.run("upkeep");
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (0, "note: another round is running\n")
    );
    assert_eq!(it.json("upkeep")["running"]["process"], 4711);
    // The other one does something else.
    let ran = it.run("upkeep --adopt");
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (
            1,
            "bowline: another round is running, and takes the registry's word\n\
             hint: run it again in a moment\n"
        )
    );
    it.write(
        "state/locks/upkeep-running",
        &format!("4711 {}\n", now - 7200),
    );
    let ran = it.run("upkeep");
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (
            1,
            "bowline: another round has been running for 2h\n\
             hint: see what process 4711 does, and end it; nothing is lost by that\n"
        )
    );
    drop(lock);
    it.done("upkeep");
}
