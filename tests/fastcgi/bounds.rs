//! How many at once, for how long, and what waits meanwhile.

use std::fs;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use bowline::gateway::fastcgi::Limits;
use bowline::gateway::fastcgi::record::Kind;

use crate::peer::{Peer, begin, get, one, with};
use crate::responder::{Responder, connect, patient, short};
use crate::site::{Process, Site, wait_for_socket};
use crate::support::knot::wait_until;
use crate::support::stopwatch::Stopwatch;

#[test]
fn a_kept_connection_carries_one_request_after_the_other() {
    let responder = Responder::start(patient());
    let mut peer = responder.connect();
    for _ in 0..50 {
        let answered = peer.ask("/", true).expect("an answer");
        assert_eq!((answered.ended, answered.body()), (0, "198.51.100.4\n"));
    }
    // Two at a breath: the second waits for the first.
    peer.say(&[get(1, "/", true), get(2, "/", false)].concat());
    assert_eq!(peer.answered(1).unwrap().body(), "198.51.100.4\n");
    assert_eq!(peer.answered(2).unwrap().body(), "198.51.100.4\n");
    assert!(peer.is_closed());
}

#[test]
fn requests_behind_an_answer_that_is_not_taken_yet_are_answered_after_it() {
    // So many workers that their bounds hold an answer of 1 MiB.
    let responder = Responder::start(Limits {
        workers: 16,
        ..patient()
    });
    let mut peer = responder.connect();
    peer.say(&[get(1, "/long", true), get(2, "/", true), get(3, "/", false)].concat());
    // More than the socket holds: the rest waits until we read.
    thread::sleep(Duration::from_millis(200));
    assert_eq!(peer.answered(1).unwrap().body().len(), 1 << 20);
    assert_eq!(peer.answered(2).unwrap().body(), "198.51.100.4\n");
    assert_eq!(peer.answered(3).unwrap().body(), "198.51.100.4\n");
    assert!(peer.is_closed());
}

#[test]
fn who_asks_in_time_while_everybody_works_is_answered() {
    let idle_for = Duration::from_secs(2);
    let responder = Responder::start(Limits {
        idle: idle_for,
        ..patient()
    });
    let mut idle: Vec<Peer> = (0..5).map(|_| responder.connect()).collect();
    for peer in &mut idle {
        peer.ask("/", true).unwrap();
    }
    let mut busy: Vec<Peer> = (0..2).map(|_| responder.connect()).collect();
    for peer in &mut busy {
        peer.say(&get(1, "/held", false));
    }
    wait_until("both workers", || responder.held() == 2);
    for peer in &mut idle {
        peer.say(&get(1, "/", false));
    }
    // Their time is over before a worker is free.
    thread::sleep(idle_for + Duration::from_millis(100));
    responder.let_go();
    for peer in idle.iter_mut().chain(&mut busy) {
        assert_eq!(peer.answered(1).unwrap().body(), "198.51.100.4\n");
    }
}

#[test]
fn an_abort_and_a_second_request_leave_the_connection_usable() {
    let responder = Responder::start(patient());
    let mut peer = responder.connect();
    peer.say(&begin(1, 1, true)).say(&begin(2, 1, true));
    assert_eq!(peer.answered(2).unwrap().ended, 1, "no multiplexing");
    peer.say(&one(Kind::Abort, 1, b""));
    assert_eq!(peer.answered(1).unwrap().ended, 0);
    assert_eq!(peer.ask("/", true).unwrap().body(), "198.51.100.4\n");
}

#[test]
fn questions_about_ourselves() {
    let responder = Responder::start(patient());
    let mut peer = responder.connect();
    let asked = crate::peer::stream(&[("FCGI_MPXS_CONNS", b""), ("FCGI_MAX_CONNS", b"")]);
    let (header, content) = peer.say(&one(Kind::Values, 0, &asked)).record().unwrap();
    assert_eq!((header.kind, header.request), (Kind::ValuesResult, 0));
    let expected = crate::peer::stream(&[("FCGI_MAX_CONNS", b"256"), ("FCGI_MPXS_CONNS", b"0")]);
    assert_eq!(content, expected);
    let (header, content) = peer.say(&one(Kind::Unknown(42), 0, b"")).record().unwrap();
    assert_eq!(
        (header.kind, content),
        (Kind::UnknownType, vec![42, 0, 0, 0, 0, 0, 0, 0])
    );
}

#[test]
fn an_idle_connection_is_closed_in_time() {
    let responder = Responder::start(short());
    let mut peer = responder.connect();
    let watch = Stopwatch::start();
    peer.ask("/", true).unwrap();
    assert!(peer.is_closed());
    let waited = watch.took();
    assert!(waited.all.as_millis() >= 1000, "{waited:?}");
    assert!(waited.own.as_millis() < 2000, "{waited:?}");
}

