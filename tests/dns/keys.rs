//! Every form a key is written in, and every one that is refused.

use std::process::Command;

use bowline::dns::{Algorithm, Key, KeyError};
use proptest::prelude::*;

use crate::support::skip::installed;

/// 32 octets with both of base64's odd characters.
const SECRET: &str = "//////////+abcdefghijklmnopqrstuvwxyz012345=";

/// A text with `@` for the secret.
fn text(form: &str) -> String {
    form.replace('@', SECRET)
}

#[test]
fn all_forms_of_one_key() {
    let forms = [
        "hmac-sha256:bowline:@",
        "HMAC-SHA256:Bowline.:@\n",
        "hmac-sha256.:bowline:@",
        "bowline:@",
        "# made in spring\n\n  bowline:@  \r\n",
        "# hmac-sha256:bowline:@\nkey:\n  - id: bowline\n    algorithm: hmac-sha256\n    secret: @\n",
        "key:\n- id: \"bowline\"\n  secret: \"@\" # no algorithm\n\nacl:\n  - id: other\n    key: x\n",
        "server:\n  - id: other\nkey:\r\n  - id: bowline.\r\n    secret: @\r\n    algorithm: hmac-sha256\r\n",
        "key \"bowline\" { algorithm hmac-sha256; secret \"@\"; };",
        "key bowline {\n\talgorithm HMAC-SHA256;\n\tsecret MDEy//Q1Njc4OWFiY2RlZg==;\n};\n",
        "key \"bowline\"{secret \"@\";algorithm \"hmac-sha256\";};",
        "# a\n// key \"b\" { secret \"c\"; };\n/* key \"d\" {\n */ key /* e */ bowline { # f\n\
         algorithm hmac-sha256; // g\n secret \"@\"; };",
        "include \"x\"; options { listen-on { 127.0.0.1; }; };\n\
         key bowline { secret \"@\"; }; zone \"z\" { allow-update { key bowline; }; };",
        "\u{feff}bowline:@",
    ];
    for form in forms {
        let key = Key::read(&text(form)).unwrap_or_else(|error| panic!("{form}: {error}"));
        assert_eq!(key.name(), "bowline", "{form}");
        assert_eq!(key.algorithm(), Algorithm::Sha256, "{form}");
        assert_eq!(key.warning(), None, "{form}");
        let debug = format!("{key:?}");
        assert_eq!(
            debug,
            "Key { name: \"bowline\", algorithm: Sha256, secret: … }"
        );
    }
}

#[test]
fn what_is_refused_and_why() {
    let cases = [
        ("", KeyError::NoKey),
        ("\n# nothing\n", KeyError::NoKey),
        ("bowline", KeyError::NoKey),
        ("a:b:c:d", KeyError::NoKey),
        ("key:\n", KeyError::NoKey),
        ("options { };", KeyError::NoKey),
        (
            "Private-key-format: v1.3\nAlgorithm: 163 (HMAC_SHA256)\nKey: @\n",
            KeyError::KFile,
        ),
        ("bowline. IN KEY 512 3 163 @", KeyError::KFile),
        ("hmac-md5:bowline:@", KeyError::Md5),
        ("HMAC-MD5.SIG-ALG.REG.INT.:bowline:@", KeyError::Md5),
        (
            "hmac-sha224:bowline:@",
            KeyError::Algorithm(Some("hmac-sha224")),
        ),
        ("hmac-sha3:bowline:@", KeyError::Algorithm(None)),
        ("@:bowline:hmac-sha256", KeyError::Algorithm(None)),
        ("bowline:", KeyError::NoSecret("bowline".into())),
        (
            "key bowline { algorithm hmac-sha256; };",
            KeyError::NoSecret("bowline".into()),
        ),
        ("bowline:no-base-64!", KeyError::Base64),
        ("bowline:MDEyMzQ1Njc4OWFiY2RlZg", KeyError::Padding),
        ("bowline:MDEyMzQ1Njc4OWFiY2RlZg=", KeyError::Padding),
        ("a key:@", KeyError::Name),
        (":@", KeyError::Name),
        ("a..b:@", KeyError::Name),
        ("ключ:@", KeyError::Name),
        ("key \"bowline\" { secret \"@; };", KeyError::Unfinished),
        ("/* key bowline { secret @; };", KeyError::Unfinished),
        (
            "one:@\ntwo:@",
            KeyError::Several(vec!["one".into(), "two".into()]),
        ),
    ];
    for (form, expected) in cases {
        let error = Key::read(&text(form)).unwrap_err();
        assert_eq!(error, expected, "{form}");
        assert!(!error.to_string().contains(SECRET), "{form}");
    }
}

#[test]
fn weak_keys_are_warned_about() {
    let sha1 = Key::read(&text("hmac-sha1:bowline:@")).unwrap();
    assert!(sha1.warning().unwrap().contains("hmac-sha1"));
    let short = Key::read("bowline:MDEyMzQ1Njc4OWFiY2Q=").unwrap();
    assert!(short.warning().unwrap().contains("16 octets"));
    let enough = Key::read("bowline:MDEyMzQ1Njc4OWFiY2RlZg==").unwrap();
    assert_eq!(enough.warning(), None);
}

