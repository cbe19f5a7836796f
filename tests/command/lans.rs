//! Hosts behind a router: `--behind` and `--interface-id`.

use serde_json::json;

use crate::place::Place;

#[test]
fn behind_and_away_again() {
    let it = Place::new();
    it.done("host add home");
    let ran = it.run("host add nas --behind home --interface-id ::11:22:33:44");
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (
            0,
            "note: it gets its IPv6 address when home.dyn.example.org next tells its prefix, \
             with ip6lanprefix= in its URL\n"
        )
    );
    it.done("host add tv --behind home.dyn.example.org --interface-id 00-11-32-AA-BB-CC");
    let shown = it.done("host show nas");
    assert!(
        shown.contains("\nbehind         home.dyn.example.org at ::11:22:33:44\n"),
        "{shown}"
    );
    let shown = it.json("host show tv");
    assert_eq!(shown["behind"], "home.dyn.example.org");
    assert_eq!(shown["interface_id"], "::211:32ff:feaa:bbcc");
    let behind = json!(["nas.dyn.example.org", "tv.dyn.example.org"]);
    assert_eq!(it.json("host show home")["hosts_behind"], behind);
    let shown = it.done("host show home");
    let lines = "\nbehind it      nas.dyn.example.org\nbehind it      tv.dyn.example.org\n";
    assert!(shown.contains(lines), "{shown}");

    // Each half alone, where the other is there.
    it.done("host add gate");
    it.done("host set nas --behind gate");
    it.done("host set nas --interface-id ::5");
    let shown = it.json("host show nas");
    assert_eq!(shown["behind"], "gate.dyn.example.org");
    assert_eq!(shown["interface_id"], "::5");
    it.done("host rename gate villa");
    assert_eq!(it.json("host show nas")["behind"], "villa.dyn.example.org");
    it.done("host set nas --note shelf");
    assert_eq!(it.json("host show nas")["interface_id"], "::5");
    let ran = it.run("host set nas --behind -");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let shown = it.json("host show nas");
    assert_eq!(
        (&shown["behind"], &shown["interface_id"]),
        (&json!(null), &json!(null))
    );
    // With the router goes what is behind it, but not from the registry.
    let ran = it.run("host remove home");
    let note =
        "note: tv.dyn.example.org was behind it, keeps its addresses, and is behind nothing now\n";
    assert!(ran.code == 0 && ran.err.starts_with(note), "{ran:?}");
    assert_eq!(it.json("host show tv")["behind"], json!(null));
}

#[test]
fn what_cannot_be() {
    let it = Place::with_zones(&["dyn.example.org", "dyn.example.net"]);
    for host in ["home.dyn.example.org", "flat.dyn.example.org"] {
        it.done(&format!("host add {host}"));
    }
    it.done("owner add anna");
    it.done("host add fixed.dyn.example.org --static --ipv4 203.0.113.7");
    it.done("host add nas.dyn.example.net --behind home.dyn.example.org --interface-id ::1");
    for (arguments, code, why) in [
        (
            "host add tv.dyn.example.org --behind home",
            2,
            "--interface-id",
        ),
        (
            "host add tv.dyn.example.org --interface-id ::1",
            2,
            "--behind",
        ),
        (
            "host add tv.dyn.example.org --behind home --interface-id ::",
            2,
            "no bit set",
        ),
        (
            "host add tv.dyn.example.org --behind home --interface-id 1.2.3.4",
            2,
            "write it like ::11:22:33:44",
        ),
        (
            "host add tv.dyn.example.org --behind home --interface-id 2001:db8:1:2::5",
            2,
            "try ::5",
        ),
        (
            "host add tv.dyn.example.org --behind home --interface-id ::1 --static --ipv4 203.0.113.7",
            2,
            "--static",
        ),
        (
            "host add tv.dyn.example.org --behind none --interface-id ::1",
            1,
            "there is no host \"none\"",
        ),
        (
            "host add tv.dyn.example.org --behind nas --interface-id ::1",
            1,
            "cannot be behind nas.dyn.example.net: that would be a chain of three\nhint: name the host",
        ),
        (
            "host add tv.dyn.example.org --behind fixed --interface-id ::1",
            1,
            "one of them is static",
        ),
        (
            "host add tv.dyn.example.org --behind home --interface-id ::1 --owner anna",
            1,
            "different owners\nhint: change that first, or do without --behind\n",
        ),
        (
            "host add tv.dyn.example.org --behind home --interface-id ::1 --only ipv4",
            1,
            "it has IPv4 only",
        ),
        (
            "host set home --behind home --interface-id ::1",
            1,
            "they are the same host\n",
        ),
        (
            "host set home --behind flat --interface-id ::1",
            1,
            "chain of three",
        ),
        (
            "host set home --owner anna",
            1,
            "nas.dyn.example.net cannot be behind home.dyn.example.org: they have different owners",
        ),
        (
            "host set nas --static --ipv4 203.0.113.8",
            1,
            "one of them is static",
        ),
        (
            "host set flat --behind home",
            1,
            "its interface identifier is not known\nhint: add --interface-id",
        ),
        (
            "host set flat --interface-id ::1",
            1,
            "it is behind no other host\nhint: ",
        ),
        (
            "host set nas --behind - --interface-id ::1",
            1,
            "it is behind no other host",
        ),
    ] {
        let ran = it.run(arguments);
        assert_eq!(ran.code, code, "{arguments}: {ran:?}");
        assert!(ran.err.contains(why), "{arguments}: {}", ran.err);
    }
    let names = it.done("host export");
    assert!(!names.contains("tv.dyn"), "{names}");
    it.done("host set nas --owner anna --behind -");
}

