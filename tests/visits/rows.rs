//! Every row of the table of dialects as its clients speak it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::knot::ZONE;
use crate::support::site::{Home, Site};
use crate::support::visit::Request;

/// What somebody else's page makes a browser say.
const FOREIGN: [(&str, &str); 6] = [
    ("HTTP_SEC_FETCH_SITE", "cross-site"),
    ("HTTP_SEC_FETCH_SITE", "same-site"),
    ("HTTP_ORIGIN", "https://evil.example"),
    ("HTTP_ORIGIN", "http://friend.dyn.example.org"),
    ("HTTP_ORIGIN", "http://update.example.org:8080"),
    ("HTTP_ORIGIN", "null"),
];
const SLACK: &str = "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)";

/// How a row is spoken.
pub(crate) struct Row {
    pub(crate) method: &'static str,
    pub(crate) target: &'static str,
    /// What the header shows: the token as Basic password, Bearer or API key, a made-up password,
    /// or nothing.
    pub(crate) shown: &'static str,
    pub(crate) body: &'static str,
    /// What comes of it: the address, or a challenge that stands (`+a`) or is gone (`-a`).
    pub(crate) makes: &'static str,
    /// What the button of the page does: it means this connection, does it again, or is none.
    pub(crate) button: &'static str,
}

