//! Peers that lie, stutter or fall silent.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use bowline::dns::{Doubt, LookupError, Rcode, Refusal, Verdict, lookup, send_update};
use bowline::ip::Family;

use crate::common::{found, in_seconds, record, send, swap, zone};
use crate::peer::{Peer, forged, framed, server, signed, signed_at, tcp_peer, told, unsigned};
use crate::support::skip::{Privilege, may};
use crate::support::stopwatch::Stopwatch;

/// Makes an answer of a request.
type Answer = fn(&[u8]) -> Vec<u8>;

#[test]
fn success_without_a_valid_signature_is_no_success() {
    let cases: [Answer; 2] = [
        |request| unsigned(request, Rcode::NOERROR),
        |request| forged(request, Rcode::NOERROR),
    ];
    for forge in cases {
        let peer = Peer::start(move |_, request| vec![forge(request)]);
        let started = Instant::now();
        let verdict = peer.verdict_within(1);
        assert_eq!(verdict, Verdict::Unconfirmed(Doubt::Unverified));
        assert!(
            started.elapsed() >= Duration::from_millis(990),
            "did not wait"
        );
        let found = peer.lookup_within(1);
        assert_eq!(found, Err(LookupError::NoAnswer(Doubt::Unverified)));
    }
}

#[test]
fn noise_and_forgeries_do_not_end_the_wait_for_the_true_answer() {
    let peer = Peer::start(|_, request| {
        let mut other_id = signed(request, Rcode::NOERROR);
        other_id[0] ^= 1;
        let mut no_answer = unsigned(request, Rcode::REFUSED);
        no_answer[2] &= 0x7f;
        let mut other_opcode = unsigned(request, Rcode::REFUSED);
        other_opcode[2] ^= 0x08;
        let noise = vec![Vec::new(), vec![0; 3], vec![0xff; 600], request.to_vec()];
        let lies = vec![
            other_id,
            no_answer,
            other_opcode,
            unsigned(request, Rcode::NOERROR),
            forged(request, Rcode::NOERROR),
        ];
        let truth = vec![signed(request, Rcode::NOERROR)];
        [noise, lies, truth].concat()
    });
    assert_eq!(peer.verdict(), Verdict::Done);
}

#[test]
fn a_truncated_answer_never_counts() {
    let peer = Peer::start(|_, request| {
        let answer = signed(request, Rcode::NOERROR);
        (0..answer.len())
            .map(|length| answer[..length].to_vec())
            .collect()
    });
    let verdict = peer.verdict_within(1);
    assert_eq!(verdict, Verdict::Unconfirmed(Doubt::Unverified));
}

#[test]
fn an_answer_from_another_port_never_arrives() {
    let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let server = server(peer.local_addr().unwrap());
    let thread = thread::spawn(move || {
        let mut buffer = [0; 4096];
        let (length, from) = peer.recv_from(&mut buffer).unwrap();
        let elsewhere = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        elsewhere
            .send_to(&signed(&buffer[..length], Rcode::NOERROR), from)
            .unwrap();
        peer
    });
    let swaps = [swap("home", "", "203.0.113.7")];
    let verdict = send_update(&server, &zone(), &swaps, in_seconds(1));
    assert_eq!(verdict, Verdict::Unconfirmed(Doubt::Silent));
    thread.join().unwrap();
}

#[test]
fn errors_count_without_a_signature_and_say_so() {
    for (rcode, differs) in [
        (Rcode::NXRRSET, true),
        (Rcode::YXRRSET, true),
        (Rcode::REFUSED, false),
    ] {
        for authenticated in [false, true] {
            let peer = Peer::start(move |_, request| {
                vec![if authenticated {
                    signed(request, rcode)
                } else {
                    unsigned(request, rcode)
                }]
            });
            let expected = if differs && authenticated {
                Refusal::Differs(rcode)
            } else {
                Refusal::Rcode {
                    rcode,
                    tsig: None,
                    authenticated,
                }
            };
            assert_eq!(peer.verdict(), Verdict::Refused(expected));
        }
    }
}

