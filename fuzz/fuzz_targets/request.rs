//! Variables and a body, as lines of `NAME=value`, an empty line and the rest: what is
//! read from them before a secret is looked up.
#![no_main]

use std::net::IpAddr;

use bowline::gateway::meta::Meta;
use bowline::http::{Request, client_address, prefers_json};
use bowline::update::{Answer, BUILT_IN, Claim, Dialect, Word};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let end = data.windows(2).position(|two| two == b"\n\n");
    let (head, body) = match end {
        Some(end) => (&data[..end], &data[end + 2..]),
        None => (data, &b""[..]),
    };
    let pairs = head.split(|octet| *octet == b'\n').map(|line| {
        let equals = line.iter().position(|octet| *octet == b'=');
        let (name, value) = line.split_at(equals.unwrap_or(line.len()));
        (name.to_vec(), value.get(1..).unwrap_or_default().to_vec())
    });
    let meta = Meta::new(pairs);
    let Ok(_) = meta.body_length() else { return };
    let request = Request::new(meta.into_variables(), body);
    let trusted = ["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
    let client = client_address(&request, &trusted, "X-Forwarded-For");
    assert!(!client.is_some_and(|client: IpAddr| client.is_loopback()));
    let json = prefers_json(request.header("Accept"));
    if let Some(segments) = request.path.below("/dyn")
        && let Some((row, captured)) = Dialect::find(&*BUILT_IN, segments, &request)
    {
        let mut octets = Vec::new();
        match Claim::read(row, captured, &request) {
            Ok(claim) => {
                let secret = claim.token.secret().to_owned();
                assert!(!format!("{claim:?}").contains(&format!("{secret:?}")));
                Answer::new(Word::Trouble).response(json).write(&mut octets, false).unwrap();
            }
            Err(unclaimed) => {
                unclaimed.answer().response(json).write(&mut octets, false).unwrap();
            }
        }
    }
});
