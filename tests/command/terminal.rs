//! What stands in the registry may be anybody's who may write its file: nothing of it moves the
//! cursor of whoever looks at it, or makes a line of its own.

use crate::place::{Place, Ran};

/// Clears the screen, goes on with a line of its own, and colours it.
const EVIL: &str = "x\u{1b}[2J\r\nforged: \u{9b}31m all is well\nhint: `sh evil`\u{7}";

/// The registry as everybody opens it who may write its file.
fn registry(it: &Place) -> rusqlite::Connection {
    rusqlite::Connection::open(it.file("state/bowline.db")).unwrap()
}

/// A host, its owner and its history with such texts wherever one can be.
fn written_by_others() -> Place {
    let it = Place::new();
    it.done("owner add anna --mail anna@example.org");
    for host in ["home --ipv4 203.0.113.7", "differs --ipv4 203.0.113.8"] {
        it.done(&format!(
            "host add {host} --owner anna --mail a@example.org --note x"
        ));
    }
    let db = registry(&it);
    for sql in [
        "UPDATE owner SET mail = ?1",
        "UPDATE host SET note = ?1, mail = ?1, trouble = ?1, differs = ?1",
        "UPDATE history SET dialect = ?1",
        "INSERT INTO outbox (host, at, event, channel, reason, message, trouble, done, given_up)
         SELECT id, unixepoch(), 'changed', 'mail', ?1, ?1, ?1, unixepoch(), 1 FROM host",
    ] {
        assert!(db.execute(sql, [EVIL]).unwrap() > 0, "{sql}");
    }
    let as_wished =
        "UPDATE host SET fact = wish, fact_ipv4 = wish_ipv4 WHERE name LIKE 'differs.%'";
    assert_eq!(db.execute(as_wished, []).unwrap(), 1);
    it
}

/// Nothing but text and the ends of our own lines.
fn is_clean(ran: &Ran, verb: &str) {
    for said in [&ran.out, &ran.err] {
        let odd = |c: char| c.is_control() && c != '\n';
        assert!(!said.contains(odd), "{verb}: {said:?}");
        for line in said.lines() {
            assert!(!line.starts_with("forged"), "{verb}: {said}");
            assert!(!line.starts_with("hint: `sh"), "{verb}: {said}");
        }
    }
}

#[test]
fn texts_of_the_registry_stay_on_their_lines() {
    let it = written_by_others();
    for (verb, shown) in [
        ("host show home", 3),
        ("host show differs", 4),
        ("host list", 0),
        ("owner show anna", 1),
        ("owner list", 1),
        ("history", 6),
        ("status", 4),
        // What it has of its former owner is told.
        ("host set home --owner -", 1),
        ("host set home --ttl 120", 0),
    ] {
        let ran = it.run(verb);
        is_clean(&ran, verb);
        let said = ran.out + &ran.err;
        assert_eq!(said.matches("forged").count(), shown, "{verb}: {said}");
    }
}

#[test]
fn json_has_them_as_they_are() {
    let it = written_by_others();
    assert_eq!(it.json("host show home")["note"], EVIL);
    assert_eq!(it.json("owner show anna")["mail"], EVIL);
    let exported = it.done("host export");
    assert_eq!(exported.lines().count(), 2, "{exported}");
    assert!(!exported.contains('\u{1b}'), "{exported}");
}

#[test]
fn a_damaged_row_says_so_in_one_line() {
    let it = Place::new();
    it.done("owner add anna");
    it.done("host add home --owner anna --ipv4 203.0.113.7");
    for sql in [
        "UPDATE host SET only_family = ?1",
        "UPDATE host SET only_family = NULL, held_names = ?1",
        "UPDATE host SET held_names = '', name = ?1",
        "UPDATE host SET name = 'home.dyn.example.org'; UPDATE owner SET name = ?1",
        "UPDATE history SET old = ?1",
    ] {
        let mut last = sql;
        if let Some((before, then)) = sql.split_once(';') {
            registry(&it).execute(before, []).unwrap();
            last = then;
        }
        assert!(registry(&it).execute(last, [EVIL]).unwrap() > 0, "{sql}");
        let mut failed = 0;
        for verb in [
            "host show home",
            "host list",
            "owner list",
            "history",
            "status",
            "upkeep",
        ] {
            let ran = it.run(verb);
            is_clean(&ran, verb);
            failed += ran.code;
        }
        assert!(failed > 0, "{sql}");
    }
}
