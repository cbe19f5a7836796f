//! Zones changed at the same time, and by somebody else meanwhile.

use std::fs::{self, File};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::place::Place;

const ZONES: [&str; 3] = ["dyn.example.org", "dyn.example.net", "dyn.example.com"];

/// The TTLs in the configuration, in the order of its zones.
fn ttls(it: &Place) -> Vec<u64> {
    let zones = it.json("zone list");
    let zones = zones.as_array().unwrap().iter();
    zones.map(|zone| zone["ttl"].as_u64().unwrap()).collect()
}

#[test]
fn the_list_says_where_challenges_are_allowed() {
    let it = Place::with_zones(&ZONES[..2]);
    it.done("zone set dyn.example.net --acme");
    assert_eq!(
        it.done("zone list"),
        "dyn.example.org  server 127.0.0.1:9  ttl 60  expire never\n\
         dyn.example.net  server 127.0.0.1:9  ttl 60  expire never  acme\n"
    );
    let zones = it.json("zone list");
    let acme = |at: usize| zones[at]["acme"].as_bool();
    assert_eq!((acme(0), acme(1)), (Some(false), Some(true)));
}

#[test]
fn the_right_to_challenges_is_taken_back() {
    let it = Place::new();
    let before = it.read("etc/bowline.toml");
    // Nobody had it.
    it.done("zone set dyn.example.org --no-acme");
    assert_eq!(it.read("etc/bowline.toml"), before);
    it.done("zone set dyn.example.org --acme");
    let set = it.json("zone set dyn.example.org --no-acme");
    assert_eq!(it.json("zone list")[0]["acme"], false);
    // Somebody else's name server: that is left to its operator, after what the key has to remove.
    let next = set["next"].as_array().unwrap();
    let command = |at: usize| next[at].as_str().unwrap();
    assert!(command(0).ends_with(" status"), "{set:#}");
    let key = it.file("etc/tsig.key");
    let way = format!(
        "# let the key in {} change TXT below dyn.example.org no more;",
        key.display()
    );
    assert!(command(1).starts_with(&way), "{set:#}");
    assert_eq!(it.run("zone set dyn.example.org --acme --no-acme").code, 2);
}

#[test]
fn a_name_server_and_who_answers_are_read_with_the_arguments() {
    let it = Place::new();
    for (arguments, expected) in [
        (
            "init dyn.example.org --nameserver ns1 --url https://u.example.org",
            "'ns1' for '--nameserver <NAME>': a name server's name is given in full, like ns1.example.org",
        ),
        (
            "zone add dyn2.example.org --nameserver 192.0.2.1.",
            "it is an address, and an NS record has a name: give that, like ns1.example.org",
        ),
        (
            "zone add dyn2.example.org --nameserver 2001:db8::1",
            "'2001:db8::1' for '--nameserver <NAME>': it is an address",
        ),
        (
            "zone add dyn2.example.org --nameserver ns_1.example.org",
            "\"ns_1.example.org\" has '_'",
        ),
        (
            "init dyn.example.org --nameserver ns1.example.org --url https://u.example.org --hostmaster foo",
            "'foo' for '--hostmaster <MAIL>': write it like hostmaster@example.org",
        ),
        (
            "zone add dyn2.example.org --hostmaster foo",
            "write it like hostmaster@example.org",
        ),
    ] {
        let ran = it.run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments}");
        assert!(ran.err.contains(expected), "{arguments}: {ran:?}");
    }
}

/// What was begun beside the configuration and never finished.
fn leavings(it: &Place) -> Vec<String> {
    let names = fs::read_dir(it.file("etc")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains("-new")).collect()
}

#[test]
fn changes_at_the_same_time_are_all_kept() {
    let it = Place::with_zones(&ZONES);
    for round in 1..=20 {
        let ttl = |at: u64| round * 10 + at;
        let running: Vec<_> = (ZONES.iter().zip(0..))
            .map(|(zone, at)| {
                let mut command = it.command(&format!("zone set {zone} --ttl {}", ttl(at)));
                let quiet = command.stdout(Stdio::null()).stderr(Stdio::piped());
                quiet.spawn().unwrap()
            })
            .collect();
        for child in running {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{output:?}");
        }
        assert_eq!(ttls(&it), [ttl(0), ttl(1), ttl(2)]);
    }
    assert_eq!(leavings(&it), Vec::<String>::new());
}