const fn row(
    [method, target, shown]: [&'static str; 3],
    body: &'static str,
    [makes, button]: [&'static str; 2],
) -> Row {
    Row {
        method,
        target,
        shown,
        body,
        makes,
        button,
    }
}

const ADDRESS: [&str; 2] = ["ADDRESS", "none"];
const ADDRESS_HERE: [&str; 2] = ["ADDRESS", "here"];
const ADDRESS_AGAIN: [&str; 2] = ["ADDRESS", "again"];

/// Every row of the table, and one of `[[endpoint]]`.
pub(crate) const ROWS: [Row; 27] = [
    row(["GET", "/TOKEN?myip=ADDRESS", ""], "", ADDRESS_HERE),
    row(["GET", "/TOKEN/home?myip=ADDRESS", ""], "", ADDRESS_HERE),
    row(
        ["GET", "/nic/update?hostname=home&myip=ADDRESS", "basic"],
        "",
        ADDRESS_HERE,
    ),
    row(["GET", "/nic/update?myip=ADDRESS", "bearer"], "", ADDRESS),
    row(
        ["GET", "/nic/update?password=TOKEN&myip=ADDRESS", ""],
        "",
        ADDRESS_AGAIN,
    ),
    row(
        [
            "GET",
            "/nic/update?username=u&password=TOKEN&myip=ADDRESS",
            "dummy",
        ],
        "",
        ADDRESS_AGAIN,
    ),
    row(
        ["POST", "/v2/update?myip=ADDRESS", "basic"],
        "",
        ADDRESS_HERE,
    ),
    row(
        ["POST", "/v3/update", "basic"],
        "myip=ADDRESS",
        ADDRESS_HERE,
    ),
    row(
        ["POST", "/v3/update", ""],
        "password=TOKEN&myip=ADDRESS",
        ADDRESS,
    ),
    row(
        [
            "GET",
            "/nic/dyndns?action=edit&host_id=home&myip=ADDRESS",
            "basic",
        ],
        "",
        ADDRESS_HERE,
    ),
    row(
        ["GET", "/api/v1/router/update/TOKEN?myip=ADDRESS", ""],
        "",
        ADDRESS_AGAIN,
    ),
    row(
        ["PUT", "/api/domains/home/update?ip=ADDRESS", "bearer"],
        "",
        ADDRESS,
    ),
    row(
        [
            "GET",
            "/api/update?hostname=home&token=TOKEN&ipv4=ADDRESS",
            "",
        ],
        "",
        ADDRESS_AGAIN,
    ),
    row(
        [
            "GET",
            "/dns/api/update?hostname=home&token=TOKEN&ipv4=ADDRESS",
            "",
        ],
        "",
        ADDRESS_AGAIN,
    ),
    row(["POST", "/present", "basic"], HTTPREQ, ["+a", "none"]),
    row(["POST", "/cleanup", "basic"], HTTPREQ, ["-a", "none"]),
    row(["POST", "/update", "key"], ACME_DNS, ["+b", "none"]),
    row(["GET", "/update/home/TOKEN/ADDRESS", ""], "", ADDRESS_AGAIN),
    row(
        ["GET", "/update/home/TOKEN?ip=ADDRESS", ""],
        "",
        ADDRESS_AGAIN,
    ),
    row(
        ["GET", "/update?domains=home&token=TOKEN&ip=ADDRESS", ""],
        "",
        ADDRESS_AGAIN,
    ),
    row(
        ["GET", "/update?domains=home&token=TOKEN&txt=VALUE_C", ""],
        "",
        ["+c", "again"],
    ),
    row(
        [
            "GET",
            "/update?domains=home&token=TOKEN&txt=x&clear=true",
            "",
        ],
        "",
        ["-c", "again"],
    ),
    row(
        ["GET", "/update?hostname=home&token=TOKEN&myip=ADDRESS", ""],
        "",
        ADDRESS_AGAIN,
    ),
    row(
        ["GET", "/update?hostname=home&myip=ADDRESS", "basic"],
        "",
        ADDRESS_HERE,
    ),
    row(
        ["POST", "/update?hostname=home&myip=ADDRESS", "basic"],
        "",
        ADDRESS_HERE,
    ),
    row(
        ["GET", "/ddns?the%26name=home&myip=ADDRESS", "basic"],
        "",
        ADDRESS_HERE,
    ),
    row(["POST", "/ddns/TOKEN?myip=ADDRESS", ""], "", ADDRESS_AGAIN),
];

const HTTPREQ: &str = r#"{"fqdn":"_acme-challenge.home.dyn.example.org.","value":"VALUE_A"}"#;
const ACME_DNS: &str = r#"{"subdomain":"home.dyn.example.org","txt":"VALUE_B"}"#;
pub(crate) const CONFIGURED: &str = r#"acme = true

[limits]
changes = "off"

[acme]
register = "open"

[[endpoint]]
path = "/ddns"
params = { hostname = ["the&name"] }

[[endpoint]]
path = "/ddns/<token>"
"#;

fn value(letter: char) -> String {
    letter.to_string().repeat(43)
}

impl Row {
    pub(crate) fn filled(&self, text: &str, home: &Home, address: &str) -> String {
        let text = text.replace("TOKEN", home.token.secret());
        let text = text.replace("ADDRESS", address);
        let letters = [("VALUE_A", 'a'), ("VALUE_B", 'b'), ("VALUE_C", 'c')];
        (letters.iter()).fold(text, |text, (place, letter)| {
            text.replace(place, &value(*letter))
        })
    }

    /// The request, as its clients make it.
    pub(crate) fn request(&self, site: &Site, home: &Home, address: &str) -> Request {
        let body = self.filled(self.body, home, address);
        let kind = match body.starts_with('{') {
            true => "application/json",
            false => "application/x-www-form-urlencoded",
        };
        let request = site
            .get(&self.filled(self.target, home, address))
            .method(self.method);
        self.with_secret(request, home)
            .set("CONTENT_TYPE", kind)
            .set("CONTENT_LENGTH", body.len().to_string())
            .body(body.as_bytes())
    }

    pub(crate) fn with_secret(&self, request: Request, home: &Home) -> Request {
        let token = home.token.secret();
        let basic = || format!("Basic {}", STANDARD.encode(format!("x:{token}")));
        match self.shown {
            "basic" => request.set("HTTP_AUTHORIZATION", basic()),
            "bearer" => request.set("HTTP_AUTHORIZATION", format!("Bearer {token}")),
            // What somebody made up, since the device insists on it.
            "dummy" => request.set("HTTP_AUTHORIZATION", "Basic LTot"),
            "key" => (request.set("HTTP_X_API_USER", "x")).set("HTTP_X_API_KEY", token),
            _ => request,
        }
    }

    fn is_secret_path(&self) -> bool {
        self.target.starts_with("/TOKEN")
    }

    /// Whether its secret is one that no browser adds by itself.
    fn is_program(&self) -> bool {
        ["bearer", "key"].contains(&self.shown)
    }

    /// The signs of who only looks.
    pub(crate) fn signs_of_looking(&self) -> Vec<(&'static str, &'static str)> {
        let mut signs = vec![
            ("HTTP_SEC_PURPOSE", "prefetch;prerender"),
            ("HTTP_PURPOSE", "prefetch"),
        ];
        if !self.is_program() {
            signs.extend(FOREIGN);
        }
        if self.shown.is_empty() {
            signs.extend([
                ("HTTP_USER_AGENT", SLACK),
                ("HTTP_USER_AGENT", "WhatsApp/2.23"),
            ]);
        }
        signs
    }

    /// What clients and people who mean it send.
    pub(crate) fn signs_of_meaning_it(&self) -> Vec<Vec<(&'static str, &'static str)>> {
        let mut signs = vec![
            vec![],
            vec![
                ("HTTP_SEC_FETCH_SITE", "same-origin"),
                ("HTTP_ORIGIN", "null"),
            ],
            vec![("HTTP_ORIGIN", "http://update.example.org")],
            vec![("HTTP_ORIGIN", "http://UPDATE.example.org:80")],
            vec![("HTTP_SEC_FETCH_MODE", "cors"), ("HTTP_USER_AGENT", "node")],
        ];
        if !self.is_secret_path() {
            signs.push(vec![
                ("HTTP_SEC_FETCH_SITE", "none"),
                ("HTTP_SEC_FETCH_MODE", "navigate"),
                ("HTTP_UPGRADE_INSECURE_REQUESTS", "1"),
                (
                    "HTTP_USER_AGENT",
                    "Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0.0.0",
                ),
                ("HTTP_ACCEPT", "text/html,application/xhtml+xml,*/*;q=0.8"),
            ]);
        }
        if self.is_program() {
            signs.extend(FOREIGN.map(|sign| vec![sign]));
            signs.push(vec![
                ("HTTP_SEC_FETCH_SITE", "cross-site"),
                ("HTTP_ORIGIN", "file://"),
            ]);
        }
        if !self.shown.is_empty() {
            signs.push(vec![("HTTP_USER_AGENT", SLACK)]);
        }
        signs
    }

    /// Whether the name server has what the row makes.
    pub(crate) fn is_made(&self, site: &Site, address: &str) -> bool {
        let texts = || {
            site.knot
                .kdig(&format!("_acme-challenge.home.{ZONE}"), "TXT")
                .concat()
        };
        match self.makes.split_at(1) {
            ("+", letter) => texts().contains(&letter.repeat(43)),
            ("-", letter) => !texts().contains(&letter.repeat(43)),
            _ => site.dns("home") == address,
        }
    }
}
