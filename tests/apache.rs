//! The main job, end to end: `init --apply`, `host add`, a visit through Apache, and
//! Knot answers; then every log and file is searched for the secret.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    dead_code
)]

mod support;

#[path = "support/apache.rs"]
mod site;

use std::fs;

use site::trial::{run, succeed};
use site::{Site, search};

fn answer(status: &str, body: &str) -> (String, String) {
    (status.to_owned(), format!("{body}\n"))
}

#[test]
fn a_visit_moves_the_name() {
    let Some(site) = Site::start(&[]) else { return };
    let home = format!("/{}/home", site.token);

    assert_eq!(site.dig("home", "A"), "");
    let both = format!("{home}?myip=203.0.113.7&myipv6=2001:db8::7");
    assert_eq!(
        site.visit(&both, &[]),
        answer("200", "good 203.0.113.7,2001:db8::7")
    );
    assert_eq!(site.dig("home", "A"), "203.0.113.7");
    assert_eq!(site.dig("home", "AAAA"), "2001:db8::7");
    assert_eq!(
        site.visit(&both, &[]),
        answer("200", "nochg 203.0.113.7,2001:db8::7")
    );

    // A new address of one family leaves the other alone; every spelling of the path serves.
    for (path, ip) in [
        (format!("/{}", site.token), "203.0.113.8"),
        (format!("//{}//home/", site.token), "203.0.113.9"),
        (
            format!("/{}/home.dyn.example.org", site.token),
            "203.0.113.10",
        ),
        (format!("/{}/%68ome", site.token), "203.0.113.11"),
    ] {
        assert_eq!(
            site.visit(&format!("{path}?myip={ip}"), &[]),
            answer("200", &format!("good {ip}")),
            "{path}"
        );
        assert_eq!(site.dig("home", "A"), ip);
    }
    assert_eq!(site.dig("home", "AAAA"), "2001:db8::7");

    // Forms, and methods that update clients use.
    assert_eq!(
        site.visit(&home, &["-d", "myip=203.0.113.12"]),
        answer("200", "good 203.0.113.12")
    );
    assert_eq!(
        site.visit(&home, &["-X", "PUT", "-d", "myip=203.0.113.13"]),
        answer("200", "good 203.0.113.13")
    );
    let chunked = [
        "-H",
        "Transfer-Encoding: chunked",
        "-d",
        "myip=203.0.113.13",
    ];
    assert_eq!(
        site.visit(&home, &chunked),
        answer("200", "nochg 203.0.113.13")
    );
    assert_eq!(
        site.visit(&format!("{home}?ipv6=-"), &[]),
        answer("200", "good")
    );
    assert_eq!(
        (
            site.dig("home", "A").as_str(),
            site.dig("home", "AAAA").as_str()
        ),
        ("203.0.113.13", "")
    );
    assert_eq!(site.visit(&home, &["-X", "DELETE"]), answer("200", "good"));
    assert_eq!(site.dig("home", "A"), "");

    // Credentials of somebody else's making are ignored on a secret path.
    let path = format!("{home}?myip=203.0.113.14");
    assert_eq!(
        site.visit(&path, &["-u", "nobody:nothing"]),
        answer("200", "good 203.0.113.14")
    );
    assert_eq!(
        site.visit(&path, &["--http1.0"]),
        answer("200", "nochg 203.0.113.14")
    );
    let json = site.visit(&path, &["-H", "Accept: application/json"]);
    assert_eq!(
        json,
        answer(
            "200",
            "{\"status\":\"nochg\",\"host\":\"home.dyn.example.org\",\"ipv4\":\"203.0.113.14\"}"
        )
    );
    assert_eq!(site.visit("/ip", &[]), answer("200", "127.0.0.1"));
    assert_eq!(site.visit("/healthz", &[]), answer("200", "ok"));
}

