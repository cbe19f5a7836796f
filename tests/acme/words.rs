//! Each protocol by its words and statuses.

use super::place::{Place, basic, httpreq, value};
use super::support::knot::ZONE;
use super::support::visit::Response;

#[test]
fn httpreq_sets_and_removes() {
    let place = Place::new();
    let home = place.add("home");
    let (a, b) = (value('a'), value('b'));
    let fqdn = format!("_acme-challenge.home.{ZONE}.");
    let set = place.httpreq("present", &home, &a).run();
    // lego wants a 2xx, acme.sh's acmeproxy the value in quotes.
    assert_eq!(
        set.said(),
        format!(r#"200 {{"fqdn":"{fqdn}","value":"{a}"}}"#)
    );
    assert!(
        place.last_line().contains("challenge=set result=good"),
        "{}",
        place.log()
    );
    assert_eq!(place.shown("home").concat(), a);
    // The one for the host and the one for its wildcard stand beside each other.
    assert_eq!(place.httpreq("present", &home, &b).run().status, 200);
    assert_eq!(place.httpreq("present", &home, &b).run().status, 200);
    assert_eq!(place.shown("home"), [a.clone(), b.clone()]);
    // Each is removed by itself, as often as somebody likes, whether it was there or not.
    for _ in 0..2 {
        assert_eq!(place.httpreq("cleanup", &home, &a).run().status, 200);
        assert_eq!(place.shown("home").concat(), b);
    }
    let never = place.httpreq("cleanup", &home, &value('c')).run();
    assert_eq!(never.status, 200);
    // RAW mode: the value is the digest of the key authorization (RFC 8555 8.4).
    let raw = format!(r#"{{"domain":"*.home.{ZONE}","token":"t","keyAuth":"t.k"}}"#);
    let visit = |path| {
        place
            .post(path, &raw)
            .set("HTTP_AUTHORIZATION", basic(home.token.secret()))
            .run()
    };
    assert_eq!(visit("/present").status, 200);
    // By openssl.
    let digest = "dlB0GFFBjq1DwqiLNYRbUrjZLT6IqLn_wqx7amut1k0";
    let shown = place.shown("home");
    assert!(
        shown.len() == 2 && shown.iter().any(|text| text == digest),
        "{shown:?}"
    );
    assert_eq!(visit("/cleanup").status, 200);
    assert_eq!(place.httpreq("cleanup", &home, &b).run().status, 200);
    assert_eq!(place.shown("home"), [""; 0]);
    // The addresses have nothing to do with it.
    assert_eq!(place.dns("home"), "");
}

#[test]
fn httpreq_refuses() {
    let place = Place::new();
    let home = place.add("home");
    let other = place.add("other");
    let off = place.add("off");
    place
        .registry()
        .disable(off.id, bowline::time::Timestamp::now())
        .unwrap();
    let right = basic(home.token.secret());
    let v = value('a');
    let long = "a".repeat(60_000);
    for (authorization, body, expected) in [
        ("", httpreq("home", &v), "401 badauth"),
        ("Basic !", httpreq("home", &v), "401 badauth"),
        (&basic("x"), httpreq("home", &v), "401 badauth"),
        (
            &basic("0123456789abcdefghijklmn"),
            httpreq("home", &v),
            "401 badauth",
        ),
        (
            &basic(other.token.secret()),
            httpreq("home", &v),
            "403 nohost",
        ),
        (&basic(off.token.secret()), httpreq("off", &v), "403 abuse"),
        (&right, httpreq("other", &v), "403 nohost"),
        (&right, httpreq("www.home", &v), "403 nohost"),
        (&right, httpreq("nobody", &v), "403 nohost"),
        (&right, httpreq("a_b", &v), "400 notfqdn"),
        (&right, httpreq("*.home", &v), "400 notfqdn"),
        (&right, httpreq(&long, &v), "400 notfqdn"),
        (&right, httpreq("home", ""), "400 bad_txt"),
        (&right, httpreq("home", &v[1..]), "400 bad_txt"),
        (&right, httpreq("home", &format!("{v}a")), "400 bad_txt"),
        (
            &right,
            httpreq("home", &v.replacen('a', "é", 1)),
            "400 bad_txt",
        ),
        (
            &right,
            httpreq("home", &v.replacen('a', " ", 1)),
            "400 bad_txt",
        ),
        (&right, httpreq("home", &long), "400 bad_txt"),
        (
            &right,
            format!(r#"{{"fqdn":"_acme-challenge.{ZONE}.","value":"{v}"}}"#),
            "403 nohost",
        ),
        (
            &right,
            format!(r#"{{"fqdn":"home.{ZONE}.","value":"{v}"}}"#),
            "400 notfqdn",
        ),
        (
            &right,
            format!(r#"{{"fqdn":"_acme-challenge.example.com","value":"{v}"}}"#),
            "403 nohost",
        ),
        (
            &right,
            format!(r#"{{"fqdn":"_acme-challenge.home.{ZONE}","value":[]}}"#),
            "400 malformed_json_payload",
        ),
        (&right, String::new(), "400 malformed_json_payload"),
        (&right, "[".repeat(60_000), "400 malformed_json_payload"),
        (
            &right,
            format!("{{\"fqdn\":\"{}", "\\".repeat(60_000)),
            "400 malformed_json_payload",
        ),
    ] {
        for path in ["/present", "/cleanup"] {
            let mut visit = place.post(path, &body);
            if !authorization.is_empty() {
                visit = visit.set("HTTP_AUTHORIZATION", authorization);
            }
            let said = visit.run();
            assert_eq!(status(&said), expected, "{path} {body:.90}");
            assert_eq!(
                said.headers.contains_key("www-authenticate"),
                said.status == 401
            );
        }
    }
    // Nobody but the host's own token, and no other method, changes anything.
    for method in ["GET", "PUT", "DELETE", "HEAD", "OPTIONS"] {
        let said = place.httpreq("present", &home, &v).method(method).run();
        assert_eq!(
            (said.status, said.headers["allow"].as_str()),
            (405, "POST"),
            "{method}"
        );
    }
    let large = place.post("/present", &"x".repeat(65 * 1024));
    assert_eq!(large.set("HTTP_AUTHORIZATION", right).run().status, 413);
    assert_eq!(place.all(), [""; 0]);
    let lines = place.log();
    assert!(
        lines.contains("reason=\"the name is not _acme-challenge with a host's name behind it\""),
        "{lines}"
    );
}

#[test]
fn acme_dns_by_its_table() {
    let place = Place::new();
    let home = place.add("home");
    let other = place.add("other");
    let (a, b, c) = (value('a'), value('b'), value('c'));
    let body =
        |subdomain: &str, txt: &str| format!(r#"{{"subdomain":"{subdomain}","txt":"{txt}"}}"#);
    let full = format!("home.{ZONE}");
    for (body, expected) in [
        (body(&full, &a), format!(r#"200 {{"txt":"{a}"}}"#)),
        (body("home", &a), format!(r#"200 {{"txt":"{a}"}}"#)),
        (
            format!(r#"{{"SubDomain":"home","Txt":"{b}"}}"#),
            format!(r#"200 {{"txt":"{b}"}}"#),
        ),
        (body("home", "short"), r#"400 {"error":"bad_txt"}"#.into()),
        (body("home", ""), r#"400 {"error":"bad_txt"}"#.into()),
        (
            body("home", &format!("{a}a")),
            r#"400 {"error":"bad_txt"}"#.into(),
        ),
        (body("other", &a), r#"401 {"error":"forbidden"}"#.into()),
        (body("", &a), r#"401 {"error":"forbidden"}"#.into()),
        (body("a_b", &a), r#"401 {"error":"forbidden"}"#.into()),
        (body("../home", &a), r#"401 {"error":"forbidden"}"#.into()),
        (
            String::new(),
            r#"400 {"error":"malformed_json_payload"}"#.into(),
        ),
        (
            "null".into(),
            r#"400 {"error":"malformed_json_payload"}"#.into(),
        ),
        (
            r#"{"subdomain":"home"}"#.into(),
            r#"400 {"error":"malformed_json_payload"}"#.into(),
        ),
    ] {
        for kind in ["application/json", "application/x-www-form-urlencoded", ""] {
            let visit = place.acme_dns(&home, &body).set("CONTENT_TYPE", kind);
            assert_eq!(visit.run().said(), expected, "{body}");
        }
    }
    assert_eq!(place.shown("home"), [a.clone(), b.clone()]);
    // The newest two stand; the same again is the newest.
    assert_eq!(place.acme_dns(&home, &body("home", &a)).run().status, 200);
    assert_eq!(place.acme_dns(&home, &body("home", &c)).run().status, 200);
    assert_eq!(place.shown("home"), [a.clone(), c.clone()]);
    // A host's own token only, whatever the user is called.
    for (name, key) in [
        ("other", other.token.secret()),
        ("none", "0123456789abcdefghijklmn"),
        ("odd", "%"),
        ("empty", ""),
    ] {
        let visit = place
            .acme_dns(&home, &body("home", &b))
            .set("HTTP_X_API_KEY", key);
        assert_eq!(visit.run().said(), r#"401 {"error":"forbidden"}"#, "{name}");
    }
    let get = place.acme_dns(&home, &body("home", &b)).method("GET").run();
    assert_eq!(get.status, 405);
    // Without the user's header it is another dialect's path.
    let other = place
        .acme_dns(&home, &body("home", &b))
        .unset("HTTP_X_API_USER")
        .run();
    assert_eq!(other.said(), "401 badauth");
    assert_eq!(place.visit("/health").said(), "200 ok");
    assert_eq!(place.shown("home"), [a.clone(), c.clone()]);
    for value in [a, c] {
        assert_eq!(place.httpreq("cleanup", &home, &value).run().status, 200);
    }
}

#[test]
fn duckdns_has_one_and_clears_it() {
    let place = Place::new();
    let home = place.add("home");
    let token = home.token.secret();
    let visit = |rest: &str| {
        place
            .visit(&format!("/update?domains=home&token={token}{rest}"))
            .said()
    };
    let (a, b) = (value('a'), value('b'));
    assert_eq!(visit(&format!("&txt={a}&clear=false")), "200 OK");
    assert_eq!(place.shown("home").concat(), a);
    assert_eq!(visit(&format!("&txt={b}")), "200 OK");
    assert_eq!(place.shown("home"), [b]);
    assert_eq!(visit("&txt=hello"), "400 KO");
    // Only what it has set itself is cleared.
    assert_eq!(place.httpreq("present", &home, &a).run().status, 200);
    assert_eq!(visit("&txt=&clear=true"), "200 OK");
    assert_eq!(visit("&txt=&clear=true"), "200 OK");
    assert_eq!(place.shown("home").concat(), a);
    assert_eq!(place.httpreq("cleanup", &home, &a).run().status, 200);
    // Without a text it is about addresses.
    assert_eq!(visit("&txt=&ip=203.0.113.7"), "200 OK");
    assert_eq!(place.dns("home"), "203.0.113.7");
    assert_eq!(visit("&clear=true"), "200 OK");
    assert_eq!(place.dns("home"), "");
}

#[test]
fn a_zone_that_takes_none_says_so() {
    let place = Place::new();
    place.configure("https://update.example.org", "");
    let home = place.add("home");
    let plain = place.httpreq("present", &home, &value('a')).run();
    assert_eq!(status(&plain), "403 badauth", "plain HTTP");
    let https = place
        .httpreq("present", &home, &value('a'))
        .set("HTTPS", "on")
        .run();
    assert_eq!(status(&https), "403 nohost");
    let line = place.last_line();
    assert!(
        line.contains("reason=\"the zone takes no challenges\""),
        "{line}"
    );
    assert!(
        line.contains(&format!("hint=\"bowline zone set {ZONE} --acme\"")),
        "{line}"
    );
    let acme_dns = place.acme_dns(&home, r#"{"subdomain":"home","txt":"a"}"#);
    assert_eq!(
        acme_dns.set("HTTPS", "on").run().said(),
        r#"401 {"error":"forbidden"}"#
    );
    assert_eq!(place.all(), [""; 0]);
}

/// The status and the word of an answer in JSON.
fn status(said: &Response) -> String {
    let json: serde_json::Value = serde_json::from_str(&said.body).unwrap();
    format!("{} {}", said.status, json["status"].as_str().unwrap())
}
