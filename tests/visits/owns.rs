//! Whatever a request says, it has a defined answer, and moves only what its secret owns.

use std::cell::{Cell, RefCell};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bowline::registry::{Behind, Settings};
use bowline::token::Token;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::support::site::{Home, Site, host_name};
use crate::support::visit::Response;

/// How many requests are made.
const CASES: u32 = 300;
const NAMES: [&str; 4] = ["home", "nas", "a.home", "tv"];
/// Whose prefix moves whom, of those, and the part of the address that stays.
const SITE: usize = 0;
const BEHIND: usize = 3;
const ID: &str = "::11:22:33:44";
/// Every word that a line may begin with.
const WORDS: [&str; 11] = [
    "good", "nochg", "dnserr", "911", "badip", "badauth", "abuse", "nohost", "notfqdn", "numhost",
    "method",
];

/// A request: whose secret it shows (the last one is nobody's), and everything else of it.
#[derive(Debug, Clone)]
struct Spoken {
    whose: usize,
    method: String,
    path: String,
    query: String,
    form: String,
    authorization: String,
    headers: Vec<(String, String)>,
}

/// `TOKEN` stands for the one secret in it, `NAME` for the host that it is for.
fn spoken() -> impl Strategy<Value = Spoken> {
    let any_name = "(home|nas|a\\.home|HOME\\.dyn\\.example\\.org\\.?|none|dyn\\.example\\.org|\
        \\*|[a-z%._-]{0,6})";
    let name = || prop_oneof![3 => Just("NAME".to_owned()), 1 => any_name];
    let path = prop_oneof![
        3 => Just("/TOKEN".to_owned()),
        3 => name().prop_map(|name| format!("/TOKEN/{name}")),
        3 => "/+(nic|v2|v3)/(update|dyndns)/?",
        3 => Just("/update".to_owned()),
        1 => name().prop_map(|name| format!("/update/{name}/TOKEN")),
        1 => name().prop_map(|name| format!("/update/{name}/TOKEN/203.0.113.9")),
        1 => name().prop_map(|name| format!("/api/domains/{name}/update")),
        1 => name().prop_map(|name| format!("/own/{name}/TOKEN")),
        1 => Just("/api/v1/router/update/TOKEN".to_owned()),
        1 => Just("/dns/api/update".to_owned()),
        1 => "/[a-z%/.]{0,20}",
    ];
    let value = prop_oneof![
        1 => Just("TOKEN".to_owned()),
        1 => (name(), name()).prop_map(|(one, other)| format!("{one},{other}")),
        1 => Just("-".to_owned()),
        1 => "(true|yes|<domain>|10\\.0\\.0\\.1|0\\.0\\.0\\.0|fe80::1|2001:db8::[1-9])",
        1 => "[ -~&&[^#]]{0,12}",
    ];
    let any_key = "(hostname|host|host_id|domains|token|password|username|myip|myipv6|ip|prefix|\
        txt|clear|verbose|offline|[a-z%]{0,4})";
    let pair = prop_oneof![
        3 => "myip=203\\.0\\.113\\.[1-9]",
        1 => "myipv6=2001:db8::[1-9]",
        2 => "(ip6lanprefix|ipv6prefix|prefix)=2001:db8:[1-9]::(/(48|56|64|80))?",
        2 => "(hostname|host|domains|host_id)=NAME",
        2 => "(token|password)=TOKEN",
        3 => (any_key, value).prop_map(|(key, value)| format!("{key}={value}")),
        1 => (any_key, name()).prop_map(|(key, name)| format!("{key}={name}")),
    ];
    let pairs = || proptest::collection::vec(pair.clone(), 0..5).prop_map(|pairs| pairs.join("&"));
    let authorization = prop_oneof![
        3 => Just("basic".to_owned()),
        1 => Just("Bearer TOKEN".to_owned()),
        1 => Just(String::new()),
        1 => "[ -~]{0,20}",
    ];
    let header = "(X_FORWARDED_FOR|X_REAL_IP|FORWARDED|HOST|ACCEPT|USER_AGENT|COOKIE)";
    let content = "(198\\.51\\.100\\.[1-9]|nas\\.dyn\\.example\\.org|application/json|[ -~]{0,20})";
    let header = header.prop_map(|name| format!("HTTP_{name}"));
    let headers = proptest::collection::vec((header, content), 0..3);
    let method = "(GET|GET|GET|POST|POST|PUT|DELETE|HEAD|PATCH)";
    let whose = prop_oneof![1 => Just(SITE), 3 => 0..=NAMES.len()];
    let request = (
        whose,
        method,
        path,
        pairs(),
        pairs(),
        authorization,
        headers,
    );
    request.prop_map(
        |(whose, method, path, query, form, authorization, headers)| Spoken {
            whose,
            method,
            path,
            query,
            form,
            authorization,
            headers,
        },
    )
}

