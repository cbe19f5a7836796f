//! `[[endpoint]]`: the operator's own rows in the table of dialects.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bowline::fixed::FIXED;

use crate::support::site::Site;

const URL: &str = "http://update.example.org";
const WRONG: &str = "BBBBBBBBBBBBBBBBBBBBBBBB";

/// The first two are those of a ddns-service: its default one, and its example.
const ENDPOINTS: &str = r#"
[[endpoint]]
path = "/update"
credential = ["query", "basic"]
[endpoint.params]
hostname = ["hostname", "host"]
ipv4 = ["myip", "ipv4", "ip4"]
ipv6 = ["myip6", "ipv6", "ip6"]
password = ["password", "pass", "token"]

[[endpoint]]
path = "/nic/update"
credential = "basic"
params = { hostname = ["hostname"], ipv4 = ["myip"], ipv6 = ["myip6"], password = ["password"] }

[[endpoint]]
path = "/ddns/<name>/<token>"
credential = ["path"]
omitted = "remove"
answer = "ok-ko"
params = { ipv4 = ["a"], ipv6 = ["aaaa"] }

[[endpoint]]
path = "/json"
credential = "bearer"
answer = "json"
params = { hostname = [], ipv6 = [] }
"#;

#[test]
fn each_reads_and_answers_as_it_is_told() {
    let site = Site::new();
    site.configure(URL, ENDPOINTS);
    let home = site.add("home");
    let token = home.token.secret();
    let pair = STANDARD.encode(format!("me:{token}"));
    let (basic, bearer) = (format!("Basic {pair}"), format!("Bearer {token}"));
    for (path, authorization, said, dns) in [
        (
            "/update?host=home&pass=TOKEN&ip4=203.0.113.1",
            "",
            "200 good 203.0.113.1",
            "203.0.113.1",
        ),
        (
            "/update?hostname=home&myip6=2001:db8::2",
            &basic,
            "200 good 2001:db8::2",
            "203.0.113.1,2001:db8::2",
        ),
        // No such parameter here: the client's address is meant.
        (
            "/update?token=TOKEN&address=203.0.113.3",
            "",
            "200 good 198.51.100.4",
            "198.51.100.4,2001:db8::2",
        ),
        // What was built in there is gone: a bearer token, a query, DuckDNS, DELETE.
        (
            "/nic/update?myip=203.0.113.4",
            &bearer,
            "401 badauth",
            "198.51.100.4,2001:db8::2",
        ),
        (
            "/nic/update?password=TOKEN&myip=203.0.113.4",
            "",
            "401 badauth",
            "198.51.100.4,2001:db8::2",
        ),
        (
            "/update?domains=home&token=TOKEN&ip=203.0.113.4",
            "",
            "200 nochg 198.51.100.4",
            "198.51.100.4,2001:db8::2",
        ),
        (
            "/nic/update?hostname=home&myip=203.0.113.4",
            &basic,
            "200 good 203.0.113.4",
            "203.0.113.4,2001:db8::2",
        ),
        // Elsewhere it is still there.
        (
            "/v2/update?myip=203.0.113.5",
            &bearer,
            "200 good 203.0.113.5",
            "203.0.113.5,2001:db8::2",
        ),
        (
            "/update/home/TOKEN/203.0.113.6",
            "",
            "200 OK",
            "203.0.113.6,2001:db8::2",
        ),
        (
            "/ddns/home/TOKEN?a=203.0.113.7",
            "",
            "200 OK",
            "203.0.113.7",
        ),
        (
            "/ddns/home/TOKEN/?aaaa=2001:db8::7",
            &basic,
            "200 OK",
            "2001:db8::7",
        ),
        ("/ddns/nas/TOKEN?a=203.0.113.8", "", "403 KO", "2001:db8::7"),
        ("/ddns/home?a=203.0.113.8", "", "404 badauth", "2001:db8::7"),
        (
            "/ddns/home/WRONG?a=203.0.113.8",
            "",
            "404 badauth",
            "2001:db8::7",
        ),
        (
            "/json?hostname=nas&myip=203.0.113.9&ipv6=-",
            &bearer,
            "200 {\"status\":\"good\",\"host\":\"home.dyn.example.org\",\"ipv4\":\"203.0.113.9\"}",
            "203.0.113.9,2001:db8::7",
        ),
        (
            "/json",
            &basic,
            "401 {\"status\":\"badauth\"}",
            "203.0.113.9,2001:db8::7",
        ),
        (
            "/json?myip=x",
            &bearer,
            "400 {\"status\":\"badip\"}",
            "203.0.113.9,2001:db8::7",
        ),
    ] {
        let target = path.replace("TOKEN", token).replace("WRONG", WRONG);
        let request = site.get(&target).set("HTTP_AUTHORIZATION", authorization);
        assert_eq!(request.run().said(), said, "{path}");
        assert_eq!(site.dns("home"), dns, "{path}");
    }
    let delete = site.get("/nic/update").method("DELETE");
    let refused = delete.set("HTTP_AUTHORIZATION", &basic).run();
    assert_eq!(refused.headers["allow"], "GET, POST, PUT");
    let form = site
        .get("/json")
        .method("POST")
        .set("HTTP_AUTHORIZATION", &bearer);
    let form = form
        .set("CONTENT_TYPE", "application/x-www-form-urlencoded")
        .set("CONTENT_LENGTH", "17")
        .body(b"myip=203.0.113.10");
    assert!(form.run().said().starts_with("200 {\"status\":\"good\""));
    assert_eq!(site.dns("home"), "203.0.113.10,2001:db8::7");
    let unknown = site.visit("/favicon.ico").raw;
    assert_eq!(site.visit(&format!("/ddns/home/{WRONG}")).raw, unknown);
    assert!(site.dns("nas").is_empty() && !site.log().contains(WRONG));
}

#[test]
fn one_that_cannot_be_is_our_own_trouble() {
    let site = Site::new();
    let home = site.add("home");
    for (path, _) in FIXED {
        for below in ["", "/more"] {
            let table = format!("[[endpoint]]\npath = \"/{path}{below}\"\n");
            site.configure(URL, &table);
            let refused = site.visit(&home.with("203.0.113.7"));
            assert_eq!(refused.said(), "503 911", "{path}");
            let cause = format!("bowline.toml, line 17: path '/{path}{below}' cannot be: /ip, ");
            assert!(refused.stderr.contains(&cause), "{}", refused.stderr);
        }
    }
    assert_eq!(site.dns("home"), "");
}
