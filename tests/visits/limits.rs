//! Limits: too many changes wait, too many wrong secrets are told so, and nobody else suffers.

use std::fs;
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bowline::upkeep::Word;

use crate::support::site::{Home, Site};
use crate::support::visit::Response;

const URL: &str = "http://update.example.org";
const WRONG: &str = "BBBBBBBBBBBBBBBBBBBBBBBB";

fn with_limits(limits: &str) -> Site {
    let site = Site::new();
    site.configure(URL, &format!("[limits]\n{limits}\n"));
    site
}

fn seconds_to_wait(response: &Response) -> i64 {
    response.headers["retry-after"].parse().unwrap()
}

/// One round of upkeep: how many wishes became facts.
fn upkeep(site: &Site) -> usize {
    site.round(Word::Registry).settled.confirmed
}

/// When upkeep may publish a host's wish.
fn retry_at(site: &Site, home: &Home) -> Option<i64> {
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let sql = "SELECT retry_at FROM host WHERE id = ?1";
    db.query_row(sql, [home.id.number()], |row| row.get(0))
        .unwrap()
}

/// A visit to `/nic/update` with that password.
fn basic(site: &Site, password: &str, query: &str) -> Response {
    let pair = STANDARD.encode(format!("me:{password}"));
    let path = format!("/nic/update?{query}");
    site.get(&path)
        .set("HTTP_AUTHORIZATION", format!("Basic {pair}"))
        .run()
}

#[test]
fn too_many_changes_wait_for_their_time() {
    let site = with_limits("changes = \"3/1h\"");
    let (home, nas) = (site.add("home"), site.add("nas"));
    let mut last = String::new();
    for n in 1..=3 {
        last = format!("203.0.113.{n}");
        assert_eq!(
            site.visit(&home.with(&last)).said(),
            format!("200 good {last}")
        );
        // What does not change is never counted.
        for _ in 0..3 {
            assert_eq!(
                site.visit(&home.with(&last)).said(),
                format!("200 nochg {last}")
            );
        }
    }
    for n in [66, 67, 67] {
        let refused = site.visit(&home.with(format!("203.0.113.{n}")));
        assert_eq!(refused.said(), "503 911");
        assert!((3000..=3600).contains(&seconds_to_wait(&refused)));
        let line = site.last_line();
        assert!(
            line.contains(&format!(" ipv4=203.0.113.{n} result=911 ")),
            "{line}"
        );
        assert!(
            line.contains(" reason=\"more than 3/1h changes; "),
            "{line}"
        );
    }
    assert_eq!(site.wish(&home), "203.0.113.67", "the newest is kept");
    assert_eq!((upkeep(&site), site.dns("home")), (0, last), "and waits");
    assert_eq!(
        site.visit(&nas.with("203.0.113.9")).said(),
        "200 good 203.0.113.9"
    );

    // As if the time were over.
    fs::remove_file(site.path("state/changes.counters")).unwrap();
    assert!(retry_at(&site, &home).is_some());
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    db.execute("UPDATE host SET retry_at = 1", []).unwrap();
    assert_eq!(
        (upkeep(&site), site.dns("home")),
        (1, "203.0.113.67".into())
    );
    assert_eq!(
        site.visit(&home.with("203.0.113.67")).said(),
        "200 nochg 203.0.113.67"
    );
    assert_eq!(
        site.visit(&home.with("203.0.113.68")).said(),
        "200 good 203.0.113.68"
    );
    assert_eq!(retry_at(&site, &home), None);
}

#[test]
fn who_goes_back_to_what_is_published_need_not_wait() {
    let site = with_limits("changes = \"2/1h\"");
    let home = site.add("home");
    for (n, said) in [
        (1, "200 good 203.0.113.1"),
        (2, "200 good 203.0.113.2"),
        (3, "503 911"),
        (4, "503 911"),
        (2, "200 good 203.0.113.2"),
        (2, "200 nochg 203.0.113.2"),
        (3, "503 911"),
        (2, "200 good 203.0.113.2"),
    ] {
        let serial = site.knot.serial();
        assert_eq!(
            site.visit(&home.with(format!("203.0.113.{n}"))).said(),
            said
        );
        let is_change = n < 3 && serial != site.knot.serial();
        assert!(!is_change || site.dns("home") == format!("203.0.113.{n}"));
    }
    assert_eq!(
        (site.dns("home"), retry_at(&site, &home)),
        ("203.0.113.2".into(), None)
    );
    assert!(!site.host(&home).is_pending());
}

