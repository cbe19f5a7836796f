//! The file itself: whose it is, and what is not in it.

use bowline::registry::{Registry, RegistryError};
use bowline::token::LookupKey;

use crate::fixture::Fixture;

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
