//! Adding, changing and removing hosts, and what is said about it.

use serde_json::json;

use crate::place::Place;

/// The token in what `host add` or `host rotate` printed.
fn token(out: &str) -> String {
    let url = out
        .lines()
        .find(|line| line.starts_with("https://"))
        .unwrap();
    url.split('/').nth(3).unwrap().to_owned()
}

#[test]
fn add_prints_its_update_url_on_a_line_of_its_own() {
    let it = Place::new();
    let out = it.done("host add home");
    let token = token(&out);
    let url = format!("https://update.example.org/{token}/home");
    assert_eq!(out.lines().last(), Some(url.as_str()));
    assert_eq!(token.len(), 24);
    for verb in ["host show home", "host list", "host export", "history"] {
        assert!(!it.done(verb).contains(&token), "{verb}");
        assert!(
            !it.done(&format!("{verb} --json")).contains(&token),
            "{verb}"
        );
    }
    for file in ["state/bowline.db", "state/bowline.db-wal"] {
        let found = std::fs::read(it.file(file)).unwrap_or_default();
        let found = found
            .windows(token.len())
            .any(|part| part == token.as_bytes());
        assert!(!found, "{file}");
    }
}

#[test]
fn add_in_json() {
    let it = Place::new();
    let mut added = it.json("host add a.home --ttl 2m --note hello --wildcard");
    let token = added["token"].as_str().unwrap().to_owned();
    let url = format!("https://update.example.org/{token}/a.home");
    assert_eq!(added["url"], json!(url));
    added["token"].take();
    added["url"].take();
    assert_eq!(
        added,
        json!({
            "name": "a.home.dyn.example.org", "url": null, "token": null, "ttl": 120,
            "zone": "dyn.example.org", "expire": 0, "ipv4": null, "ipv6": null, "pending": false,
        })
    );
}

#[test]
fn list_in_json_has_just_the_promised_keys() {
    let it = Place::new();
    it.done("host add home --note garden --ipv4 203.0.113.7 --expire 30d");
    let mut list = it.json("host list");
    let change = list[0]["last_change"].take();
    let change: jiff::Timestamp = change.as_str().unwrap().parse().unwrap();
    assert!(change <= jiff::Timestamp::now());
    assert_eq!(
        list,
        json!([{
            "name": "home.dyn.example.org", "zone": "dyn.example.org", "owner": null,
            "note": "garden", "ttl": 60, "disabled": false, "expire": 2_592_000,
            "ipv4": null, "ipv6": null, "pending": true, "last_seen": null, "last_change": null,
            "state": "pending",
        }])
    );
}

#[test]
fn list_by_what_is_asked() {
    let it = Place::with_zones(&["dyn.example.org", "dyn.example.net"]);
    assert_eq!(it.json("host list"), json!([]));
    it.done("host add a.dyn.example.org");
    it.done("host add b.dyn.example.org --ipv4 203.0.113.7");
    it.done("host add c.dyn.example.net");
    it.done("host disable c");
    for (options, expected) in [
        ("", "c a b"),
        ("--zone dyn.example.org", "a b"),
        ("--zone DYN.example.net.", "c"),
        ("--pending", "c b"),
        ("--disabled", "c"),
        ("--silent 1d", ""),
        ("--expired", ""),
    ] {
        let list = it.json(&format!("host list {options}"));
        let names = list.as_array().unwrap().iter();
        let names: Vec<&str> = names
            .map(|host| host["name"].as_str().unwrap().split('.').next().unwrap())
            .collect();
        assert_eq!(names.join(" "), expected, "{options}");
    }
    assert_eq!(it.done("host list").lines().count(), 4);
}

#[test]
fn an_international_name_is_shown_as_both() {
    let it = Place::new();
    let out = it.done("host add Käse");
    assert!(
        out.starts_with("xn--kse-qla.dyn.example.org (käse.dyn.example.org): "),
        "{out}"
    );
    assert!(out.ends_with("/xn--kse-qla\n"));
    for name in ["käse", "xn--kse-qla", "KÄSE.dyn.example.org."] {
        let shown = it.json(&format!("host show {name}"));
        assert_eq!(shown["name"], "xn--kse-qla.dyn.example.org", "{name}");
    }
}

#[test]
fn a_short_name_must_be_unambiguous() {
    let it = Place::with_zones(&["dyn.example.org", "dyn.example.net"]);
    let ran = it.run("host add home");
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.starts_with("bowline: \"home\" could be "),
        "{}",
        ran.err
    );
    assert!(
        ran.err
            .contains("hint: write the name in full, or add --zone ZONE")
    );
    it.done("host add home --zone dyn.example.net");
    assert_eq!(it.json("host show home")["zone"], "dyn.example.net");
    it.done("host add home.dyn.example.org");
    assert!(it.run("host show home").err.contains("could be"));
    assert_eq!(
        it.json("host show home.dyn.example.org")["zone"],
        "dyn.example.org"
    );
}

