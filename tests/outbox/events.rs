//! Which events are told, of which hosts, and to whom.

use bowline::config::Config;
use bowline::event::Events;
use bowline::registry::Settings;
use bowline::span::Span;
use bowline::time::Timestamp;

use crate::receiver::Receiver;
use crate::site::{site, steady_for, upkeep, waiting};
use crate::support::site::{Home, Site};

/// Sets a column of a host.
fn set(site: &Site, home: &Home, what: &str, seconds_ago: i64) {
    let then = Timestamp::now().seconds() - seconds_ago;
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let set = format!("UPDATE host SET {what} WHERE id = ?1");
    db.execute(&set, (home.id.number(), then)).unwrap();
}

/// What the receiver was told in one round.
fn told(site: &Site, receiver: &Receiver) -> Vec<String> {
    upkeep(site);
    let posts = receiver.take();
    posts.iter().flat_map(|post| post.events()).collect()
}

#[test]
fn nothing_is_written_where_nothing_is_configured() {
    let site = site("");
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    let asked = home.at("?myip=203.0.113.2&notify_change=1");
    assert_eq!(site.visit(&asked).status, 200);
    assert_eq!(waiting(&site), 0);
    assert_eq!(upkeep(&site), [0, 0, 0]);
}

#[test]
fn a_host_its_owner_and_the_visit_may_choose() {
    let receiver = Receiver::new();
    let site = site(&receiver.table("events = [\"silent\"]"));
    let with = |name: &str, events: &str| {
        let notify: Option<Events> = Some(events.parse().unwrap());
        site.add_with(
            name,
            Settings {
                notify,
                ..Settings::default()
            },
        )
    };
    let (plain, all, none) = (site.add("plain"), with("all", "all"), with("none", "none"));
    let owned = site.add("owned");
    site.bowline(&["owner", "add", "anna"]);
    site.bowline(&["host", "set", "owned", "--owner", "anna"]);
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    db.execute("UPDATE owner SET notify = 'changed'", [])
        .unwrap();
    for (home, query, expected) in [
        (&plain, "", None),
        (
            &plain,
            "&notify_change=1",
            Some("changed plain.dyn.example.org"),
        ),
        (&plain, "&notify_change=0", None),
        (&all, "", Some("changed all.dyn.example.org")),
        (&all, "&notify_change=", Some("changed all.dyn.example.org")),
        (&all, "&notify_change=0", None),
        (&none, "", None),
        (&owned, "", Some("changed owned.dyn.example.org")),
    ] {
        let n = Timestamp::now().seconds() as u32 % 100 + 100;
        let at = home.at(&format!("?myip=203.0.113.{n}{query}"));
        let back = home.at("?myip=203.0.113.1&notify_change=0");
        assert_eq!(site.visit(&back).status, 200);
        assert_eq!(site.visit(&at).status, 200);
        let expected: Vec<String> = expected.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(told(&site, &receiver), expected, "{} {query}", home.name);
    }
}

#[test]
fn expiry_and_silence_are_told_once() {
    let receiver = Receiver::new();
    let site = site(&receiver.table("events = [\"expired\", \"silent\"]"));
    let expire = Some(Span::from_days(2));
    let brief = site.add_with(
        "brief",
        Settings {
            expire,
            ..Settings::default()
        },
    );
    let hourly = site.add("hourly");
    let weekly = site.add("weekly");
    for home in [&brief, &hourly, &weekly] {
        assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
        set(&site, home, "created = ?2, usual = 3600", 90 * 86_400);
    }
    set(
        &site,
        &weekly,
        "usual = 7 * 86400, last_seen = ?2",
        8 * 86_400,
    );
    upkeep(&site);
    steady_for(&site, Span::from_days(30));
    assert!(told(&site, &receiver).is_empty());
    set(
        &site,
        &brief,
        "usual = NULL, last_seen = ?2, last_change = ?2, wish_at = ?2",
        3 * 86_400,
    );
    set(&site, &hourly, "last_seen = ?2", 5 * 3600);
    assert_eq!(told(&site, &receiver), ["expired brief.dyn.example.org"]);
    assert_eq!(site.dns("brief"), "");
    set(&site, &hourly, "last_seen = ?2", 7 * 3600);
    assert_eq!(told(&site, &receiver), ["silent hourly.dyn.example.org"]);
    assert!(told(&site, &receiver).is_empty());
    // It was heard and is silent again.
    set(
        &site,
        &hourly,
        "silent_told = last_seen - 1, usual = 3600, wish_at = ?2",
        0,
    );
    assert_eq!(told(&site, &receiver), ["silent hourly.dyn.example.org"]);
    // After a gap in upkeep nobody could be heard.
    set(&site, &hourly, "silent_told = NULL, wish_at = ?2", 0);
    steady_for(&site, Span::from_seconds(3600));
    assert!(told(&site, &receiver).is_empty());
}

