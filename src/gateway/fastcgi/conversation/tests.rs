//! Conversations with peers of every kind, octet by octet.

use proptest::prelude::*;

use super::*;

/// A record with padding that is not zero.
fn record(kind: u8, id: u16, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let [id1, id0] = id.to_be_bytes();
    let padding = [0xff; 3];
    let head = [1, kind, id1, id0, length[0], length[1], 3, 0];
    [&head[..], content, &padding].concat()
}

fn begin(id: u16, role: u8, flags: u8) -> Vec<u8> {
    record(1, id, &[0, role, flags, 0, 0, 0, 0, 0])
}

fn params(pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in pairs {
        pairs::write(&mut out, name.as_bytes(), value.as_bytes());
    }
    out
}

/// A whole request with one record per stream.
fn request(id: u16, pairs: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let params = record(4, id, &params(pairs));
    let body = match body {
        [] => Vec::new(),
        body => record(5, id, body),
    };
    [
        begin(id, 1, 1),
        params,
        record(4, id, b""),
        body,
        record(5, id, b""),
    ]
    .concat()
}

/// Everything that comes of some octets: replies, requests, and whether it goes on.
fn hear(pieces: &[&[u8]]) -> (Vec<u8>, Vec<Received>, bool) {
    let mut conversation = Conversation::default();
    let (mut replies, mut requests) = (Vec::new(), Vec::new());
    for piece in pieces {
        let mut rest = *piece;
        loop {
            let heard = conversation.hear(rest);
            replies.extend(conversation.replies());
            // What the application of one record adds is within the bounds all the same.
            assert!(conversation.kept() <= HEAD_MAX + BODY_MAX + 0xffff + HEADER);
            match heard {
                Heard::More => break,
                Heard::Over => return (replies, requests, false),
                Heard::Request(read, received) => {
                    requests.push(*received);
                    rest = &rest[read..];
                }
            }
        }
    }
    (replies, requests, true)
}

fn variable(received: &Received, name: &str) -> Option<String> {
    let value = received.meta.variable(name)?;
    Some(String::from_utf8_lossy(value).into_owned())
}

#[test]
fn a_request_in_pieces_of_every_size() {
    let variables = [
        ("HTTP_A", "1"),
        ("SERVER_SOFTWARE", "x"),
        ("CONTENT_LENGTH", "3"),
    ];
    let octets = request(7, &variables, b"abc");
    for size in 1..=octets.len() {
        let pieces: Vec<_> = octets.chunks(size).collect();
        let (replies, requests, goes_on) = hear(&pieces);
        assert!(replies.is_empty() && goes_on, "{size}");
        let [received] = requests.as_slice() else {
            panic!("{size}: {requests:?}");
        };
        assert!(received.keep && received.whole && received.id == 7);
        assert_eq!(variable(received, "HTTP_A").as_deref(), Some("1"));
        assert_eq!(
            variable(received, "SERVER_SOFTWARE"),
            None,
            "nobody reads it"
        );
        assert_eq!(received.body.as_deref(), Ok(&b"abc"[..]));
    }
}

#[test]
fn what_is_behind_the_length_of_a_body_is_no_part_of_it() {
    let octets = request(1, &[("CONTENT_LENGTH", "3")], b"abcdef");
    let (_, requests, goes_on) = hear(&[&octets]);
    assert_eq!(requests[0].body.as_deref(), Ok(&b"abc"[..]));
    assert!(goes_on);
}

#[test]
fn pairs_that_span_records_are_joined() {
    let pairs = params(&[
        ("REMOTE_ADDR", "203.0.113.7"),
        ("HTTP_LONG", &"x".repeat(300)),
    ]);
    for at in 0..=pairs.len() {
        let (first, second) = pairs.split_at(at);
        let stream: Vec<u8> = [first, second]
            .into_iter()
            .filter(|piece| !piece.is_empty())
            .flat_map(|piece| record(4, 1, piece))
            .collect();
        let octets = [begin(1, 1, 0), stream, record(4, 1, b""), record(5, 1, b"")].concat();
        let (_, requests, _) = hear(&[&octets]);
        assert_eq!(
            variable(&requests[0], "REMOTE_ADDR").as_deref(),
            Some("203.0.113.7"),
            "{at}"
        );
        assert_eq!(
            variable(&requests[0], "HTTP_LONG").map(|long| long.len()),
            Some(300)
        );
    }
}

