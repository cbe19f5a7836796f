//! A row of the registry with what bowline never writes there: it stops nobody else, is told, and
//! can be got rid of.

use crate::place::Place;
use crate::published::served;

fn damage(it: &Place, sql: &str) {
    let db = rusqlite::Connection::open(it.file("state/bowline.db")).unwrap();
    assert!(db.execute(sql, []).unwrap() > 0, "{sql}");
}

/// What a verb says of the damage; it fails, and does the rest.
fn tells(it: &Place, verb: &str) -> String {
    let ran = it.run(verb);
    assert_eq!(ran.code, 1, "{verb}: {ran:?}");
    let cause = "the registry is damaged where it has bad.dyn.example.org: ";
    assert!(ran.err.contains(cause), "{verb}: {}", ran.err);
    assert!(
        ran.err.contains("bowline host remove bad.dyn.example.org"),
        "{}",
        ran.err
    );
    ran.out
}

#[test]
fn one_damaged_host_stops_no_other() {
    let (it, mut knot) = served();
    for (n, name) in ["before", "bad", "then"].into_iter().enumerate() {
        it.done(&format!("host add {name} --ipv4 203.0.113.{n}"));
    }
    for column in [
        "wish_ipv4 = '203.0.113.999'",
        "expire = -1",
        "held_names = '..'",
    ] {
        let (column, value) = column.split_once(" = ").unwrap();
        let db = rusqlite::Connection::open(it.file("state/bowline.db")).unwrap();
        let sql = format!("SELECT {column} FROM host WHERE name LIKE 'bad.%'");
        let whole: rusqlite::types::Value = db.query_row(&sql, [], |row| row.get(0)).unwrap();
        damage(
            &it,
            &format!("UPDATE host SET {column} = {value} WHERE name LIKE 'bad.%'"),
        );
        // The others are settled, and mended.
        knot.stop();
        assert_eq!(it.run("host set then --ipv4 203.0.113.77").code, 0);
        knot.restart();
        knot.set("before 60 A 192.0.2.66");
        tells(&it, "upkeep");
        assert_eq!(knot.kdig("then.dyn.example.org", "A"), ["203.0.113.77"]);
        assert_eq!(knot.kdig("before.dyn.example.org", "A"), ["203.0.113.0"]);
        for verb in ["status", "host list", "host export", "host show bad"] {
            tells(&it, verb);
        }
        assert!(tells(&it, "host list").contains("then.dyn.example.org"));
        assert!(it.run("host list --json").out.ends_with("]\n"));
        let ran = it.run("status --json");
        let status: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!((ran.code, &status["hosts"]), (1, &serde_json::json!(2)));
        assert!(status["damaged"].as_str().unwrap().contains("bad.dyn"));
        let sql = format!("UPDATE host SET {column} = ?1 WHERE name LIKE 'bad.%'");
        db.execute(&sql, [whole]).unwrap();
        it.done("host set then --ipv4 203.0.113.2");
        it.done("upkeep");
    }
    damage(
        &it,
        "UPDATE host SET fact_ipv4 = 'x' WHERE name LIKE 'bad.%'",
    );
    assert_eq!(it.done("host remove bad"), "bad.dyn.example.org: removed\n");
    it.done("status");
    let again = it.run("host add bad --ipv4 203.0.113.9");
    assert_eq!(again.code, 1, "the name rests like any other: {again:?}");
    // What nobody knows of is taken over by the next host of that name.
    assert_eq!(knot.kdig("bad.dyn.example.org", "A"), ["203.0.113.1"]);
    it.done("host add bad --again --ipv4 203.0.113.9");
    assert_eq!(knot.kdig("bad.dyn.example.org", "A"), ["203.0.113.9"]);
}

#[test]
fn what_is_known_of_a_zone_can_be_lost() {
    let (it, knot) = served();
    it.done("host add home --ipv4 203.0.113.7");
    it.done("upkeep");
    damage(&it, "UPDATE zone SET serial = -1");
    knot.set("home 60 A 192.0.2.66");
    it.done("upkeep");
    assert_eq!(knot.kdig("home.dyn.example.org", "A"), ["203.0.113.7"]);
    it.done("status");
}

#[test]
fn a_former_name_removes_no_damaged_host() {
    let it = Place::new();
    it.done("host add old");
    it.done("host rename old bad --keep-old 7d");
    damage(&it, "UPDATE host SET expire = -1");
    tells(&it, "host remove old");
    it.done("host remove bad");
}