#[test]
fn lists_have_it_in_any_order() {
    let it = Place::new();
    it.write(
        "list",
        "name,behind,interface_id,only\nnas,zuhause,00:11:32:aa:bb:cc,ipv6\nzuhause,,,\n",
    );
    it.done("host import list --out tokens");
    let exported = it.done("host export");
    assert!(
        exported.contains(
            "\"behind\":\"zuhause.dyn.example.org\",\"interface_id\":\"::211:32ff:feaa:bbcc\""
        ),
        "{exported}"
    );
    let ran = it.run_with("host import -", &exported);
    assert_eq!(
        ran.out, "0 added, 0 changed, 2 unchanged, 0 new tokens\n",
        "{ran:?}"
    );
    let other = Place::new();
    other.write("etc/lookup.key", &it.read("etc/lookup.key"));
    std::fs::remove_file(other.file("state/bowline.db")).unwrap();
    let key = bowline::token::LookupKey::load(&other.file("etc/lookup.key")).unwrap();
    bowline::registry::Registry::create(&other.file("state/bowline.db"), key).unwrap();
    assert_eq!(other.run_with("host import -", &exported).code, 0);
    assert_eq!(other.done("host export"), exported);

    for (row, why) in [
        (
            "{\"name\":\"tv\",\"behind\":\"zuhause\"}",
            "line 1: its interface identifier",
        ),
        (
            "{\"name\":\"tv\",\"interface_id\":\"::1\"}",
            "line 1: it is behind no other host",
        ),
        (
            "{\"name\":\"tv\",\"behind\":\"none\",\"interface_id\":\"::1\"}",
            "no host \"none.dyn",
        ),
        (
            "{\"name\":\"tv\",\"behind\":\"nas\",\"interface_id\":\"::1\"}",
            "chain of three",
        ),
        (
            "{\"name\":\"tv\",\"behind\":true,\"interface_id\":\"::1\"}",
            "write a string",
        ),
        (
            "{\"name\":\"tv\",\"behind\":\"zuhause\",\"interface_id\":\"x\"}",
            "write it like",
        ),
        ("{\"name\":\"nas\",\"behind\":\"nas\"}", "the same host"),
    ] {
        let ran = it.run_with("host import - --out more", row);
        assert_eq!(ran.code, 1, "{row}: {ran:?}");
        assert!(ran.err.contains(why), "{row}: {}", ran.err);
        assert_eq!(it.done("host export"), exported);
    }
}

#[test]
fn a_fritzbox_is_told_to_tell_its_prefix() {
    let it = Place::new();
    const PREFIX: &str = "?myip=<ipaddr>&myipv6=<ip6addr>&ip6lanprefix=<ip6lanprefix>\n";
    assert!(!it.done("host add home --for fritzbox").contains("prefix"));
    it.done("host add nas --behind home --interface-id ::1");
    assert!(it.done("host show home --for fritzbox").contains(PREFIX));
    assert!(it.done("host rotate home --for fritzbox").contains(PREFIX));
    assert!(!it.done("host show nas --for fritzbox").contains("prefix"));
    it.done("owner add anna");
    it.done("host set nas --behind - --owner anna");
    it.done("host set home --owner anna");
    it.done("host set nas --behind home --interface-id ::1");
    let pasted = it.done("owner rotate anna --for fritzbox");
    assert_eq!(pasted.matches(PREFIX).count(), 1, "{pasted}");
    // It stays below what routers have room for.
    let long = ["a".repeat(60), "b".repeat(60), "c".repeat(12)].join(".");
    it.done(&format!("host add {long}"));
    it.done("host set nas --behind - --owner -");
    it.done(&format!("host set nas --behind {long} --interface-id ::1"));
    let paste = it.done(&format!("host show {long} --for fritzbox"));
    let url = paste
        .lines()
        .find(|line| line.starts_with("Update URL"))
        .unwrap();
    assert!(url.contains("/TOKEN?myip="), "{url}");
}

#[test]
fn one_host_too_many_behind_another_is_named_with_its_line() {
    let it = Place::new();
    let mut list = "name,behind,interface_id\nhome,,\n".to_owned();
    for number in 1..=251 {
        list += &format!("h{number:03},home,::{number:x}\n");
    }
    list += "other,,\n";
    let ran = it.run_with("host import - --dry-run --out tokens", &list);
    let expected = "bowline: line 253: h251.dyn.example.org cannot be behind \
                    home.dyn.example.org: 250 hosts are there already\n";
    assert_eq!((ran.code, ran.err.as_str()), (1, expected));
    let ran = it.run_with(
        "host import - --dry-run --out tokens",
        &list.replace("h251,home,::fb\n", ""),
    );
    assert_eq!(ran.code, 0, "{ran:?}");
}
