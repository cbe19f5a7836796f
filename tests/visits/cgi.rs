//! Absurd environments: a whole answer and exit 0, every time.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use crate::support::site::Site;

#[test]
fn whatever_the_environment_says() {
    let site = Site::new();
    let home = site.add("home");
    let mut n = 0;
    let mut path = || {
        n += 1;
        home.with(format_args!("203.0.113.{n}"))
    };
    let trash = || OsString::from_vec(vec![0xff, 0xfe, b'%', b'=', 0xc3]);
    let names = [
        "REQUEST_METHOD",
        "REQUEST_URI",
        "QUERY_STRING",
        "SERVER_PROTOCOL",
        "REMOTE_ADDR",
        "HTTP_X_FORWARDED_FOR",
        "HTTP_HOST",
        "HTTP_ACCEPT",
        "HTTP_USER_AGENT",
        "CONTENT_TYPE",
        "CONTENT_LENGTH",
        "PATH_INFO",
        "SCRIPT_NAME",
        "HTTPS",
        "HTTP_SEC_PURPOSE",
        "HTTP_AUTHORIZATION",
        "HTTP_PROXY",
        "GATEWAY_INTERFACE",
    ];
    for name in names {
        site.get(&path()).set(name, trash()).run();
        site.get(&path()).set(name, "").run();
        if name != "GATEWAY_INTERFACE" {
            site.get(&path()).unset(name).run();
        }
    }
    let mut all = site.get(&path());
    for name in names {
        all = all.set(name, trash());
    }
    // Its length is no number, so where the body ends is not known.
    assert_eq!(all.run().status, 400);
    let mut none = site.get("/");
    for name in names.iter().filter(|name| **name != "GATEWAY_INTERFACE") {
        none = none.unset(name);
    }
    assert_eq!(none.run().status, 405);
    assert!(!site.log().contains("a bug in bowline"), "{}", site.log());
    assert_eq!(
        site.visit(&home.with("198.51.100.9")).said(),
        "200 good 198.51.100.9"
    );
    assert_eq!(site.dns("home"), "198.51.100.9");
}

#[test]
fn an_empty_name_of_the_configuration_is_none() {
    let site = Site::new();
    let home = site.add("home");
    let usual = "/etc/bowline/bowline.toml";
    if std::path::Path::new(usual).exists() {
        return eprintln!("skipped: there is a {usual} here");
    }
    let path = home.with("203.0.113.7");
    let response = site.get(&path).set("BOWLINE_CONFIG", "").run();
    assert_eq!(response.said(), "503 911");
    let cause = format!("{usual}: there is no such file");
    assert!(response.stderr.contains(&cause), "{}", response.stderr);
}

#[test]
fn odd_but_well_meant() {
    let site = Site::new();
    let home = site.add("home");
    let good = "200 good 203.0.113.";
    for (n, protocol) in ["HTTP/0.9", "HTTP/1.0", "HTTP/2.0", "HTTP/3", "INCLUDED", ""]
        .iter()
        .enumerate()
    {
        let path = home.with(format_args!("203.0.113.{n}"));
        let response = site
            .get(&path)
            .set("SERVER_PROTOCOL", protocol)
            .unset("HTTP_HOST")
            .run();
        assert_eq!(response.said(), format!("{good}{n}"), "{protocol}");
    }
    let path = home.with("203.0.113.50");
    for (name, response) in [
        ("arguments", site.get(&path).arguments(&["--help"])),
        (
            "version",
            site.get(&path).arguments(&["--version", "host", "list"]),
        ),
        (
            "octets",
            site.get(&path)
                .set("NOT_OURS", OsString::from_vec(vec![0xff])),
        ),
        ("uri-only", site.get(&path).unset("QUERY_STRING")),
        (
            "absolute",
            site.get(&format!("https://update.example.org:8443{path}")),
        ),
        ("slashes", site.get(&format!("//{path}&"))),
        ("escapes", site.get(&path.replace("myip", "%6dyip"))),
        ("bad-escape", site.get(&format!("{path}&x=%zz&%=%"))),
        ("not-utf8", site.get(&format!("{path}&x=%ff&=&&a&b=1&b=2"))),
        (
            "authorization",
            site.get(&path).set("HTTP_AUTHORIZATION", "Basic Og=="),
        ),
        (
            "mapped",
            site.get(&path).set("REMOTE_ADDR", "::ffff:127.0.0.1"),
        ),
        ("unix", site.get(&path).set("REMOTE_ADDR", "unix:")),
        (
            "path-info",
            site.get("")
                .set("SCRIPT_NAME", "")
                .set("PATH_INFO", home.at(""))
                .set("QUERY_STRING", "myip=203.0.113.50"),
        ),
    ] {
        let said = response.run().said();
        let expected = match name {
            "arguments" => format!("{good}50"),
            _ => "200 nochg 203.0.113.50".to_owned(),
        };
        assert_eq!(said, expected, "{name}");
    }
    assert_eq!(site.dns("home"), "203.0.113.50");
}

