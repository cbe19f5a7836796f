//! Peers that lie, dawdle and leave, while a well-behaved one is answered as ever.

use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use bowline::gateway::fastcgi::record::Kind;

use crate::peer::{Answered, Peer, begin, get, one, stream, with};
use crate::responder::{Responder, patient, short};
use crate::site::Site;

/// What becomes of a peer.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    /// The connection is closed without an answer.
    Closed,
    /// The request ends with this protocol status and without an answer.
    Ended(u8),
    /// It is answered with this status, and the connection closed.
    Answered(&'static str),
}

/// What there is to say, and what becomes of it; request 1 is the one that counts.
fn cases() -> Vec<(&'static str, Vec<u8>, Fate)> {
    use Fate::{Answered, Closed, Ended};
    let zeros = vec![0; 0xfff8];
    let params = |content: &[u8]| one(Kind::Params, 1, content);
    let end = [params(b""), one(Kind::Stdin, 1, b"")].concat();
    let begun = |rest: &[u8]| [&begin(1, 1, false), rest].concat();
    let length = |digits: &[u8]| params(&stream(&[("CONTENT_LENGTH", digits)]));
    let split = |at: usize| {
        let all = stream(&[("REMOTE_ADDR", b"198.51.100.4"), ("X", &[b'x'; 300])]);
        let (first, second) = all.split_at(at);
        begun(&[params(first), params(second), end.clone()].concat())
    };
    let latin1: &[(&str, &[u8])] = &[("HTTP_USER_AGENT", b"caf\xe9"), ("HTTP_\u{e9}", b"\xff")];
    let body = [one(Kind::Stdin, 1, &zeros), one(Kind::Stdin, 1, &zeros)].concat();
    let mib = params(&zeros).repeat(64);
    vec![
        ("eof/at-once", vec![], Closed),
        ("eof/header", vec![1, 1, 0], Closed),
        ("eof/begin", begin(1, 1, false), Closed),
        ("eof/keep", begin(1, 1, true), Closed),
        ("eof/params", begun(&params(b"\x05\x05ab")), Closed),
        ("eof/no-stdin", begun(&params(b"")), Closed),
        ("split/value", split(15), Answered("200 OK")),
        ("split/length", split(1), Answered("200 OK")),
        ("split/long-length", split(30), Answered("200 OK")),
        (
            "octets/latin-1",
            with(1, "/", false, latin1, b""),
            Answered("200 OK"),
        ),
        (
            "type/unknown",
            [one(Kind::Unknown(77), 0, b"ab"), get(1, "/", false)].concat(),
            Answered("200 OK"),
        ),
        ("version/2", vec![2, 1, 0, 1, 0, 8, 0, 0], Closed),
        ("begin/empty", one(Kind::Begin, 1, b""), Closed),
        ("begin/short", one(Kind::Begin, 1, b"\0"), Closed),
        ("begin/request-0", begin(0, 1, false), Closed),
        ("begin/twice", begun(&begin(1, 1, false)), Closed),
        ("role/authorizer", begin(1, 2, false), Ended(3)),
        ("role/filter", begin(1, 3, true), Ended(3)),
        ("role/none", begin(1, 0, true), Ended(3)),
        (
            "multiplexed",
            [begin(9, 1, true), begin(1, 1, true)].concat(),
            Ended(1),
        ),
        ("abort", begun(&one(Kind::Abort, 1, b"")), Ended(0)),
        (
            "pair/2-gib-name",
            begun(&[params(b"\xff\xff\xff\xff\x01ab"), end.clone()].concat()),
            Answered("400 Bad Request"),
        ),
        (
            "pair/2-gib-value",
            begun(&[params(b"\x01\xff\xff\xff\xffab"), end.clone()].concat()),
            Answered("400 Bad Request"),
        ),
        (
            "pair/cut",
            begun(&[params(b"\x05"), end.clone()].concat()),
            Answered("400 Bad Request"),
        ),
        (
            "params/64-kib-of-zeros",
            begun(&[params(&zeros), end.clone()].concat()),
            Answered("431 Request Header Fields Too Large"),
        ),
        (
            "params/4-mib-of-zeros",
            begun(&mib),
            Answered("431 Request Header Fields Too Large"),
        ),
        (
            "body/too-long",
            begun(&[params(b""), body].concat()),
            Answered("413 Content Too Large"),
        ),
        (
            "body/2-gib",
            begun(&[length(b"2147483648"), params(b"")].concat()),
            Answered("413 Content Too Large"),
        ),
        (
            "body/endless",
            begun(&[length(b"99999999999999999999"), params(b"")].concat()),
            Answered("413 Content Too Large"),
        ),
        (
            "body/negative",
            begun(&[length(b"-2"), params(b"")].concat()),
            Answered("400 Bad Request"),
        ),
        (
            "body/short",
            with(1, "/", false, &[("CONTENT_LENGTH", b"9")], b"abc"),
            Answered("400 Bad Request"),
        ),
        (
            "body/before-params",
            begun(&one(Kind::Stdin, 1, b"")),
            Closed,
        ),
        (
            "params/after-end",
            begun(&[params(b""), params(b"\0\0")].concat()),
            Closed,
        ),
        (
            "panic",
            get(1, "/panic", true),
            Answered("503 Service Unavailable"),
        ),
    ]
}

