//! The file itself: whose it is, and what is not in it.

use std::path::Path;

use bowline::registry::{Registry, RegistryError};
use bowline::token::LookupKey;

use crate::fixture::{Fixture, NOW, name};

#[test]
fn a_registry_of_another_kind_is_never_used() {
    let it = Fixture::new();
    let file = it.directory.path().join("bowline.db");
    let other = LookupKey::random().unwrap();
    assert!(matches!(
        Registry::open(&file, other.clone()),
        Err(RegistryError::OtherKey(_))
    ));
    assert!(matches!(
        Registry::create(&file, other.clone()),
        Err(RegistryError::Exists(_))
    ));
    let missing = it.directory.path().join("none.db");
    assert!(matches!(
        Registry::open(&missing, other.clone()),
        Err(RegistryError::Missing(_))
    ));
    assert!(!missing.exists());

    let db = rusqlite::Connection::open(&file).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(
        Registry::open(&file, it.key.clone()),
        Err(RegistryError::Newer { version: 99, .. })
    ));
    let text = it.directory.path().join("text.db");
    std::fs::write(
        &text,
        "not a database at all, but long enough to be read as one".repeat(20),
    )
    .unwrap();
    assert!(Registry::open(&text, other).is_err());
}

/// Tables with their columns, and indexes with theirs.
fn schema(file: &Path) -> Vec<String> {
    let db = rusqlite::Connection::open(file).unwrap();
    let mut rows = db
        .prepare(
            "SELECT format('%s %s %s %s %s %s', m.name, c.name, c.type, c.\"notnull\", c.dflt_value, c.pk)
             FROM sqlite_schema AS m, pragma_table_info(m.name) AS c WHERE m.type = 'table'
             UNION ALL
             SELECT format('%s %s %s', m.name, m.tbl_name, c.name)
             FROM sqlite_schema AS m, pragma_index_info(m.name) AS c WHERE m.type = 'index'
             ORDER BY 1",
        )
        .unwrap();
    let rows = rows.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

const HOST: &str = "INSERT INTO host (id, zone, name, created, wish, wish_names, wish_ipv4, wish_ttl, wish_at)
    VALUES (7, 'dyn.example.org', 'home.dyn.example.org', 1, 3, 'home.dyn.example.org', '203.0.113.7', 60, 2)";
const NETWORKS: &str =
    "INSERT INTO account_network (host, network) VALUES (7, '192.0.2.0/24'), (7, '2001:db8::/32')";
const IN_ITS_ROW: &str = "UPDATE host SET networks = '192.0.2.0/24 2001:db8::/32'";

#[test]
fn a_registry_of_an_earlier_version_becomes_one_of_this() {
    let steps = [
        include_str!("../../src/registry/schema.sql"),
        include_str!("../../src/registry/schema_2.sql"),
        include_str!("../../src/registry/schema_3.sql"),
        include_str!("../../src/registry/schema_4.sql"),
        include_str!("../../src/registry/schema_5.sql"),
    ];
    let it = Fixture::new();
    let new = schema(&it.directory.path().join("bowline.db"));
    for version in 1..=steps.len() {
        let file = it.directory.path().join(format!("{version}.db"));
        let db = rusqlite::Connection::open(&file).unwrap();
        db.execute_batch(&steps[..version].concat()).unwrap();
        db.execute_batch(HOST).unwrap();
        let networks = if version > 2 { 2 } else { 0 };
        match version {
            1 | 2 => {}
            3 | 4 => db.execute_batch(NETWORKS).unwrap(),
            _ => db.execute_batch(IN_ITS_ROW).unwrap(),
        }
        let check = it.key.check();
        db.execute(
            "INSERT INTO meta (lookup_check) VALUES (?1)",
            [check.as_bytes()],
        )
        .unwrap();
        db.pragma_update(None, "user_version", version as i64)
            .unwrap();
        drop(db);

        let registry = Registry::open(&file, it.key.clone()).unwrap();
        let host = registry.host_by_name(&name("home"), NOW).unwrap().unwrap();
        assert_eq!(host.wish.records.addresses.to_string(), "203.0.113.7");
        assert_eq!((host.wish.number, host.networks.len()), (3, networks));
        drop(registry);
        assert_eq!(schema(&file), new, "{version}");
    }
}

#[test]
fn no_process_has_to_read_comments() {
    let it = Fixture::new();
    let db = rusqlite::Connection::open(it.directory.path().join("bowline.db")).unwrap();
    let comments: i64 = db
        .query_row(
            "SELECT count(*) FROM sqlite_schema WHERE sql LIKE '%--%' OR sql LIKE '%  %'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(comments, 0);
}

#[test]
fn nothing_in_the_file_is_a_token() {
    let mut it = Fixture::new();
    let (id, token) = it.add("home");
    it.accept(id, &token, "203.0.113.7");
    for file in std::fs::read_dir(it.directory.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(
            !bytes
                .windows(24)
                .any(|part| part == token.secret().as_bytes())
        );
    }
}

/// SQLite waits for nobody where a file becomes one with a log.
#[test]
fn the_first_to_write_waits_for_another_writer_as_all_others_do() {
    let mut it = Fixture::new();
    let file = it.directory.path().join("bowline.db");
    // Each connection knows the mode that it found.
    let has_log = || {
        let db = rusqlite::Connection::open(&file).unwrap();
        let mode: String = db
            .pragma_query_value(None, "journal_mode", |row| row.get(0))
            .unwrap();
        mode == "wal"
    };
    assert!(!has_log());
    let other = rusqlite::Connection::open(&file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| it.add("home"));
        std::thread::sleep(std::time::Duration::from_millis(200));
        other.execute_batch("COMMIT").unwrap();
    });
    assert!(has_log());
    let host = it.registry.host_by_name(&name("home"), NOW).unwrap();
    assert!(host.is_some());
}
