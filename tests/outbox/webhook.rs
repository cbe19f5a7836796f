//! Webhooks: what is posted, and what receivers may do.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::receiver::{Receiver, status};
use crate::site::{configure, forget, later, site, trouble, upkeep, waiting};

#[test]
fn a_change_is_posted_once_and_signed() {
    let receiver = Receiver::new();
    let site = site(&receiver.table("secret = \"it's a secret\""));
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.7")).status, 200);
    assert_eq!(upkeep(&site), [1, 0, 0]);
    assert_eq!(upkeep(&site), [0, 0, 0]);
    let posts = receiver.take();
    assert_eq!(posts.len(), 1);
    let post = &posts[0];
    assert_eq!(post.line, "POST /hook HTTP/1.1");
    assert_eq!(post.headers["content-type"], "application/json");
    let json = post.json();
    assert_eq!(json["id"].as_str(), Some(&*post.headers["x-bowline-id"]));
    let title = json["title"].as_str().unwrap();
    assert!(
        title.contains("home.dyn.example.org") && title.contains("203.0.113.7"),
        "{title}"
    );
    let event = &json["events"][0];
    assert_eq!(event["event"], "changed");
    assert_eq!(event["ipv4"], "203.0.113.7");
    assert!(event["last_ipv4"].is_null() && event["ipv6"].is_null());
    assert_eq!(event["pending"], false);
    let signature = &post.headers["x-bowline-signature"];
    let time = signature.split(['=', ',']).nth(1).unwrap();
    let hex = hmac("it's a secret", &format!("{time}.{}", post.body));
    assert_eq!(*signature, format!("t={time},v1={hex}"));
    assert_eq!(site.dns("home"), "203.0.113.7");
}