#[test]
fn a_zone_is_added_once() {
    let it = Place::new();
    fs::create_dir_all(it.file("etc/knot/bowline.d")).unwrap();
    // The form that Knot includes.
    let secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldC0=";
    let key = format!("id: bowline\n    algorithm: hmac-sha256\n    secret: {secret}\n");
    it.write("etc/tsig.key", &format!("key:\n  - {key}"));
    let add = "zone add dyn2.example.org --nameserver ns1.example.org --ttl";
    let running: Vec<_> = [100, 200, 300]
        .iter()
        .map(|ttl| {
            let mut command = it.command(&format!("{add} {ttl}"));
            let quiet = command.stdout(Stdio::null()).stderr(Stdio::piped());
            quiet.spawn().unwrap()
        })
        .collect();
    let outputs = running
        .into_iter()
        .map(|child| child.wait_with_output().unwrap());
    let failed: Vec<_> = outputs.filter(|output| !output.status.success()).collect();
    assert_eq!(failed.len(), 2, "{failed:?}");
    for output in failed {
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("dyn2.example.org is there already"), "{said}");
    }
    assert_eq!(ttls(&it).len(), 2);
}

#[test]
fn one_that_does_not_end_is_not_waited_for_for_ever() {
    let it = Place::new();
    it.done("zone set dyn.example.org --ttl 70");
    let other = File::open(it.file("etc/bowline.lock")).unwrap();
    other.lock().unwrap();
    let before = it.read("etc/bowline.toml");
    let began = Instant::now();
    let ran = it.run("zone set dyn.example.org --ttl 80");
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.starts_with(&format!(
            "bowline: another bowline is changing the files in {}\nhint: nothing was changed",
            it.file("etc").display()
        )),
        "{ran:?}"
    );
    assert!(began.elapsed() < Duration::from_secs(20));
    assert_eq!(it.read("etc/bowline.toml"), before);
    // The kernel gives it back when its holder ends.
    drop(other);
    it.done("zone set dyn.example.org --ttl 80");
    assert_eq!(ttls(&it), [80]);
}

#[test]
fn what_a_killed_one_left_is_in_nobodys_way() {
    let it = Place::new();
    fs::create_dir(it.file("etc/bowline.toml.bowline-new")).unwrap();
    it.done("zone set dyn.example.org --ttl 70");
    assert_eq!(ttls(&it), [70]);
}

/// Silence could be taken for a mistake.
#[test]
fn what_was_done_is_said() {
    let it = Place::with_zones(&ZONES[..2]);
    assert_eq!(
        it.done("zone set dyn.example.net --expire 30d"),
        "dyn.example.net: set\n"
    );
    assert_eq!(
        it.done("zone set dyn.example.net --ttl 2m"),
        "dyn.example.net: set\n\nMind\n  the TTL takes effect with each host's next address\n"
    );
}

/// As a host's name is.
#[test]
fn an_international_zone_is_shown_as_both() {
    let it = Place::with_zones(&["bücher.example.org"]);
    let both = "xn--bcher-kva.example.org (bücher.example.org)";
    assert!(
        it.done("zone list")
            .starts_with(&format!("{both}  server "))
    );
    assert!(it.done("zone show").starts_with(&format!("Zone {both}\n")));
    assert_eq!(it.json("zone list")[0]["name"], "xn--bcher-kva.example.org");

    it.done("host add nas --ipv4 203.0.113.7");
    let status = it.done("status");
    let lines = [
        format!("zone           {both}: 1 host"),
        "pending        nas.xn--bcher-kva.example.org (nas.bücher.example.org) for ".to_owned(),
    ];
    for line in lines {
        assert!(
            status.lines().any(|other| other.starts_with(&line)),
            "{status}"
        );
    }
    let status = it.json("status");
    assert_eq!(status["zones"][0]["name"], "xn--bcher-kva.example.org");
    assert!(status["zones"][0].get("shown").is_none());
}
