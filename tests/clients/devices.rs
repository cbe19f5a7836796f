//! Requests as devices and scripts make them, one after the other; each moves the name.

use std::fs;

use crate::site::{Site, search};

/// Where the proxy says that the client is.
const CLIENT: &str = "198.51.100.4";

/// One request: who makes it, path, what curl adds, and what is there afterwards.
struct Case {
    client: &'static str,
    path: &'static str,
    more: &'static [&'static str],
    answer: &'static str,
    a: &'static str,
    aaaa: &'static str,
}

/// `TOKEN` stands for the token, wherever it is.
const CASES: [Case; 22] = [
    case(
        "ddclient 3.10",
        "/nic/update?system=dyndns&hostname=home.dyn.example.org&myip=203.0.113.1",
        &["-u", "home:TOKEN"],
        "good 203.0.113.1\n",
        "203.0.113.1",
        "",
    ),
    case(
        "ddclient 3.11",
        "/nic/update?system=dyndns&hostname=home.dyn.example.org&myip=2001:db8::2",
        &["-u", "home:TOKEN"],
        "good 2001:db8::2\n",
        "203.0.113.1",
        "2001:db8::2",
    ),
    case(
        "ddclient 4",
        "/nic/update?hostname=home.dyn.example.org&myip=203.0.113.3,2001:db8::3",
        &["-u", "home:TOKEN"],
        "good 203.0.113.3,2001:db8::3\n",
        "203.0.113.3",
        "2001:db8::3",
    ),
    case(
        "ddclient duckdns",
        "/update?domains=home&token=TOKEN&ip=203.0.113.4",
        &[],
        "OK",
        "203.0.113.4",
        "2001:db8::3",
    ),
    case(
        "inadyn dyndns",
        "/nic/update?hostname=home.dyn.example.org&myip=203.0.113.5&wildcard=ON",
        &["--http1.0", "-u", ":TOKEN"],
        "good 203.0.113.5\n",
        "203.0.113.5",
        "2001:db8::3",
    ),
    case(
        "inadyn custom",
        "/TOKEN/home?myip=2001%3adb8%3a%3a6",
        &["--http1.0", "-u", ":"],
        "good 2001:db8::6\n",
        "203.0.113.5",
        "2001:db8::6",
    ),
    case(
        "FRITZ!Box",
        "/nic/update?hostname=home.dyn.example.org&myip=203.0.113.7&myipv6=2001:db8::7",
        &["--http1.0", "-u", "anybody:TOKEN"],
        "good 203.0.113.7,2001:db8::7\n",
        "203.0.113.7",
        "2001:db8::7",
    ),
    case(
        "FRITZ!Box without IPv6",
        "/v3/update?hostname=<domain>&myip=203.0.113.8&myipv6=<ip6addr>",
        &["-g", "-u", "anybody:TOKEN"],
        "good 203.0.113.8\n",
        "203.0.113.8",
        "2001:db8::7",
    ),
    case(
        "FRITZ!Box nanodnsd",
        "/dns/api/update?hostname=home&ipv4=203.0.113.9&ipv6=2001:db8::9&token=TOKEN",
        &["-u", "-:TOKEN"],
        "good 203.0.113.9,2001:db8::9\n",
        "203.0.113.9",
        "2001:db8::9",
    ),
    case(
        "nanodnsd, IPv4 only",
        "/api/update?hostname=home&ipv4=203.0.113.9&ipv6=&token=TOKEN",
        &[],
        "good 203.0.113.9\n",
        "203.0.113.9",
        "",
    ),
    case(
        "FRITZ!Box KarlDNS",
        "/api/v1/router/update/TOKEN?myip=203.0.113.10&myipv6=2001:db8::a",
        &[],
        "good 203.0.113.10,2001:db8::a\n",
        "203.0.113.10",
        "2001:db8::a",
    ),
    case(
        "nanodnsd, nothing",
        "/api/update?hostname=home&ipv4=&token=TOKEN",
        &[],
        "good 198.51.100.4\n",
        "198.51.100.4",
        "2001:db8::a",
    ),
    case(
        "UniFi",
        "//nic/update?hostname=home.dyn.example.org&myip=203.0.113.11",
        &["--http1.0", "-u", "home:TOKEN"],
        "good 203.0.113.11\n",
        "203.0.113.11",
        "2001:db8::a",
    ),
    case(
        "DuckDNS by path",
        "/update/home/TOKEN/203.0.113.12",
        &[],
        "OK",
        "203.0.113.12",
        "2001:db8::a",
    ),
    case(
        "DuckDNS verbose",
        "/update?domains=home&token=TOKEN&ip=2001:db8::c&verbose=true",
        &[],
        "OK\n\n2001:db8::c\nUPDATED",
        "203.0.113.12",
        "2001:db8::c",
    ),
    case(
        "DuckDNS clear",
        "/update?domains=home&token=TOKEN&clear=true",
        &[],
        "OK",
        "",
        "",
    ),
    case(
        "Synology",
        "/nic/update?hostname=home.dyn.example.org&myip=203.0.113.13&username=me&password=TOKEN",
        &[],
        "good 203.0.113.13\n",
        "203.0.113.13",
        "",
    ),
    case(
        "Home Assistant",
        "/nic/update?hostname=home.dyn.example.org",
        &["-u", "me:TOKEN"],
        "good 198.51.100.4\n",
        "198.51.100.4",
        "",
    ),
    case(
        "ASUS",
        "/nic/update?system=statdns&hostname=home.dyn.example.org&myip=203.0.113.14&wildcard=OFF&",
        &["--http1.0", "-u", "me:TOKEN"],
        "good 203.0.113.14\n",
        "203.0.113.14",
        "",
    ),
    case(
        "ddns-service",
        "/update?hostname=home.dyn.example.org&username=u&password=TOKEN&myip6=2001:db8::f",
        &["-H", "Accept: application/json"],
        "{\"status\":\"good\",\"host\":\"home.dyn.example.org\",\"ipv6\":\"2001:db8::f\"}\n",
        "203.0.113.14",
        "2001:db8::f",
    ),
    case(
        "DevOps Monk",
        "/api/domains/home/update",
        &["-X", "PUT", "-H", "Authorization: Bearer TOKEN"],
        "{\"status\":\"good\",\"host\":\"home.dyn.example.org\",\"ipv4\":\"198.51.100.4\"}\n",
        CLIENT,
        "2001:db8::f",
    ),
    case(
        "dyndns1",
        "/nic/dyndns?action=edit&host_id=HOME.dyn.example.org.",
        &["-u", "me:TOKEN", "-d", "myip=203.0.113.16"],
        "good 203.0.113.16\n",
        "203.0.113.16",
        "2001:db8::f",
    ),
];