#[test]
fn a_name_with_a_final_dot_is_one_in_full() {
    let it = Place::with_zones(&["dyn.example.org", "dyn2.example.net"]);
    for (arguments, expected) in [
        (
            "host add x.dyn2.example.net. --zone dyn.example.org",
            "bowline: \"x.dyn2.example.net.\" is not in the zone dyn.example.org\n",
        ),
        (
            "host add x. --zone dyn.example.org",
            "bowline: \"x.\" is in no configured zone\n",
        ),
        ("host add x.", "bowline: \"x.\" is in no configured zone\n"),
    ] {
        let ran = it.run(arguments);
        assert_eq!(ran.code, 1, "{arguments}");
        assert!(ran.err.starts_with(expected), "{arguments}: {}", ran.err);
    }
    it.done("host add x.dyn.example.org. --zone dyn.example.org");
    it.done("host rename x.dyn.example.org. Y.dyn.example.org.");
    it.done("host rename y z");
    let ran = it.run("host rename z z.dyn2.example.net.");
    assert!(ran.err.contains("is in another zone than"), "{ran:?}");
    assert_eq!(it.json("host list")[0]["name"], "z.dyn.example.org");
}

#[test]
fn a_random_name_and_a_token_taken_over() {
    let it = Place::new();
    let added = it.json("host add --random");
    assert_eq!(
        added["name"].as_str().unwrap().len(),
        "dyn.example.org".len() + 13
    );
    let out = it
        .run_with("host add home --token -", "0123456789abcdef\n")
        .out;
    assert_eq!(token(&out), "0123456789abcdef");
    it.write("secret", "fedcba9876543210.-_~");
    assert_eq!(
        token(&it.done("host add nas --token @secret")),
        "fedcba9876543210.-_~"
    );
    let ran = it.run("host add other --token @secret");
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (1, "bowline: that token is in use already\n")
    );
    assert_eq!(it.run("host show other").code, 1);
}

#[test]
fn set_changes_what_is_named_and_nothing_else() {
    let it = Place::new();
    it.done("host add home --note one --ttl 90 --only ipv4 --ipv4 203.0.113.7");
    let ran = it.run("host set home --ttl 4m");
    assert_eq!(ran.code, 0);
    let note = "note: a new TTL takes effect with the next address change\n";
    assert!(ran.err.contains(note), "{}", ran.err);
    it.done("host set home --ttl 5m --wildcard");
    let shown = it.json("host show home");
    assert_eq!(
        (&shown["ttl"], &shown["note"]),
        (&json!(300), &json!("one"))
    );
    assert_eq!(
        (&shown["wildcard"], &shown["only"]),
        (&json!(true), &json!("ipv4"))
    );
    it.done("host set home --no-note --no-only --no-wildcard --no-ttl --ipv6 2001:db8::7 --ipv4 -");
    let shown = it.json("host show home");
    assert_eq!((&shown["ttl"], &shown["note"]), (&json!(60), &json!(null)));
    assert_eq!(
        (&shown["wildcard"], &shown["only"]),
        (&json!(false), &json!(null))
    );
    assert_eq!(shown["accepted"]["ipv4"], json!(null));
    assert_eq!(shown["accepted"]["ipv6"], json!("2001:db8::7"));
    it.done("host set home --only ipv4");
    assert_eq!(it.json("host show home")["accepted"]["ipv6"], json!(null));
}

#[test]
fn a_static_host_has_addresses_and_no_token() {
    let it = Place::new();
    let added = it.json("host add printer --static --ipv4 192.168.1.9");
    assert_eq!(
        (&added["url"], &added["token"]),
        (&json!(null), &json!(null))
    );
    let ran = it.run("host rotate printer");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("is static and has no token"));
    it.done("host add home --ipv4 203.0.113.7");
    it.done("host set home --static");
    assert_eq!(it.json("host show home")["static"], json!(true));
    let ran = it.run("host set home --no-static");
    assert!(
        ran.err
            .contains("`bowline host rotate home.dyn.example.org` makes one")
    );
    it.done("host rotate home");
}

