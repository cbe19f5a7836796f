//! Something stands between bowline and the name server and spoils its answers: the visit
//! hears the right word in time, and once it is gone everything comes right.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle, sleep};
use std::time::Duration;

use bowline::upkeep::Word;

use crate::support::knot::free_port;
use crate::support::site::Site;

/// What becomes of the answers to UPDATEs; `n` counts the UPDATEs.
#[derive(Clone, Copy)]
enum Way {
    /// They pass.
    Open,
    /// They become these, whoever asked for them.
    Spoilt(fn(n: usize, truth: &[u8]) -> Vec<Vec<u8>>),
    /// The name server never hears of them, and this is answered.
    Instead(fn(request: &[u8]) -> Vec<u8>),
    /// They come from another port.
    Elsewhere,
    /// They come so much later.
    Late(Duration),
}

/// A go-between for datagrams; connections are closed at once unless the way is open.
struct Between {
    address: SocketAddr,
    way: Arc<Mutex<Way>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Between {
    fn start(server: SocketAddr) -> Self {
        // Another test may be quicker to take a port for one of both.
        let (address, socket, connections) = std::iter::repeat_with(free_port)
            .map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
            .find_map(|address| {
                let socket = UdpSocket::bind(address).ok()?;
                Some((address, socket, TcpListener::bind(address).ok()?))
            })
            .unwrap();
        connections.set_nonblocking(true).unwrap();
        let pause = Some(Duration::from_millis(20));
        socket.set_read_timeout(pause).unwrap();
        let way = Arc::new(Mutex::new(Way::Open));
        let over = Arc::new(AtomicBool::new(false));
        let updates = Arc::new(AtomicUsize::new(0));
        let (ways, ended) = (Arc::clone(&way), Arc::clone(&over));
        let thread = thread::spawn(move || {
            let mut buffer = [0; 65_535];
            while !ended.load(Ordering::Relaxed) {
                drop(connections.accept());
                let Ok((length, client)) = socket.recv_from(&mut buffer) else {
                    continue;
                };
                let request = buffer[..length].to_vec();
                let mut way = *ways.lock().unwrap();
                let is_update = request[2] >> 3 & 15 == 5;
                let n = match is_update {
                    true => updates.fetch_add(1, Ordering::Relaxed),
                    false => 0,
                };
                if !is_update && !matches!(way, Way::Late(_)) {
                    way = Way::Open;
                }
                let socket = socket.try_clone().unwrap();
                // Each on its own, so that a slow one holds up no other.
                thread::spawn(move || carry(&request, server, client, &socket, way, n));
            }
        });
        Between {
            address,
            way,
            over,
            thread: Some(thread),
        }
    }

    fn set(&self, way: Way) {
        *self.way.lock().unwrap() = way;
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = self.thread.take().unwrap().join();
    }
}

/// One request and what is answered.
fn carry(
    request: &[u8],
    server: SocketAddr,
    client: SocketAddr,
    socket: &UdpSocket,
    way: Way,
    n: usize,
) {
    if let Way::Instead(answer) = way {
        socket.send_to(&answer(request), client).unwrap();
        return;
    }
    let there = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    there
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    there.send_to(request, server).unwrap();
    let mut buffer = [0; 65_535];
    let Ok(length) = there.recv(&mut buffer) else {
        return;
    };
    let truth = &buffer[..length];
    match way {
        Way::Open | Way::Instead(_) => drop(socket.send_to(truth, client)),
        Way::Late(pause) => {
            sleep(pause);
            drop(socket.send_to(truth, client));
        }
        Way::Elsewhere => drop(there.send_to(truth, client)),
        Way::Spoilt(spoil) => {
            for answer in spoil(n, truth) {
                drop(socket.send_to(&answer, client));
            }
        }
    }
}

/// An answer without records: its header, and this behind it.
fn bare(request: &[u8], rcode: u8, records: &[u8]) -> Vec<u8> {
    let additional = u8::from(!records.is_empty());
    let header = [request[0], request[1], request[2] | 0x80, rcode];
    let counts = [0, 0, 0, 0, 0, 0, 0, additional];
    [&header[..], &counts, records].concat()
}

/// A TSIG record without a MAC that says what was wrong (RFC 8945 5.3.2).
fn tsig(request: &[u8], error: u8) -> Vec<u8> {
    let name = b"\x07bowline\0";
    let algorithm = b"\x0bhmac-sha256\0";
    let fixed = [
        &[0, 0, 0, 0, 0, 0, 1, 44, 0, 0][..],
        &request[..2],
        &[0, error, 0, 0],
    ]
    .concat();
    let length = u8::try_from(algorithm.len() + fixed.len()).unwrap();
    [
        &name[..],
        &[0, 250, 0, 255, 0, 0, 0, 0, 0, length],
        algorithm,
        &fixed,
    ]
    .concat()
}

/// A name of the case, what is in the way, the answer, and what the log says.
type Case = (&'static str, Way, &'static str, &'static [&'static str]);

