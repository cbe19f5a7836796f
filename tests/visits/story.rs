//! The plain story: a name follows its address.

use bowline::registry::Rename;
use bowline::span::Span;
use bowline::time::Timestamp;
use bowline::ttl::Ttl;

use crate::support::knot::ZONE;
use crate::support::site::{CLIENT, Site, host_name};

#[test]
fn a_name_follows_its_address() {
    let site = Site::new();
    let home = site.add("home");
    for (path, said, dns) in [
        ("?myip=203.0.113.7", "200 good 203.0.113.7", "203.0.113.7"),
        ("?myip=203.0.113.7", "200 nochg 203.0.113.7", "203.0.113.7"),
        ("?myip=203.0.113.7", "200 nochg 203.0.113.7", "203.0.113.7"),
        ("?ip=203.0.113.8", "200 good 203.0.113.8", "203.0.113.8"),
        (
            "?myip=2001:db8::8",
            "200 good 2001:db8::8",
            "203.0.113.8,2001:db8::8",
        ),
        (
            "?myip=203.0.113.9,2001%3Adb8%3A%3A9",
            "200 good 203.0.113.9,2001:db8::9",
            "203.0.113.9,2001:db8::9",
        ),
        (
            "?myipv6=2001:db8::9&myip=203.0.113.9",
            "200 nochg 203.0.113.9,2001:db8::9",
            "203.0.113.9,2001:db8::9",
        ),
        ("?ipv6=-", "200 good", "203.0.113.9"),
        (
            "?ipv6=-&ipv4=203.0.113.10",
            "200 good 203.0.113.10",
            "203.0.113.10",
        ),
        ("?clear=true", "200 good", ""),
        ("?clear=true", "200 nochg", ""),
        ("", "200 good 198.51.100.4", CLIENT),
        ("/", "200 nochg 198.51.100.4", CLIENT),
        ("?offline=yes", "200 good", ""),
        (
            "?myip=::ffff:203.0.113.7",
            "200 good 203.0.113.7",
            "203.0.113.7",
        ),
        (
            "?myip=192.168.0.1&ipv6=2001:db8::1",
            "200 good 2001:db8::1",
            "203.0.113.7,2001:db8::1",
        ),
    ] {
        let response = site.visit(&home.at(path));
        assert_eq!(response.said(), said, "{path}");
        assert_eq!(site.dns("home"), dns, "{path}");
        assert_eq!(site.wish(&home), dns, "{path}");
        assert_eq!(
            response.headers["content-type"],
            "text/plain; charset=utf-8"
        );
    }
    let removed = site
        .get(&home.at("?ipv6=2001:db8::1"))
        .method("DELETE")
        .run();
    assert_eq!(
        (removed.said(), site.dns("home")),
        ("200 good".into(), "203.0.113.7".into())
    );
    let removed = site.get(&home.at("")).method("DELETE").run();
    assert_eq!(
        (removed.said(), site.dns("home")),
        ("200 good".into(), String::new())
    );
    assert!(site.registry().pending().unwrap().is_empty());
    assert!(
        site.last_line()
            .contains(" update host=home.dyn.example.org result=good client=198.51.100.4 ms="),
        "{}",
        site.last_line()
    );
}

#[test]
fn both_families_move_in_one_update() {
    let site = Site::new();
    let home = site.add("home");
    let serial = site.knot.serial();
    assert_eq!(
        site.visit(&home.with("203.0.113.7,2001:db8::7")).status,
        200
    );
    assert_eq!(site.knot.serial(), serial + 1);
    assert_eq!(site.host(&home).fact.serial, Some(serial + 1));
    assert_eq!(site.visit(&home.at("?clear=true")).said(), "200 good");
    assert_eq!(
        (site.dns("home"), site.knot.serial()),
        (String::new(), serial + 2)
    );
}

#[test]
fn the_client_is_whom_the_proxy_names() {
    let site = Site::new();
    let home = site.add("home");
    let from = |list: &str| site.get(&home.at("")).from(list).run().said();
    assert_eq!(from("6.6.6.6, 203.0.113.1"), "200 good 203.0.113.1");
    assert_eq!(from("2001:db8::1"), "200 good 2001:db8::1");
    assert_eq!(from("203.0.113.2, 127.0.0.1"), "200 good 203.0.113.2");
    assert_eq!(site.dns("home"), "203.0.113.2,2001:db8::1");
    let direct = site
        .get(&home.at(""))
        .set("REMOTE_ADDR", "203.0.113.3")
        .run();
    assert_eq!(direct.said(), "200 good 203.0.113.3");
    for nobody in ["", "unknown", "127.0.0.1"] {
        assert_eq!(from(nobody), "503 911", "{nobody}");
        assert!(site.last_line().contains(" hint=\"check [client] header"));
    }
    assert_eq!(site.dns("home"), "203.0.113.3,2001:db8::1");
}

