//! Variables and a body, as lines of `NAME=value`, an empty line and the rest: what is
//! read from them before a secret is looked up.
#![no_main]

use std::net::IpAddr;
use std::path::Path;
use std::sync::LazyLock;

use bowline::config::Config;
use bowline::http::{Meta, Request, client_address};
use bowline::update::{Answer, Claim, Dialect, List, Word, respond, rows};
use libfuzzer_sys::fuzz_target;

/// What is built in, and rows as an operator may add them.
static ROWS: LazyLock<List<Dialect>> = LazyLock::new(|| {
    let text = r#"
        url = "https://update.example.org/dyn"
        [[endpoint]]
        path = "/own/<name>/<token>/<address>"
        omitted = "remove"
        answer = "ok-ko"
        [[endpoint]]
        path = "/v2/update"
        credential = ["query", "bearer"]
        answer = "json"
        params = { hostname = [], ipv6 = ["six", "myip"] }
    "#;
    let config = Config::parse(Path::new("bowline.toml"), text).unwrap();
    rows(&config.endpoints)
});

fuzz_target!(|data: &[u8]| {
    let end = data.windows(2).position(|two| two == b"\n\n");
    let (head, body) = match end {
        Some(end) => (&data[..end], &data[end + 2..]),
        None => (data, &b""[..]),
    };
    let pairs = head.split(|octet| *octet == b'\n').map(|line| {
        let equals = line.iter().position(|octet| *octet == b'=');
        let (name, value) = line.split_at(equals.unwrap_or(line.len()));
        (name, value.get(1..).unwrap_or_default())
    });
    let meta = Meta::new(pairs);
    let Ok(_) = meta.body_length() else { return };
    let request = Request::new(meta, body);
    let trusted = ["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
    let client = client_address(&request, &trusted, "X-Forwarded-For");
    assert!(!client.is_some_and(|client: IpAddr| client.is_loopback()));
    let json = request.prefers_json();
    if let Some(segments) = request.path.below("/dyn")
        && let Some((row, captured)) = Dialect::find(&ROWS, segments, &request)
    {
        let response = match Claim::read(row, captured, &request) {
            Ok(claim) => {
                let secret = claim.token.secret().to_owned();
                assert!(!format!("{claim:?}").contains(&format!("{secret:?}")));
                for name in &claim.names {
                    // A challenge is for one name; with a comma in it that is nobody's.
                    assert!(!name.is_empty());
                    assert!(claim.challenge.is_some() || !name.contains(&b','));
                }
                let answers = [Answer::new(Word::Trouble), Answer::new(Word::NoHost)];
                respond(&answers, row, &request)
            }
            Err(unclaimed) => unclaimed.answer().response(json),
        };
        // Nothing a client sends makes a field of its own, or an end of the head.
        let head = String::from_utf8(response.octets(true)).unwrap();
        let fields = head.strip_suffix("\r\n\r\n").unwrap().split("\r\n");
        assert!(fields.into_iter().all(|field| field.contains(": ")));
    }
});
