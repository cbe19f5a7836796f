//! Owners: one token for several hosts.

use serde_json::json;

use crate::place::Place;
use crate::published::served;

/// The token in what `owner add` or `owner rotate` printed: a line of its own.
fn token(out: &str) -> &str {
    let token = out.lines().nth(2).filter(|token| token.len() == 24);
    token.expect(out)
}

#[test]
fn add_prints_the_token_once() {
    let it = Place::new();
    let ran = it.run("owner add Anna --mail anna@example.org");
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (
            0,
            "hint: `bowline host add NAME --owner anna` adds a host\n"
        )
    );
    assert!(
        ran.out
            .starts_with("anna: one token for all of the hosts, shown only this once\n\n"),
        "{}",
        ran.out
    );
    let first = token(&ran.out);
    it.done("host add home --owner anna");
    it.done("host add nas --owner ANNA --note shelf");
    for verb in [
        "owner show anna",
        "owner list",
        "host show home",
        "host export",
    ] {
        assert!(!it.done(verb).contains(first), "{verb}");
        assert!(
            !it.done(&format!("{verb} --json")).contains(first),
            "{verb}"
        );
    }
    let out = it.done("owner rotate anna --keep-old 7d");
    let second = token(&out);
    assert_ne!(first, second);
    let urls: Vec<&str> = out.lines().skip(4).collect();
    assert_eq!(
        urls,
        ["home", "nas"].map(|name| format!("https://update.example.org/{second}/{name}"))
    );
    let shown = it.done("owner show anna");
    assert!(shown.contains("\nold token      until "), "{shown}");
    assert!(
        shown
            .ends_with("host           home.dyn.example.org\nhost           nas.dyn.example.org\n"),
        "{shown}"
    );
}