#[test]
fn servfail_is_tried_once_more() {
    let once = Peer::start(|n, request| {
        vec![if n == 0 {
            unsigned(request, Rcode::SERVFAIL)
        } else {
            signed(request, Rcode::NOERROR)
        }]
    });
    assert_eq!(once.verdict(), Verdict::Done);
    let always = Peer::start(|_, request| vec![unsigned(request, Rcode::SERVFAIL)]);
    let refusal = Refusal::Rcode {
        rcode: Rcode::SERVFAIL,
        tsig: None,
        authenticated: false,
    };
    assert_eq!(always.verdict(), Verdict::Refused(refusal));
}

#[test]
fn a_refusal_after_silence_is_not_certain_but_a_difference_is_reported() {
    for rcode in [Rcode::NXRRSET, Rcode::REFUSED, Rcode::SERVFAIL] {
        let peer = Peer::start(move |n, request| {
            if n == 0 {
                Vec::new()
            } else {
                vec![signed(request, rcode)]
            }
        });
        let verdict = send(&peer.server, &[swap("home", "", "203.0.113.7")]);
        let expected = match rcode {
            Rcode::NXRRSET => Verdict::Refused(Refusal::Differs(rcode)),
            // It is asked once more, by TCP, and nobody is there.
            Rcode::SERVFAIL => Verdict::Unconfirmed(Doubt::Silent),
            _ => Verdict::Unconfirmed(Doubt::RefusedLater(Refusal::Rcode {
                rcode,
                tsig: None,
                authenticated: true,
            })),
        };
        assert_eq!(verdict, expected);
    }
}

#[test]
fn a_clock_that_is_off() {
    for shift in [-1000, 1000] {
        let peer = Peer::start(move |_, request| vec![signed_at(request, Rcode::NOERROR, shift)]);
        let Verdict::Refused(Refusal::BadTime { skew_seconds }) = peer.verdict() else {
            panic!("{:?}", peer.verdict())
        };
        assert!((skew_seconds - shift).abs() < 3, "{skew_seconds}");
    }
}

#[test]
fn tcp_answers_octet_by_octet_broken_off_and_forged() {
    let broken = Verdict::Unconfirmed(Doubt::Broken(ErrorKind::UnexpectedEof));
    let cases: [(Answer, Verdict); 5] = [
        (
            |request| framed(&signed(request, Rcode::NOERROR)),
            Verdict::Done,
        ),
        (
            |request| [framed(&[0; 12]), framed(&signed(request, Rcode::NOERROR))].concat(),
            Verdict::Done,
        ),
        (
            |request| framed(&unsigned(request, Rcode::NOERROR)),
            Verdict::Unconfirmed(Doubt::Unverified),
        ),
        (
            |request| framed(&signed(request, Rcode::NOERROR))[..40].to_vec(),
            broken.clone(),
        ),
        (|_| vec![0xff], broken),
    ];
    let swaps: Vec<_> = (0..60)
        .map(|n| swap(&format!("h{n}"), "", "203.0.113.7"))
        .collect();
    for (answer, expected) in cases {
        let (server, thread) = tcp_peer(answer);
        // Where the first connection breaks a second is tried, and finds nobody.
        let verdict = send_update(&server, &zone(), &swaps, in_seconds(20));
        assert_eq!(verdict, expected);
        thread.join().unwrap();
    }
}

#[test]
fn a_server_silent_on_udp_is_asked_by_tcp_in_the_end() {
    let (server, thread) = tcp_peer(|request| framed(&signed(request, Rcode::NOERROR)));
    let _silent = UdpSocket::bind(server.address).unwrap();
    let watch = Stopwatch::start();
    assert_eq!(
        send(&server, &[swap("home", "", "203.0.113.7")]),
        Verdict::Done
    );
    let took = watch.took();
    assert!(took.all.as_millis() >= 4900, "{took:?}");
    assert!(took.own.as_millis() < 5500, "{took:?}");
    thread.join().unwrap();
}

