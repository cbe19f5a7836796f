//! An address in a body is an explicit one: never replaced by the client's.

use crate::support::site::{CLIENT, Home, Site};
use crate::support::visit::Request;

/// A POST with a body.
fn post(request: Request, kind: &str, body: &str) -> Request {
    request
        .method("POST")
        .set("CONTENT_TYPE", kind)
        .set("CONTENT_LENGTH", body.len().to_string())
        .body(body.as_bytes())
}

/// A form as `curl -F` sends it, and its type.
fn form(fields: &[(&str, &str)]) -> (String, String) {
    let boundary = "------------------------a6a1ae0e7ff6d6a1";
    let part = |(name, value): &(&str, &str)| {
        format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        )
    };
    let parts: String = fields.iter().map(part).collect();
    (
        format!("multipart/form-data; boundary={boundary}"),
        format!("{parts}--{boundary}--\r\n"),
    )
}

/// What a host has after a visit, at the name server; none of these visits may move it.
fn stays(site: &Site, home: &Home, kind: &str, body: &str, said: &str) {
    let before = site.dns(&home.name);
    let answer = post(site.get(&home.at("")), kind, body).run();
    assert_eq!(answer.said(), said, "{kind}: {body}");
    assert_eq!(site.dns(&home.name), before, "{kind}: {body}");
}

