//! Every refusal, and that it changes nothing.

use bowline::registry::Settings;
use bowline::time::Timestamp;
use bowline::ttl::Ttl;

use crate::support::site::{Home, Site};
use crate::support::visit::Request;

/// A host that has an address.
fn settled() -> (Site, Home) {
    let site = Site::new();
    let home = site.add("home");
    assert_eq!(
        site.visit(&home.with("203.0.113.7")).said(),
        "200 good 203.0.113.7"
    );
    (site, home)
}

fn check_untouched(site: &Site, home: &Home) {
    assert_eq!(site.dns("home"), "203.0.113.7");
    assert_eq!(site.host(home).wish.number, 1);
}

#[test]
fn every_unknown_path_looks_the_same() {
    let (site, home) = settled();
    let secret = home.token.secret();
    let unknown = site.visit("/AAAAAAAAAAAAAAAAAAAAAAAA").raw;
    assert!(
        unknown.starts_with("Status: 404 Not Found\r\n") && unknown.ends_with("\r\n\r\nbadauth\n")
    );
    // A secret may end in any letter.
    let other = if secret.ends_with('A') { 'B' } else { 'A' };
    let almost = format!("/{}{other}", &secret[..23]);
    let longer = format!("/{secret}A");
    let deeper = format!("/{secret}/home/more");
    for path in [
        "/",
        "",
        "/favicon.ico",
        "/robots.txt",
        "/apple-touch-icon.png",
        "/x",
        "/nic",
        "/nic/update/more",
        "/api/v1/router/update",
        "/%00",
        "/%ff%fe",
        "/AAAAAAAAAAAAAAAAAAAAAAAA/home?myip=203.0.113.8",
        "/?myip=203.0.113.8",
        "/ip/more",
        "/healthz/more",
        "*",
        "http://update.example.org/AAAAAAAAAAAAAAAAAAAAAAAA",
        &almost,
        &longer,
        &deeper,
    ] {
        for method in ["GET", "POST", "PUT", "DELETE"] {
            for accept in ["*/*", "application/json", "text/html"] {
                let response = site
                    .get(path)
                    .method(method)
                    .set("HTTP_ACCEPT", accept)
                    .run();
                assert_eq!(response.raw, unknown, "{method} {path} {accept}");
            }
        }
    }
    let person = site
        .get("/AAAAAAAAAAAAAAAAAAAAAAAA")
        .set("HTTP_SEC_FETCH_MODE", "navigate")
        .run();
    assert_eq!(person.raw, unknown);
    check_untouched(&site, &home);
    // Only what is shaped like a secret is logged as one.
    site.forget_log();
    for unasked in [
        "/favicon.ico",
        "/apple-touch-icon.png",
        "/apple-touch-icon-120x120-precomposed.png?x=1",
        "/apple-app-site-association",
        "/browserconfig.xml",
    ] {
        assert_eq!(site.visit(unasked).raw, unknown, "{unasked}");
    }
    assert_eq!(site.log(), "");
    site.visit("/apple-touch-icon.png/home");
    assert!(site.last_line().contains("result=badauth"));
    site.visit(&almost);
    assert!(
        site.last_line().contains("result=badauth"),
        "{}",
        site.log()
    );
}

#[test]
fn a_page_is_a_line_in_the_log() {
    let (site, home) = settled();
    let page = site
        .get(&home.with("203.0.113.8"))
        .set("HTTP_SEC_FETCH_MODE", "navigate")
        .run();
    assert_eq!(page.status, 200);
    let line = site.last_line();
    assert!(
        line.contains(" result=page ") && line.contains(" reason="),
        "{line}"
    );
    check_untouched(&site, &home);
}

#[test]
fn an_unknown_path_looks_like_a_known_one_by_other_methods_too() {
    let (site, home) = settled();
    for method in ["HEAD", "OPTIONS", "PATCH", "get", "TRACE", ""] {
        let known = site.get(&home.with("203.0.113.8")).method(method).run();
        let unknown = site.get("/AAAAAAAAAAAAAAAAAAAAAAAA").method(method).run();
        assert_eq!((known.status, &known.raw), (405, &unknown.raw), "{method}");
        assert_eq!(known.headers["allow"], "GET, POST, PUT, DELETE");
        let line = site.last_line();
        assert!(
            line.contains(" result=method ") && line.contains(" reason="),
            "{line}"
        );
    }
    // Scanners try methods too.
    site.forget_log();
    assert_eq!(site.get("/favicon.ico").method("HEAD").run().status, 405);
    assert_eq!(site.log(), "");
    check_untouched(&site, &home);
}