#[test]
fn a_server_on_ipv6_loopback() {
    if !may(Privilege::Ipv6) {
        return;
    }
    let peer = UdpSocket::bind((std::net::Ipv6Addr::LOCALHOST, 0)).unwrap();
    let server = server(peer.local_addr().unwrap());
    let thread = thread::spawn(move || {
        let mut buffer = [0; 4096];
        let (length, from) = peer.recv_from(&mut buffer).unwrap();
        peer.send_to(&signed(&buffer[..length], Rcode::NOERROR), from)
            .unwrap();
        from
    });
    assert_eq!(
        send(&server, &[swap("home", "", "203.0.113.7")]),
        Verdict::Done
    );
    assert!(thread.join().unwrap().ip().is_loopback());
}

#[test]
fn a_lost_question_is_asked_again() {
    let peer = Peer::start(|n, request| match n {
        0 => Vec::new(),
        _ => vec![told(request, true, &[203, 0, 113, 7])],
    });
    assert_eq!(peer.lookup().unwrap().answers, [found("203.0.113.7")]);
}

#[test]
fn an_answer_that_is_not_authoritative_or_makes_no_sense() {
    let cached = Peer::start(|_, request| vec![told(request, false, &[203, 0, 113, 7])]);
    assert_eq!(cached.lookup(), Err(LookupError::NotAuthoritative));
    let short = Peer::start(|_, request| vec![told(request, true, &[203, 0, 113])]);
    assert_eq!(short.lookup(), Err(LookupError::Garbled));
    // A resolver knows a serial too, of some time ago.
    for authoritative in [true, false] {
        let peer = Peer::start(move |_, request| vec![told(request, authoritative, &[0; 22])]);
        let found = lookup(&peer.server, &zone(), &[], true, in_seconds(20));
        let expected = match authoritative {
            true => Ok(Some(0)),
            false => Err(LookupError::NotAuthoritative),
        };
        assert_eq!(found.map(|found| found.serial), expected);
    }
}

#[test]
fn a_refusal_of_one_question_is_not_of_the_others() {
    let names = ["first", "home", "last"].map(record);
    let questions = names.each_ref().map(|name| (name, Family::Ipv4));
    let answers = |refuse: fn(&[u8], Rcode) -> Vec<u8>, serial| {
        let peer = Peer::start(move |n, request| {
            vec![match n % 4 {
                0 | 2 => refuse(request, Rcode::SERVFAIL),
                3 => told(request, true, &[0; 22]),
                _ => told(request, true, &[203, 0, 113, 7]),
            }]
        });
        lookup(&peer.server, &zone(), &questions, serial, in_seconds(20)).unwrap()
    };
    // Nobody listens on TCP, so that one without a signature counts too.
    for (refuse, is_signed) in [(signed as fn(&[u8], Rcode) -> _, true), (unsigned, false)] {
        for serial in [false, true] {
            let answers = answers(refuse, serial);
            let refused = Err(LookupError::Refused(Refusal::Rcode {
                rcode: Rcode::SERVFAIL,
                tsig: None,
                authenticated: is_signed,
            }));
            let expected = [refused.clone(), found("203.0.113.7"), refused];
            assert_eq!(answers.answers, expected);
            assert_eq!(answers.serial.is_some(), serial);
        }
    }
}

#[test]
fn what_may_not_fit_a_datagram_is_never_sent_in_one() {
    let peer = Peer::start(|_, request| vec![signed(request, Rcode::NOERROR)]);
    let swaps = (0..40).map(|n| swap(&format!("h{n}"), "", "203.0.113.7"));
    let swaps: Vec<_> = swaps.collect();
    let unreachable = Doubt::Unreachable(ErrorKind::ConnectionRefused);
    assert_eq!(
        send(&peer.server, &swaps),
        Verdict::Unconfirmed(unreachable),
        "nobody listens on TCP"
    );
}