/// Says it, perhaps in pieces, and looks what becomes of it.
fn meet(peer: &mut Peer, octets: &[u8], piece: usize) -> Fate {
    for piece in octets.chunks(piece) {
        peer.say(piece);
    }
    let _ = peer.0.shutdown(Shutdown::Write);
    match peer.answered(1) {
        None => Fate::Closed,
        Some(Answered { text, ended }) if text.is_empty() => Fate::Ended(ended),
        Some(answered) => {
            let status = [
                "200 OK",
                "400 Bad Request",
                "413 Content Too Large",
                "431 Request Header Fields Too Large",
                "503 Service Unavailable",
            ]
            .into_iter()
            .find(|status| *status == answered.status());
            Fate::Answered(status.unwrap_or_else(|| panic!("{answered:?}")))
        }
    }
}

#[test]
fn a_well_behaved_client_does_not_notice() {
    let responder = Responder::start(patient());
    let path = responder.path();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let client = scope.spawn(|| {
            let mut answers = 0;
            while !over.load(Ordering::Relaxed) {
                let answered = Peer::connect(&path).ask("/", false).expect("an answer");
                assert_eq!(
                    (answered.status(), answered.body()),
                    ("200 OK", "198.51.100.4\n")
                );
                answers += 1;
            }
            answers
        });
        for piece in [usize::MAX, 1] {
            for (what, octets, fate) in cases() {
                // Octet by octet the long ones only take long.
                let piece = if octets.len() > 4096 { 4096 } else { piece };
                let met = meet(&mut responder.connect(), &octets, piece);
                assert_eq!(met, fate, "{what}");
            }
        }
        over.store(true, Ordering::Relaxed);
        assert!(client.join().unwrap() > 20);
    });
}

/// More peers than workers: some silent, some half-way, some that do not read.
fn hanging(responder: &Responder) -> Vec<Peer> {
    let octets = get(1, "/", false);
    let mut hanging: Vec<Peer> = (0..30).map(|_| responder.connect()).collect();
    for (at, peer) in hanging.iter_mut().enumerate() {
        match at % 3 {
            0 => {}
            1 => drop(peer.say(&octets[..octets.len() / 2])),
            _ => drop(peer.say(&get(1, "/long", false))),
        }
    }
    hanging
}

/// Each second one of the silent brings one octet.
fn trickle(hanging: &mut [Peer], octet: u8) {
    for peer in hanging.iter_mut().step_by(6) {
        peer.say(&[octet]);
    }
}

#[test]
fn peers_that_trickle_or_hang_hold_nobody_up() {
    let responder = Responder::start(patient());
    let mut hanging = hanging(&responder);
    for (at, octet) in get(1, "/", false).into_iter().take(60).enumerate() {
        if at % 20 == 0 {
            trickle(&mut hanging, octet);
        }
        let answered = responder.connect().ask("/", false).expect("an answer");
        assert_eq!(answered.body(), "198.51.100.4\n");
    }
}

#[test]
fn peers_that_trickle_or_hang_are_given_up() {
    let responder = Responder::start(short());
    let mut hanging = hanging(&responder);
    for octet in get(1, "/", false) {
        // Each brings an octet now and then: the time for the whole counts.
        trickle(&mut hanging, octet);
        thread::sleep(Duration::from_millis(200));
        if hanging.iter().all(Peer::has_hung_up) {
            break;
        }
    }
    for (at, peer) in hanging.iter_mut().enumerate() {
        match at % 3 {
            0 => assert!(peer.is_closed(), "{at}"),
            // Or somebody had to make room for the long answers.
            1 => {
                let answered = peer.answered(1);
                let late = |one: &Answered| one.status() == "408 Request Timeout";
                assert!(answered.as_ref().is_none_or(late), "{answered:?}");
            }
            // It was given up in the middle of its answer.
            _ => assert_eq!(peer.answered(1), None, "{at}"),
        }
    }
}

/// However often it brings something, nobody gets to the end of a request that way.
#[test]
fn the_time_for_a_request_does_not_begin_anew_with_each_octet() {
    let responder = Responder::start(short());
    let mut peer = responder.connect();
    for octet in get(1, "/", false) {
        peer.say(&[octet]);
        thread::sleep(Duration::from_millis(100));
        if peer.is_closed_now() {
            return;
        }
    }
    panic!("{:?}", peer.answered(1));
}

#[test]
fn what_is_not_taken_has_a_line_in_the_log_and_changes_nothing() {
    let site = Site::new();
    let _bowline = site.listen();
    let path = site.update("203.0.113.7");
    let length = |length| with(1, &path, false, &[("CONTENT_LENGTH", length)], b"abc");
    let zeros = one(Kind::Params, 1, &vec![0; 0xfff8]);
    let head = [begin(1, 1, false), zeros, one(Kind::Params, 1, b"")].concat();
    let mut never = length(b"10");
    never.truncate(never.len() - one(Kind::Stdin, 1, b"").len());
    for (octets, status, line) in [
        (length(b"65537"), "413", "body client=198.51.100.4 reason="),
        (length(b"10"), "400", "request client=198.51.100.4 reason="),
        (length(b"-2"), "400", "request client=198.51.100.4 reason="),
        // Of its head there is nothing.
        (head, "431", "head reason="),
        (never, "408", "late client=198.51.100.4 reason="),
    ] {
        let mut peer = Peer::connect(&site.path("bowline.sock"));
        peer.say(&octets);
        let answered = peer.answered(1).unwrap();
        assert!(answered.status().starts_with(status), "{line}");
        let log = site.log();
        let last = log.lines().last().unwrap_or_default();
        assert!(last.contains(&format!(" update result={line}")), "{last}");
    }
    assert!(!site.log().contains(site.token.secret()));
    assert_eq!(site.address(), [] as [&str; 0]);
}
