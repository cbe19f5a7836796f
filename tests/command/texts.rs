//! Help, manual pages, completions and the configuration as it is shown.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::place::Place;

/// Every verb and group, by its place in the tree.
fn verbs() -> Vec<String> {
    let mut left = vec![(String::new(), bowline::command::tree())];
    let mut verbs = Vec::new();
    while let Some((path, verb)) = left.pop() {
        for below in verb.get_subcommands() {
            left.push((format!("{path} {}", below.get_name()), below.clone()));
        }
        verbs.push(path.trim().to_owned());
    }
    verbs
}

#[test]
fn help_is_as_it_was_agreed() {
    let it = Place::new();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/command");
    let bless = std::env::var_os("BOWLINE_BLESS").is_some();
    for verb in verbs() {
        let help = it.done(&format!("{verb} --help"));
        let name = format!("help {verb}").trim().replace(' ', "-");
        let file = directory.join(format!("{name}.txt"));
        if bless {
            fs::write(&file, &help).unwrap();
        }
        let agreed = fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(
            help, agreed,
            "{verb}: set BOWLINE_BLESS=1 to agree to this text"
        );
    }
}

#[test]
fn wrong_usage_shows_that_of_the_verb() {
    let it = Place::new();
    for (typed, usage) in [
        (
            "host add home --token secret",
            "bowline host add [OPTIONS] [NAME]",
        ),
        (
            "owner set anna --token secret",
            "bowline owner set [OPTIONS] <NAME>",
        ),
        (
            "completions bash --json",
            "bowline completions [OPTIONS] <SHELL>",
        ),
    ] {
        let ran = it.run(typed);
        assert_eq!(ran.code, 2, "{typed}: {ran:?}");
        assert!(
            ran.err.contains(&format!("\nUsage: {usage}\n")),
            "{}",
            ran.err
        );
        assert!(!ran.err.contains("secret"), "{}", ran.err);
    }
}

#[test]
fn version() {
    let it = Place::new();
    assert_eq!(
        it.done("--version"),
        concat!("bowline ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn a_page_for_every_group_and_the_configuration() {
    let it = Place::new();
    it.done("man pages");
    for page in [
        "bowline.1",
        "bowline-host.1",
        "bowline-status.1",
        "bowline.toml.5",
    ] {
        assert!(
            it.read(&format!("pages/{page}")).contains(".SH NAME"),
            "{page}"
        );
    }
    let host = it.read("pages/bowline-host.1");
    for text in ["BOWLINE HOST ROTATE", "keep\\-old", "BOWLINE HOST IMPORT"] {
        assert!(host.contains(text), "{text}: {host}");
    }
    assert!(it.read("pages/bowline.toml.5").contains("allow_private"));
}

#[test]
fn completions_know_the_verbs() {
    let it = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        assert!(
            it.done(&format!("completions {shell}")).contains("rotate"),
            "{shell}"
        );
    }
}

#[test]
fn secrets_are_not_shown() {
    let it = Place::new();
    let config = it.read("etc/bowline.toml");
    let with = |url: &str| {
        let more = format!(
            "[notify.mail]\nsmtp = \"starttls://mail.example.net:587\"\nfrom = \"dyn@example.org\"\n\
             user = \"dyn\"\npassword = \"hunter2\"\n\
             [notify.webhook]\nurl = \"{url}\"\nsecret = \"hunter3\"\nheaders = {{ X = \"hunter4\" }}\n"
        );
        it.write("etc/bowline.toml", &format!("{config}{more}"));
        it.done("config show")
    };
    for (url, expected) in [
        ("https://hooks.example.org", "https://hooks.example.org/"),
        (
            "https://hooks.example.org:1/hunter5/hunter6",
            "https://hooks.example.org:1/…",
        ),
        (
            "https://hooks.example.org?key=hunter5",
            "https://hooks.example.org/…",
        ),
    ] {
        let shown = with(url);
        assert!(!shown.contains("hunter"), "{shown}");
        assert!(shown.contains(&format!("url = \"{expected}\"")), "{shown}");
        it.write("etc/shown.toml", &shown);
        let ran = it.run("config check --config etc/shown.toml");
        assert!(ran.err.contains("where the secret is"), "{ran:?}");
    }
    it.write(
        "etc/bowline.toml",
        &format!("{config}[notify.webhook]\nurl = \"https://hooks.example.org/…\"\n"),
    );
    let ran = it.run("config check");
    assert!(ran.err.contains("where the secret is"), "{ran:?}");
}

#[test]
fn the_configuration_in_force() {
    let it = Place::new();
    let shown = it.done("config show");
    assert!(shown.contains("\n[keep]\nhistory = \"90d\"\n"), "{shown}");
    assert!(!shown.contains("c2VjcmV0"));
    it.write("etc/shown.toml", &shown);
    assert_eq!(it.done("config show --config etc/shown.toml"), shown);
    // However it is named, the paths in it lead to the same files.
    let named = it.done("config show --config etc/../etc/bowline.toml");
    assert_eq!(named, shown);
    assert_eq!(it.json("config show")["zone"][0]["ttl"], 60);
    assert_eq!(it.done("config check"), "ok\n");
    it.write("etc/tsig.key", "nonsense");
    assert_eq!(it.run("config check").code, 1);
    it.write(
        "etc/bowline.toml",
        "url = \"https://u.example.org\"\nurll = 1\n",
    );
    let ran = it.run("config check");
    assert!(
        ran.err
            .contains("bowline.toml, line 2: unknown key `urll`, expected one of"),
        "{ran:?}"
    );
}

#[test]
fn a_configuration_that_cannot_be_used_is_one_document_too() {
    let it = Place::new();
    let file = it.file("etc/bowline.toml").display().to_string();
    let said = |arguments: &str| {
        let ran = it.run(&format!("{arguments} --json"));
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.starts_with("bowline: "), "{ran:?}");
        serde_json::from_str::<Value>(&ran.out).unwrap()
    };
    assert_eq!(it.json("config check"), json!({"config": file, "ok": true}));
    it.write("etc/lookup.key", "nonsense");
    let found = said("config check");
    assert_eq!(
        (&found["ok"], &found["line"]),
        (&json!(false), &json!(null))
    );
    assert!(
        found["says"].as_str().unwrap().contains("lookup.key"),
        "{found}"
    );
    it.write(
        "etc/bowline.toml",
        "url = \"https://u.example.org\"\nurll = 1\n",
    );
    let found = said("config check");
    let says = found["says"].as_str().unwrap();
    assert!(
        says.starts_with(&format!("{file}, line 2: unknown key")),
        "{found}"
    );
    assert_eq!(
        found,
        json!({"config": file, "ok": false, "line": 2, "says": says, "hint": null})
    );
    let file = it.file("etc/nothing.toml").display().to_string();
    let found = said(&format!("--config {file} config check"));
    assert_eq!(
        found,
        json!({
            "config": file,
            "ok": false,
            "line": null,
            "says": format!("{file}: there is no such file"),
            "hint": format!("run `bowline --config {file} init`, or name another file with --config"),
        })
    );
}

#[test]
fn status_says_where_standard_error_goes_in_both_gateways() {
    let it = Place::new();
    let config = it.read("etc/bowline.toml");
    let log = "[log]\ntarget = \"stderr\"\n[[zone]]";
    it.write("etc/bowline.toml", &config.replace("[[zone]]", log));
    let expected = "standard error: with CGI the web server's error log, with FastCGI wherever that of the responder goes";
    assert_eq!(it.json("status")["log"], expected);
}
