//! Adding, changing and removing hosts.

use crate::place::Place;

#[test]
fn add_prints_its_update_url_on_a_line_of_its_own() {
    let it = Place::new();
    let out = it.done("host add home");
    let url = out
        .lines()
        .find(|line| line.starts_with("https://"))
        .unwrap();
    let (token, name) = url
        .strip_prefix("https://update.example.org/")
        .and_then(|rest| rest.split_once('/'))
        .unwrap();
    assert_eq!((token.len(), name), (24, "home"));
    assert!(!it.done("host show home").contains(token));
    eprintln!(
        "{out}{}{}",
        it.done("host list"),
        it.done("host show home --json")
    );
}