#[test]
fn lengths_of_every_kind() {
    let site = Site::new();
    let home = site.add("home");
    let form = "application/x-www-form-urlencoded";
    for (length, body, expected) in [
        ("99999999999999999999", "", "413 body"),
        ("-2", "myip=203.0.113.7", "400 request"),
        ("abc", "myip=203.0.113.7", "400 request"),
        ("1e3", "myip=203.0.113.7", "400 request"),
        // Half an address is another address.
        ("1000", "myip=203.0.113.8", "400 request"),
        ("1000", "", "400 request"),
        ("-1", "myip=203.0.113.8", "200 good 203.0.113.8"),
        ("", "myip=203.0.113.7", "200 good 198.51.100.4"),
        ("0", "myip=203.0.113.7", "200 nochg 198.51.100.4"),
        ("16", "myip=203.0.113.7", "200 good 203.0.113.7"),
        (" 16 ", "myip=203.0.113.9", "200 good 203.0.113.9"),
        ("16", "myip=203.0.113.9&more", "200 nochg 203.0.113.9"),
    ] {
        let response = site
            .get(&home.at(""))
            .method("POST")
            .set("CONTENT_TYPE", form)
            .set("CONTENT_LENGTH", length)
            .body(body.as_bytes())
            .run();
        assert_eq!(response.said(), expected, "{length:?} {body}");
    }
    assert_eq!(site.dns("home"), "203.0.113.9");
}

#[test]
fn an_empty_name_of_an_address_hides_no_other() {
    let site = Site::new();
    let home = site.add("home");
    for (query, address) in [
        ("?myip=&ip=203.0.113.8", "203.0.113.8"),
        ("?ip=203.0.113.10&myip=203.0.113.9", "203.0.113.9"),
        ("?myip=<ipaddr>&ipv4=203.0.113.11", "203.0.113.11"),
    ] {
        let said = site.visit(&home.at(query)).said();
        assert_eq!(said, format!("200 good {address}"), "{query}");
        assert_eq!(site.dns("home"), address, "{query}");
    }
}

#[test]
fn a_body_that_never_comes_is_not_waited_for_longer_than_anybody_waits() {
    let site = Site::new();
    let home = site.add("home");
    let fifo = site.path("fifo").display().to_string();
    let held = format!("mkfifo {fifo}; exec 3<>{fifo}; printf myip=203 >&3; exec \"$0\" <&3");
    let visit = (site.get(&home.at("")).method("POST"))
        .set("CONTENT_TYPE", "application/x-www-form-urlencoded")
        .set("CONTENT_LENGTH", "16")
        .under(&["sh", "-c", &held])
        .run();
    assert_eq!(visit.said(), "408 late");
    assert!(visit.took.own.as_secs() < 8, "{:?}", visit.took);
    assert!(site.last_line().contains(" update result=late client="));
    assert_eq!(site.dns("home"), "");
}
