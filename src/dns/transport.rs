//! Messages to and from one name server: datagrams on a connected socket (RFC 1035 4.2.1)
//! and a connection with length octets (RFC 1035 4.2.2, RFC 7766 8).

use std::cell::Cell;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use super::wait::Wait;
use crate::deadline::Deadline;

/// No longer datagram is taken; we ask for 1232 octets at most, and a message that is cut
/// off counts as none.
const DATAGRAM_MAX: usize = 4096;
/// Long waits are whole multiples of this: the kernel need not be told each time.
const STEP: Duration = Duration::from_millis(100);
/// No wait is shorter: nothing at all would mean to wait for ever.
const SHORTEST: Duration = Duration::from_millis(1);

thread_local! {
    /// The socket that was kept last; a responder has something to send again and again.
    static KEPT: Cell<Option<Udp>> = const { Cell::new(None) };
}

/// A connected UDP socket: what comes from another address or port never arrives.
pub(super) struct Udp {
    server: SocketAddr,
    socket: UdpSocket,
    /// How long the socket waits, once it was told.
    waits: Option<Duration>,
    /// Where a datagram is received.
    buffer: Vec<u8>,
}

impl Udp {
    /// The socket that was kept for this server, or one on a port the system chooses.
    pub(super) fn connect(server: SocketAddr) -> io::Result<Self> {
        match KEPT.take().filter(|kept| kept.server == server) {
            Some(kept) => Ok(kept),
            None => Udp::open(server),
        }
    }

    /// Keeps the socket for this thread's next exchange. Whatever was sent must have been
    /// answered: an answer that is still on its way would arrive there.
    pub(super) fn keep(self) {
        KEPT.set(Some(self));
    }

    fn open(server: SocketAddr) -> io::Result<Self> {
        let any: IpAddr = match server {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        Self::connect_from(any, server)
    }

    /// The same from one of this machine's addresses.
    pub(super) fn connect_from(source: IpAddr, server: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind((source, 0))?;
        socket.connect(server)?;
        Ok(Udp {
            server,
            socket,
            waits: None,
            buffer: vec![0; DATAGRAM_MAX],
        })
    }

    /// Sends one datagram.
    pub(super) fn send(&self, message: &[u8]) -> io::Result<()> {
        self.socket.send(message).map(drop)
    }

    /// The next datagram; `None` when none comes in time.
    ///
    /// # Errors
    /// `ConnectionRefused` where nobody listens.
    pub(super) fn receive(
        &mut self,
        until: Deadline,
        wait: &mut Wait<'_>,
    ) -> io::Result<Option<&[u8]>> {
        let length = in_steps(until, wait, |step| {
            let step = coarse(step);
            if self.waits != Some(step) {
                self.socket.set_read_timeout(Some(step))?;
                self.waits = Some(step);
            }
            self.socket.recv(&mut self.buffer)
        })?;
        Ok(length.and_then(|length| self.buffer.get(..length)))
    }
}

/// A TCP connection.
pub(super) struct Tcp<'a, 'w> {
    stream: TcpStream,
    /// Until when all reading and writing must be done.
    wait: &'a mut Wait<'w>,
}

impl<'a, 'w> Tcp<'a, 'w> {
    /// Connects before the deadline, which holds for all that follows.
    pub(super) fn connect(server: SocketAddr, wait: &'a mut Wait<'w>) -> io::Result<Self> {
        let stream = to_the_end(wait, |step| TcpStream::connect_timeout(&server, step))?;
        stream.set_nodelay(true)?;
        Ok(Tcp { stream, wait })
    }

    /// Sends one message.
    ///
    /// # Errors
    /// `TimedOut` at the deadline or when it is given up, or what ended the connection.
    pub(super) fn send(&mut self, message: &[u8]) -> io::Result<()> {
        let length = u16::try_from(message.len()).map_err(|_| ErrorKind::InvalidInput)?;
        let octets = [&length.to_be_bytes(), message].concat();
        let mut rest = octets.as_slice();
        while !rest.is_empty() {
            let written = to_the_end(self.wait, |step| {
                self.stream.set_write_timeout(Some(step))?;
                self.stream.write(rest)
            })?;
            match written {
                0 => return Err(ErrorKind::WriteZero.into()),
                _ => rest = rest.get(written..).unwrap_or_default(),
            }
        }
        Ok(())
    }

    /// The next message.
    ///
    /// # Errors
    /// As [`Tcp::send`]; `UnexpectedEof` where the name server closes.
    pub(super) fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut length = [0; 2];
        self.fill(&mut length)?;
        let mut message = vec![0; u16::from_be_bytes(length).into()];
        self.fill(&mut message)?;
        Ok(message)
    }

    /// Reads until `rest` is full.
    fn fill(&mut self, mut rest: &mut [u8]) -> io::Result<()> {
        while !rest.is_empty() {
            let read = to_the_end(self.wait, |step| {
                self.stream.set_read_timeout(Some(step))?;
                self.stream.read(rest)
            })?;
            match read {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                _ => rest = rest.get_mut(read..).unwrap_or_default(),
            }
        }
        Ok(())
    }
}

/// Does what may take long in steps, between which the clock and those who have a say are
/// asked; `None` when it does not succeed in time.
fn in_steps<T>(
    until: Deadline,
    wait: &mut Wait<'_>,
    mut act: impl FnMut(Duration) -> io::Result<T>,
) -> io::Result<Option<T>> {
    while wait.goes_on() && !until.passed() {
        match act(wait.step(until).max(SHORTEST)) {
            Err(error) if is_pause(&error) => {}
            done => return done.map(Some),
        }
    }
    Ok(None)
}

/// The same until the deadline, or `TimedOut`.
fn to_the_end<T>(wait: &mut Wait<'_>, act: impl FnMut(Duration) -> io::Result<T>) -> io::Result<T> {
    in_steps(wait.deadline(), wait, act)?.ok_or_else(|| ErrorKind::TimedOut.into())
}

/// No longer than `step`, but never nothing.
fn coarse(step: Duration) -> Duration {
    let steps = step.as_millis() / STEP.as_millis();
    match u32::try_from(steps) {
        Ok(steps @ 1..) => STEP * steps,
        _ => step.max(SHORTEST),
    }
}

/// Whether to look at the clock and go on: a timeout of the socket, or a signal.
fn is_pause(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_waits_are_whole_steps() {
        let coarse = |millis| coarse(Duration::from_millis(millis)).as_millis();
        let cases = [(0, 1), (99, 99), (100, 100), (1499, 1400), (1500, 1500)];
        for (wait, waited) in cases {
            assert_eq!(coarse(wait), waited);
        }
    }

    #[test]
    fn a_kept_socket_is_for_its_server_only() {
        let here = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let (one, other) = (here(53), here(54));
        let port = |udp: &Udp| udp.socket.local_addr().unwrap().port();
        let first = Udp::connect(one).unwrap();
        let second = Udp::connect(one).unwrap();
        assert_ne!(
            port(&first),
            port(&second),
            "one that was not kept is not shared"
        );
        let kept = port(&first);
        first.keep();
        let again = Udp::connect(one).unwrap();
        assert_eq!(port(&again), kept);
        again.keep();
        assert_eq!(Udp::connect(other).unwrap().server, other);
    }
}
