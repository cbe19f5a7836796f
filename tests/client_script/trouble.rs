//! Servers that misbehave, and no server at all.

use crate::client::{Client, FETCHERS, SHELLS, now, ready, said, site};
use crate::relay::{Mode, Relay};

const TOKEN: &str = "AAAAAAAAAAAAAAAAAAAAAAAA";

fn client(relay: &Relay, fetcher: &'static str) -> Client {
    let url = format!("http://localhost:{}/{TOKEN}/home", relay.port);
    Client::new(SHELLS[0], fetcher, &url)
}

/// An answer with a status, further header lines and a body.
fn answer(status: &str, more: &str, body: &str) -> Mode {
    let length = body.len();
    Mode::Answer(format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{more}Connection: close\r\n\r\n{body}"
    ))
}

#[test]
fn answers_and_what_is_made_of_them() {
    if !ready() {
        return;
    }
    // Nothing is passed on here.
    let relay = Relay::start(9);
    let directory = tempfile::tempdir().unwrap();
    let made = directory.path().join("made");
    let hostile = format!("good $(touch {})`id`;'\n", made.display());
    let (hour, day) = (3600, 86_400);
    for (name, mode, status, least, most) in [
        (
            "later",
            answer("503 Service Unavailable", "", "911\n"),
            4,
            60,
            80,
        ),
        (
            "later/asked",
            answer(
                "503 Service Unavailable",
                "retry-after: 5000\r\n",
                "dnserr\n",
            ),
            4,
            60,
            6300,
        ),
        (
            "later/for-ever",
            answer("503 X", "Retry-After: 999999\r\n", "911\n"),
            4,
            60,
            day + day / 4 + 1,
        ),
        (
            "limit",
            answer("429 Too Many Requests", "", "badauth\n"),
            4,
            60,
            80,
        ),
        (
            "wrong",
            answer("404 Not Found", "", "badauth\n"),
            6,
            hour,
            hour + hour / 4 + 1,
        ),
        (
            "disabled",
            answer("403 Forbidden", "", "abuse\n"),
            6,
            hour,
            hour + hour / 4 + 1,
        ),
        (
            "credential",
            answer(
                "401 Unauthorized",
                "WWW-Authenticate: Basic realm=\"x\"\r\n",
                "badauth\n",
            ),
            6,
            hour,
            hour + hour / 4 + 1,
        ),
        (
            "portal",
            answer(
                "200 OK",
                "Content-Type: text/html\r\n",
                "<html>good 203.0.113.9</html>\n",
            ),
            5,
            300,
            376,
        ),
        ("bare", answer("200 OK", "", "good\n"), 5, 300, 376),
        ("hostile", answer("200 OK", "", &hostile), 5, 300, 376),
        ("empty", answer("200 OK", "", ""), 5, 300, 376),
        (
            "elsewhere",
            answer("302 Found", "Location: http://localhost:9/\r\n", ""),
            5,
            300,
            376,
        ),
        (
            "no-http",
            Mode::Answer("SSH-2.0-OpenSSH_9.2\r\n".to_owned()),
            3,
            60,
            76,
        ),
        ("cut", Mode::Answer("HTTP/1.1 20".to_owned()), 3, 60, 76),
        ("endless", Mode::Endless, 5, 300, 376),
    ] {
        for fetcher in FETCHERS {
            let family = if fetcher == "busybox wget" {
                "any"
            } else {
                "4"
            };
            let client = client(&relay, fetcher);
            relay.set(mode.clone());
            let begun = now();
            let (got, text) = client.run(&["run", "--verbose"]);
            // OpenWrt's follows to where nobody listens.
            let follows = name == "elsewhere" && fetcher.ends_with("uclient-fetch");
            assert!(
                got == status || name == "no-http" && got == 5 || follows && got == 3,
                "{name} {fetcher}: {got}, {text}"
            );
            assert!(!text.contains(TOKEN), "{name} {fetcher}: {text}");
            let next = client.number(family, "next") - begun;
            let ended = now() - begun;
            let least = if got == 3 { 60 } else { least };
            assert!(
                next >= least && next <= most + ended,
                "{name} {fetcher}: {next} s, {text}"
            );
            // It waits, and still says what is the matter; but not in the log.
            relay.counted();
            let (again, text) = client.run(&["run"]);
            assert_eq!((again, text.as_str()), (got, ""), "{name} {fetcher}");
            assert_eq!(relay.counted(), (0, 0), "{name} {fetcher}");
            let (told, text) = client.run(&["status"]);
            assert_eq!(told, got, "{name} {fetcher}: {text}");
            assert!(text.contains("never confirmed"), "{name} {fetcher}: {text}");
            // Unless it is told not to wait; and it waits longer the next time.
            client.run(&["run", "--now"]);
            assert_ne!(relay.counted(), (0, 0), "{name} {fetcher}");
            assert_eq!(client.number(family, "fails"), 2, "{name} {fetcher}");
        }
    }
    assert!(!made.exists(), "an answer was run");
}