#[test]
fn names_in_the_request() {
    let site = Site::new();
    let home = site.add("home");
    site.add("other");
    let set = "?myip=203.0.113.7";
    assert_eq!(site.visit(&home.at(set)).status, 200);
    for (path, said) in [
        ("/home?myip=203.0.113.7", "200 nochg 203.0.113.7"),
        ("/home/?myip=203.0.113.7", "200 nochg 203.0.113.7"),
        (
            "/HOME.dyn.example.org?myip=203.0.113.7",
            "200 nochg 203.0.113.7",
        ),
        (
            "/home.dyn.example.org.?myip=203.0.113.7",
            "200 nochg 203.0.113.7",
        ),
        ("?hostname=home&myip=203.0.113.7", "200 nochg 203.0.113.7"),
        (
            "/home?hostname=home.dyn.example.org&myip=203.0.113.7",
            "200 nochg 203.0.113.7",
        ),
        ("?hostname=&myip=203.0.113.7", "200 nochg 203.0.113.7"),
        (
            "?hostname=<domain>&myip=203.0.113.7",
            "200 nochg 203.0.113.7",
        ),
        ("/other?myip=203.0.113.8", "403 nohost"),
        ("/?hostname=other&myip=203.0.113.8", "403 nohost"),
        ("?hostname=home,other&myip=203.0.113.8", "403 nohost"),
        ("/home?hostname=other&myip=203.0.113.8", "403 nohost"),
        ("/home.example.com?myip=203.0.113.8", "403 nohost"),
        ("/%ff?myip=203.0.113.8", "403 nohost"),
        ("/home/more?myip=203.0.113.8", "404 badauth"),
    ] {
        assert_eq!(site.visit(&home.at(path)).said(), said, "{path}");
    }
    assert_eq!(
        (site.dns("home"), site.dns("other")),
        ("203.0.113.7".into(), String::new())
    );
}

#[test]
fn a_renamed_host_keeps_its_old_name_for_a_while() {
    let site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.7")).status, 200);
    let rename = |to: &str, keep| {
        site.registry()
            .rename(
                home.id,
                &Rename {
                    to: host_name(to),
                    keep,
                    reuse: Span::ZERO,
                    below: false,
                },
                Ttl::DEFAULT,
                Timestamp::now(),
            )
            .unwrap();
    };
    rename("villa", Span::from_days(30));
    // The rename is only a wish so far; any visit publishes it.
    assert_eq!(
        site.visit(&home.at("/home?myip=203.0.113.7")).said(),
        "200 good 203.0.113.7"
    );
    assert_eq!(
        (site.dns("home"), site.dns("villa")),
        ("203.0.113.7".into(), "203.0.113.7".into())
    );
    for name in [
        "/villa",
        "/home",
        "?hostname=home",
        "?hostname=home.dyn.example.org",
    ] {
        let path = home.at(name);
        let query = if path.contains('?') { "&" } else { "?" };
        let response = site.visit(&format!("{path}{query}myip=203.0.113.8"));
        assert_eq!(response.status, 200, "{name}");
    }
    assert_eq!(
        (site.dns("home"), site.dns("villa")),
        ("203.0.113.8".into(), "203.0.113.8".into())
    );
    rename("castle", Span::ZERO);
    assert_eq!(
        site.visit(&home.at("/villa?myip=203.0.113.8")).said(),
        "403 nohost"
    );
    assert_eq!(
        site.visit(&home.with("203.0.113.8")).said(),
        "200 good 203.0.113.8"
    );
    assert_eq!(site.dns("villa"), "");
    assert_eq!(
        (site.dns("home"), site.dns("castle")),
        ("203.0.113.8".into(), "203.0.113.8".into())
    );
}