#[test]
fn more_requests_than_workers_wait_and_none_is_lost() {
    let responder = Responder::start(patient());
    let mut all: Vec<Peer> = (0..8).map(|_| responder.connect()).collect();
    for peer in &mut all {
        peer.say(&get(1, "/held", false));
    }
    wait_until("both workers", || responder.held() == 2);
    // Time enough for a third one.
    thread::sleep(Duration::from_millis(500));
    assert_eq!(responder.held(), 2);
    responder.let_go();
    for peer in &mut all {
        assert_eq!(peer.answered(1).unwrap().body(), "198.51.100.4\n");
    }
}

#[test]
fn more_connections_than_there_may_be_make_room_for_each_other() {
    let responder = Responder::start(Limits {
        connections: 8,
        ..patient()
    });
    let mut kept: Vec<Peer> = (0..30).map(|_| responder.connect()).collect();
    for peer in &mut kept {
        // A web server's pool that is too large: none of them may wait for ever.
        assert_eq!(peer.ask("/", true).expect("an answer").ended, 0);
    }
}

#[test]
fn few_files_that_may_be_open_are_not_all_taken_by_the_idle() {
    for files in [16, 24, 40, 64] {
        let site = Site::new();
        let limit = format!("ulimit -n {files}; exec \"$@\"");
        let bowline = site.bowline();
        let mut limited = Command::new("sh");
        limited
            .args(["-c", &limit, "sh"])
            .arg(bowline.get_program());
        limited.env("BOWLINE_CONFIG", site.config());
        let socket = site.path("bowline.sock");
        let address = format!("unix:{}", socket.display());
        let _bowline = Process::start(limited.args(["fastcgi", "--listen", &address]));
        wait_for_socket(&socket);
        let _idle: Vec<Peer> = (0..60).map(|_| connect(&socket)).collect();
        let began = Instant::now();
        for n in 1..=20 {
            let path = site.update(&format!("203.0.113.{n}"));
            let answered = connect(&socket).ask(&path, true).expect("an answer");
            assert_eq!(answered.body(), format!("good 203.0.113.{n}\n"), "{files}");
        }
        let took = began.elapsed();
        // Each of the idle goes after a tenth of a second; after a whole one it would be 36 and more.
        assert!(took < Duration::from_secs(30), "{files}: {took:?}");
        eprintln!("{files} files: {took:?}");
    }
}

/// As systemd's journal may, for a while.
#[test]
fn a_log_that_nobody_reads_holds_nobody_up() {
    let site = Site::new();
    let text = fs::read_to_string(site.config()).unwrap();
    fs::write(site.config(), text.replace("file:bowline.log", "stderr")).unwrap();
    let (mut stderr, _reader) = UnixStream::pair().unwrap();
    let socket = site.path("bowline.sock");
    let mut command = site.bowline();
    command
        .args(["fastcgi", "--listen"])
        .arg(format!("unix:{}", socket.display()))
        .stderr(OwnedFd::from(stderr.try_clone().unwrap()));
    let mut bowline = Process::start(&mut command);
    wait_for_socket(&socket);
    stderr.set_nonblocking(true).unwrap();
    while stderr.write(&[b'\n'; 4096]).is_ok() {}
    stderr.set_nonblocking(false).unwrap();
    for address in ["203.0.113.7", "203.0.113.8"] {
        let answered = Peer::connect(&socket).ask(&site.update(address), false);
        assert_eq!(answered.unwrap().body(), format!("good {address}\n"));
        assert_eq!(site.address(), [address]);
    }
    bowline.signal("TERM");
    assert!(bowline.end().success());
}

#[test]
fn half_requests_never_hold_more_than_the_bounds() {
    let responder = Responder::start(patient());
    let before = resident();
    let large = vec![b'x'; 60_000];
    let octets = with(1, "/", false, &[("HTTP_X", &large)], &large);
    let half = &octets[..octets.len() - 1000];
    let mut peers: Vec<Peer> = (0..60).map(|_| responder.connect()).collect();
    for peer in &mut peers {
        peer.say(half);
    }
    // 60 times 120 KiB would be 7 MiB; two workers' worth is kept.
    let mut open = peers.len();
    wait_until("room", || {
        let closed = peers.iter_mut().map(Peer::is_closed_now);
        open = closed.filter(|closed| !closed).count();
        open <= 4
    });
    assert_eq!(
        responder.connect().ask("/", false).unwrap().body(),
        "198.51.100.4\n"
    );
    let grown = resident().saturating_sub(before);
    eprintln!("{open} half requests kept, {grown} KiB grown");
}

/// Resident memory in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
