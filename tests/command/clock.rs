//! How long something waits, also where the clock was ahead for a while and is right again.

use crate::place::Place;

#[test]
fn the_metrics_tell_how_long_the_oldest_has_waited() {
    let it = Place::new();
    let oldest = || {
        let metrics = it.done("status --metrics");
        let mut lines = metrics.lines();
        let line = lines.find_map(|line| line.strip_prefix("bowline_pending_oldest_seconds "));
        line.unwrap().parse::<u64>().unwrap()
    };
    assert_eq!(oldest(), 0);
    for name in ["home", "nas", "tv"] {
        it.done(&format!("host add {name} --ipv4 203.0.113.7"));
    }
    let registry = rusqlite::Connection::open(it.file("state/bowline.db")).unwrap();
    let before = "UPDATE host SET wish_at = wish_at - 7200 WHERE name LIKE 'nas%'";
    assert_eq!(registry.execute(before, []).unwrap(), 1);
    assert!((7200..7300).contains(&oldest()), "{}", oldest());
}

#[test]
fn status_fails_when_something_is_pending_since_a_time_to_come() {
    let it = Place::new();
    it.done("host add home --ipv4 203.0.113.7");
    it.done("status");
    let registry = rusqlite::Connection::open(it.file("state/bowline.db")).unwrap();
    for table in ["host SET wish_at = wish_at", "history SET at = at"] {
        let ahead = format!("UPDATE {table} + 3 * 86400");
        registry.execute(&ahead, []).unwrap();
    }
    let ran = it.run("status");
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(
        ran.out.contains("for nobody knows how long: 203.0.113.7"),
        "{}",
        ran.out
    );
    assert!(
        ran.err
            .starts_with("bowline: 1 host is pending for over 5 minutes"),
        "{}",
        ran.err
    );
}