fn send(site: &Site, spoken: &Spoken, token: &Token) -> Response {
    let name = NAMES.get(spoken.whose).unwrap_or(&"home");
    let put = |text: &str| text.replace("TOKEN", token.secret()).replace("NAME", name);
    let authorization = match spoken.authorization.as_str() {
        "basic" => format!(
            "Basic {}",
            STANDARD.encode(format!("nas:{}", token.secret()))
        ),
        other => put(other),
    };
    let (query, form) = (put(&spoken.query), put(&spoken.form));
    let request = site
        .get(&format!("{}?{query}", put(&spoken.path)))
        .method(&spoken.method)
        .set("CONTENT_TYPE", "application/x-www-form-urlencoded")
        .set("CONTENT_LENGTH", form.len().to_string())
        .set("HTTP_AUTHORIZATION", authorization)
        .body(form.as_bytes());
    let headers = spoken.headers.iter();
    headers
        .fold(request, |request, (name, value)| request.set(name, value))
        .run()
}

fn is_defined(method: &str, response: &Response) -> bool {
    let body = response.body.as_str();
    if method == "HEAD" || body.is_empty() {
        // Whoever asks for the head alone learns how long the answer would be.
        return method == "HEAD" && response.headers["content-length"] != "0";
    }
    let line = |line: &str| WORDS.contains(&line.split(' ').next().unwrap_or_default());
    match response.headers["content-type"].as_str() {
        "application/json" => serde_json::from_str::<serde_json::Value>(body).is_ok(),
        "text/html; charset=utf-8" => response.status == 200,
        _ => body.starts_with("OK") || body == "KO" || body.lines().all(line),
    }
}

/// What the registry has of the hosts' addresses, and the zone's serial.
fn state(site: &Site, homes: &[Home]) -> (Vec<String>, u32) {
    let registry = site.registry();
    let host = |home: &Home| registry.host_by_id(home.id).unwrap().unwrap();
    let of = |host: bowline::registry::Host| format!("{:?} {:?}", host.wish, host.fact);
    let hosts = homes.iter().map(|home| of(host(home)));
    (hosts.collect(), site.knot.serial())
}

#[test]
fn any_request_moves_only_what_its_secret_owns() {
    let site = Site::new();
    let more = "[limits]\nchanges = \"off\"\n[[endpoint]]\npath = \"/own/<name>/<token>\"\n";
    site.configure("http://update.example.org", more);
    let homes = NAMES.map(|name| {
        let behind = Behind {
            site: host_name(NAMES[SITE]),
            id: ID.parse().unwrap(),
        };
        let settings = Settings {
            behind: (name == NAMES[BEHIND]).then_some(behind),
            ..Settings::default()
        };
        site.add_with(name, settings)
    });
    let nobody = site.token();
    for home in &homes {
        assert_eq!(site.visit(&home.with("203.0.113.100")).status, 200);
    }
    let mut runner = TestRunner::new(Config {
        failure_persistence: None,
        ..Config::with_cases(CASES)
    });
    let before = RefCell::new((
        state(&site, &homes),
        homes.each_ref().map(|home| site.dns(&home.name)),
    ));
    let (moved, led) = (Cell::new(0), Cell::new(0));
    let run = runner.run(&spoken(), |spoken| {
        let token = homes.get(spoken.whose).map_or(&nobody, |home| &home.token);
        let response = send(&site, &spoken, token);
        let fail = |why: &str| Err(TestCaseError::fail(format!("{why}: {}", response.raw)));
        if !is_defined(&spoken.method, &response) {
            return fail("no defined answer");
        }
        if spoken.whose == NAMES.len() && response.status == 200 {
            return fail("nobody's secret was good");
        }
        let now = state(&site, &homes);
        if now == before.borrow().0 {
            return Ok(());
        }
        let dns = homes.each_ref().map(|home| site.dns(&home.name));
        let (states, shown) = before.replace((now.clone(), dns.clone()));
        for position in (0..homes.len()).filter(|position| *position != spoken.whose) {
            if (spoken.whose, position) == (SITE, BEHIND) && dns[position] != shown[position] {
                // Only its own part below another prefix, and no other family.
                let ipv4 = |dns: &str| {
                    dns.split(',')
                        .next()
                        .filter(|ip| !ip.is_empty() && !ip.contains(':'))
                        .map(str::to_owned)
                };
                let ipv6 = dns[position]
                    .rsplit(',')
                    .next()
                    .filter(|ip| ip.contains(':'));
                let own = ID.trim_start_matches(':');
                if ipv4(&dns[position]) != ipv4(&shown[position])
                    || !ipv6.is_none_or(|ip| ip.ends_with(own))
                {
                    let (from, to) = (&shown[position], &dns[position]);
                    return fail(&format!("what is behind moved from {from} to {to}"));
                }
                led.set(led.get() + 1);
                continue;
            }
            if now.0[position] != states.0[position] || dns[position] != shown[position] {
                return fail("another's host moved");
            }
        }
        if response.status != 200 {
            return fail("it moved, and was refused");
        }
        moved.set(moved.get() + 1);
        Ok(())
    });
    run.unwrap();
    assert!(
        moved.get() > CASES / 10,
        "{} of {CASES} moved anything",
        moved.get()
    );
    assert!(led.get() > 0, "no prefix moved anything");
    for name in ["none", "www.home", "*"] {
        assert_eq!(site.dns(name), "", "{name}");
    }
    for home in &homes {
        assert_eq!(site.dns(&home.name), site.wish(home));
    }
}
