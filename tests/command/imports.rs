//! Import and export.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::place::Place;
use crate::published::serve;

const CSV: &str = "name,note,ttl,ipv4,static,token\n\
                   home,\"the, garden\",2m,203.0.113.7,,\n\
                   nas,,,,,0123456789abcdef\n\
                   printer,,,192.168.1.9,yes,\n";

#[test]
fn the_same_import_again_changes_nothing() {
    let it = Place::new();
    it.write("list.csv", CSV);
    let first = it.json("host import list.csv --out tokens");
    assert_eq!(
        first,
        json!({"added": 3, "changed": 0, "unchanged": 0, "tokens": 1, "dry_run": false})
    );
    let tokens = it.read("tokens");
    let lines: Vec<&str> = tokens.lines().collect();
    assert_eq!((lines[0], lines.len()), ("name,url,token", 2));
    let token = lines[1].rsplit(',').next().unwrap();
    let url = format!("https://update.example.org/{token}/home");
    assert_eq!(lines[1], format!("home.dyn.example.org,{url},{token}"));
    let mode = std::fs::metadata(it.file("tokens"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o600);

    let before = it.done("host export");
    it.done("host set home --ipv4 203.0.113.99");
    let again = it.json("host import list.csv");
    assert_eq!(
        again,
        json!({"added": 0, "changed": 0, "unchanged": 3, "tokens": 0, "dry_run": false})
    );
    it.done("host set home --ipv4 203.0.113.7");
    assert_eq!(it.done("host export"), before);
    it.write("list.csv", "name,note\nhome,roof\n");
    assert_eq!(it.json("host import list.csv")["changed"], json!(1));
    let shown = it.json("host show home");
    assert_eq!(
        (&shown["note"], &shown["ttl"]),
        (&json!("roof"), &json!(120))
    );
}

#[test]
fn without_a_new_token_there_is_no_file_of_them() {
    let it = Place::new();
    it.write("list.csv", "name,token\nhome,0123456789abcdef\n");
    for what in ["added", "unchanged"] {
        let said = it.json("host import list.csv --out tokens");
        assert_eq!(said[what], json!(1), "{said}");
        assert!(!it.file("tokens").exists());
    }
}

#[test]
fn dry_run_says_and_does_nothing() {
    let it = Place::new();
    it.write("list.csv", CSV);
    let said = it.json("host import list.csv --dry-run --out tokens");
    assert_eq!(
        (&said["added"], &said["dry_run"]),
        (&json!(3), &json!(true))
    );
    assert_eq!(it.json("host list"), json!([]));
    assert!(!it.file("tokens").exists());
}

#[test]
fn all_or_nothing_with_the_place_of_the_error() {
    let it = Place::new();
    it.done("host add old");
    it.done("host add fixed --static --ipv4 192.0.2.1");
    for (list, expected) in [
        (
            "[[host]]\nname = \"home\"\nexpire = 2026-12-31\n",
            "host 1: expire = \"2026-12-31\": \"2026-12-31\" is no duration",
        ),
        (
            "name,expire\nfixed,30d\n",
            "line 2: fixed.dyn.example.org is static, and has neither",
        ),
        (
            "name\nhome\n",
            "1 host would get a new token\nhint: say where the tokens go with --out",
        ),
        (
            "name,static,ipv4\nhome,1,192.0.2.1\na_b,,\n",
            "line 3: \"a_b\" has '_'",
        ),
        (
            "name,colour\nhome,red\n",
            "line 2: colour = \"red\": no such key; there are name zone ",
        ),
        (
            "name\nhome\nHOME.dyn.example.org\n",
            "line 3: home.dyn.example.org stands there twice",
        ),
        (
            "name,ttl\nhome,0\n",
            "line 2: ttl = \"0\": a TTL is 1 to 604800 seconds",
        ),
        (
            "[[host]]\nname = \"home\"\nexpire = \"5m\"\n",
            "host 1: expire = \"5m\": 5m is under ten",
        ),
        (
            "{\"name\":\"home\",\"ipv4\":\"10.0.0.1\"}",
            "line 1: 10.0.0.1 is a private address",
        ),
        (
            "{\"name\":\"home\",\"wildcard\":\"perhaps\"}",
            "write true or false",
        ),
        ("{\"note\":\"x\"}", "line 1: there is no name"),
        (
            "name,note,Note\nhome,a,b\n",
            "line 1: \"note\" stands there twice",
        ),
        (
            "{\"name\":\"home\",\"ttl\":60,\"ttl\":90}",
            "line 1: \"ttl\" stands there twice",
        ),
        (
            "{\"name\":\"old\",\"token\":\"0123456789abcdef\"}",
            "line 1: old.dyn.example.org has another token by now",
        ),
        (
            "name,static,ipv4\nold,1,192.0.2.1\n",
            "old.dyn.example.org is there, and is not static\nhint: `bowline host set old.dyn.example.org --static`",
        ),
        (
            "name,static,ipv4,expire\nhome,1,192.0.2.1,30d\n",
            "line 2: home.dyn.example.org is static, and has neither token nor expiry nor plain HTTP\n\
             hint: leave these out, or let it not be static\n",
        ),
        (
            "name,static,ipv4,plain_http\nhome,1,192.0.2.1,yes\n",
            "line 2: home.dyn.example.org is static, and has neither",
        ),
        (
            "name,static,ipv4,token\nhome,1,192.0.2.1,0123456789abcdef\n",
            "line 2: home.dyn.example.org is static, and has neither",
        ),
    ] {
        let ran = it.run_with("host import -", list);
        assert_eq!(ran.code, 1, "{list:?}: {ran:?}");
        assert!(ran.err.contains(expected), "{list:?}: {}", ran.err);
        assert_eq!(
            it.json("host list").as_array().unwrap().len(),
            2,
            "{list:?}"
        );
    }
    for list in ["name\nhome\na_b\n", "name,ipv4\nhome,10.0.0.1\n"] {
        it.write("list", list);
        assert_eq!(it.run("host import list --out out").code, 1);
        assert!(!it.file("out").exists(), "{list:?}");
    }
    it.write("out", "");
    it.write("list", "name\nhome\n");
    let ran = it.run("host import list --out out");
    assert!(ran.err.contains("there is a file out already"), "{ran:?}");
}

#[test]
fn a_new_host_whose_tokens_have_all_died_is_named() {
    let it = Place::new();
    let (dead, live) = ("2026-01-01T00:00:00Z", "2126-01-01T00:00:00Z");
    let row = |name: &str, tokens: &[(char, &str)]| {
        let tokens: Vec<_> = (tokens.iter())
            .map(|(digit, until)| json!({"digest": digit.to_string().repeat(64), "until": until}))
            .collect();
        format!("{}\n", json!({"name": name, "tokens": tokens}))
    };
    let list = row("home", &[('a', dead), ('b', dead)]) + &row("nas", &[('c', dead), ('d', live)]);
    let note = "note: line 1: the token of home.dyn.example.org is dead; \
                `bowline host rotate home.dyn.example.org` makes another\n";
    for (verb, expected) in [
        ("host import - --dry-run", note),
        ("host import -", note),
        ("host import -", ""),
    ] {
        let ran = it.run_with(verb, &list);
        assert_eq!((ran.code, ran.err.as_str()), (0, expected), "{verb}");
    }
}

#[test]
fn what_has_no_end_is_not_read_to_it() {
    let it = Place::new();
    it.write("long", &"a".repeat(4097));
    for (verb, file, most) in [
        ("host add home --token @/dev/zero", "/dev/zero", "4096"),
        ("host add home --token @long", "long", "4096"),
        ("host import /dev/zero", "/dev/zero", "134217728"),
    ] {
        let ran = it.run(verb);
        let expected = format!("bowline: {file}: it is longer than {most} octets\n");
        assert_eq!((ran.code, ran.err), (1, expected), "{verb}");
    }
    it.write("padded", &format!("0123456789abcdef{}", "\n".repeat(4080)));
    it.done("host add home --token @padded");
}

#[test]
fn what_to_do_about_a_list_is_said_in_its_own_words() {
    let it = Place::with_zones(&["dyn.example.org", "dyn.example.net"]);
    let _knot = serve(&it);
    for verb in [
        "owner add anna",
        "host add gone.dyn.example.org",
        "host remove gone.dyn.example.org",
        "host add home.dyn.example.org --owner anna",
        "host add a.flat.dyn.example.org --owner anna",
    ] {
        it.done(verb);
    }
    it.run_with(
        "host add taken.dyn.example.org --token -",
        "0123456789abcdef",
    );
    for (list, cause, hint) in [
        (
            "name\nnew\n",
            "line 2: \"new\" could be new.dyn.example.org or new.dyn.example.net",
            "write the name in full, or give its zone",
        ),
        (
            "name\ngone.dyn.example.org\n",
            "line 2: gone.dyn.example.org was removed; its name is free again at ",
            "add it by itself, with `bowline host add --again`, before the list",
        ),
        (
            "name\na.home.dyn.example.org\n",
            "line 2: a.home.dyn.example.org is below home.dyn.example.org, which is another owner's",
            "whoever has home.dyn.example.org can obtain certificates for it; \
             `below` in its row does it all the same",
        ),
        (
            "name\nflat.dyn.example.org\n",
            "line 2: flat.dyn.example.org is above a.flat.dyn.example.org, which is anna's",
            "whoever has flat.dyn.example.org can obtain certificates for a.flat.dyn.example.org; \
             `below` in either row does it all the same",
        ),
        (
            "name,behind,interface_id\nnas.dyn.example.org,home.dyn.example.org,::1\n",
            "line 2: nas.dyn.example.org cannot be behind home.dyn.example.org: they have different owners",
            "change that first, or do without `behind`; where it is so already, \
             `bowline host set nas.dyn.example.org --behind -` ends it",
        ),
        (
            "name,token\nother.dyn.example.org,\nmine.dyn.example.org,0123456789abcdef\n",
            "line 3: that token is in use already\n",
            "",
        ),
    ] {
        it.write("list", list);
        let ran = it.run("host import list --out tokens");
        assert_eq!(ran.code, 1, "{list:?}");
        let (said, what) = ran.err.split_once("hint: ").unwrap_or((&ran.err, ""));
        assert!(said.starts_with(&format!("bowline: {cause}")), "{ran:?}");
        assert_eq!(what.trim_end(), hint, "{list:?}");
    }
}

#[test]
fn an_export_is_read_back_with_tokens_and_settings() {
    let it = Place::new();
    it.done("host add home --note x --mail a@example.org --ttl 5m --expire 30d --only ipv4");
    it.done("host rotate home --keep-old 7d");
    it.done("host add nas --wildcard --plain-http --allow-private --ipv4 10.0.0.1");
    it.done("host add printer --static --ipv6 fd00::9");
    it.done("host add off");
    it.done("host disable off");
    let ran = it.run("host export");
    assert!(
        ran.err
            .starts_with("note: the digests are useless without the same lookup key")
    );

    let other = Place::new();
    let imported = other.run_with("host import -", &ran.out);
    assert!(
        imported
            .out
            .starts_with("4 added, 0 changed, 0 unchanged, 0 new tokens")
    );
    assert_eq!(other.done("host export"), ran.out);
    let again = other.run_with("host import -", &ran.out);
    assert!(
        again.out.starts_with("0 added, 0 changed, 4 unchanged"),
        "{again:?}"
    );
    let array = it.json("host export").to_string();
    let again = other.run_with("host import -", &array);
    assert!(
        again.out.starts_with("0 added, 0 changed, 4 unchanged"),
        "{again:?}"
    );
}

#[test]
fn whatever_a_host_was_before_its_export_is_read_back() {
    let it = Place::new();
    it.done("host add private --allow-private --ipv4 10.0.0.1 --ipv6 2001:db8::1");
    it.done("host set private --no-allow-private");
    it.done("host add static --static --ipv4 127.0.0.53");
    it.done("host set static --no-static");
    it.done("host add one --ipv4 203.0.113.7 --ipv6 2001:db8::7");
    it.done("host set one --only ipv6");
    it.done("host add both --static --ipv4 192.168.1.9 --ipv6 fd00::9");
    it.done("host set both --only ipv4");
    let list = it.done("host export");
    let other = Place::new();
    other.write("list", &list);
    // One was static, and so has no token to take along.
    let imported = other.json("host import list --out tokens");
    assert_eq!(
        (&imported["added"], &imported["tokens"]),
        (&json!(4), &json!(1))
    );
    let without_tokens = |list: &str| -> Vec<String> {
        let lines = list.lines();
        let lines = lines.map(|line| line.split("\"tokens\"").next().unwrap().to_owned());
        lines.collect()
    };
    assert_eq!(
        without_tokens(&other.done("host export")),
        without_tokens(&list)
    );
}

#[test]
fn a_host_that_was_off_with_its_owner_is_not_switched_on() {
    let it = Place::new();
    it.done("owner add anna");
    it.done("host add printer --owner anna --static --ipv4 192.0.2.9");
    it.done("host add home --owner anna --ipv4 203.0.113.7");
    it.done("owner disable anna");
    let list = it.done("host export");
    assert_eq!(list.matches("\"owner_disabled\":true").count(), 2, "{list}");
    let again = it.run_with("host import -", &list);
    assert!(again.out.starts_with("0 added, 0 changed, 2 unchanged"));

    let other = Place::new();
    let ran = other.run_with("host import -", &list);
    assert!(ran.err.contains("there is no owner anna"), "{ran:?}");
    other.done("owner add anna");
    let ran = other.run_with("host import -", &list);
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (
            1,
            "bowline: line 1: home.dyn.example.org was switched off with its owner anna, who is switched on here\n\
             hint: run `bowline owner disable anna` first, or take `owner_disabled` out of the list\n"
        )
    );
    assert_eq!(other.json("host list"), json!([]));
    other.done("owner disable anna");
    let ran = other.run_with("host import -", &list);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(other.done("host export"), list);
    let shown = other.json("host show printer");
    assert_eq!(
        (
            &shown["state"],
            &shown["pending"],
            &shown["accepted"]["ipv4"]
        ),
        (&json!("disabled"), &json!(false), &json!(null))
    );
    other.done("owner enable anna");
    let shown = other.json("host show printer");
    assert_eq!(shown["accepted"]["ipv4"], json!("192.0.2.9"));
    // What is on stays on, whatever an older list says.
    let ran = other.run_with("host import -", &list);
    assert!(
        ran.out.starts_with("0 added, 0 changed, 2 unchanged"),
        "{ran:?}"
    );
    let ran = other.run_with("host import -", "name,owner_disabled\nnew,yes\n");
    assert!(
        ran.err.contains("line 2: owner_disabled: it has no owner"),
        "{ran:?}"
    );
}