#[test]
fn the_client_brings_a_waiting_change_too() {
    let site = with_limits("changes = \"1/1h\"");
    let home = site.add("home");
    assert_eq!(
        site.visit(&home.with("203.0.113.1")).said(),
        "200 good 203.0.113.1"
    );
    assert_eq!(site.visit(&home.with("203.0.113.2")).said(), "503 911");
    site.configure(URL, "[limits]\nchanges = \"off\"\n");
    assert_eq!(
        site.visit(&home.with("203.0.113.2")).said(),
        "200 good 203.0.113.2"
    );
    assert_eq!(site.dns("home"), "203.0.113.2");
    assert_eq!(retry_at(&site, &home), None);
}

#[test]
fn a_name_server_that_fails_counts_against_nobody() {
    let mut site = with_limits("changes = \"2/1h\"");
    let home = site.add("home");
    site.knot.stop();
    for n in 1..=5 {
        assert!(
            site.visit(&home.with(format!("203.0.113.{n}")))
                .is_pending(),
            "{n}"
        );
    }
    site.knot.restart();
    for n in 5..=6 {
        let ip = format!("203.0.113.{n}");
        assert_eq!(site.visit(&home.with(&ip)).said(), format!("200 good {ip}"));
        assert_eq!(site.dns("home"), ip);
    }
}

#[test]
fn many_changes_at_once_are_no_more_than_the_limit() {
    let site = with_limits("changes = \"4/1h\"");
    let home = site.add("home");
    let said: Vec<String> = thread::scope(|scope| {
        let visit = |n: u32| {
            let path = home.with(format!("203.0.113.{n}"));
            let site = &site;
            scope.spawn(move || site.visit(&path).said())
        };
        let visits: Vec<_> = (1..=10).map(visit).collect();
        visits
            .into_iter()
            .map(|visit| visit.join().unwrap())
            .collect()
    });
    let beyond = said.iter().filter(|said| *said == "503 911").count();
    assert!(
        said.iter()
            .all(|said| said == "503 911" || said.starts_with("200 good ")),
        "{said:?}"
    );
    assert_eq!(beyond, 6, "{said:?}");
}

#[test]
fn counters_that_cannot_be_used_stop_nobody() {
    let site = with_limits("changes = \"1/1h\"\nwrong_secrets = \"1/1h\"");
    let home = site.add("home");
    for name in ["changes.counters", "wrong-secrets.counters"] {
        fs::create_dir(site.path("state").join(name)).unwrap();
    }
    for n in 1..=3 {
        let ip = format!("203.0.113.{n}");
        assert_eq!(site.visit(&home.with(&ip)).said(), format!("200 good {ip}"));
        assert_eq!(basic(&site, WRONG, "").said(), "401 badauth");
        assert_eq!(site.dns("home"), ip);
    }
}

