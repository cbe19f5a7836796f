//! Who only looks changes nothing, whatever the row: somebody else's page with the password of
//! a browser, what a browser fetches ahead of time, and previews of links.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bowline::http::Path;
use bowline::registry::Settings;
use bowline::time::Timestamp;
use bowline::update::BUILT_IN;

use crate::rows::{CONFIGURED, ROWS};
use crate::support::site::{Home, Site};
use crate::support::visit::Response;

/// What a request came to: the serial of the zone, and what is accepted.
fn state(site: &Site, home: &Home) -> (u32, i64, usize) {
    let challenges = site.registry().challenges(home.id).unwrap();
    let wanted = challenges.iter().filter(|challenge| challenge.wanted);
    let wish = site.host(home).wish.number;
    (site.knot.serial(), wish, wanted.count())
}

fn is_page(response: &Response) -> bool {
    response.status == 200 && response.headers["content-type"] == "text/html; charset=utf-8"
}

#[test]
fn who_only_looks_changes_nothing_in_any_row() {
    let site = Site::new();
    site.configure("http://update.example.org", CONFIGURED);
    let home = site.add("home");
    let mut addresses = (1..).map(|n| format!("203.0.113.{n}"));
    for row in &ROWS {
        let about = format!("{} {} {}", row.method, row.target, row.shown);
        let before = state(&site, &home);
        for (name, value) in row.signs_of_looking() {
            let page = row
                .request(&site, &home, "192.0.2.66")
                .set(name, value)
                .run();
            assert!(is_page(&page), "{about} {value}: {}", page.raw);
            assert_eq!(page.body.contains("<form"), row.button != "none", "{about}");
            assert_eq!(state(&site, &home), before, "{about} {value}");
            let line = site.last_line();
            assert!(line.contains(" result=page "), "{about} {value}: {line}");
        }
        let mut address = String::new();
        for signs in row.signs_of_meaning_it() {
            if row.makes == "ADDRESS" {
                address = addresses.next().unwrap();
            }
            let request = row.request(&site, &home, &address);
            let request = (signs.iter()).fold(request, |to, (name, value)| to.set(name, *value));
            let answer = request.run();
            let is_done = answer.status == 200 && !is_page(&answer);
            assert!(is_done, "{about} {signs:?}: {}", answer.raw);
            assert!(row.is_made(&site, &address), "{about} {signs:?}");
        }
    }
}

#[test]
fn the_button_updates_in_every_row_that_has_one() {
    let site = Site::new();
    site.configure("http://update.example.org", CONFIGURED);
    let home = site.add("home");
    let elsewhere = home.with("203.0.113.250");
    for row in ROWS.iter().filter(|row| row.button != "none") {
        let about = format!("{} {} {}", row.method, row.target, row.shown);
        site.visit(&elsewhere);
        let address = "203.0.113.66";
        let request = row.request(&site, &home, address);
        let page = request.set("HTTP_SEC_FETCH_SITE", "cross-site").run();
        let url = row.filled(row.target, &home, address);
        let (path, _) = url.split_once('?').unwrap_or((&url, ""));
        // Without an action a form goes to the URL of the page.
        let target = match page.body.split_once("action=\"") {
            Some((_, rest)) => format!("{path}{}", rest.split_once('"').unwrap().0),
            None => url.clone(),
        };
        assert_eq!(target == url, row.button == "again", "{about}: {target}");
        let request = row.with_secret(site.get(&target), &home).method("POST");
        let pressed = request
            .set("HTTP_SEC_FETCH_SITE", "same-origin")
            .set("HTTP_SEC_FETCH_MODE", "navigate")
            .set("CONTENT_TYPE", "application/x-www-form-urlencoded")
            .set("CONTENT_LENGTH", "0")
            .run();
        assert!(
            pressed.status == 200 && !is_page(&pressed),
            "{about}: {}",
            pressed.raw
        );
        let shown = match row.button {
            "here" => "198.51.100.4",
            _ => address,
        };
        assert!(row.is_made(&site, shown), "{about}: {}", site.dns("home"));
    }
}