#[test]
fn json_for_those_who_ask_for_it() {
    let site = Site::new();
    let home = site.add("home");
    let ask = |path: &str| site.get(path).set("HTTP_ACCEPT", "application/json").run();
    let both = home.with("203.0.113.7,2001:db8::7");
    let good = ask(&both);
    assert_eq!(good.headers["content-type"], "application/json");
    let json: serde_json::Value = serde_json::from_str(&good.body).unwrap();
    assert_eq!(
        json,
        serde_json::json!({"status": "good", "host": format!("home.{ZONE}"),
            "ipv4": "203.0.113.7", "ipv6": "2001:db8::7"})
    );
    assert!(ask(&both).body.contains("\"nochg\""));
    let bad = ask(&home.with("10.0.0.1"));
    assert_eq!((bad.status, bad.body.contains("\"badip\"")), (503, true));
    assert_eq!(site.dns("home"), "203.0.113.7,2001:db8::7");
    assert_eq!(ask("/ip").body, "{\"ip\":\"198.51.100.4\"}\n");
}

#[test]
fn fixed_paths() {
    let mut site = Site::new();
    site.add("home");
    assert_eq!(site.visit("/ip").said(), "200 198.51.100.4");
    assert_eq!(
        site.get("//ip/?x").from("2001:DB8::1").run().said(),
        "200 2001:db8::1"
    );
    assert_eq!(site.get("/ip").from("").run().said(), "503 911");
    let head = site.get("/ip").method("HEAD").run();
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(site.get("/ip").method("POST").run().status, 405);

    let health = || {
        // The result is shared for five seconds.
        let _ = std::fs::remove_file(site.path("state/locks/health"));
        site.visit("/healthz")
    };
    assert_eq!(health().said(), "200 ok");
    site.knot.pause();
    assert_eq!(site.visit("/healthz").said(), "200 ok");
    let silent = health();
    assert_eq!(silent.said(), "503 name server");
    assert!(silent.took.own.as_millis() < 1500, "{:?}", silent.took);
    site.knot.resume();
    assert_eq!(site.visit("/healthz").said(), "503 name server");
    assert_eq!(health().said(), "200 ok");
    std::fs::rename(site.registry_file(), site.path("elsewhere")).unwrap();
    assert_eq!(health().said(), "503 registry");
    std::fs::rename(site.path("elsewhere"), site.registry_file()).unwrap();
    std::fs::remove_file(site.path("state/locks/health")).unwrap();
    site.knot.stop();
    let dead = site.visit("/healthz");
    assert_eq!(dead.said(), "503 name server");
    assert!(dead.took.own.as_millis() < 1000, "{:?}", dead.took);
}

/// Whoever has two addresses may go on telling one of them alone; that shows.
#[test]
fn of_each_family_it_is_known_when_it_was_heard() {
    let site = Site::new();
    let home = site.add("home");
    let shown = || -> [serde_json::Value; 3] {
        let shown = site.bowline(&["host", "show", "home", "--json"]);
        let mut shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        ["last_seen", "last_seen_ipv4", "last_seen_ipv6"].map(|key| shown[key].take())
    };
    let visit = |query: &str| assert_eq!(site.visit(&home.at(query)).status, 200, "{query}");
    let never = serde_json::Value::Null;
    assert_eq!(shown(), [never.clone(), never.clone(), never.clone()]);
    visit("?myip=203.0.113.7");
    let [all, ipv4, ipv6] = shown();
    assert_eq!((&all, &never), (&ipv4, &ipv6));
    assert_ne!(all, never);

    // The other one is news within the hour too, that it went as well; nothing else is then.
    visit("?myipv6=2001:db8::1");
    let ago = "UPDATE host SET last_seen = last_seen - 600, heard_ipv4 = heard_ipv4 - 7200,
               heard_ipv6 = last_seen - 600";
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    db.execute(ago, []).unwrap();
    let before = shown();
    visit("?myipv6=2001:db8::1");
    assert_eq!(shown(), before);
    visit("?myip=203.0.113.7");
    let after = shown();
    assert!(after[1] != before[1] && after[2] == before[2], "{after:?}");
    visit("?myip=-");
    assert_eq!(site.dns("home"), "2001:db8::1");
    let lines = site.bowline(&["host", "show", "home"]);
    for family in ["ipv4", "ipv6"] {
        let line = format!("{family} last seen 20");
        assert!(lines.contains(&line), "{line}: {lines}");
    }
}
