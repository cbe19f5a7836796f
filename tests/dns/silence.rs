//! A name server that stands still, comes late, or is not there.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use bowline::dns::{Doubt, LookupError, Rcode, Verdict, Wait, lookup, send_update};
use bowline::ip::Family;

use crate::common::{bench, found, in_seconds, look, record, send, server_at, swap, zone};
use crate::peer::{Peer, signed, told, unsigned};
use crate::support::knot::{ZONE, free_port, wait_until};
use crate::support::stopwatch::Stopwatch;

#[test]
fn a_stall_of_a_second_is_waited_for() {
    let bench = bench(&[]);
    bench.knot.pause();
    let verdict = thread::scope(|scope| {
        let sender = scope.spawn(|| bench.send(&[swap("home", "", "203.0.113.7")]));
        thread::sleep(Duration::from_secs(1));
        bench.knot.resume();
        sender.join().unwrap()
    });
    assert_eq!(verdict, Verdict::Done);
    assert_eq!(
        bench.knot.kdig(&format!("home.{ZONE}"), "A"),
        ["203.0.113.7"]
    );
}

#[test]
fn a_late_answer_to_the_first_datagram_counts() {
    let bench = bench(&[]);
    bench.knot.pause();
    let verdict = thread::scope(|scope| {
        let sender = scope.spawn(|| bench.send(&[swap("home", "", "203.0.113.7")]));
        thread::sleep(Duration::from_millis(3300));
        bench.knot.resume();
        sender.join().unwrap()
    });
    assert_eq!(verdict, Verdict::Done);
    assert_eq!(
        bench.knot.kdig(&format!("home.{ZONE}"), "A"),
        ["203.0.113.7"]
    );
}

#[test]
fn endless_silence_ends_with_the_deadline_and_may_still_be_applied() {
    let bench = bench(&[]);
    let name = format!("home.{ZONE}");
    bench.knot.pause();
    let watch = Stopwatch::start();
    let swaps = [swap("home", "", "203.0.113.7")];
    // Long enough for both datagrams and the connection.
    let verdict = send_update(&bench.server, &zone(), &swaps, in_seconds(6));
    let took = watch.took();
    assert_eq!(verdict, Verdict::Unconfirmed(Doubt::Silent));
    assert!(took.all.as_millis() >= 5900, "{took:?}");
    assert!(took.own.as_millis() < 6300, "{took:?}");

    let watch = Stopwatch::start();
    let home = record("home");
    let questions = [(&home, Family::Ipv4)];
    let half_a_second = bowline::deadline::Deadline::after(Duration::from_millis(500));
    let error = lookup(&bench.server, &zone(), &questions, true, half_a_second);
    assert_eq!(error, Err(LookupError::NoAnswer(Doubt::Silent)));
    let took = watch.took();
    assert!(took.own < Duration::from_millis(700), "{took:?}");

    bench.knot.resume();
    wait_until("the late update", || {
        bench.knot.kdig(&name, "A") == ["203.0.113.7"]
    });
}

/// Whatever its length, and so by whatever way it goes.
#[test]
fn silence_is_noticed_once_and_long_before_the_deadline() {
    let bench = bench(&[]);
    bench.knot.pause();
    for hosts in [1, 60] {
        for goes_on in [false, true] {
            let swaps: Vec<_> = (0..hosts)
                .map(|n| swap(&format!("h{n}"), "", "203.0.113.7"))
                .collect();
            let (mut noticed, watch) = (Vec::new(), Stopwatch::start());
            let mut silent = || {
                noticed.push(watch.took());
                goes_on
            };
            let wait = Wait::with(in_seconds(4), &mut silent);
            let verdict = send_update(&bench.server, &zone(), &swaps, wait);
            let took = watch.took();
            let all = format!("{hosts} {goes_on}: {noticed:?}, {took:?}");
            assert_eq!(verdict, Verdict::Unconfirmed(Doubt::Silent), "{all}");
            assert!(noticed.len() == 1 && noticed[0].own.as_secs() < 3, "{all}");
            match goes_on {
                true => assert!(took.all.as_secs() >= 3, "{all}"),
                false => assert!(took.own.as_secs() < 3, "{all}"),
            }
        }
    }
}

#[test]
fn one_who_answers_bit_by_bit_is_not_silent() {
    let mut silent = || panic!("it answers");
    let names: Vec<_> = (0..300).map(|n| record(&format!("h{n}"))).collect();
    let questions: Vec<_> = names.iter().map(|name| (name, Family::Ipv4)).collect();
    let slow = Peer::start(|n, request| {
        // So many are asked at once. No pause alone is a silence, all together are.
        if n % 64 == 0 {
            thread::sleep(Duration::from_millis(400));
        }
        vec![told(request, true, &[203, 0, 113, 7])]
    });
    let wait = Wait::with(in_seconds(20), &mut silent);
    let answers = lookup(&slow.server, &zone(), &questions, false, wait);
    assert_eq!(answers.unwrap().answers.len(), names.len());

    let passing = Peer::start(|n, request| {
        thread::sleep(Duration::from_millis(800));
        vec![match n {
            0 => unsigned(request, Rcode::SERVFAIL),
            _ => signed(request, Rcode::NOERROR),
        }]
    });
    let swaps = [swap("home", "", "203.0.113.7")];
    let wait = Wait::with(in_seconds(20), &mut silent);
    let verdict = send_update(&passing.server, &zone(), &swaps, wait);
    assert_eq!(verdict, Verdict::Done);
}