#[test]
fn an_object_is_read_as_a_form_is() {
    let site = Site::new();
    let home = site.add("home");
    let bearer = format!("Bearer {}", home.token.secret());
    let devops = |body: &str| {
        site.get("/api/domains/home/update")
            .method("PUT")
            .set("HTTP_AUTHORIZATION", &bearer)
            .set("CONTENT_TYPE", "application/json; charset=utf-8")
            .set("CONTENT_LENGTH", body.len().to_string())
            .body(body.as_bytes())
            .run()
    };
    for (body, status, address) in [
        (r#"{"ip":"203.0.113.65"}"#, 200, "203.0.113.65"),
        (r#"{"ip":"192.168.1.1"}"#, 503, "203.0.113.65"),
        (r#"{"ip":"no address"}"#, 400, "203.0.113.65"),
        (r#"{"comment":"mine"}"#, 200, CLIENT),
        (r#"{"clear":true}"#, 200, ""),
    ] {
        let answer = devops(body);
        assert_eq!(answer.status, status, "{body}: {}", answer.said());
        assert_eq!(site.dns("home"), address, "{body}");
    }
    // What the query says stands.
    let answer = site
        .get(&home.with("203.0.113.66"))
        .method("POST")
        .set("CONTENT_TYPE", "application/json")
        .set("CONTENT_LENGTH", "23")
        .body(br#"{"myip":"203.0.113.67"}"#)
        .run();
    assert_eq!(answer.said(), "200 good 203.0.113.66");
    assert_eq!(site.dns("home"), "203.0.113.66");
}

#[test]
fn a_form_in_parts_is_read_as_any_other() {
    let site = Site::new();
    let home = site.add("home");
    for (fields, said, address) in [
        (
            &[("myip", "203.0.113.77")][..],
            "200 good 203.0.113.77",
            "203.0.113.77",
        ),
        (&[("myip", "-")], "200 good", ""),
        (
            &[("comment", "a=b&c\r\n\r\n--"), ("myip", "203.0.113.78")],
            "200 good 203.0.113.78",
            "203.0.113.78",
        ),
        (&[("myip", "no address")], "400 badip", "203.0.113.78"),
        (&[("myip", "192.168.1.1")], "503 badip", "203.0.113.78"),
        (&[("offline", "yes")], "200 good", ""),
        // Whoever says nothing of addresses means the connection's.
        (&[("myip", "")], &format!("200 good {CLIENT}"), CLIENT),
    ] {
        let (kind, body) = form(fields);
        let answer = post(site.get(&home.at("")), &kind, &body).run();
        assert_eq!(answer.said(), said, "{fields:?}");
        assert_eq!(site.dns("home"), address, "{fields:?}");
    }
    // A router's way: names and addresses in the form, the token in a header.
    let (kind, body) = form(&[("hostname", "home"), ("myip", "203.0.113.79")]);
    let bearer = format!("Bearer {}", home.token.secret());
    let router = site.get("/nic/update").set("HTTP_AUTHORIZATION", &bearer);
    assert_eq!(
        post(router, &kind, &body).run().said(),
        "200 good 203.0.113.79"
    );
    assert_eq!(site.dns("home"), "203.0.113.79");
    // A name that is not the token's is refused there too.
    let (kind, body) = form(&[("hostname", "other"), ("myip", "203.0.113.80")]);
    stays(&site, &home, &kind, &body, "403 nohost");
    // Cut off, or of another boundary.
    let (kind, body) = form(&[("myip", "203.0.113.80")]);
    let cut = body.trim_end().trim_end_matches("--");
    for (kind, body) in [
        (kind.as_str(), cut),
        (kind.as_str(), "myip=203.0.113.80"),
        ("multipart/form-data", &body),
        ("multipart/form-data; boundary=other", &body),
    ] {
        stays(&site, &home, kind, body, "400 badip");
    }
    assert!(
        site.last_line()
            .contains("reason=\"the body is no form in parts\""),
        "{}",
        site.last_line()
    );
}

#[test]
fn json_that_says_something_else_moves_nothing() {
    let site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.7")).status, 200);
    let json = "application/json; charset=utf-8";
    let deep = "[".repeat(60_000);
    for body in [
        r#"{"myip":"203.0.113.77""#,
        r#"{myip:"203.0.113.77"}"#,
        r#"["203.0.113.77"]"#,
        r#""203.0.113.77""#,
        "null",
        "myip=203.0.113.77",
        "{\"myip\":\"203.0.113.77\"}{}",
        &deep,
        r#"{"myip":{"ipv4":"203.0.113.77"}}"#,
        r#"{"myip":["203.0.113.77",{"ipv6":"2001:db8::7"}]}"#,
        r#"{"myip":[["203.0.113.77"],["x"]]}"#,
        r#"{"myip":["203.0.113.77","203.0.113.78"]}"#,
    ] {
        stays(&site, &home, json, body, "400 badip");
    }
    let bodies = [r#"{"myip":"203.0.113.77""#, r#"{"myip":{"a":1}}"#];
    for (body, reason) in
        (bodies.iter()).zip(["the body is no JSON object", "a value is no address"])
    {
        stays(&site, &home, json, body, "400 badip");
        let line = site.last_line();
        assert!(line.contains(&format!("reason=\"{reason}\"")), "{line}");
    }
    // Each dialect in its own words.
    let duckdns = format!("/update?domains=home&token={}", home.token.secret());
    let answer = post(site.get(&duckdns), json, "{").run();
    assert_eq!((answer.status, answer.body.as_str()), (400, "KO"));
    assert_eq!(site.dns("home"), "203.0.113.7");
    // A body that cannot be read removes nothing either.
    let answer = post(site.get(&home.at("")), json, "{")
        .method("DELETE")
        .run();
    assert_eq!(answer.said(), "400 badip");
    assert_eq!(site.dns("home"), "203.0.113.7");
    // A list is the one with commas; what nobody asks for may be anything.
    for (kind, body, said, address) in [
        (
            json,
            r#"{"myip":["203.0.113.77"]}"#,
            "200 good 203.0.113.77",
            "203.0.113.77",
        ),
        (
            json,
            r#"{"myip":["203.0.113.78",null],"meta":{"a":[{}]},"x":[[]]}"#,
            "200 good 203.0.113.78",
            "203.0.113.78",
        ),
        // As `curl -d` says of whatever it sends.
        (
            "application/x-www-form-urlencoded",
            r#" {"myip":"203.0.113.79"}"#,
            "200 good 203.0.113.79",
            "203.0.113.79",
        ),
        (json, " \r\n", "200 good 198.51.100.4", CLIENT),
        (json, r#"{"myip":[]}"#, "200 nochg 198.51.100.4", CLIENT),
        ("text/html", "myip=-", "200 nochg 198.51.100.4", CLIENT),
        // As `fetch` says where nobody says more.
        (
            "text/plain;charset=UTF-8",
            r#"{"myip":"203.0.113.84"}"#,
            "200 good 203.0.113.84",
            "203.0.113.84",
        ),
        (
            "application/octet-stream",
            "myip=203.0.113.85",
            "200 good 203.0.113.85",
            "203.0.113.85",
        ),
        // Small devices do not say what they send.
        (
            "",
            "myip=203.0.113.80",
            "200 good 203.0.113.80",
            "203.0.113.80",
        ),
        (
            "",
            r#"{"myip":"203.0.113.81"}"#,
            "200 good 203.0.113.81",
            "203.0.113.81",
        ),
        // As Windows begins a text.
        (
            json,
            "\u{feff}{\"myip\":\"203.0.113.82\"}",
            "200 good 203.0.113.82",
            "203.0.113.82",
        ),
        (
            "application/x-www-form-urlencoded",
            "\u{feff}myip=203.0.113.83",
            "200 good 203.0.113.83",
            "203.0.113.83",
        ),
    ] {
        let answer = post(site.get(&home.at("")), kind, body).run();
        assert_eq!(answer.said(), said, "{body}");
        assert_eq!(site.dns("home"), address, "{body}");
    }
    let form = "application/x-www-form-urlencoded";
    stays(&site, &home, form, r#"{"myip":"203.0.113.80""#, "400 badip");
}