#[test]
fn what_is_refused_changes_nothing_and_says_little() {
    let Some(site) = Site::start(&[]) else { return };
    let home = format!("/{}/home", site.token);
    site.visit(&format!("{home}?myip=203.0.113.7"), &[]);

    for (path, more, status, body) in [
        (format!("{home}?myip=10.0.0.1"), &[][..], "503", "badip"),
        (home.clone(), &[], "503", "badip"), // curl comes from loopback
        (format!("{home}?myip=nonsense"), &[], "400", "badip"),
        (
            format!("{home}?myip=203.0.113.8,203.0.113.9"),
            &[],
            "400",
            "badip",
        ),
        (
            format!("/{}/other?myip=203.0.113.8", site.token),
            &[],
            "403",
            "nohost",
        ),
        (
            format!("{home}?hostname=other&myip=203.0.113.8"),
            &[],
            "403",
            "nohost",
        ),
        (
            format!("{home}/more?myip=203.0.113.8"),
            &[],
            "404",
            "badauth",
        ),
        (
            "/AAAAAAAAAAAAAAAAAAAAAAAA/home?myip=203.0.113.8".to_owned(),
            &[],
            "404",
            "badauth",
        ),
        ("/favicon.ico".to_owned(), &[], "404", "badauth"),
        ("/".to_owned(), &[], "404", "badauth"),
        ("/server-status".to_owned(), &[], "404", "badauth"),
        (
            format!("{home}?myip=203.0.113.8"),
            &["-X", "OPTIONS"],
            "405",
            "method",
        ),
        (
            format!("{home}?myip=203.0.113.8"),
            &["-X", "PATCH"],
            "405",
            "method",
        ),
    ] {
        assert_eq!(
            site.visit(&path, more),
            answer(status, body),
            "{path} {more:?}"
        );
        assert_eq!(site.dig("home", "A"), "203.0.113.7", "{path}");
    }
    let head = succeed(
        "curl",
        &[
            "-sSI",
            &format!(
                "http://127.0.0.1:{}{home}?myip=203.0.113.8",
                site.trial.http
            ),
        ],
    );
    assert!(head.starts_with("HTTP/1.1 405 "), "{head}");
    assert!(head.contains("Allow: GET, POST, PUT, DELETE"), "{head}");
    let big = format!("myip=203.0.113.8&x={}", "x".repeat(70_000));
    fs::write(site.trial.path("big"), big).unwrap();
    let body = format!("@{}", site.trial.path("big").display());
    assert_eq!(site.visit(&home, &["-d", &body]).0, "413");

    // A person's browser gets a page, and only its button changes anything.
    let (status, page) = site.visit(
        &format!("{home}?myip=203.0.113.8"),
        &["-H", "Sec-Fetch-Mode: navigate"],
    );
    assert_eq!(status, "200");
    assert!(
        page.contains("home.dyn.example.org") && page.contains("203.0.113.7"),
        "{page}"
    );
    assert!(!page.contains(&site.token));
    assert_eq!(site.dig("home", "A"), "203.0.113.7");
    let pressed = [
        "-X",
        "POST",
        "-H",
        "Sec-Fetch-Mode: navigate",
        "-H",
        "Sec-Fetch-Site: same-origin",
    ];
    assert_eq!(
        site.visit(&format!("{home}?myip=203.0.113.8"), &pressed),
        answer("200", "good 203.0.113.8")
    );

    site.bowline(&["host", "disable", "home"]);
    assert_eq!(site.dig("home", "A"), "");
    assert_eq!(
        site.visit(&format!("{home}?myip=203.0.113.8"), &[]),
        answer("403", "abuse")
    );
    site.bowline(&["host", "enable", "home"]);
    assert_eq!(
        site.visit(&format!("{home}?myip=203.0.113.8"), &[]),
        answer("200", "good 203.0.113.8")
    );
    site.bowline(&["host", "remove", "home"]);
    assert_eq!(site.dig("home", "A"), "");
    assert_eq!(
        site.visit(&format!("{home}?myip=203.0.113.8"), &[]),
        answer("404", "badauth")
    );
}

#[test]
fn every_answer_has_its_length_and_tells_caches_and_robots_no() {
    let Some(site) = Site::start(&[]) else { return };
    let home = format!("/{}/home?myip=203.0.113.7", site.token);
    for path in [home.as_str(), "/unknown", "/ip", "/healthz"] {
        // Often: mod_cgid has a race in which it sends short answers in chunks.
        for _ in 0..20 {
            let url = format!("http://127.0.0.1:{}{path}", site.trial.http);
            let head = succeed("curl", &["-sS", "-D", "-", "-o", "/dev/null", &url]).to_lowercase();
            for field in [
                "content-length: ",
                "content-type: text/plain; charset=utf-8",
                "cache-control: no-store",
                "x-robots-tag: noindex, nofollow",
                "referrer-policy: no-referrer",
                "x-content-type-options: nosniff",
                "content-security-policy: ",
            ] {
                assert!(head.contains(field), "{path}: {field}\n{head}");
            }
            assert!(
                !head.contains("chunked") && !head.contains("location:"),
                "{path}\n{head}"
            );
        }
    }
}

#[test]
fn no_secret_is_left_anywhere() {
    let Some(site) = Site::start(&[]) else { return };
    let config = fs::read_to_string(site.trial.config()).unwrap();
    let logged =
        format!("{config}\n[log]\ntarget = \"file:state/bowline.log\"\nlevel = \"debug\"\n");
    fs::write(site.trial.config(), logged).unwrap();
    let (home, referer) = (
        format!("/{}/home", site.token),
        format!("Referer: http://x/{}", site.token),
    );
    let wrong = format!("/{}x/home", site.token);
    for (path, more) in [
        (format!("{home}?myip=203.0.113.7"), &[][..]),
        (home.clone(), &["-H", &referer]),
        (format!("{wrong}?myip=203.0.113.7"), &[]),
        (format!("{home}%2F..%2f?myip=%zz"), &[]),
        (format!("{home}?{}", "x".repeat(9000)), &[]),
        (format!("{home}?token={}", site.token), &["-X", "TRACE"]),
        (home.clone(), &["-H", "Expect: nothing"]),
        (home.clone(), &["-H", "Content-Length: 99999999999"]),
    ] {
        let url = format!("http://127.0.0.1:{}{path}", site.trial.http);
        run(
            "curl",
            &[&["-sS", "--max-time", "3", "--path-as-is", &url], more].concat(),
        );
    }
    // The executable gone, and unreadable configuration: the web server's own errors.
    let away = site.trial.dir.path().join("away");
    fs::rename(&site.trial.executable, &away).unwrap();
    site.visit(&home, &["-H", &referer]);
    fs::rename(&away, &site.trial.executable).unwrap();
    fs::rename(site.trial.config(), site.trial.path("aside")).unwrap();
    assert_eq!(site.visit(&home, &[]), answer("503", "911"));

    let mut searched = 0;
    search(site.trial.dir.path(), &site.token, &mut searched);
    assert!(searched > 15, "{searched} files");
    let said = fs::read_to_string(site.trial.path("state/bowline.log")).unwrap_or_default();
    assert!(said.contains("result=good"), "{said}");
    assert!(said.contains("result=badauth client=127.0.0.1"), "{said}");
}
