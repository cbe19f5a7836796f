//! An address in a JSON body is an explicit one.

use crate::support::site::{CLIENT, Site};

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
