//! Ports for servers of a test.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

/// A port that nobody has, UDP or TCP, of the 10,000 from `first`.
///
/// All of them should be below those that the system hands out: such a one could go to
/// anybody's next question before the server has it. The kernel's tables say who has it: a
/// socket that tried it could live on in a command that another test begins at that moment,
/// and would be in the server's way.
pub(crate) fn free_port(first: u16) -> u16 {
    let start = u64::from(std::process::id()) * 7919;
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let tables = ["tcp", "tcp6", "udp", "udp6"].map(|table| {
        // A machine without IPv6 has no table of it.
        fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default()
    });
    for _ in 0..1000 {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = first + u16::try_from((start + step) % 10_000).unwrap();
        let column = format!(":{port:04X} ");
        if !tables.iter().any(|table| table.contains(&column)) {
            return port;
        }
    }
    panic!("no free port");
}