#[test]
fn whoever_prefers_json_is_answered_in_json_whatever_comes() {
    let (site, home) = settled();
    let path = home.with("203.0.113.8");
    let asked = |path: &str| site.get(path).set("HTTP_ACCEPT", "application/json");
    let check = |request: Request, status: u16, word: &str| {
        let answer = request.run();
        let body = format!("{{\"status\":\"{word}\"}}\n");
        assert_eq!((answer.status, answer.body.as_str()), (status, &*body));
        assert_eq!(answer.headers["content-type"], "application/json");
    };
    check(asked(&path).method("OPTIONS"), 405, "method");
    check(asked("/ip").method("POST"), 405, "method");
    check(asked(&path).set("CONTENT_LENGTH", "65537"), 413, "body");
    check(asked(&path).set("CONTENT_LENGTH", "-2"), 400, "request");
    let cookie = "x".repeat(65_536);
    check(asked(&path).set("HTTP_COOKIE", cookie), 431, "head");
    check(asked("/healthz"), 200, "ok");
    let (registry, away) = (site.registry_file(), site.path("elsewhere"));
    std::fs::remove_file(site.path("state/locks/health")).unwrap();
    std::fs::rename(&registry, &away).unwrap();
    check(asked("/healthz"), 503, "registry");
    std::fs::rename(&away, &registry).unwrap();
    check_untouched(&site, &home);
    site.configure("http://update.example.org", "nonsense = 1");
    check(asked(&path), 503, "911");
    site.configure("http://update.example.org", "");
    check_untouched(&site, &home);
}

#[test]
fn bad_addresses() {
    let (site, home) = settled();
    for (query, said) in [
        ("?myip=nonsense", "400 badip"),
        ("?myip=203.0.113.300", "400 badip"),
        ("?myip=%ff", "400 badip"),
        ("?myip=203.0.113.8,203.0.113.9", "400 badip"),
        ("?myip=10.0.0.1", "503 badip"),
        ("?myip=127.0.0.1", "503 badip"),
        ("?myip=fe80::1%25eth0", "503 badip"),
        ("?myip=10.0.0.1&myipv6=fd00::1", "503 badip"),
    ] {
        assert_eq!(site.visit(&home.at(query)).said(), said, "{query}");
        assert!(site.last_line().contains(" result=badip "), "{query}");
        assert!(site.last_line().contains(" reason=\""), "{query}");
    }
    assert_eq!(
        site.get(&home.at("")).from("192.168.1.1").run().said(),
        "503 badip"
    );
    check_untouched(&site, &home);
}

#[test]
fn a_reason_tells_no_more_of_the_client_than_the_log_may() {
    const PRIVATE: &str = "the client's address is a private address and cannot be published";
    const PROXY: &str = "where that is a proxy's, [client] trusted_proxies is to have it";
    let (site, home) = settled();
    let other = Settings {
        only: Some(bowline::ip::Family::Ipv6),
        ..Settings::default()
    };
    let other = site.add_with("other", other);
    let config = std::fs::read_to_string(site.path("bowline.toml")).unwrap();
    for (client, shown) in [
        ("full", "10.1.2.3"),
        ("prefix", "10.1.2.0/24"),
        ("none", ""),
    ] {
        let setting = format!("[log]\nclient = \"{client}\"");
        let config = config.replace("[log]", &setting);
        std::fs::write(site.path("bowline.toml"), config).unwrap();
        for (path, reason, hint) in [
            (home.at(""), PRIVATE, PROXY),
            (home.with("10.1.2.3"), PRIVATE, PROXY),
            (
                other.at(""),
                "the client's address is of the family that the host does not have",
                "",
            ),
            (
                home.with("10.9.9.9"),
                "10.9.9.9 is a private address and cannot be published",
                "without an address in its URL the one that it comes from is published",
            ),
            (
                home.with("169.254.9.9"),
                "169.254.9.9 is a link-local address and cannot be published",
                "",
            ),
        ] {
            let answer = site.get(&path).from("10.1.2.3").run();
            assert_eq!(answer.said(), "503 badip");
            let line = site.last_line();
            let hint = match hint {
                "" => String::new(),
                hint => format!(" hint=\"{hint}\""),
            };
            let end = format!(" reason=\"{reason}\"{hint}");
            assert!(line.ends_with(&end), "{line}");
            let found = line.matches("10.1.2.").count();
            assert_eq!(found, usize::from(!shown.is_empty()), "{client}: {line}");
            assert!(line.contains(shown), "{client}: {line}");
        }
        let both = home.with("10.1.2.3,2001:db8::7");
        site.get(&both).from("10.1.2.3").run();
        let line = site.last_line();
        let dropped = match shown {
            "" => "client",
            shown => shown,
        };
        let expected = format!(" dropped={dropped}");
        assert!(line.ends_with(&expected), "{client}: {line}");
        assert!(client == "full" || !line.contains("10.1.2.3"), "{line}");
    }
}

#[test]
fn a_disabled_host_is_told_so() {
    let (site, home) = settled();
    site.registry().disable(home.id, Timestamp::now()).unwrap();
    for query in ["?myip=203.0.113.7", "?myip=203.0.113.8", "?clear=true", ""] {
        assert_eq!(site.visit(&home.at(query)).said(), "403 abuse", "{query}");
        assert!(site.last_line().contains("result=abuse") && site.last_line().contains("reason="));
    }
    site.registry()
        .enable(home.id, Ttl::DEFAULT, Timestamp::now())
        .unwrap();
    assert_eq!(
        site.visit(&home.with("203.0.113.9")).said(),
        "200 good 203.0.113.9"
    );
    assert_eq!(site.dns("home"), "203.0.113.9");
}