const fn case(
    client: &'static str,
    path: &'static str,
    more: &'static [&'static str],
    answer: &'static str,
    a: &'static str,
    aaaa: &'static str,
) -> Case {
    Case {
        client,
        path,
        more,
        answer,
        a,
        aaaa,
    }
}

#[test]
fn each_in_its_own_form() {
    let Some(site) = Site::start(&[]) else { return };
    site.trust_loopback();
    for case in CASES {
        let path = case.path.replace("TOKEN", &site.token);
        let more = case
            .more
            .iter()
            .map(|word| word.replace("TOKEN", &site.token));
        let forwarded = format!("X-Forwarded-For: {CLIENT}");
        let more: Vec<String> = more.chain(["-H".to_owned(), forwarded]).collect();
        let more: Vec<&str> = more.iter().map(String::as_str).collect();
        let said = site.visit(&path, &more);
        assert_eq!(
            said,
            ("200".to_owned(), case.answer.to_owned()),
            "{}",
            case.client
        );
        let there = (site.dig("home", "A"), site.dig("home", "AAAA"));
        assert_eq!(
            there,
            (case.a.to_owned(), case.aaaa.to_owned()),
            "{}",
            case.client
        );
    }
    let log = fs::read_to_string(site.trial.path("state/bowline.log")).unwrap();
    assert!(log.lines().count() >= CASES.len(), "{log}");
    search(site.trial.dir.path(), &site.token, &mut 0);
}
