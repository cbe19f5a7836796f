//! Changes beyond the limit: one is published, one is in the history, and one is told.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bowline::owner_name::OwnerName;
use bowline::registry::{Behind, Settings};
use bowline::time::Timestamp;
use serde_json::Value;

use crate::receiver::Receiver;
use crate::site::upkeep;
use crate::support::site::{Site, host_name};

const URL: &str = "http://update.example.org";

/// How many rows a table has.
fn rows(site: &Site, table: &str) -> i64 {
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let count = format!("SELECT count(*) FROM {table}");
    db.query_row(&count, [], |row| row.get(0)).unwrap()
}

/// Old and new addresses in the history of a host.
fn history(site: &Site, name: &str) -> Vec<[String; 2]> {
    let all: Value = serde_json::from_str(&site.bowline(&["history", name, "--json"])).unwrap();
    let all = all.as_array().unwrap().iter();
    all.filter(|entry| entry["family"].is_string())
        .map(|entry| [&entry["old"], &entry["new"]].map(text))
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("none").to_owned()
}

/// As if the time were over.
fn open_window(site: &Site) {
    std::fs::remove_file(site.path("state/changes.counters")).unwrap();
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    db.execute("UPDATE host SET retry_at = 1", []).unwrap();
}

#[test]
fn a_router_in_a_loop_is_told_of_once() {
    let receiver = Receiver::new();
    let site = Site::new();
    let limits = "[limits]\nchanges = \"2/1h\"\n";
    site.configure(URL, &format!("{limits}{}", receiver.table("")));
    let home = site.add("home");
    for n in 1..=2 {
        let ip = format!("203.0.113.{n}");
        assert_eq!(site.visit(&home.with(&ip)).said(), format!("200 good {ip}"));
    }
    upkeep(&site);
    receiver.take();
    let before = [rows(&site, "history"), rows(&site, "outbox")];
    for n in 0..200 {
        let ip = format!("203.0.113.{}", 66 + n % 2);
        assert_eq!(site.visit(&home.with(ip)).said(), "503 911");
    }
    let after = [rows(&site, "history"), rows(&site, "outbox")];
    assert_eq!(after, before.map(|count| count + 1));
    assert_eq!(site.dns("home"), "203.0.113.2");

    open_window(&site);
    upkeep(&site);
    assert_eq!(site.dns("home"), "203.0.113.67");
    let told = receiver.take();
    assert_eq!(told.len(), 1);
    let events = told[0].json()["events"].clone();
    assert_eq!(events.as_array().unwrap().len(), 1);
    let [event, old, new] = ["event", "last_ipv4", "ipv4"].map(|key| text(&events[0][key]));
    assert_eq!(
        [event.as_str(), &old, &new],
        ["changed", "203.0.113.2", "203.0.113.67"]
    );
    assert_eq!(
        history(&site, "home"),
        [
            ["none", "203.0.113.1"],
            ["203.0.113.1", "203.0.113.2"],
            ["203.0.113.2", "203.0.113.67"]
        ]
    );
}

#[test]
fn who_goes_to_and_fro_leaves_no_trail() {
    let receiver = Receiver::new();
    let site = Site::new();
    let limits = "[limits]\nchanges = \"1/1h\"\n";
    site.configure(URL, &format!("{limits}{}", receiver.table("")));
    let home = site.add("home");
    let [here, there] = ["203.0.113.1", "203.0.113.2"];
    for _ in 0..20 {
        let back = format!("200 good {here}");
        assert_eq!(site.visit(&home.with(here)).said(), back);
        assert_eq!(site.visit(&home.with(there)).said(), "503 911");
    }
    assert_eq!((rows(&site, "history"), rows(&site, "outbox")), (2, 2));
    assert_eq!(history(&site, "home"), [["none", here], [here, there]]);
    assert_eq!(site.dns("home"), here);
}

#[test]
fn hosts_behind_a_router_too() {
    let receiver = Receiver::new();
    let site = Site::new();
    let limits = "[limits]\nchanges = \"1/1h\"\n";
    site.configure(URL, &format!("{limits}{}", receiver.table("")));
    let home = site.add("home");
    let behind = Some(Behind {
        site: host_name("home"),
        id: "::11:22:33:44".parse().unwrap(),
    });
    site.add_with(
        "nas",
        Settings {
            behind,
            ..Settings::default()
        },
    );
    let visit = |ipv4: u32, lan: u32| {
        let query = format!("?myip=203.0.113.{ipv4}&ip6lanprefix=2001:db8:0:{lan}::/64");
        site.visit(&home.at(&query)).status
    };
    assert_eq!(visit(1, 1), 200);
    for n in 0..20 {
        assert_eq!(visit(2 + n % 2, 2 + n % 2), 503);
    }
    assert_eq!((rows(&site, "history"), rows(&site, "outbox")), (4, 4));
    assert_eq!(
        history(&site, "nas")[1],
        ["2001:db8:0:1:11:22:33:44", "2001:db8:0:3:11:22:33:44"]
    );
    assert_eq!(history(&site, "home")[1], ["203.0.113.1", "203.0.113.3"]);
    open_window(&site);
    upkeep(&site);
    assert_eq!(site.dns("nas"), "2001:db8:0:3:11:22:33:44");
    assert_eq!(site.dns("home"), "203.0.113.3");
}

#[test]
fn an_owners_list_too() {
    let receiver = Receiver::new();
    let site = Site::new();
    let limits = "[limits]\nchanges = \"1/1h\"\n";
    site.configure(URL, &format!("{limits}{}", receiver.table("")));
    let (anna, token): (OwnerName, _) = ("anna".parse().unwrap(), site.token());
    let digest = site.digest(&token);
    let now = Timestamp::now();
    (site.registry())
        .add_owner(&anna, None, &digest, now)
        .unwrap();
    for name in ["home", "nas"] {
        let owner = Some(anna.clone());
        site.add_with(
            name,
            Settings {
                owner,
                ..Settings::default()
            },
        );
    }
    let pair = STANDARD.encode(format!("anna:{}", token.secret()));
    let visit = |names: &str, n: u32| {
        site.get(&format!("/nic/update?hostname={names}&myip=203.0.113.{n}"))
            .set("HTTP_AUTHORIZATION", format!("Basic {pair}"))
            .run()
            .said()
    };
    let good = "200 good 203.0.113.1\ngood 203.0.113.1";
    assert_eq!(visit("home,nas", 1), good);
    for n in 0..20 {
        let names = ["home,nas", "nas,home", "nas"][n as usize % 3];
        assert!(visit(names, 2 + n % 2).starts_with("503 911"));
    }
    assert_eq!((rows(&site, "history"), rows(&site, "outbox")), (4, 4));
    for name in ["home", "nas"] {
        assert_eq!(history(&site, name)[1], ["203.0.113.1", "203.0.113.3"]);
    }
}
