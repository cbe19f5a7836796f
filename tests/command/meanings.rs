//! What a short name means where there are several zones.

use std::fs::File;

use crate::place::Place;

const ZONES: [&str; 3] = ["dyn.example.org", "sub.dyn.example.org", "dyn.example.net"];

#[test]
fn every_host_that_is_meant_is_told() {
    let it = Place::with_zones(&ZONES);
    for zone in ZONES {
        it.done(&format!("host add home.{zone}"));
    }
    let ran = it.run("host show home");
    assert_eq!(
        ran.err,
        "bowline: \"home\" could be home.dyn.example.org or home.sub.dyn.example.org or \
         home.dyn.example.net\nhint: write the name in full\n"
    );
}

/// Nobody has typed it, and nobody can.
#[test]
fn a_random_name_needs_a_zone() {
    let it = Place::with_zones(&ZONES[1..]);
    let ran = it.run("host add --random");
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (
            1,
            "bowline: a random name could be in the zone sub.dyn.example.org or dyn.example.net\n\
             hint: add --zone ZONE\n"
        )
    );
    let added = it.json("host add --random --zone dyn.example.net");
    assert_eq!(added["zone"], "dyn.example.net");
}

/// The token of a random name is lost with the name, were it not said.
#[test]
fn a_lost_token_is_that_of_a_host_with_a_name() {
    let it = Place::new();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut command = it.command("host add --random");
    let ran = command.stdout(full).output().unwrap();
    assert_eq!(ran.status.code(), Some(1));
    let hosts = it.json("host list");
    let name = hosts[0]["name"].as_str().unwrap();
    assert_eq!(
        String::from_utf8(ran.stderr).unwrap(),
        format!(
            "bowline: standard output: No space left on device (os error 28)\n\
             hint: the token is lost; make another with `bowline host rotate {name}`\n"
        )
    );
}

/// The name of another zone of ours is no short name in this one.
#[test]
fn a_name_in_full_and_another_zone_contradict_each_other() {
    let it = Place::with_zones(&ZONES);
    it.write("list", "name,zone\nhome.dyn.example.net,dyn.example.org\n");
    for (verb, place) in [
        ("host add home.dyn.example.net --zone dyn.example.org", ""),
        ("host import list --out tokens", "line 2: "),
    ] {
        let ran = it.run(verb);
        let said = format!(
            "bowline: {place}\"home.dyn.example.net\" is not in the zone dyn.example.org\n"
        );
        assert_eq!((ran.code, ran.err), (1, said), "{verb}");
    }
    assert_eq!(it.json("host list"), serde_json::json!([]));
}

/// A list from elsewhere may have the names in full that they had there.
#[test]
fn a_list_of_names_from_elsewhere_says_what_they_are_here() {
    let it = Place::new();
    it.write(
        "list",
        "name\nhome\nnas.duckdns.org\ntv.dyn.example.org\ncam.duckdns.org\n",
    );
    let said = "note: line 3: its name in full is nas.duckdns.org.dyn.example.org; of names like \
                that there are 2\n";
    for verb in [
        "host import list --dry-run",
        "host import list --out tokens",
    ] {
        let ran = it.run(verb);
        assert_eq!((ran.code, ran.err.as_str()), (0, said), "{verb}");
    }
    let ran = it.run("host import list");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
}
