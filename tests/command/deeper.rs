//! A zone below another one: names in it are answered from there, so no host stays above.

use std::fs;

use crate::place::Place;
use crate::published::serve;

/// A zone below `dyn.example.org`.
const INNER: &str = "inner.dyn.example.org";

/// A place to which zones can be added.
fn place() -> Place {
    let it = Place::new();
    fs::create_dir_all(it.file("etc/knot/bowline.d")).unwrap();
    // The form that Knot includes.
    let secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldC0=";
    let key = format!("id: bowline\n    algorithm: hmac-sha256\n    secret: {secret}\n");
    it.write("etc/tsig.key", &format!("key:\n  - {key}"));
    it
}

/// Puts the deeper zone into the configuration, as somebody did before it was refused.
fn configure_inner(it: &Place) {
    let table = format!(
        "[[zone]]\nname = \"{INNER}\"\nserver = \"127.0.0.1:9\"\nkey_file = \"tsig.key\"\n"
    );
    it.write("etc/bowline.toml", &(it.read("etc/bowline.toml") + &table));
}

#[test]
fn a_zone_that_would_hide_hosts_is_refused() {
    let it = place();
    for name in [
        "inner",
        "a.inner",
        "b.inner",
        "c.d.inner",
        "xinner",
        "inner.x",
    ] {
        it.done(&format!("host add {name}"));
    }
    let before = it.read("etc/bowline.toml");
    let add = format!("zone add {INNER} --nameserver ns1.example.org");
    let directory = it.file("etc");
    let init = format!(
        "init {INNER} --nameserver ns1.example.org --url https://update.example.org --dns knot --web none \
         --user root --dns-listen 127.0.0.1@5300 --update 127.0.0.1@5301 --config-dir {} --state-dir {}",
        directory.display(),
        it.file("state").display()
    );
    for refused in [&add, &init] {
        let ran = it.run(refused);
        assert_eq!(
            (ran.code, ran.err.as_str()),
            (
                1,
                "bowline: zone inner.dyn.example.org would hide 4 hosts of a zone above it: \
                 a.inner.dyn.example.org, b.inner.dyn.example.org, c.d.inner.dyn.example.org and 1 more\n\
                 hint: `bowline host remove` each, add the zone, then `bowline host add --again` those that \
                 go on: they are in the new zone\n"
            ),
            "{ran:?}"
        );
        assert_eq!(it.read("etc/bowline.toml"), before);
    }
    // One beside them hides nothing.
    it.done("zone add other.dyn.example.org --nameserver ns1.example.org");
    // The way that the hint shows.
    let key = it.read("etc/tsig.key");
    let knot = serve(&it);
    for name in ["inner", "a.inner", "b.inner", "c.d.inner"] {
        it.done(&format!("host remove {name}.dyn.example.org"));
    }
    drop(knot);
    it.write("etc/tsig.key", &key);
    it.done(&add);
    let added = it.json("host add a.inner.dyn.example.org --again");
    assert_eq!(added["name"], "a.inner.dyn.example.org");
    assert_eq!(
        it.json(&format!("host list --zone {INNER}"))
            .as_array()
            .unwrap()
            .len(),
        1
    );
    it.done("config check");
}

#[test]
fn a_new_name_is_in_the_deepest_zone() {
    let it = place();
    it.done("host add home");
    configure_inner(&it);
    let said = "bowline: b.inner.dyn.example.org is in the zone inner.dyn.example.org, not in dyn.example.org\n\
                hint: write the name in full, and no zone beside it\n";
    for refused in [
        "host add --zone dyn.example.org b.inner",
        "host add --zone dyn.example.org b.inner.dyn.example.org",
        "host rename home b.inner",
    ] {
        let ran = it.run(refused);
        assert_eq!((ran.code, ran.err.as_str()), (1, said), "{refused}");
    }
    let list = "name,zone,static,ipv4\nb.inner,dyn.example.org,true,203.0.113.7\n";
    let ran = it.run_with("host import -", list);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err
            .contains("line 2: b.inner.dyn.example.org is in the zone inner"),
        "{ran:?}"
    );
    let apex = it.run("host add --zone dyn.example.org inner");
    assert_eq!(apex.code, 1);
    assert!(apex.err.contains("is the zone itself"), "{apex:?}");
    assert_eq!(it.json("host list").as_array().unwrap().len(), 1);

    let added = it.json("host add b.inner.dyn.example.org");
    assert_eq!(added["name"], "b.inner.dyn.example.org");
    let added = it.json("host list --zone inner.dyn.example.org");
    assert_eq!(added[0]["name"], "b.inner.dyn.example.org");
    it.done("host add --zone dyn.example.org xinner");
}

#[test]
fn hosts_that_a_zone_hides_are_told_by_the_check() {
    let it = place();
    for name in ["home", "a.inner"] {
        it.done(&format!("host add {name}"));
    }
    configure_inner(&it);
    let ran = it.run("config check");
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (
            1,
            "bowline: zone inner.dyn.example.org hides 1 host of a zone above it: a.inner.dyn.example.org\n\
             hint: nobody sees their records: `bowline host remove` each, and `bowline host add --again` those \
             that go on: they are in the deeper zone\n"
        )
    );
    it.done("host remove a.inner.dyn.example.org");
    assert_eq!(it.done("config check"), "ok\n");
}