#[test]
fn a_page_has_all_hosts_that_are_named() {
    let site = Site::new();
    let owner = site.token();
    let anna = "anna".parse().unwrap();
    let digest = site.digest(&owner);
    let now = Timestamp::now();
    (site.registry().add_owner(&anna, None, &digest, now)).unwrap();
    for name in ["home", "nas", "boat"] {
        let owned = Settings {
            owner: Some(anna.clone()),
            ..Default::default()
        };
        site.add_with(name, owned);
    }
    let pair = STANDARD.encode(format!("x:{}", owner.secret()));
    let visit = |target: &str| {
        let request = site
            .get(target)
            .set("HTTP_AUTHORIZATION", format!("Basic {pair}"));
        request.set("HTTP_SEC_FETCH_SITE", "cross-site")
    };
    let page = visit("/nic/update?hostname=home,nas,other&myip=203.0.113.66").run();
    let action = "action=\"?hostname=home.dyn.example.org,nas.dyn.example.org\"";
    for part in [
        "<h1>home.",
        "<h1>nas.",
        "Point them at this connection",
        action,
    ] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    assert!(!page.body.contains("203.0.113.66"));
    let pressed = visit("/nic/update?hostname=home.dyn.example.org,nas.dyn.example.org")
        .method("POST")
        .set("HTTP_SEC_FETCH_SITE", "same-origin")
        .run();
    assert_eq!(pressed.said(), "200 good 198.51.100.4\ngood 198.51.100.4");
    let shown = ["home", "nas", "boat"].map(|name| site.dns(name));
    assert_eq!(shown, ["198.51.100.4", "198.51.100.4", ""]);
}

#[test]
fn somebody_elses_page_registers_no_account() {
    let site = Site::new();
    site.configure("http://update.example.org", CONFIGURED);
    let register = || site.get("/register").method("POST");
    let hosts = || {
        let db = rusqlite::Connection::open(site.registry_file()).unwrap();
        let sql = "SELECT count(*) FROM host";
        db.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap()
    };
    for (name, value) in [
        ("HTTP_SEC_FETCH_SITE", "cross-site"),
        ("HTTP_SEC_FETCH_SITE", "same-site"),
        ("HTTP_ORIGIN", "https://evil.example"),
        ("HTTP_ORIGIN", "null"),
    ] {
        let page = register().set(name, value).run();
        assert!(is_page(&page), "{}", page.raw);
        assert!(!page.body.contains("<form"), "{}", page.body);
        assert_eq!(hosts(), 0, "{value}");
    }
    assert_eq!(register().run().status, 201);
    assert_eq!(hosts(), 1);
}

#[test]
fn a_wrong_secret_sees_no_page() {
    let site = Site::new();
    site.add("home");
    let wrong = "BBBBBBBBBBBBBBBBBBBBBBBB";
    for (target, said) in [
        (
            format!("/nic/update?hostname=home&password={wrong}"),
            "401 badauth",
        ),
        (format!("/update/home/{wrong}"), "404 badauth"),
        (format!("/{wrong}"), "404 badauth"),
    ] {
        let request = site.get(&target).set("HTTP_SEC_FETCH_SITE", "cross-site");
        assert_eq!(request.run().said(), said, "{target}");
    }
}

#[test]
fn no_row_is_left_out() {
    for row in BUILT_IN.iter() {
        for pattern in row.paths.iter() {
            let mut targets = ROWS.iter().map(|row| row.target);
            let is_there = targets.any(|target| {
                let path = Path::from_uri(target.as_bytes());
                let segments = path.below("").unwrap();
                pattern.matches(segments).is_some()
            });
            assert!(is_there, "{} {pattern:?}", row.name);
        }
    }
}