/// One of two addresses goes stale, while the other is told as ever.
#[test]
fn silence_of_one_family_is_told_once() {
    const HOUR: i64 = 3600;
    let receiver = Receiver::new();
    let site = site(&receiver.table("events = [\"silent\"]"));
    let home = site.add("home");
    let visit = |addresses: &str| {
        let reply = site.visit(&home.at(&format!("?myip={addresses}")));
        assert_eq!(reply.status, 200, "{addresses}");
    };
    let both_heard = |ago| {
        // Every hour until then.
        let habit = "usual = 3600, usual_ipv4 = 3600, usual_ipv6 = 3600";
        let times = "last_seen = ?2, heard_ipv4 = ?2, heard_ipv6 = ?2";
        set(&site, &home, &format!("{habit}, {times}"), ago);
    };
    visit("203.0.113.1,2001:db8::1");
    set(&site, &home, "created = ?2", 90 * 24 * HOUR);
    upkeep(&site);
    steady_for(&site, Span::from_days(30));

    both_heard(5 * HOUR);
    visit("2001:db8::1");
    assert!(told(&site, &receiver).is_empty());
    both_heard(7 * HOUR);
    visit("2001:db8::1");
    upkeep(&site);
    let posts = receiver.take();
    let [post] = posts.as_slice() else {
        panic!("{} posts", posts.len());
    };
    assert_eq!(post.events(), ["silent home.dyn.example.org"]);
    assert!(post.body.contains("but with no IPv4 address since "));
    assert_eq!(site.dns("home"), "203.0.113.1,2001:db8::1");
    visit("2001:db8::1");
    assert!(told(&site, &receiver).is_empty());

    // It comes again, and then the other one does not.
    both_heard(7 * HOUR);
    set(&site, &home, "silent_told = ?2", 8 * HOUR);
    visit("203.0.113.1");
    upkeep(&site);
    let body = receiver.take().remove(0).body;
    assert!(body.contains("but with no IPv6 address since "), "{body}");

    // Now nothing at all is heard of it: that is told once, not for each family as well.
    both_heard(7 * HOUR);
    set(&site, &home, "silent_told = ?2", 8 * HOUR);
    assert_eq!(told(&site, &receiver), ["silent home.dyn.example.org"]);

    // A pause that is usual, and a family without an address.
    let forget = "silent_told = NULL, usual_ipv4 = 604800, wish_at = ?2";
    both_heard(7 * HOUR);
    set(&site, &home, forget, 0);
    visit("2001:db8::1");
    assert!(told(&site, &receiver).is_empty());
    visit("203.0.113.1&myipv6=-");
    both_heard(7 * HOUR);
    set(&site, &home, forget, 0);
    visit("203.0.113.1");
    assert!(told(&site, &receiver).is_empty());
    assert_eq!(site.dns("home"), "203.0.113.1");
}

#[test]
fn a_pause_is_learned_from_visits() {
    let receiver = Receiver::new();
    let site = site(&receiver.table(""));
    let home = site.add("home");
    let usual = || -> Option<i64> {
        let db = rusqlite::Connection::open(site.registry_file()).unwrap();
        let all = "SELECT usual, usual_ipv4, usual_ipv6 FROM host";
        let [host, ipv4, ipv6] = db
            .query_row(all, [], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))
            .unwrap();
        // It was never heard of the other one.
        assert_eq!((ipv4, ipv6), (host, None));
        host
    };
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    assert_eq!(usual(), None);
    for (pause, expected) in [(7200, 7200), (86_400, 86_400), (3 * 86_400, 3 * 86_400)] {
        set(&site, &home, "last_seen = ?2, heard_ipv4 = ?2", pause);
        assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
        assert!(
            (expected..expected + 60).contains(&usual().unwrap()),
            "{:?}",
            usual()
        );
    }
    // Thirty days of daily visits forget most of it.
    for _ in 0..30 {
        set(&site, &home, "last_seen = ?2, heard_ipv4 = ?2", 86_400);
        assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    }
    assert!(
        (86_400..1.3 as i64 * 86_400 + 60_000).contains(&usual().unwrap()),
        "{:?}",
        usual()
    );
}

