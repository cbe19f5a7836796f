//! What every dialect refuses, and how; the name stays where it is.

use std::fs;

use crate::site::trial::succeed;
use crate::site::{Site, search};

const OTHER: &str = "BBBBBBBBBBBBBBBBBBBBBBBB";

#[test]
fn refusals_change_nothing() {
    let Some(site) = Site::start(&[]) else { return };
    site.trust_loopback();
    let token = site.add("nas", &[]);
    let basic = format!("me:{}", site.token);
    let visit = |path: &str, more: &[&str]| {
        let path = path.replace("TOKEN", &site.token).replace("OTHER", OTHER);
        let (status, body) = site.visit(&path, more);
        format!("{status} {body}")
    };
    assert_eq!(
        visit("/nic/update?myip=203.0.113.1", &["-u", &basic]),
        "200 good 203.0.113.1\n"
    );
    let nic = "/nic/update?myip=203.0.113.2&hostname=";
    let many = format!("{nic}{}", ["home"; 21].join(","));
    let (wrong, colons) = (format!("me:{OTHER}"), format!("me:{}:x", site.token));
    for (path, more, expected) in [
        (nic, &[][..], "401 badauth\n"),
        (nic, &["-u", "me:"], "401 badauth\n"),
        (nic, &["-u", &wrong], "401 badauth\n"),
        (nic, &["-u", &colons], "401 badauth\n"),
        (nic, &["-H", "Authorization: Basic ////"], "401 badauth\n"),
        (
            "/update?domains=home&token=OTHER&ip=203.0.113.2",
            &[],
            "401 KO",
        ),
        ("/update?domains=home&token=&ip=203.0.113.2", &[], "401 KO"),
        (
            "/api/update?hostname=home&token=OTHER",
            &[],
            "401 badauth\n",
        ),
        (
            "/api/domains/home/update",
            &[],
            "401 {\"status\":\"badauth\"}\n",
        ),
        ("/update/home/OTHER", &[], "404 badauth\n"),
        ("/api/v1/router/update/OTHER", &[], "404 badauth\n"),
        (
            "/nic/update?hostname=nas&myip=203.0.113.2",
            &["-u", &basic],
            "403 nohost\n",
        ),
        (
            "/nic/update?hostname=nas,none&myip=203.0.113.2",
            &["-u", &basic],
            "403 nohost\nnohost\n",
        ),
        (
            "/nic/update?hostname=a_b,nas&myip=203.0.113.2",
            &["-u", &basic],
            "400 notfqdn\nnohost\n",
        ),
        (
            "/nic/update?hostname=home%0a.x&myip=203.0.113.2",
            &["-u", &basic],
            "400 notfqdn\n",
        ),
        (&many, &["-u", &basic], "400 numhost\n"),
        (
            "/update?domains=nas&token=TOKEN&ip=203.0.113.2",
            &[],
            "403 KO",
        ),
        ("/update?domains=home&token=TOKEN&txt=x", &[], "403 KO"),
        (
            "/api/domains/nas/update",
            &["-H", &format!("Authorization: Bearer {}", site.token)],
            "403 {\"status\":\"nohost\"}\n",
        ),
        (
            "/nic/update?hostname=home&myip=10.0.0.1",
            &["-u", &basic],
            "503 badip\n",
        ),
        (
            "/nic/update?hostname=home&myip=x",
            &["-u", &basic],
            "400 badip\n",
        ),
        (
            "/nic/update",
            &["-X", "OPTIONS", "-u", &basic],
            "405 method\n",
        ),
        (
            "/update?myip=203.0.113.2",
            &["-X", "DELETE", "-u", &basic],
            "405 method\n",
        ),
    ] {
        assert_eq!(visit(path, more), expected, "{path} {more:?}");
        assert_eq!(site.dig("home", "A"), "203.0.113.1", "{path}");
        assert_eq!(site.dig("nas", "A"), "", "{path}");
    }
    // In a list the host itself moves, whoever else is named.
    let said = visit(
        "/nic/update?hostname=nas,home&myip=203.0.113.1",
        &["-u", &basic],
    );
    assert_eq!(said, "200 nohost\nnochg 203.0.113.1\n");

    let url = format!("http://127.0.0.1:{}{nic}", site.trial.http);
    let head = succeed("curl", &["-sS", "-D", "-", "-o", "/dev/null", &url]);
    assert!(
        head.contains("WWW-Authenticate: Basic realm=\"bowline\""),
        "{head}"
    );
    let head = succeed("curl", &["-sSI", "-u", &basic, &url]);
    assert!(
        head.contains("405") && head.contains("Allow: GET, POST, PUT, DELETE"),
        "{head}"
    );

    let log = fs::read_to_string(site.trial.path("state/bowline.log")).unwrap();
    assert!(
        log.contains("result=badauth proxy=127.0.0.1") && log.contains("reason=\"wrong secret\""),
        "{log}"
    );
    for secret in [site.token.as_str(), &token, OTHER] {
        search(site.trial.dir.path(), secret, &mut 0);
    }
}
