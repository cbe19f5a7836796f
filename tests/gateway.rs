//! Whatever a web server passes on, a complete response goes out.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use bowline::gateway::cgi::respond;
use bowline::registry::Registry;
use bowline::token::LookupKey;
use proptest::prelude::*;

/// A configuration with an empty registry; it outlives the tests.
fn config() -> &'static Path {
    static CONFIG: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, file) = CONFIG.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let below = |name: &str| directory.path().join(name);
        let key = LookupKey::random().unwrap();
        std::fs::write(below("lookup.key"), key.to_hex()).unwrap();
        std::fs::create_dir(below("locks")).unwrap();
        Registry::create(&below("bowline.db"), key).unwrap();
        let text = "url = \"https://update.example.org/dyn\"\n[state]\nregistry = \"bowline.db\"\n\
                    [client]\ntrusted_proxies = [\"127.0.0.0/8\"]\n[log]\ntarget = \"file:log\"\n\
                    [limits]\nwrong_secrets = \"off\"\n";
        std::fs::write(below("bowline.toml"), text).unwrap();
        let file = below("bowline.toml");
        (directory, file)
    });
    file
}

/// The response to variables and a body: status line, and the body it announces.
fn answered(variables: &[(&str, Vec<u8>)], mut body: &[u8]) -> (String, String) {
    let mut environment: Vec<(OsString, OsString)> = variables
        .iter()
        .map(|(name, value)| ((*name).into(), OsString::from_vec(value.clone())))
        .collect();
    environment.push(("BOWLINE_CONFIG".into(), config().into()));
    let mut out = Vec::new();
    respond(environment, &mut body, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head
        .lines()
        .next()
        .unwrap()
        .strip_prefix("Status: ")
        .unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "));
    let length: usize = length.unwrap().parse().unwrap();
    let head_only = variables
        .iter()
        .any(|(name, value)| *name == "REQUEST_METHOD" && value == b"HEAD");
    assert_eq!(
        head.contains("\r\nWWW-Authenticate: Basic realm=\"bowline\""),
        status.starts_with("401 "),
        "{head}"
    );
    assert!(
        body.len() == length || head_only && body.is_empty(),
        "{text}"
    );
    (status.to_owned(), body.to_owned())
}

fn octets() -> impl Strategy<Value = Vec<u8>> {
    // What an environment can hold: anything but NUL.
    prop_oneof![
        proptest::collection::vec(1_u8..=255, 0..60),
        "[ -~]{0,60}".prop_map(String::into_bytes),
        "/(dyn/)?[A-Za-z0-9]{0,30}(/[a-z%.]{0,9})?(\\?[a-z0-9=&%:.,/<>-]{0,40})?"
            .prop_map(String::into_bytes),
        "(GET|POST|PUT|DELETE|HEAD|OPTIONS|[0-9]{1,25})".prop_map(String::into_bytes),
    ]
}

/// A request to one of the dialects: path, then what may stand in query and form.
fn spoken() -> impl Strategy<Value = (String, String)> {
    let path = prop_oneof![
        "/dyn/+(nic|v2|v3)/(update|dyndns)/?",
        "/dyn/update(/[a-z%0-9,_.]{0,9}/([A-Za-z0-9]{24}|[a-z]{0,4})(/[0-9a-f:.%]{0,12})?)?",
        "/dyn(/dns)?/api/update",
        "/dyn/api/v1/router/update/[A-Za-z0-9%<>]{0,30}",
        "/dyn/api/domains/[a-z%,.]{0,9}/update",
    ];
    let name = "(hostname|host|host_id|domains|token|pass|password|username|myip|myipv6|ipv4|ip6|\
        txt|clear|verbose|offline|[a-z%]{0,4})";
    let value = "([A-Za-z0-9]{24}|home,[a-z,_%.*]{0,9}|<[a-z0-9]{1,6}>|true|-|\
        203\\.0\\.113\\.7(,2001:db8::1)?|[ -~]{0,12})";
    let pairs = proptest::collection::vec((name, value), 0..5).prop_map(|pairs| {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("&")
    });
    (path, pairs)
}

/// What an Authorization field may be.
fn authorization() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(Vec::new()),
        "(Basic|bearer|Digest) [A-Za-z0-9+/=]{0,40}".prop_map(String::into_bytes),
        octets(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_dialect_has_a_defined_answer(
        (path, query) in spoken(), (_, form) in spoken(), authorization in authorization(),
        method in "(GET|POST|PUT|DELETE|HEAD|PATCH)", accept in "(\\*/\\*|application/json|[ -~]{0,9})",
    ) {
        let variables = [
            ("REQUEST_METHOD", method.into_bytes()),
            ("REQUEST_URI", format!("{path}?{query}").into_bytes()),
            ("QUERY_STRING", query.into_bytes()),
            ("CONTENT_TYPE", b"application/x-www-form-urlencoded".to_vec()),
            ("CONTENT_LENGTH", form.len().to_string().into_bytes()),
            ("REMOTE_ADDR", b"203.0.113.9".to_vec()),
            ("HTTP_AUTHORIZATION", authorization),
            ("HTTP_ACCEPT", accept.into_bytes()),
        ];
        let (status, body) = answered(&variables, form.as_bytes());
        // No token is anybody's, so there is nothing else to hear.
        let is_defined = match status.as_str() {
            "401 Unauthorized" => ["badauth\n", "KO", "{\"status\":\"badauth\"}\n"].contains(&body.as_str()),
            "404 Not Found" => body == "badauth\n",
            "405 Method Not Allowed" => ["", "method\n", "{\"status\":\"method\"}\n"].contains(&body.as_str()),
            _ => false,
        };
        prop_assert!(is_defined, "{} {:?}", status, body);
    }

    #[test]
    fn any_environment_has_a_complete_answer(
        method in octets(), uri in octets(), script in octets(), info in octets(), query in octets(),
        length in octets(), kind in octets(), peer in octets(), header in octets(), body in octets(),
    ) {
        let variables = [
            ("GATEWAY_INTERFACE", b"CGI/1.1".to_vec()),
            ("REQUEST_METHOD", method),
            ("REQUEST_URI", uri),
            ("SCRIPT_NAME", script),
            ("PATH_INFO", info),
            ("QUERY_STRING", query),
            ("CONTENT_LENGTH", length),
            ("CONTENT_TYPE", kind),
            ("REMOTE_ADDR", peer),
            ("HTTP_X_FORWARDED_FOR", header.clone()),
            ("HTTP_ACCEPT", header.clone()),
            ("HTTP_AUTHORIZATION", header),
        ];
        let (status, _) = answered(&variables, &body);
        // Nothing is in the registry, so nothing but a fixed path can be good.
        let fixed = ["ip", "healthz"].iter().any(|path| String::from_utf8_lossy(&variables[2].1).contains(path));
        prop_assert!(fixed || !status.starts_with("200 "), "{}", status);
        prop_assert!(!status.starts_with("5") || status.starts_with("503 "), "{}", status);
    }
}

#[test]
fn bodies_of_every_length() {
    let post = |length: &str, body: &[u8]| {
        let variables = [
            ("REQUEST_METHOD", b"POST".to_vec()),
            ("REQUEST_URI", b"/dyn/AAAAAAAAAAAAAAAAAAAAAAAA".to_vec()),
            ("CONTENT_LENGTH", length.as_bytes().to_vec()),
        ];
        answered(&variables, body).0
    };
    for (length, body, status) in [
        ("", 5, "404 Not Found"),
        ("5", 5, "404 Not Found"),
        ("50", 5, "400 Bad Request"),
        ("-1", 5, "404 Not Found"),
        ("-1", 65_537, "413 Content Too Large"),
        ("-2", 5, "400 Bad Request"),
        ("five", 5, "400 Bad Request"),
        ("65536", 65_536, "404 Not Found"),
        ("65537", 65_537, "413 Content Too Large"),
        ("18446744073709551615", 5, "413 Content Too Large"),
        ("99999999999999999999999999", 5, "413 Content Too Large"),
    ] {
        assert_eq!(post(length, &vec![b'x'; body]), status, "{length:?}");
    }
    let big = [
        ("REQUEST_METHOD", b"GET".to_vec()),
        ("HTTP_X", vec![b'x'; 70_000]),
    ];
    assert_eq!(answered(&big, b"").0, "431 Request Header Fields Too Large");
}

#[test]
fn every_unknown_path_has_the_same_answer() {
    let answers: Vec<_> = [
        "/",
        "/dyn",
        "/dyn/",
        "/x",
        "/dyn/short",
        "/dyn/AAAAAAAAAAAAAAAAAAAAAAAA/home/more",
        "/dyn/AAAAAAAAAAAAAAAA/a",
        "/ip",
    ]
    .iter()
    .flat_map(|uri| {
        ["GET", "POST", "PUT", "DELETE"].map(|method| {
            let variables = [
                ("REQUEST_METHOD", method.as_bytes().to_vec()),
                ("REQUEST_URI", uri.as_bytes().to_vec()),
                ("HTTP_ACCEPT", b"application/json".to_vec()),
            ];
            answered(&variables, b"")
        })
    })
    .collect();
    assert!(
        answers.windows(2).all(|two| two.first() == two.last()),
        "{answers:?}"
    );
}