#[test]
fn a_wrong_url_is_asked_less_and_less_but_never_given_up() {
    if !ready() {
        return;
    }
    let relay = Relay::start(9);
    relay.set(answer("404 Not Found", "", "badauth\n"));
    let client = client(&relay, "curl");
    for waits in [3600, 7200, 14_400, 28_800, 57_600, 86_400, 86_400, 86_400] {
        let begun = now();
        assert_eq!(client.run(&["run", "--now"]).0, 6);
        let wait = client.number("4", "next") - begun;
        let longest = waits + waits / 4 + now() - begun;
        assert!((waits..=longest).contains(&wait), "{wait} after {waits}");
    }
    // The day after it asks by itself.
    client.edit("next", &(now() - 1).to_string());
    relay.counted();
    assert_eq!(client.run(&["run"]).0, 6);
    assert!(relay.counted().1 > 0);
    // A clock that was far ahead makes nothing wait.
    client.edit("next", &(now() + 1_000_000_000).to_string());
    client.run(&["run"]);
    assert!(relay.counted().1 > 0);
}

#[test]
fn the_network_goes_and_comes_back() {
    let Some((site, relay)) = site() else { return };
    let url = |port: u16| format!("http://localhost:{port}/{}/home", site.token);
    // Nobody listens on port 9.
    let client = Client::new(SHELLS[1], "curl", &url(9));
    let (status, text) = client.run(&["run", "--verbose"]);
    assert_eq!(status, 3, "{text}");
    assert!(text.contains("the server cannot be reached"), "{text}");
    let client = Client::new(SHELLS[1], "curl", &url(relay.port));
    assert_eq!(client.run(&["run"]).0, 0);
    // What has worked once is tried again at once.
    relay.set(Mode::Answer(String::new()));
    assert_eq!(client.run(&["run"]).0, 3);
    relay.set(Mode::Pass);
    relay.move_client("203.0.113.8", "2001:db8::7");
    assert_eq!(client.run(&["run"]).0, 0);
    assert_eq!(site.dig("home", "A"), "203.0.113.8");
    assert_eq!(client.run(&["status"]).0, 0);
}

#[test]
fn refused_by_the_real_server_and_back() {
    let Some((site, relay)) = site() else { return };
    let url = format!("http://localhost:{}/{}/home", relay.port, site.token);
    let client = Client::new(SHELLS[0], "curl", &url);
    site.bowline(&["host", "disable", "home"]);
    let (status, text) = client.run(&["run", "--verbose"]);
    assert_eq!(status, 6, "{text}");
    assert!(text.contains("403 (abuse)"), "{text}");
    site.bowline(&["host", "enable", "home"]);
    assert_eq!(client.run(&["run", "--now"]).0, 0);
    assert_eq!(site.dig("home", "A"), "203.0.113.7");
    // Its address is the same, and only a visit tells that it was disabled since.
    site.bowline(&["host", "disable", "home"]);
    let (status, text) = client.run(&["run", "--verbose"]);
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("still 203.0.113.7"), "{text}");
    let (status, text) = told_at_once(&client);
    assert_eq!(status, 6, "{text}");
    assert!(text.contains("403 (abuse)"), "{text}");
    site.bowline(&["host", "enable", "home"]);
    assert_eq!(client.run(&["run", "--now"]).0, 0);
    // An address that cannot be published, over one family: the other is enough.
    relay.move_client("192.168.1.2", "2001:db8::8");
    assert_eq!(client.run(&["run"]).0, 0);
    assert_eq!(site.dig("home", "A"), "203.0.113.7");
    assert_eq!(site.dig("home", "AAAA"), "2001:db8::8");
    site.bowline(&["host", "rotate", "home"]);
    relay.move_client("203.0.113.8", "2001:db8::8");
    client.edit("next", "0");
    client.edit("again", "0");
    let (status, text) = client.run(&["run", "--verbose"]);
    assert_eq!(status, 6, "{text}");
    assert!(text.contains("404 (badauth)"), "{text}");
}

/// What is said to a person who wants it at once, without more words than that.
fn told_at_once(client: &Client) -> (i32, String) {
    let mut command = client.command(&["run", "--now"]);
    // As a terminal, or systemd's journal: not to the system's log.
    said(&command.env("JOURNAL_STREAM", "1:1").output().unwrap())
}

#[test]
fn at_once_it_visits_whatever_is_known() {
    let Some((site, relay)) = site() else { return };
    for shell in SHELLS {
        for fetcher in FETCHERS {
            let what = format!("{shell:?} {fetcher}");
            let url = format!("http://localhost:{}/{}/home", relay.port, site.token);
            let client = Client::new(shell, fetcher, &url);
            client.run(&["run"]);
            client.run(&["run"]);
            relay.counted();
            let (_, text) = told_at_once(&client);
            let (asked, visits) = relay.counted();
            assert!(asked == 0 && visits > 0, "{what}: {asked} {visits} {text}");
            assert!(
                text.contains(": nochg 203.0.113.7\n") || text.contains(": nochg 2001:db8::7\n"),
                "{what}: {text}"
            );
        }
    }
    let url = format!("http://localhost:{}/{}/home", relay.port, site.token);
    let client = Client::new(SHELLS[0], "curl", &url);
    assert_eq!(client.run(&["run"]).0, 0);
    site.bowline(&["host", "rotate", "home"]);
    assert_eq!(client.run(&["run"]).0, 0);
    let (status, text) = told_at_once(&client);
    assert_eq!(status, 6, "{text}");
    assert!(text.contains("404 (badauth)"), "{text}");
}
