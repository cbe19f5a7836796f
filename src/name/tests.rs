//! Spellings of names, and what is no name.

use super::*;
use proptest::prelude::*;

fn zone() -> ZoneName {
    "dyn.example.org".parse().unwrap()
}

#[test]
fn spellings_of_one_name_are_one_value() {
    let home = HostName::new("home", &zone()).unwrap();
    for text in [
        "HOME",
        "home.",
        "Home.Dyn.example.ORG",
        "home.dyn.example.org.",
    ] {
        assert_eq!(HostName::new(text, &zone()).unwrap(), home, "{text}");
    }
    assert_eq!(home.as_str(), "home.dyn.example.org");
    assert_eq!(home.relative(), "home");
    assert_eq!(home.zone(), zone());
}

#[test]
fn unicode_becomes_a_labels_and_is_shown_as_both() {
    let host = HostName::new("Büro.haus", &zone()).unwrap();
    assert_eq!(host.as_str(), "xn--bro-hoa.haus.dyn.example.org");
    assert_eq!(
        host.for_people(),
        "xn--bro-hoa.haus.dyn.example.org (büro.haus.dyn.example.org)"
    );
}

#[test]
fn what_cannot_be_a_host_is_refused_with_the_reason() {
    let long = "a".repeat(64);
    let deep = [
        "a".repeat(60),
        "b".repeat(60),
        "c".repeat(60),
        "d".repeat(50),
    ]
    .join(".");
    type Expected = fn(&NameError) -> bool;
    let cases: &[(&str, Expected)] = &[
        ("", |e| matches!(e, NameError::Empty(_))),
        ("dyn.example.org", |e| matches!(e, NameError::Apex(_))),
        ("a..b", |e| matches!(e, NameError::Empty(_))),
        ("*", |e| matches!(e, NameError::Character(_, '*'))),
        ("*.home", |e| matches!(e, NameError::Character(_, '*'))),
        ("a_b", |e| matches!(e, NameError::Character(_, '_'))),
        ("a b", |e| matches!(e, NameError::Character(_, ' '))),
        ("a\0", |e| matches!(e, NameError::Character(_, '\0'))),
        ("-a", |e| matches!(e, NameError::Hyphen(_))),
        ("a-", |e| matches!(e, NameError::Hyphen(_))),
        ("xn--a", |e| matches!(e, NameError::Idna(_))),
        (&long, |e| matches!(e, NameError::LongLabel(_))),
        (&deep, |e| matches!(e, NameError::Long(_))),
    ];
    for (text, expected) in cases {
        let error = HostName::new(text, &zone()).unwrap_err();
        assert!(expected(&error), "{text:?}: {error}");
    }
    assert!("org".parse::<ZoneName>().is_err());
}

#[test]
fn the_names_above() {
    let above = |text: &str| -> Vec<HostName> {
        let name = HostName::new(text, &zone()).unwrap();
        name.above().collect()
    };
    let of = |text: &str| HostName::new(text, &zone()).unwrap();
    assert_eq!(above("home"), []);
    assert_eq!(above("a.nas.home"), [of("nas.home"), of("home")]);
    assert_eq!(above("a.nas.home")[1].relative(), "home");
}

#[test]
fn record_names_read_back() {
    for text in ["home.dyn.example.org", "*.home.dyn.example.org"] {
        assert_eq!(RecordName::parse(text, &zone()).unwrap().to_string(), text);
    }
}

proptest! {
    #[test]
    fn any_text_is_refused_or_makes_a_name_that_reads_back(text in "\\PC{0,80}") {
        if let Ok(host) = HostName::new(&text, &zone()) {
            prop_assert!(host.as_str().len() + CHALLENGE.len() <= NAME_MAX);
            prop_assert_eq!(HostName::new(host.as_str(), &zone()).unwrap(), host.clone());
            prop_assert_eq!(HostName::new(host.relative(), &zone()).unwrap(), host);
        }
    }
}