#[test]
fn silence_is_noticed_while_a_connection_does_not_come_about() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let server = server_at(listener.local_addr().unwrap());
    // Nobody accepts: when the queue is full the system leaves us without an answer.
    let connect = || TcpStream::connect_timeout(&server.address, Duration::from_millis(200));
    let queue: Vec<TcpStream> = std::iter::from_fn(|| connect().ok()).collect();
    let swaps: Vec<_> = (0..60)
        .map(|n| swap(&format!("h{n}"), "", "203.0.113.7"))
        .collect();
    for goes_on in [false, true] {
        let (mut noticed, watch) = (0, Stopwatch::start());
        let mut silent = || {
            noticed += 1;
            goes_on
        };
        let wait = Wait::with(in_seconds(4), &mut silent);
        let verdict = send_update(&server, &zone(), &swaps, wait);
        let unreachable = Doubt::Unreachable(ErrorKind::TimedOut);
        assert!(unreachable.is_silence());
        assert_eq!(verdict, Verdict::Unconfirmed(unreachable));
        assert_eq!(noticed, 1, "{goes_on}");
        let took = watch.took();
        match goes_on {
            true => assert!(took.all.as_secs() >= 3, "{took:?}"),
            false => assert!(took.own.as_secs() < 3, "{took:?}"),
        }
    }
    drop(queue);
}

#[test]
fn a_deadline_that_has_passed_sends_nothing() {
    let bench = bench(&[]);
    let swaps = [swap("home", "", "203.0.113.7")];
    let verdict = send_update(&bench.server, &zone(), &swaps, in_seconds(0));
    assert_eq!(verdict, Verdict::Unconfirmed(Doubt::Late));
    assert!(Doubt::Late.is_silence() && !Doubt::Late.may_be_applied());
    assert_eq!(bench.look("home").unwrap().answers[0], found(""));
}

#[test]
fn an_open_transaction_is_silence_and_applied_afterwards() {
    let bench = bench(&[]);
    bench.knot.knotc(&["zone-begin", ZONE]);
    let swaps = [swap("home", "", "203.0.113.7")];
    let verdict = send_update(&bench.server, &zone(), &swaps, in_seconds(1));
    let Verdict::Unconfirmed(doubt) = verdict else {
        panic!("{verdict:?}")
    };
    assert!(doubt.may_be_applied());
    assert_eq!(bench.look("home").unwrap().answers[0], found(""));
    bench.knot.knotc(&["zone-abort", ZONE]);
    wait_until("the late update", || {
        bench.look("home").unwrap().answers[0] == found("203.0.113.7")
    });
}

#[test]
fn a_dead_server_is_told_at_once() {
    let mut bench = bench(&[]);
    bench.knot.stop();
    let watch = Stopwatch::start();
    let unreachable = Doubt::Unreachable(ErrorKind::ConnectionRefused);
    assert!(!unreachable.may_be_applied());
    let verdict = bench.send(&[swap("home", "", "203.0.113.7")]);
    assert_eq!(verdict, Verdict::Unconfirmed(unreachable.clone()));
    assert_eq!(bench.look("home"), Err(LookupError::NoAnswer(unreachable)));
    let took = watch.took();
    assert!(took.own < Duration::from_millis(500), "{took:?}");

    bench.knot.restart();
    assert_eq!(
        bench.send(&[swap("home", "", "203.0.113.7")]),
        Verdict::Done
    );
    assert_eq!(
        bench.knot.kdig(&format!("home.{ZONE}"), "A"),
        ["203.0.113.7"]
    );
}

#[test]
fn nobody_there_for_a_long_message_either() {
    let server = server_at(([127, 0, 0, 1], free_port()).into());
    let swaps: Vec<_> = (0..100)
        .map(|n| swap(&format!("h{n}"), "", "203.0.113.7"))
        .collect();
    let watch = Stopwatch::start();
    let unreachable = Doubt::Unreachable(ErrorKind::ConnectionRefused);
    assert_eq!(
        send(&server, &swaps),
        Verdict::Unconfirmed(unreachable.clone())
    );
    assert_eq!(
        look(&server, "home"),
        Err(LookupError::NoAnswer(unreachable))
    );
    let took = watch.took();
    assert!(took.own < Duration::from_millis(500), "{took:?}");
}