const PENDING: &str = "503 dnserr";
const GOOD: &str = "200 good 203.0.113.2";
const REFUSED: u8 = 5;
const NOTAUTH: u8 = 9;

const CASES: [Case; 12] = [
    (
        "forged",
        Way::Spoilt(|_, truth| {
            let mut forged = truth.to_vec();
            // Within the MAC: behind it stand six octets.
            let at = forged.len() - 10;
            forged[at] ^= 1;
            vec![forged]
        }),
        PENDING,
        &["could not confirm"],
    ),
    (
        "forged-before-the-truth",
        Way::Spoilt(|_, truth| {
            let mut other = truth.to_vec();
            other[0] ^= 1;
            vec![bare(truth, 0, b""), other, truth.to_vec(), truth.to_vec()]
        }),
        GOOD,
        &[],
    ),
    (
        "truncated",
        Way::Spoilt(|_, truth| vec![truth[..truth.len() / 2].to_vec()]),
        PENDING,
        &["could not confirm"],
    ),
    (
        "wrong-port",
        Way::Elsewhere,
        PENDING,
        &["could not confirm", "hint="],
    ),
    (
        "lost",
        Way::Spoilt(|_, _| Vec::new()),
        PENDING,
        &["could not confirm", "hint="],
    ),
    (
        "lost-once",
        Way::Spoilt(|n, truth| {
            if n == 1 {
                Vec::new()
            } else {
                vec![truth.to_vec()]
            }
        }),
        GOOD,
        &[],
    ),
    ("slow", Way::Late(Duration::from_secs(1)), GOOD, &[]),
    (
        "refused",
        Way::Instead(|request| bare(request, REFUSED, b"")),
        PENDING,
        &["refused: REFUSED (not signed)", "hint="],
    ),
    (
        "notauth/bare",
        Way::Instead(|request| bare(request, NOTAUTH, b"")),
        PENDING,
        &["refused: NOTAUTH (not signed)", "hint="],
    ),
    (
        "notauth/badkey",
        Way::Instead(|request| bare(request, NOTAUTH, &tsig(request, 17))),
        PENDING,
        &["NOTAUTH, BADKEY (not signed)", "the key's name"],
    ),
    (
        "notauth/badsig",
        Way::Instead(|request| bare(request, NOTAUTH, &tsig(request, 16))),
        PENDING,
        &["NOTAUTH, BADSIG (not signed)", "the secret differs"],
    ),
    (
        "servfail",
        Way::Instead(|request| bare(request, 2, b"")),
        PENDING,
        &["SERVFAIL", "hint="],
    ),
];

#[test]
fn every_spoilt_answer_is_told_and_passes() {
    thread::scope(|scope| {
        for case in CASES {
            let thread = thread::Builder::new().name(case.0.to_owned());
            thread.spawn_scoped(scope, move || check(case)).unwrap();
        }
    });
}

fn check((_, way, said, log): Case) {
    let site = Site::new();
    let between = Between::start(site.knot.addr());
    let text = fs::read_to_string(site.path("bowline.toml")).unwrap();
    let (straight, around) = (site.knot.addr().to_string(), between.address.to_string());
    fs::write(site.path("bowline.toml"), text.replace(&straight, &around)).unwrap();
    let home = site.add("home");
    let first = site.visit(&home.with("203.0.113.1"));
    assert_eq!(first.said(), "200 good 203.0.113.1");

    between.set(way);
    let answer = site.visit(&home.with("203.0.113.2"));
    let line = site.last_line();
    assert_eq!(answer.said(), said, "{line}");
    assert!(answer.took.own < Duration::from_millis(8500), "{line}");
    for part in log {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert_eq!(site.wish(&home), "203.0.113.2");
    if said == PENDING {
        // Why it waits is told until it does not.
        let host = site.host(&home);
        assert!(host.is_pending());
        let trouble = host.trouble.unwrap_or_default();
        assert!(trouble.contains(log[0]), "{trouble}: {line}");
    }

    between.set(Way::Open);
    site.round(Word::Registry);
    assert!(!site.host(&home).is_pending(), "{}", site.log());
    assert_eq!(site.host(&home).trouble, None);
    assert_eq!(site.dns("home"), "203.0.113.2");
    let again = site.visit(&home.with("203.0.113.2"));
    assert_eq!(again.said(), "200 nochg 203.0.113.2");
}
