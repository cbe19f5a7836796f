//! Ports for servers of a test.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};

/// A port that is free for UDP and TCP on loopback, of the 10,000 from `first`.
///
/// All of them should be below those that the system hands out: such a one could go to
/// anybody's next question before the server has it.
pub(crate) fn free_port(first: u16) -> u16 {
    let start = u64::from(std::process::id()) * 7919;
    static NEXT: AtomicU64 = AtomicU64::new(0);
    for _ in 0..1000 {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = first + u16::try_from((start + step) % 10_000).unwrap();
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, port));
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        if udp.is_ok() && tcp.is_ok() {
            return port;
        }
    }
    panic!("no free port");
}