#[test]
fn one_of_several_is_chosen_by_name() {
    let forms = [
        "key One { secret \"@\"; }; key \"two.\" { algorithm hmac-sha512; secret \"@\"; };",
        "key:\n  - id: One\n    secret: @\n  - id: two\n    algorithm: hmac-sha512\n    secret: @\n",
        "One:@\nhmac-sha512:two:@\n",
    ];
    for form in forms {
        let text = text(form);
        assert_eq!(
            Key::read_named(&text, Some("TWO.")).unwrap().algorithm(),
            Algorithm::Sha512
        );
        assert_eq!(Key::read_named(&text, Some("one")).unwrap().name(), "one");
        let names = vec!["one".to_owned(), "two".to_owned()];
        assert_eq!(
            Key::read(&text).unwrap_err(),
            KeyError::Several(names.clone())
        );
        let absent = Key::read_named(&text, Some("three")).unwrap_err();
        assert_eq!(
            absent,
            KeyError::Absent {
                wanted: "three".into(),
                names
            }
        );
        assert_eq!(
            absent.to_string(),
            "there is no key \"three\", only one, two"
        );
    }
}

#[test]
fn where_there_is_no_key_no_name_finds_one() {
    let error = Key::read_named("# empty", Some("bowline"));
    assert_eq!(error.unwrap_err(), KeyError::NoKey);
}

#[test]
fn a_generated_key_reads_back_and_reads_as_keymgrs() {
    let (key, text) = Key::generate("Bowline.").unwrap();
    assert_eq!(key.name(), "bowline");
    assert_eq!(Key::read(&text).unwrap().name(), "bowline");
    assert!(Key::read_alone(&text).unwrap().is_same(&key));
    let other = Key::generate("bowline").unwrap().1;
    assert_ne!(text, other, "two secrets are one");
    // The same lines as keymgr's, but for the secret.
    let theirs = Command::new("keymgr")
        .args(["-t", "bowline", "hmac-sha256"])
        .output()
        .unwrap();
    let shape = |text: &str| {
        let secret = text.trim_end().rsplit(' ').next().unwrap().to_owned();
        (text.replace(&secret, "@"), secret.len())
    };
    assert_eq!(
        shape(&text),
        shape(&String::from_utf8(theirs.stdout).unwrap())
    );
    for name in ["", "a b", "a\nb", "a\"", "a..b", "#a", &"a".repeat(64)] {
        assert_eq!(Key::generate(name).unwrap_err(), KeyError::Name, "{name:?}");
    }
}

#[test]
fn what_tsig_keygen_prints_is_read() {
    if !installed("tsig-keygen") {
        return;
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let out = Command::new("tsig-keygen")
        .args(["-a", "hmac-sha384", "Bowline"])
        .env("PATH", format!("{path}:/usr/sbin"))
        .output()
        .unwrap();
    let key = Key::read_alone(&String::from_utf8(out.stdout).unwrap()).unwrap();
    assert_eq!(
        (key.name(), key.algorithm()),
        ("bowline", Algorithm::Sha384)
    );
}

/// Pieces that keys are made of, the secret among them.
fn piece() -> impl Strategy<Value = String> {
    let pieces = [
        SECRET,
        "key",
        "key:",
        "bowline",
        "hmac-sha256",
        "hmac-md5",
        ":",
        ";",
        "{",
        "}",
        "\"",
        "\n",
        "  - id: ",
        "    secret: ",
        "    algorithm: ",
        "algorithm ",
        "secret ",
        "#",
        "//",
        "/*",
        "*/",
        " ",
        "=",
        ".",
        "é",
    ];
    prop_oneof![
        4 => prop::sample::select(pieces.to_vec()).prop_map(str::to_owned),
        1 => "\\PC{0,6}",
    ]
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_without_showing_the_secret(
        pieces in prop::collection::vec(piece(), 0..24),
        chosen in prop::option::of("[a-z]{1,8}"),
    ) {
        let shown = match Key::read_named(&pieces.concat(), chosen.as_deref()) {
            Ok(key) if key.name().contains("abcdefghijklm") => String::new(),
            Ok(key) => format!("{key:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        prop_assert!(!shown.to_lowercase().contains("abcdefghijklm"), "{shown}");
    }

    #[test]
    fn no_text_at_all_makes_it_panic(text in any::<String>()) {
        let _ = Key::read(&text);
        let _ = Key::read_alone(&text);
    }
}

#[test]
fn a_key_is_its_name_its_algorithm_and_its_secret() {
    let [one, again, name, algorithm, secret] = [
        "hmac-sha256:bowline:MDEyMzQ1Njc4OWFiY2RlZg==",
        "HMAC-SHA256:Bowline.:MDEyMzQ1Njc4OWFiY2RlZg==",
        "hmac-sha256:bowline-2:MDEyMzQ1Njc4OWFiY2RlZg==",
        "hmac-sha512:bowline:MDEyMzQ1Njc4OWFiY2RlZg==",
        "hmac-sha256:bowline:NDEyMzQ1Njc4OWFiY2RlZg==",
    ]
    .map(|text| Key::read(text).unwrap());
    assert!(one.is_same(&again));
    for other in [name, algorithm, secret] {
        assert!(!one.is_same(&other), "{other:?}");
    }
}