#[test]
fn plain_http_where_the_url_says_https() {
    let site = Site::new();
    site.configure("https://update.example.org/dyn", "");
    let home = site.add("home");
    let open = site.add_with(
        "open",
        Settings {
            plain_http: true,
            ..Settings::default()
        },
    );
    let below = |home: &Home| format!("/dyn{}", home.with("203.0.113.7"));
    assert_eq!(site.visit(&below(&home)).said(), "403 badauth");
    assert!(
        site.last_line().contains("plain HTTP"),
        "{}",
        site.last_line()
    );
    let lie = site
        .get(&below(&home))
        .set("HTTP_X_FORWARDED_PROTO", "https")
        .run();
    assert_eq!(lie.said(), "403 badauth");
    assert_eq!(site.dns("home"), "");
    assert_eq!(
        site.get(&below(&home)).set("HTTPS", "on").run().said(),
        "200 good 203.0.113.7"
    );
    assert_eq!(site.visit(&below(&open)).said(), "200 good 203.0.113.7");
    assert_eq!(
        (site.dns("home"), site.dns("open")),
        ("203.0.113.7".into(), "203.0.113.7".into())
    );
    let elsewhere = site.get(&home.with("203.0.113.8")).set("HTTPS", "on").run();
    assert_eq!(elsewhere.said(), "404 badauth");
}

/// The log says what was not taken, and why.
fn check_line(site: &Site, result: &str, reason: &str) {
    let line = site.last_line();
    let expected = format!(" update result={result} client=198.51.100.4 reason=\"{reason}");
    assert!(line.contains(&expected), "{line}");
}

#[test]
fn too_much() {
    let (site, home) = settled();
    let path = home.with("203.0.113.8");
    let form = "application/x-www-form-urlencoded";
    let post = || site.get(&path).method("POST").set("CONTENT_TYPE", form);
    for length in ["65537", "99999999999999999999", "18446744073709551616"] {
        assert_eq!(
            post().set("CONTENT_LENGTH", length).run().status,
            413,
            "{length}"
        );
        check_line(&site, "body", "a body of more than 65536 octets");
    }
    assert_eq!(post().set("CONTENT_LENGTH", "-2").run().status, 400);
    check_line(&site, "request", "a body shorter than its length, or");
    let head = "x".repeat(65 * 1024);
    assert_eq!(site.get(&path).set("HTTP_COOKIE", &head).run().status, 431);
    check_line(&site, "head", "a head of more than 65536 octets or");
    check_untouched(&site, &home);
    let body = [b"x=".as_slice(), &[b'y'; 65_534]].concat();
    let whole = post().set("CONTENT_LENGTH", "65536").body(&body).run();
    assert_eq!(whole.said(), "200 good 203.0.113.8");
    let form_body = post()
        .set("REQUEST_URI", home.at(""))
        .set("QUERY_STRING", "")
        .set("CONTENT_LENGTH", "16")
        .body(b"myip=203.0.113.9")
        .run();
    assert_eq!(
        (form_body.said(), site.dns("home")),
        ("200 good 203.0.113.9".into(), "203.0.113.9".into())
    );
}

#[test]
fn who_only_looks_changes_nothing() {
    let (site, home) = settled();
    for (name, value) in [
        ("HTTP_SEC_FETCH_MODE", "navigate"),
        ("HTTP_SEC_FETCH_SITE", "cross-site"),
        ("HTTP_SEC_PURPOSE", "prefetch;prerender"),
        ("HTTP_PURPOSE", "prefetch"),
        ("HTTP_USER_AGENT", "WhatsApp/2.23.20.0 A"),
        (
            "HTTP_USER_AGENT",
            "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        ),
    ] {
        for query in ["?myip=203.0.113.8", "", "?clear=true"] {
            let page = site.get(&home.at(query)).set(name, value).run();
            assert_eq!(page.status, 200, "{value}");
            assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
            for part in ["home.dyn.example.org", "203.0.113.7", "method=\"post\""] {
                assert!(page.body.contains(part), "{part}");
            }
        }
    }
    check_untouched(&site, &home);
    let pressed = site
        .get(&home.at(""))
        .method("POST")
        .set("HTTP_SEC_FETCH_MODE", "navigate")
        .set("HTTP_SEC_FETCH_SITE", "same-origin")
        .set("CONTENT_TYPE", "application/x-www-form-urlencoded")
        .set("CONTENT_LENGTH", "0")
        .run();
    assert_eq!(
        (pressed.said(), site.dns("home")),
        ("200 good 198.51.100.4".into(), "198.51.100.4".into())
    );
    let forged = site
        .get(&home.with("203.0.113.8"))
        .method("POST")
        .set("HTTP_SEC_FETCH_SITE", "cross-site")
        .run();
    assert!(forged.body.contains("<form"));
    assert_eq!(site.dns("home"), "198.51.100.4");
}