#[test]
fn pending_is_told_once_and_not_before_its_time() {
    let receiver = Receiver::new();
    let mut site = site(&format!(
        "[notify]\npending = \"10m\"\n{}",
        receiver.table("events = [\"pending\"]")
    ));
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    site.knot.stop();
    assert!(site.visit(&home.with("203.0.113.2")).is_pending());
    let back = |seconds: i64| {
        set(&site, &home, "wish_at = ?2, fact_at = ?2 - 1", seconds);
        let db = rusqlite::Connection::open(site.registry_file()).unwrap();
        db.execute("UPDATE history SET at = at - ?1", [seconds])
            .unwrap();
    };
    assert!(told(&site, &receiver).is_empty());
    back(660);
    assert_eq!(told(&site, &receiver), ["pending home.dyn.example.org"]);
    assert!(told(&site, &receiver).is_empty());
    // It moves on, in vain: that is the same trouble.
    assert!(site.visit(&home.with("203.0.113.3")).is_pending());
    back(660);
    assert!(told(&site, &receiver).is_empty());
    site.knot.restart();
    assert!(told(&site, &receiver).is_empty());
    assert_eq!(site.dns("home"), "203.0.113.3");
}

#[test]
fn mended_is_told_whoever_mends() {
    let receiver = Receiver::new();
    let site = site(&receiver.table("events = [\"mended\"]"));
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    assert!(told(&site, &receiver).is_empty());
    for who in ["compares", "looks again", "visits"] {
        site.knot.set("home 60 A 192.0.2.66");
        match who {
            "visits" => assert_eq!(
                site.visit(&home.with("203.0.113.1")).said(),
                "200 good 203.0.113.1"
            ),
            // An UPDATE of it was not answered.
            "looks again" => set(&site, &home, "unconfirmed = ?2", 0),
            _ => {}
        }
        upkeep(&site);
        let posts = receiver.take();
        assert_eq!(posts.len(), 1, "{who}");
        let event = &posts[0].json()["events"][0];
        assert_eq!(event["event"], "mended");
        assert_eq!(event["ipv4"], "203.0.113.1");
        let reason = event["reason"].as_str().unwrap();
        assert!(
            reason.contains("the name server had") && reason.contains("192.0.2.66"),
            "{reason}"
        );
        assert_eq!(site.dns("home"), "203.0.113.1");
    }
}

#[test]
fn an_old_token_still_in_use_is_told_once() {
    let receiver = Receiver::new();
    let site = site(&receiver.table("events = [\"old-token\"]"));
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    site.bowline(&["host", "rotate", "home", "--keep-old", "7d"]);
    assert!(told(&site, &receiver).is_empty());
    // Nothing changes: it is noted when the visit is.
    set(&site, &home, "last_seen = ?2", 2 * 3600);
    assert_eq!(
        site.visit(&home.with("203.0.113.1")).said(),
        "200 nochg 203.0.113.1"
    );
    assert_eq!(told(&site, &receiver), ["old-token home.dyn.example.org"]);
    assert_eq!(site.visit(&home.with("203.0.113.2")).status, 200);
    assert!(told(&site, &receiver).is_empty());
}

#[test]
fn upkeep_that_needs_the_operator_is_told_once_a_day() {
    let receiver = Receiver::new();
    let site = site(&receiver.table("events = [\"upkeep\"]"));
    for n in 1..=12 {
        let home = site.add(&format!("h{n}"));
        assert_eq!(site.visit(&home.with(format!("203.0.113.{n}"))).status, 200);
    }
    upkeep(&site);
    for n in 1..=12 {
        site.knot.set(&format!("h{n} 60 A 192.0.2.{n}"));
    }
    upkeep(&site);
    let posts = receiver.take();
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0].events(), ["upkeep null"]);
    assert!(posts[0].body.contains("--adopt"), "{}", posts[0].body);
    site.knot.set("h1 60 A 192.0.2.99");
    assert!(told(&site, &receiver).is_empty());
}

#[test]
fn one_need_of_upkeep_hides_no_other() {
    let receiver = Receiver::new();
    let site = site(&receiver.table("events = [\"upkeep\"]"));
    let config = Config::load(&site.path("bowline.toml")).unwrap();
    let mut registry = site.registry().tell(config.notify.wanted());
    let pause = Span::from_seconds(6 * 3600);
    let mut need = |reason: &str| {
        let now = Timestamp::now();
        registry.note_upkeep(reason, pause, now).unwrap();
        waiting(&site)
    };
    for (reason, waiting) in [
        ("there was no upkeep for 3h", 1),
        ("there was no upkeep for 12m", 1),
        ("zone dyn1.example.org: 12 of 30 hosts differ", 2),
        ("zone dyn1.example.org: 13 of 30 hosts differ", 2),
        ("zone dyn2.example.org: 12 of 30 hosts differ", 3),
    ] {
        assert_eq!(need(reason), waiting, "{reason}");
    }
}

#[test]
fn a_removed_host_leaves_no_message() {
    let receiver = Receiver::new();
    let site = site(&receiver.table(""));
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    assert_eq!(waiting(&site), 1);
    site.bowline(&["host", "remove", "home"]);
    assert_eq!(waiting(&site), 0);
    assert!(told(&site, &receiver).is_empty());
}