/// Whose it was is logged, and how the answer is wanted counts.
#[test]
fn what_is_refused_keeps_the_variables_that_were_read() {
    let client = params(&[("REMOTE_ADDR", "203.0.113.7")]);
    let long = params(&[("HTTP_COOKIE", &"x".repeat(40_000))]);
    let many = params(&vec![("A", ""); VARIABLES_MAX]);
    let whole = |second: &[u8]| [record(4, 1, second), record(4, 1, b"")].concat();
    for (what, rest) in [
        ("too long", record(4, 1, &long).repeat(2)),
        ("too many", whole(&many)),
        ("cut", whole(b"\x0b\x01REMOTE")),
    ] {
        let octets = [begin(1, 1, 0), record(4, 1, &client), rest].concat();
        let (_, requests, _) = hear(&[&octets]);
        let said = variable(&requests[0], "REMOTE_ADDR");
        assert_eq!(said.as_deref(), Some("203.0.113.7"), "{what}");
        assert!(requests[0].body.is_err(), "{what}");
    }
}

#[test]
fn refusals_and_what_they_say() {
    let huge = vec![0; 0xffff];
    let two_gib = [b"\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(), vec![b'x'; 9]].concat();
    let head = |content: &[u8]| [begin(1, 1, 1), record(4, 1, content), record(4, 1, b"")].concat();
    let long = |length: &str| head(&params(&[("CONTENT_LENGTH", length)]));
    for (what, octets, expected) in [
        ("params/2-gib", head(&two_gib), Refusal::Malformed),
        ("params/zeros", head(&huge), Refusal::Head),
        (
            "params/too-long",
            [begin(1, 1, 1), record(4, 1, &huge), record(4, 1, &huge)].concat(),
            Refusal::Head,
        ),
        ("body/too-long-said", long("65537"), Refusal::Body),
        (
            "body/too-long",
            [long(""), record(5, 1, &huge), record(5, 1, &huge)].concat(),
            Refusal::Body,
        ),
        (
            "body/too-short",
            [long("10"), record(5, 1, b"abc"), record(5, 1, b"")].concat(),
            Refusal::Malformed,
        ),
    ] {
        let (_, requests, _) = hear(&[&octets]);
        let [received] = requests.as_slice() else {
            panic!("{what}: {requests:?}");
        };
        assert_eq!(received.body, Err(expected), "{what}");
    }
}

/// What is as long as it may be is taken, and one more is not.
#[test]
fn bounds_to_the_octet() {
    let body = |octets: usize| {
        let [first, last] = [vec![b'x'; 60_000], vec![b'x'; octets - 60_000]];
        let stream = [record(5, 1, &first), record(5, 1, &last)].concat();
        let begun = [begin(1, 1, 1), record(4, 1, b"")].concat();
        [begun, stream, record(5, 1, b"")].concat()
    };
    let head = |pairs: &[u8]| {
        let (first, last) = pairs.split_at(pairs.len().min(60_000));
        let last = if last.is_empty() {
            Vec::new()
        } else {
            record(4, 1, last)
        };
        let stream = [begin(1, 1, 1), record(4, 1, first), last];
        [&stream.concat(), &*record(4, 1, b""), &record(5, 1, b"")].concat()
    };
    // Before them stand their lengths, in five octets.
    let long = |octets: usize| params(&[("HTTP_A", &"x".repeat(octets - "HTTP_A".len() - 5))]);
    let many = |pairs: usize| params(&vec![("A", ""); pairs]);
    for (what, octets, refusal) in [
        ("body", body(BODY_MAX), None),
        ("body/one-more", body(BODY_MAX + 1), Some(Refusal::Body)),
        ("head", head(&long(HEAD_MAX)), None),
        (
            "head/one-more",
            head(&long(HEAD_MAX + 1)),
            Some(Refusal::Head),
        ),
        ("variables", head(&many(VARIABLES_MAX)), None),
        (
            "variables/one-more",
            head(&many(VARIABLES_MAX + 1)),
            Some(Refusal::Head),
        ),
    ] {
        let (_, requests, _) = hear(&[&octets]);
        let [received] = requests.as_slice() else {
            panic!("{what}: {} requests", requests.len());
        };
        assert_eq!(received.body.as_ref().err(), refusal.as_ref(), "{what}");
    }
}

#[test]
fn what_is_no_request() {
    let end = |id: u8, status: u8| [1, 3, 0, id, 0, 8, 0, 0, 0, 0, 0, 0, status, 0, 0, 0].to_vec();
    let asked = params(&[("FCGI_MPXS_CONNS", ""), ("ELSE", "")]);
    let told = [
        b"\x01\x0a\0\0\0\x12\x06\0\x0f\x01FCGI_MPXS_CONNS0".to_vec(),
        vec![0; 6],
    ]
    .concat();
    let wrong_version = [2, 1, 0, 1, 0, 0, 0, 0].to_vec();
    let unknown = [1, 11, 0, 0, 0, 8, 0, 0, 99, 0, 0, 0, 0, 0, 0, 0].to_vec();
    for (what, octets, replies, goes_on) in [
        ("nothing", vec![], vec![], true),
        ("version", wrong_version, vec![], false),
        ("type/empty", record(99, 0, b""), unknown.clone(), true),
        ("type/content", record(99, 5, b"abc"), unknown, true),
        ("values", record(9, 0, &asked), told, true),
        (
            "values/none",
            record(9, 0, b""),
            vec![1, 10, 0, 0, 0, 0, 0, 0],
            true,
        ),
        ("begin/empty", record(1, 1, b""), vec![], false),
        ("begin/short", record(1, 1, b"\0\x01"), vec![], false),
        ("begin/nobody", begin(0, 1, 1), vec![], false),
        (
            "begin/twice",
            [begin(1, 1, 1), begin(1, 1, 1)].concat(),
            vec![],
            false,
        ),
        (
            "begin/other",
            [begin(1, 1, 1), begin(2, 1, 1)].concat(),
            end(2, 1),
            true,
        ),
        ("role/authorizer", begin(1, 2, 1), end(1, 3), true),
        ("role/filter/close", begin(1, 3, 0), end(1, 3), false),
        (
            "abort/keep",
            [begin(1, 1, 1), record(2, 1, b"")].concat(),
            end(1, 0),
            true,
        ),
        (
            "abort/close",
            [begin(1, 1, 0), record(2, 1, b"")].concat(),
            end(1, 0),
            false,
        ),
        (
            "abort/other",
            [begin(1, 1, 0), record(2, 9, b"")].concat(),
            vec![],
            true,
        ),
        ("params/nobody", record(4, 3, b"\xff\xff"), vec![], true),
        (
            "body/first",
            [begin(1, 1, 1), record(5, 1, b"")].concat(),
            vec![],
            false,
        ),
        ("data", record(8, 1, b"abc"), vec![], true),
        ("ours", record(11, 0, b"abcdefgh"), vec![], true),
    ] {
        let pieces: Vec<_> = octets.chunks(1).collect();
        for pieces in [vec![octets.as_slice()], pieces] {
            let heard = hear(&pieces);
            assert_eq!(heard, (replies.clone(), vec![], goes_on), "{what}");
        }
    }
}

#[test]
fn one_after_the_other() {
    let octets = [
        request(1, &[("HTTP_A", "1")], b""),
        request(1, &[("HTTP_A", "2")], b""),
    ]
    .concat();
    let (_, requests, _) = hear(&[&octets]);
    let found: Vec<_> = requests
        .iter()
        .map(|one| variable(one, "HTTP_A").unwrap())
        .collect();
    assert_eq!(found, ["1", "2"]);
}

/// Octets that look like records more often than chance has it.
fn octets() -> impl Strategy<Value = Vec<u8>> {
    let content = prop::collection::vec(any::<u8>(), 0..40);
    let small =
        (0..12u8, 0..3u16, content).prop_map(|(kind, id, content)| record(kind, id, &content));
    let begins = (0..3u16, 0..3u8, 0..2u8).prop_map(|(id, role, flags)| begin(id, role, flags));
    let whole = Just(request(1, &[("HTTP_A", "1")], b"xyz"));
    let noise = prop::collection::vec(any::<u8>(), 0..20);
    let one = prop_oneof![4 => small, 3 => begins, 2 => whole, 1 => noise];
    prop::collection::vec(one, 0..12).prop_map(|all| all.concat())
}

proptest! {
    #[test]
    fn however_it_is_cut_it_means_the_same(
        octets in octets(),
        cuts in prop::collection::vec(1..50usize, 1..30),
    ) {
        let mut pieces = Vec::new();
        let mut rest = octets.as_slice();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, behind) = rest.split_at(*cut.min(&rest.len()));
            pieces.push(piece);
            rest = behind;
        }
        prop_assert_eq!(hear(&pieces), hear(&[&octets]));
    }
}