#[test]
fn json_has_what_the_text_has() {
    let (it, _knot) = served();
    let added = it.json("owner add anna");
    assert_eq!(added["name"], "anna");
    assert_eq!(added["token"].as_str().unwrap().len(), 24);
    assert_eq!(added["urls"], json!([]));
    it.done("host add home --owner anna");
    it.done("host add nas");
    let listed = it.json("owner list");
    assert_eq!(listed[0]["hosts"], 1);
    assert_eq!(listed[0]["mail"], json!(null));
    assert_eq!(listed[0]["disabled"], false);
    let shown = it.json("owner show anna");
    assert_eq!(shown["names"], json!(["home.dyn.example.org"]));
    // How many, wherever that key is.
    for counted in [&shown, &it.json("owner set anna --no-notify")] {
        assert_eq!(counted["hosts"], 1);
    }
    assert_eq!(
        (&added["hosts"], &it.json("status")["hosts"]),
        (&json!(null), &json!(2))
    );
    assert_eq!(
        it.json("owner set anna --mail a@b.example")["mail"],
        "a@b.example"
    );
    assert_eq!(it.json("owner set anna --no-mail")["mail"], json!(null));
    assert_eq!(it.json("host show home")["owner"], "anna");
    assert_eq!(it.json("host show nas")["owner"], json!(null));
    let rotated = it.json("owner rotate anna");
    let url = format!(
        "https://update.example.org/{}/home",
        rotated["token"].as_str().unwrap()
    );
    assert_eq!(
        rotated["urls"],
        json!([{"name": "home.dyn.example.org", "url": url}])
    );
    let names = |verb: &str| -> Vec<String> {
        let all = it.json(verb);
        let all = all.as_array().unwrap().iter();
        all.map(|host| host["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names("host list --owner anna"), ["home.dyn.example.org"]);
    it.done("host set nas --owner anna");
    it.done("host set home --owner -");
    assert_eq!(names("host list --owner anna"), ["nas.dyn.example.org"]);
    assert_eq!(
        it.json("owner remove anna --with-hosts"),
        json!({"name": "anna", "removed": true, "hosts": 1})
    );
    assert_eq!(names("host list"), ["home.dyn.example.org"]);
    assert_eq!(it.json("owner list"), json!([]));
}

#[test]
fn what_stays_in_the_hands_of_the_former_owner_is_said() {
    let it = Place::new();
    it.done("owner add anna");
    it.done("owner add dora");
    it.done("host add shop --owner anna --mail anna@a.example");
    it.done("host add bare");
    it.done("host add fixed --static --ipv4 203.0.113.7");
    it.done("host add far --static --ipv4 203.0.113.8 --mail old@a.example");
    let token = "note: its own token is good as before; \
                 `bowline host rotate NAME` makes another";
    let mail = "note: what happens to it is told to old@a.example as before; \
                `bowline host set NAME --mail ADDR` or --no-mail changes that";
    for (words, expected) in [
        ("shop --owner anna", &[][..]),
        (
            "shop --owner dora",
            &[token, &mail.replace("old@", "anna@")],
        ),
        ("shop --owner anna --mail new@a.example", &[token]),
        ("shop --owner - --no-mail", &[token]),
        ("bare --owner dora", &[token]),
        ("fixed --owner dora", &[]),
        ("far --owner dora", &[mail]),
        ("bare --note x", &[]),
    ] {
        let ran = it.run(&format!("host set {words}"));
        assert_eq!(ran.code, 0, "{words}: {ran:?}");
        let name = words.split(' ').next().unwrap();
        let said: Vec<&str> = (ran.err.lines())
            .filter(|line| line.contains("as before"))
            .collect();
        let full = format!("{name}.dyn.example.org");
        let expected: Vec<String> = (expected.iter())
            .map(|line| line.replace("NAME", &full))
            .collect();
        assert_eq!(said, expected, "{words}");
    }
    let ran = it.run_with(
        "host set bare --owner anna --token -",
        "0123456789abcdefABCDEFGH\n",
    );
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!ran.err.contains("as before"), "{}", ran.err);
}

#[test]
fn what_is_refused_changes_nothing() {
    let it = Place::new();
    it.done("owner add anna");
    it.done("owner add ben");
    it.done("host add home --owner anna");
    it.done("owner disable ben");
    for (verb, cause, hint) in [
        ("owner add anna", "there is an owner anna already", ""),
        (
            "host add x --owner nobody",
            "there is no owner nobody",
            "add it with `bowline owner add nobody`",
        ),
        (
            "owner show nobody",
            "there is no owner nobody",
            "`bowline owner list` shows the owners there are",
        ),
        (
            "host list --owner nobody",
            "there is no owner nobody",
            "`bowline owner list` shows the owners there are",
        ),
        (
            "host add x --owner ben",
            "the owner ben is switched off",
            "run `bowline owner enable ben` first",
        ),
        (
            "host set home --owner ben",
            "the owner ben is switched off",
            "run `bowline owner enable ben` first",
        ),
        (
            "owner remove anna",
            "anna has a host",
            "remove them too with --with-hosts, or give them away with `bowline host set --owner`",
        ),
    ] {
        let ran = it.run(verb);
        let hint = match hint {
            "" => String::new(),
            hint => format!("hint: {hint}\n"),
        };
        assert_eq!(
            (ran.code, ran.err),
            (1, format!("bowline: {cause}\n{hint}")),
            "{verb}"
        );
    }
    for name in ["a/b", "-a", "", "b\u{fc}ro"] {
        let mut command = it.command("owner add --");
        let output = command.arg(name).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}");
    }
    let ran = it.run("owner add carl --token AAAAAAAAAAAAAAAAAAAAAAAA");
    assert_eq!(ran.code, 2);
    assert!(!ran.err.contains("AAAA"), "{}", ran.err);
    assert_eq!(it.json("owner list").as_array().unwrap().len(), 2);
    assert_eq!(it.json("host show home")["owner"], "anna");
}

#[test]
fn a_secret_taken_over_belongs_to_one() {
    let it = Place::new();
    let secret = "an-old-secret-of-annas";
    let ran = it.run_with("owner add anna --token -", &format!("{secret}\n"));
    assert_eq!(token_line(&ran.out), secret);
    let ran = it.run_with("owner add ben --token -", secret);
    assert_eq!(ran.err, "bowline: that token is in use already\n");
    let ran = it.run_with("host add home --token -", secret);
    assert_eq!(ran.err, "bowline: that token is in use already\n");
    it.write("secret", "another-old-secret-of-annas");
    it.done("owner set anna --token @secret");
    assert_eq!(it.run_with("owner add ben --token -", secret).code, 0);
    // All that is set with one that cannot be had, or nothing.
    let ran = it.run_with(
        "owner set anna --mail a@b.example --notify none --token -",
        secret,
    );
    assert_eq!(ran.err, "bowline: that token is in use already\n");
    let anna = it.json("owner show anna");
    assert_eq!(
        (&anna["mail"], &anna["notify"]),
        (&json!(null), &json!(null))
    );
}

fn token_line(out: &str) -> &str {
    out.lines().nth(2).unwrap()
}

#[test]
fn export_and_import_carry_owners() {
    let (it, _knot) = served();
    it.done("owner add anna");
    it.done("host add home --owner anna");
    it.done("host add a.home --below");
    let list = it.done("host export");
    assert!(
        list.contains("\"owner\":\"anna\"") && list.contains("\"below\":true"),
        "{list}"
    );
    let ran = it.run_with("host import -", &list);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (0, "0 added, 0 changed, 2 unchanged, 0 new tokens\n")
    );
    it.done("host remove a.home");
    it.done("host remove home");
    it.done("owner remove anna");
    let again = list.replace("home.dyn", "flat.dyn");
    let ran = it.run_with("host import -", &again);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("there is no owner anna"), "{}", ran.err);
    it.done("owner add anna");
    let ran = it.run_with("host import -", &again.replace(",\"below\":true", ""));
    assert!(ran.err.contains("which is another owner's"), "{}", ran.err);
    assert_eq!(it.json("host list"), json!([]));
    assert_eq!(it.run_with("host import -", &again).code, 0);
    assert_eq!(it.json("host show flat")["owner"], "anna");
    let ran = it.run_with("host import -", "name,owner\nflat,a/b\n");
    assert!(
        ran.err
            .starts_with("bowline: line 2: owner = \"a/b\": an owner's name has "),
        "{}",
        ran.err
    );
}