#[test]
fn rotate_and_rename_keep_the_old_as_long_as_asked() {
    let it = Place::new();
    let first = token(&it.done("host add home"));
    let second = token(&it.done("host rotate home --keep-old 7d"));
    assert_ne!(first, second);
    assert_eq!(
        it.json("host show home")["old_tokens"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    it.done("host rotate home");
    assert_eq!(it.json("host show home")["old_tokens"], json!([]));
    it.done("host rename home flat --keep-old 7d");
    assert_eq!(it.json("host show home")["name"], "flat.dyn.example.org");
    it.done("host rename flat.dyn.example.org home");
    it.done("host rename home hut");
    assert_eq!(it.run("host show home").code, 1);
}

#[test]
fn disable_enable_remove_say_what_could_not_be_confirmed() {
    let it = Place::new();
    it.done("host add home --ipv4 203.0.113.7");
    for (verb, said) in [
        ("disable", "switched off"),
        ("enable", "switched on"),
        ("remove", "removed"),
    ] {
        let ran = it.run(&format!("host {verb} home"));
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(ran.out, format!("home.dyn.example.org: {said}\n"));
        assert!(
            ran.err.starts_with("note: could not confirm home"),
            "{ran:?}"
        );
        assert!(ran.err.contains("; bowline goes on trying\n"), "{ran:?}");
    }
    assert_eq!(it.json("host show home")["state"], "removing");
    it.done("host add home");
    it.done("host add quiet");
    // Nor is it known of one that nobody has visited whether something stands there.
    let removed = it.json("host remove quiet");
    assert_eq!(removed["pending"], json!(true));
    assert_eq!(removed["state"], json!("removing"));
    assert_eq!(it.json("host list")[1]["state"], json!("removing"));
    assert_eq!(it.json("host disable home")["state"], json!("disabled"));
    assert_eq!(it.json("host show quiet")["state"], "removing");
}

#[test]
fn history_tells_each_change() {
    let it = Place::new();
    it.done("host add home --ipv4 203.0.113.7");
    it.done("host set home --ipv4 203.0.113.8");
    let history = it.json("history home --since 1h");
    assert_eq!(history[1]["old"], "203.0.113.7");
    assert_eq!(history[1]["new"], "203.0.113.8");
    assert_eq!(history[1]["dialect"], "command");
    let text = it.done("history");
    assert!(text.contains("  home.dyn.example.org  ipv4  none -> 203.0.113.7  command\n"));
}

#[test]
fn status_fails_once_something_is_pending_for_long() {
    let it = Place::new();
    it.done("host add home --ipv4 203.0.113.7");
    let status = it.json("status");
    assert_eq!(status["hosts"], json!(1));
    assert_eq!(status["zones"][0]["pending"], json!(1));
    assert_eq!(status["pending"][0]["name"], "home.dyn.example.org");
    let registry = rusqlite::Connection::open(it.file("state/bowline.db")).unwrap();
    registry
        .execute("UPDATE host SET wish_at = wish_at - 400", [])
        .unwrap();
    let ran = it.run("status");
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.contains("home.dyn.example.org for 6m: 203.0.113.7"),
        "{}",
        ran.out
    );
    assert!(
        ran.err
            .starts_with("bowline: 1 host is pending for over 5 minutes\nhint: ")
    );
    assert_eq!(it.run("status --json").code, 1);
    // It moves on, in vain: it is pending since the first time.
    registry
        .execute("UPDATE history SET at = at - 400", [])
        .unwrap();
    it.done("host set home --ipv4 203.0.113.8");
    let ran = it.run("status");
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(
        ran.out.contains("home.dyn.example.org for 6m: 203.0.113.8"),
        "{}",
        ran.out
    );
}

#[test]
fn status_fails_when_there_was_no_upkeep() {
    let it = Place::new();
    it.done("status");
    it.done("host add home");
    it.done("status");
    let registry = rusqlite::Connection::open(it.file("state/bowline.db")).unwrap();
    registry
        .execute("UPDATE host SET created = created - 400", [])
        .unwrap();
    let ran = it.run("status");
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (
            1,
            "bowline: there was no upkeep yet\n\
             hint: let a timer run `bowline upkeep` every minute\n"
        )
    );
    it.done("upkeep");
    it.done("status");
}

#[test]
fn a_token_that_could_not_be_printed_is_said_to_be_lost() {
    let it = Place::new();
    let mut command = it.command("host add home");
    command.stdout(std::fs::File::create("/dev/full").unwrap());
    let output = command.output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        err.contains("make another with `bowline host rotate home.dyn.example.org`"),
        "{err}"
    );
}

#[test]
fn twenty_at_once() {
    let it = Place::new();
    std::thread::scope(|scope| {
        for n in 0..20 {
            let it = &it;
            scope.spawn(move || {
                let ran = it.run(&format!("host add host{n} --json"));
                assert_eq!(ran.code, 0, "{ran:?}");
            });
        }
    });
    assert_eq!(it.json("host list").as_array().unwrap().len(), 20);
}
