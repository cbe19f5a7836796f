//! Who listens at an address and port already, from `/proc`.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use super::error::SetupError;
use super::nameserver::Program;
use super::users::user_name;
use crate::port::AddressPort;

/// A socket that listens: where, by UDP or TCP, whose, and its number in the kernel.
#[derive(Debug, PartialEq, Eq)]
struct Socket {
    address: SocketAddr,
    udp: bool,
    uid: u32,
    inode: u64,
}

/// Whether nobody but `server` has taken those addresses.
///
/// # Errors
/// The first that somebody has.
pub fn check<'a>(
    mut addresses: impl Iterator<Item = &'a AddressPort>,
    server: &dyn Program,
) -> Result<(), SetupError> {
    addresses.try_for_each(|address| match holder(address.0, server) {
        Some(who) => Err(SetupError::Taken(address.0, who)),
        None => Ok(()),
    })
}

/// Who holds `wanted` (or its port at every address) and is not `server`; in words.
pub fn holder(wanted: SocketAddr, server: &dyn Program) -> Option<String> {
    ["udp", "udp6", "tcp", "tcp6"]
        .into_iter()
        .flat_map(|table| {
            let text = fs::read_to_string(Path::new("/proc/net").join(table)).unwrap_or_default();
            sockets(&text, table.starts_with("tcp"))
        })
        .filter(|socket| overlap(socket.address, wanted) && !is_multicast_dns(socket))
        .find_map(|socket| match program(socket.inode) {
            Some(name) if name == server.daemon() => None,
            Some(name) => Some(format!("{name} (at {})", socket.address)),
            None if user_name(socket.uid) == server.user() => None,
            None => Some(format!(
                "a program of user {} (at {})",
                user_name(socket.uid),
                socket.address
            )),
        })
}

/// Multicast DNS listens at every address and shares its port (RFC 6762 15.1); what is
/// sent to one address goes to whoever listens at just that.
fn is_multicast_dns(socket: &Socket) -> bool {
    socket.udp && socket.address.port() == 5353 && socket.address.ip().is_unspecified()
}

/// An unspecified address stands for every one of its family; `::` for IPv4 as well.
fn overlap(held: SocketAddr, wanted: SocketAddr) -> bool {
    let (a, b) = (held.ip().to_canonical(), wanted.ip().to_canonical());
    held.port() == wanted.port()
        && (a == b
            || a == IpAddr::V6(Ipv6Addr::UNSPECIFIED)
            || b == IpAddr::V6(Ipv6Addr::UNSPECIFIED)
            || (a.is_unspecified() || b.is_unspecified()) && a.is_ipv4() == b.is_ipv4())
}

/// The listening sockets of a table: state 0A of TCP, every bound one of UDP.
fn sockets(table: &str, tcp: bool) -> Vec<Socket> {
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let listens = !tcp || *fields.get(3)? == "0A";
            // A connected UDP socket takes nobody else's datagrams.
            let open = fields.get(2)?.ends_with(":0000");
            (listens && open).then_some(Socket {
                address: socket_address(fields.get(1)?)?,
                udp: !tcp,
                uid: fields.get(7)?.parse().ok()?,
                inode: fields.get(9)?.parse().ok()?,
            })
        })
        .collect()
}

/// `0100007F:0035`: words of 32 bits in the machine's own order, the port in hex.
fn socket_address(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let mut octets = Vec::with_capacity(16);
    let mut rest = address;
    while let Some((word, after)) = rest.split_at_checked(8) {
        octets.extend(u32::from_str_radix(word, 16).ok()?.to_ne_bytes());
        rest = after;
    }
    let ip = match octets.len() {
        4 => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(octets).ok()?)),
        16 => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(octets).ok()?)),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// The name of the program that has the socket open, where we may look.
fn program(inode: u64) -> Option<String> {
    let wanted = format!("socket:[{inode}]");
    fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
        let path = process.path();
        let has_it = fs::read_dir(path.join("fd"))
            .ok()?
            .flatten()
            .any(|fd| fs::read_link(fd.path()).is_ok_and(|link| link == Path::new(&wanted)));
        let name = has_it.then(|| fs::read_to_string(path.join("comm")).ok())??;
        Some(name.trim_end().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::super::knot::Knot;
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn tables_of_the_kernel_are_read() {
        let tcp = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
                   0: 3500007F:0035 00000000:0000 0A 00000000:00000000 00:00000000 00000000   101        0 4711 1\n\
                   1: 3500007F:0035 0100007F:1234 01 00000000:00000000 00:00000000 00000000   101        0 4712 1\n";
        let expected = Socket {
            address: "127.0.0.53:53".parse().unwrap(),
            udp: false,
            uid: 101,
            inode: 4711,
        };
        assert_eq!(sockets(tcp, true), [expected]);
        assert_eq!(
            socket_address("B80D0120000000000000000053000000:0035")
                .unwrap()
                .to_string(),
            "[2001:db8::53]:53"
        );
    }

    #[test]
    fn every_address_includes_each() {
        for (held, wanted, expected) in [
            ("0.0.0.0:53", "192.0.2.53:53", true),
            ("[::]:53", "192.0.2.53:53", true),
            ("[::]:53", "[2001:db8::53]:53", true),
            ("0.0.0.0:53", "[2001:db8::53]:53", false),
            ("127.0.0.53:53", "192.0.2.53:53", false),
            ("192.0.2.53:54", "192.0.2.53:53", false),
            ("192.0.2.53:53", "0.0.0.0:53", true),
        ] {
            let overlaps = overlap(held.parse().unwrap(), wanted.parse().unwrap());
            assert_eq!(overlaps, expected, "{held} {wanted}");
        }
    }

    #[test]
    fn a_stranger_is_named() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let who = holder(socket.local_addr().unwrap(), &Knot).unwrap();
        assert!(who.contains("(at 127.0.0.1:"), "{who}");
    }
}