#[test]
fn what_to_paste_for_several_hosts() {
    let it = Place::new();
    let ran = it.run("owner add anna --for ddclient");
    assert_eq!(
        ran.err,
        "hint: put the host's name in the place of home.dyn.example.org\n"
    );
    assert!(
        ran.out.ends_with("\nhome.dyn.example.org.\n"),
        "{}",
        ran.out
    );
    it.done("host add flat --owner anna");
    it.done("host add nas --owner anna");
    it.done("host add printer --owner anna --static --ipv4 192.0.2.9");
    it.done("host add old --owner anna --only ipv4");
    let all = it.done("owner rotate anna --for ddclient");
    for names in [
        "\nflat.dyn.example.org,nas.dyn.example.org,old.dyn.example.org\n",
        "\nflat.dyn.example.org.,nas.dyn.example.org.\n",
    ] {
        assert!(all.contains(names), "{all}");
    }
    it.done("host remove old");
    let both = it.done("owner rotate anna --for inadyn");
    assert!(
        both.contains(" = { \"flat.dyn.example.org\", \"nas.dyn.example.org\" }\n"),
        "{both}"
    );
    let rotated = it.json("owner rotate anna --for pfsense");
    let (token, paste) = (&rotated["token"], rotated["paste"].as_str().unwrap());
    for name in ["flat", "nas"] {
        let url = format!(
            "https://update.example.org/{}/{name}?myip=",
            token.as_str().unwrap()
        );
        assert_eq!(paste.matches(&url).count(), 1, "{paste}");
    }
    assert!(!paste.contains("printer"));
}

#[test]
fn records_go_and_come_with_their_owner() {
    let (it, knot) = served();
    let shows = |name: &str| knot.kdig(&format!("{name}.dyn.example.org"), "A");
    let none: [&str; 0] = [];
    it.done("owner add anna");
    it.done("owner add ben");
    it.done("host add home --owner anna --ipv4 203.0.113.7");
    it.done("host add printer --owner anna --static --ipv4 192.0.2.9");
    it.done("host add other --ipv4 203.0.113.8");
    let serial = knot.serial();
    assert_eq!(it.done("owner disable anna"), "anna: switched off\n");
    assert_eq!((shows("home"), shows("printer")), (vec![], vec![]));
    assert_eq!(knot.serial(), serial + 1);
    assert_eq!(it.json("host show home")["disabled"], true);
    assert!(
        it.done("host show home")
            .contains("\nowner          anna, switched off\n")
    );
    assert_eq!(it.json("host list --disabled").as_array().unwrap().len(), 2);
    let ran = it.run("host set home --ipv4 203.0.113.9");
    assert_eq!(ran.code, 1);
    assert!(
        ran.err
            .starts_with("bowline: home.dyn.example.org is switched off\n"),
        "{}",
        ran.err
    );
    it.done("host set printer --ipv4 192.0.2.10");
    let ran = it.run("host enable printer");
    let note = "note: it stays off as long as its owner is: `bowline owner enable anna`\n";
    assert_eq!((ran.code, ran.err.as_str()), (0, note));
    assert_eq!(shows("printer"), none);
    // Somebody else's host is not switched off.
    it.done("host set printer --owner ben");
    assert_eq!(shows("printer"), ["192.0.2.10"]);
    it.done("host set printer --owner -");
    it.done("owner enable anna");
    it.done("host set printer --owner anna");
    assert_eq!(
        (shows("home"), shows("printer")),
        (vec![], vec!["192.0.2.10".to_owned()])
    );
    it.done("host set home --ipv4 203.0.113.9");
    assert_eq!(shows("home"), ["203.0.113.9"]);
    assert_eq!(
        it.done("owner remove anna --with-hosts"),
        "anna: removed, with 2 hosts\n"
    );
    assert_eq!((shows("home"), shows("printer")), (vec![], vec![]));
    assert_eq!(shows("other"), ["203.0.113.8"]);
    let ran = it.run("host add home");
    assert!(ran.err.contains("its name is free again at"), "{ran:?}");
}