#[test]
fn wrong_secrets_beyond_the_limit_are_told_so() {
    let site = with_limits("wrong_secrets = \"3/1h\"");
    let home = site.add("home");
    // No credential is no attempt, and a scanner's path is none either.
    for path in [
        "/nic/update",
        "/favicon.ico",
        "/apple-touch-icon-precomposed.png",
        "/short",
        "/update?hostname=home",
    ] {
        for _ in 0..4 {
            assert!(matches!(site.visit(path).status, 401 | 404), "{path}");
        }
    }
    let unknown = site.visit(&format!("/{WRONG}")).raw;
    assert_eq!(basic(&site, "short", "").said(), "401 badauth");
    assert_eq!(basic(&site, WRONG, "").said(), "401 badauth");
    for _ in 0..3 {
        let told = basic(&site, WRONG, "");
        assert_eq!(told.said(), "429 badauth");
        assert!((3000..=3600).contains(&seconds_to_wait(&told)));
        assert!(!told.headers.contains_key("www-authenticate"));
        let line = site.last_line();
        assert!(
            line.contains("result=badauth client=198.51.100.4 "),
            "{line}"
        );
        assert!(
            line.contains("reason=\"wrong secret, more than 3/1h from there\""),
            "{line}"
        );
    }
    let query = format!("/update?domains=home&token={WRONG}&ip=203.0.113.66");
    assert_eq!(site.visit(&query).said(), "429 KO");
    assert_eq!(
        site.visit(&format!("/{WRONG}")).raw,
        unknown,
        "in the path it looks the same"
    );
    assert_eq!(
        site.visit("/nic/update").said(),
        "401 badauth",
        "nothing is no wrong secret"
    );

    // A right one from there works, and others are not concerned.
    let right = basic(&site, home.token.secret(), "hostname=home&myip=203.0.113.7");
    assert_eq!(right.said(), "200 good 203.0.113.7");
    assert_eq!(
        site.visit(&home.with("203.0.113.8")).said(),
        "200 good 203.0.113.8"
    );
    assert_eq!(site.dns("home"), "203.0.113.8");
    let from = |client: &str| site.get(&query).from(client).run().said();
    assert_eq!(from("198.51.100.5"), "401 KO");
    for client in ["2001:db8:1:2::1", "2001:db8:1:2:ffff::2", "2001:db8:1:2::3"] {
        assert_eq!(from(client), "401 KO", "{client}");
    }
    assert_eq!(from("2001:db8:1:2:3::4"), "429 KO", "the same /64");
    assert_eq!(from("2001:db8:1:3::1"), "401 KO", "another one");
    assert!(!site.log().contains(WRONG));
}

/// The proxy itself is the source then, and the limit is no way round for who hides behind it.
#[test]
fn wrong_secrets_from_behind_a_proxy_that_does_not_say_whose_they_are() {
    let site = with_limits("wrong_secrets = \"2/1h\"");
    let home = site.add("home");
    let query = |token: &str| format!("/update?domains=home&token={token}&ip=203.0.113.7");
    let unsaid = |token: &str| site.get(&query(token)).unset("HTTP_X_FORWARDED_FOR");
    for said in ["401 KO", "401 KO", "429 KO"] {
        assert_eq!(unsaid(WRONG).run().said(), said);
    }
    let garbled = site.get(&query(WRONG)).from("unknown").run();
    assert_eq!(garbled.said(), "429 KO");
    // What fail2ban shuts out is a client.
    let log = site.log();
    assert_eq!(log.matches(" result=badauth proxy=127.0.0.1 ").count(), 4);
    assert!(!log.contains("client="), "{log}");
    let other = site.get(&query(WRONG)).from("198.51.100.5").run();
    assert_eq!(other.said(), "401 KO", "who is said is another one");
    assert_eq!(site.dns("home"), "");
    assert_eq!(unsaid(home.token.secret()).run().said(), "200 OK");
    assert_eq!(site.dns("home"), "203.0.113.7");
}

#[test]
fn a_limit_that_is_off_is_told() {
    let site = with_limits("changes = \"1/1h\"");
    let home = site.add("home");
    let file = site.path("state/changes.counters");
    fs::create_dir(&file).unwrap();
    for n in 1..=2 {
        let said = site.visit(&home.with(format!("203.0.113.{n}"))).said();
        assert_eq!(said, format!("200 good 203.0.113.{n}"));
        // Once for each process, however often it counts.
        let log = site.log();
        let line = format!(
            "limit result=off reason=\"{}: Is a directory",
            file.display()
        );
        assert_eq!(log.matches(&line).count(), n, "{log}");
        assert_eq!(log.matches("limit ").count(), n, "{log}");
    }
    fs::remove_dir(&file).unwrap();
    site.visit(&home.with("203.0.113.3"));
    assert_eq!(site.log().matches("limit ").count(), 2);
    assert_eq!(site.visit(&home.with("203.0.113.4")).said(), "503 911");
}