/// As somebody else calculates it.
fn hmac(secret: &str, text: &str) -> String {
    let mut openssl = Command::new("openssl")
        .args(["dgst", "-sha256", "-hmac", secret, "-r"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    openssl
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let said = openssl.wait_with_output().unwrap().stdout;
    String::from_utf8(said).unwrap()[..64].to_owned()
}

#[test]
fn a_burst_is_one_message() {
    let receiver = Receiver::new();
    let site = site(&receiver.table(""));
    for n in 1..=120 {
        let home = site.add(&format!("h{n}"));
        assert_eq!(site.visit(&home.with(format!("203.0.113.{n}"))).status, 200);
    }
    assert_eq!(upkeep(&site), [1, 0, 0]);
    let posts = receiver.take();
    assert_eq!(posts.len(), 1);
    let json = posts[0].json();
    assert_eq!(json["count"], 120);
    let told = posts[0].events().len();
    assert!((50..=120).contains(&told), "{told}");
    let text = json["text"].as_str().unwrap();
    assert!(text.contains("h49.dyn.example.org"), "{text}");
    assert!(text.contains(&format!("{} more", 120 - told)), "{text}");
    // The newest is named, though it is not among those that are told in full.
    let title = "h120.dyn.example.org is now at 203.0.113.120, and 119 more";
    assert_eq!(json["title"], title);
    assert_eq!(waiting(&site), 0);
}

#[test]
fn what_is_too_long_for_its_receiver_goes_in_parts() {
    let receiver = Receiver::new();
    receiver.says(|post| match post.json()["text"].as_str().unwrap().len() {
        0..=1000 => status("200 OK"),
        _ => status("400 Bad Request"),
    });
    let site = site(&receiver.table(""));
    for n in 1..=31 {
        let home = site.add(&format!("h{n}"));
        assert_eq!(site.visit(&home.with(format!("203.0.113.{n}"))).status, 200);
    }
    let [sent, failed, given_up] = upkeep(&site);
    assert!(sent > 1, "{sent}");
    assert_eq!([failed, given_up], [0, 0]);
    assert_eq!(waiting(&site), 0);
    let posts = receiver.take();
    let taken = posts
        .iter()
        .filter(|post| post.json()["text"].as_str().unwrap().len() <= 1000);
    let told: Vec<String> = taken.flat_map(|post| post.events()).collect();
    let expected: Vec<String> = (1..=31)
        .map(|n| format!("changed h{n}.dyn.example.org"))
        .collect();
    assert_eq!(told, expected);
    // One that is too long by itself waits, and is tried once a round.
    receiver.says(|_| status("413 Content Too Large"));
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.99")).status, 200);
    assert_eq!(upkeep(&site), [0, 1, 0]);
    assert_eq!(receiver.take().len(), 1);
    assert!(trouble(&site).contains("it answers 413"));
}

#[test]
fn one_that_its_receiver_never_takes_holds_up_no_other() {
    let receiver = Receiver::new();
    let site = site(&receiver.table(""));
    for n in 1..=6 {
        let home = site.add(&format!("h{n}"));
        assert_eq!(site.visit(&home.with(format!("203.0.113.{n}"))).status, 200);
    }
    receiver.says(
        |post| match post.json()["text"].to_string().contains("h1.") {
            true => status("400 Bad Request"),
            false => status("200 OK"),
        },
    );
    assert_eq!(upkeep(&site)[1..], [1, 0]);
    assert_eq!(waiting(&site), 1);
    // Where it takes none at all, not each of them is tried.
    receiver.take();
    receiver.says(|_| status("400 Bad Request"));
    for n in 1..=6 {
        let home = site.add(&format!("i{n}"));
        assert_eq!(site.visit(&home.with(format!("203.0.113.{n}"))).status, 200);
    }
    later(&site, 3600);
    upkeep(&site);
    assert_eq!(waiting(&site), 7);
    assert!(receiver.take().len() <= 5);
}

#[test]
fn a_receiver_that_is_down_for_a_day_gets_everything_once() {
    let receiver = Receiver::new();
    receiver.says(|_| status("503 Service Unavailable"));
    let site = site(&receiver.table(""));
    let home = site.add("home");
    let mut tries = 0;
    // Every ten minutes of a day a change and a round.
    for n in 1..=144 {
        assert_eq!(site.visit(&home.with(format!("203.0.113.{n}"))).status, 200);
        later(&site, 600);
        tries += upkeep(&site)[1];
    }
    assert!((24..=60).contains(&tries), "{tries} tries in a day");
    receiver.take();
    receiver.says(|_| status("204 No Content"));
    later(&site, 3600);
    let sent = upkeep(&site)[0];
    assert!((1..=2).contains(&sent), "{sent} messages");
    let posts = receiver.take();
    let count: u64 = posts
        .iter()
        .map(|post| post.json()["count"].as_u64().unwrap())
        .sum();
    assert_eq!(count, 144);
    assert_eq!(waiting(&site), 0);
}

#[test]
fn what_nobody_takes_is_given_up_and_said() {
    let receiver = Receiver::new();
    receiver.says(|_| status("404 Not Found"));
    let site = site(&format!(
        "[notify]\ngive_up = \"2d\"\n{}",
        receiver.table("")
    ));
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    assert_eq!(upkeep(&site), [0, 1, 0]);
    assert!(trouble(&site).contains("it answers 404"));
    later(&site, 2 * 86_400);
    assert_eq!(upkeep(&site), [0, 0, 1]);
    assert!(
        site.last_line().contains("result=given-up"),
        "{}",
        site.last_line()
    );

    assert_eq!(upkeep(&site), [0, 0, 0]);
    assert!(trouble(&site).contains("it answers 404"));
    assert_eq!(waiting(&site), 0);
}

#[test]
fn receivers_that_lie_or_dawdle() {
    let receiver = Receiver::new();
    let other = Receiver::new();
    let site = site(&receiver.table(""));
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    let elsewhere = format!("http://{}/", other.address);
    type Said = Box<dyn Fn() -> String + Send + Sync>;
    let cases: [(Said, &str); 5] = [
        (
            Box::new(move || {
                format!(
                    "HTTP/1.1 307 Temporary Redirect\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n"
                )
            }),
            "redirects are not followed",
        ),
        (Box::new(|| "SMTP? 220 hello\r\n\r\n".to_owned()), ""),
        (Box::new(String::new), ""),
        (
            Box::new(|| format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(1 << 20))),
            "",
        ),
        (
            Box::new(|| status("500 Internal Server Error\r\nX: success")),
            "it answers 500",
        ),
    ];
    for (answer, why) in cases {
        receiver.says(move |_| answer());
        let address = if why == "redirects are not followed" {
            9
        } else {
            10
        };
        assert_eq!(
            site.visit(&home.with(format!("203.0.113.{address}")))
                .status,
            200
        );
        forget(&site);
        assert_eq!(site.visit(&home.with("203.0.113.2")).status, 200);
        assert_eq!(upkeep(&site), [0, 1, 0], "{why}");
        let said = trouble(&site);
        assert!(said.contains(why) && waiting(&site) == 1, "{said}");
    }
    assert!(other.take().is_empty(), "no redirect is followed");
    receiver.says(|_| {
        std::thread::sleep(std::time::Duration::from_secs(15));
        status("200 OK")
    });
    forget(&site);
    assert_eq!(site.visit(&home.with("203.0.113.3")).status, 200);
    let began = std::time::Instant::now();
    assert_eq!(upkeep(&site), [0, 1, 0]);
    assert!(began.elapsed().as_secs() < 30);
    assert!(!trouble(&site).is_empty());
}

#[test]
fn no_proxy_of_the_environment_is_used() {
    let receiver = Receiver::new();
    let proxy = Receiver::new();
    let site = site(&receiver.table(""));
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    let url = format!("http://{}", proxy.address);
    let mut round = site.verb(&["upkeep"]);
    for name in [
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
        "HTTPS_PROXY",
    ] {
        round.env(name, &url);
    }
    assert!(round.status().unwrap().success());
    assert_eq!(receiver.take().len(), 1);
    assert!(proxy.take().is_empty());
}

#[test]
fn a_body_of_ones_own() {
    let receiver = Receiver::new();
    let site = site(&receiver.table(
        "headers = { X-Gotify-Key = \"abc\" }\nbody = { title = \"{{ title }}\", \
         message = \"{{ text }}\", priority = 5, extras.of = [\"{{ hostname }}\", true], since = 2026-01-31 }",
    ));
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    assert_eq!(upkeep(&site), [1, 0, 0]);
    let post = receiver.take().remove(0);
    assert_eq!(post.headers["x-gotify-key"], "abc");
    let json = post.json();
    assert!(json["title"].as_str().unwrap().contains("203.0.113.1"));
    assert!(json["message"].as_str().unwrap().contains("203.0.113.1"));
    assert_eq!(json["priority"], 5);
    assert_eq!(json["since"], "2026-01-31");
    assert_eq!(json["extras"]["of"], serde_json::json!(["home", true]));

    // A channel that is configured no more leaves nothing behind.
    assert_eq!(site.visit(&home.with("203.0.113.2")).status, 200);
    configure(&site, "");
    upkeep(&site);
    assert_eq!(waiting(&site), 0);
}
