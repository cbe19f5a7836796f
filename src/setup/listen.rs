//! The addresses of this machine, as the kernel has them.

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::error::SetupError;
use crate::ip::{Policy, PublicAddress};
use crate::port::AddressPort;

/// Flags of `/proc/net/if_inet6` that make an address no lasting one: temporary
/// (RFC 8981), deprecated, tentative, or found twice (linux/if_addr.h).
const NOT_LASTING: u8 = 0x01 | 0x20 | 0x40 | 0x08;

/// The lasting addresses of this machine that are not loopback or link-local, IPv4 first.
pub fn addresses() -> Vec<IpAddr> {
    let read = |file| fs::read_to_string(file).unwrap_or_default();
    let ipv4 = local_ipv4(&read("/proc/net/fib_trie"))
        .into_iter()
        .map(IpAddr::V4);
    let ipv6 = lasting_ipv6(&read("/proc/net/if_inet6"))
        .into_iter()
        .map(IpAddr::V6);
    ipv4.chain(ipv6)
        .filter(|address| PublicAddress::new(*address, Policy::Private).is_ok())
        .collect()
}

/// Those that the whole internet can reach.
pub fn public(addresses: &[IpAddr]) -> Vec<IpAddr> {
    let reachable = |address: &&IpAddr| PublicAddress::new(**address, Policy::Public).is_ok();
    addresses.iter().filter(reachable).copied().collect()
}

/// Where a name server listens, and what the parent says about it: as it was said, or usually.
///
/// # Errors
/// When this machine has no public address, and nobody said one.
pub fn chosen(
    listeners: Vec<AddressPort>,
    public: Vec<IpAddr>,
) -> Result<(Vec<AddressPort>, Vec<IpAddr>), SetupError> {
    let known = match listeners.is_empty() {
        true => addresses(),
        false => listeners.iter().map(|address| address.0.ip()).collect(),
    };
    let reachable = self::public(&known);
    let listeners = match listeners.is_empty() {
        false => listeners,
        true if reachable.is_empty() && (public.is_empty() || known.is_empty()) => {
            return Err(SetupError::NoPublicAddress);
        }
        // Behind NAT the private addresses are what the router forwards to.
        true => (if reachable.is_empty() {
            &known
        } else {
            &reachable
        })
        .iter()
        .map(|address| AddressPort((*address, 53).into()))
        .collect(),
    };
    Ok((
        listeners,
        if public.is_empty() { reachable } else { public },
    ))
}

/// In the routing trie a local address is a leaf followed by `/32 host LOCAL`.
fn local_ipv4(trie: &str) -> BTreeSet<Ipv4Addr> {
    let mut leaf: Option<Ipv4Addr> = None;
    let mut all = BTreeSet::new();
    for line in trie.lines().map(str::trim) {
        if let Some(address) = line.strip_prefix("|-- ") {
            leaf = address.parse().ok();
        } else if line == "/32 host LOCAL" {
            all.extend(leaf);
        }
    }
    all
}

/// Each line: address, interface number, prefix length, scope, flags, name, all in hex.
fn lasting_ipv6(lines: &str) -> BTreeSet<Ipv6Addr> {
    lines
        .lines()
        .filter_map(|line| {
            let mut fields = line.split_whitespace();
            let address = u128::from_str_radix(fields.next()?, 16).ok()?;
            let flags = u8::from_str_radix(fields.nth(3)?, 16).ok()?;
            (flags & NOT_LASTING == 0).then_some(Ipv6Addr::from(address))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_leaves_are_addresses() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n\
                    Local:\n     |-- 192.0.2.53\n        /32 host LOCAL\n     |-- 192.0.2.255\n        \
                    /32 link BROADCAST\n";
        let found: Vec<String> = local_ipv4(trie).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["192.0.2.53"]);
    }

    #[test]
    fn temporary_and_deprecated_addresses_are_left_out() {
        let lines = "20010db8000000000000000000000053 02 40 00 80     eth0\n\
                     20010db8000000000000000000000054 02 40 00 01     eth0\n\
                     20010db8000000000000000000000055 02 40 00 20     eth0\n\
                     fe800000000000000000000000000001 02 40 20 80     eth0\n";
        let found: Vec<String> = lasting_ipv6(lines)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found, ["2001:db8::53", "fe80::1"]);
    }
}
