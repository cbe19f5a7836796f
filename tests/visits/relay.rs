//! Between bowline and its name server: a relay that passes messages on, or does not, as a test
//! wants.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::support::knot::free_port;
use crate::support::site::Site;

/// The longest datagram.
const LONGEST: usize = 4096;
/// How long the name server may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A message from bowline to the name server.
pub(crate) struct Message<'a> {
    octets: &'a [u8],
    to: SocketAddr,
}

impl Message<'_> {
    /// Whether it is an UPDATE (RFC 2136 2.2), and no question.
    pub(crate) fn is_update(&self) -> bool {
        self.octets[2] >> 3 & 0b1111 == 5
    }

    /// Whether it is an UPDATE that changes something and does not only ask.
    pub(crate) fn changes(&self) -> bool {
        self.is_update() && self.octets[8..10] != [0, 0]
    }

    /// Whether a label of a name in it is this one.
    pub(crate) fn names(&self, label: &str) -> bool {
        let wire = [&[label.len() as u8], label.as_bytes()].concat();
        let mut windows = self.octets.windows(wire.len());
        windows.any(|window| window.eq_ignore_ascii_case(&wire))
    }

    /// The name server's own answer.
    pub(crate) fn pass(&self) -> Option<Vec<u8>> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.send_to(self.octets, self.to).unwrap();
        let mut answer = vec![0; LONGEST];
        let length = socket.recv(&mut answer).ok()?;
        answer.truncate(length);
        Some(answer)
    }

    /// An answer that refuses it, without a signature.
    pub(crate) fn refuse(&self) -> Option<Vec<u8>> {
        let [one, other, head, ..] = *self.octets else {
            return None;
        };
        const REFUSED: u8 = 5;
        let mut answer = vec![one, other, head | 0x80, REFUSED];
        answer.resize(12, 0);
        Some(answer)
    }
}

/// Has all messages by UDP answered like that while `test` runs; nobody listens for TCP.
pub(crate) fn relayed<T>(
    site: &Site,
    answer: impl Fn(&Message<'_>) -> Option<Vec<u8>> + Sync,
    test: impl FnOnce() -> T,
) -> T {
    let to = site.knot.addr();
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let socket = UdpSocket::bind(here).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(20)))
        .unwrap();
    let ends = AtomicBool::new(false);
    let relay = || {
        let mut buffer = [0; LONGEST];
        while !ends.load(Ordering::Relaxed) {
            let Ok((length, from)) = socket.recv_from(&mut buffer) else {
                continue;
            };
            let octets = &buffer[..length];
            if let Some(answer) = answer(&Message { octets, to }) {
                socket.send_to(&answer, from).unwrap();
            }
        }
    };
    thread::scope(|scope| {
        scope.spawn(relay);
        let _end = End(&ends);
        put_in_front(site, to, here);
        let done = test();
        put_in_front(site, here, to);
        done
    })
}

/// Where bowline looks for the name server.
fn put_in_front(site: &Site, before: SocketAddr, now: SocketAddr) {
    let file = site.path("bowline.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(file, text.replace(&before.to_string(), &now.to_string())).unwrap();
}

/// Ends the relay, also when the test fails.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
