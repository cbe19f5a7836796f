//! Networks as an operator writes them.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnetwork::IpNetwork;

use crate::written;

/// Before the IPv4 address in an IPv4-mapped IPv6 one stand so many bits (RFC 4291 2.5.5.2).
const MAPPED: u8 = 96;

/// A network or a single address. One that is written IPv4-mapped is the IPv4 network that
/// it means: peers are compared as what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(pub IpNetwork);

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let network: IpNetwork = text
            .parse()
            .map_err(|_| NetworkError::None(text.to_owned()))?;
        let ipv4 = match network.ip() {
            IpAddr::V6(ipv6) => ipv6.to_ipv4_mapped(),
            IpAddr::V4(_) => None,
        };
        let Some(ipv4) = ipv4 else {
            return Ok(Network(network));
        };
        let mapped = || NetworkError::Mapped(text.to_owned());
        let length = network.prefix().checked_sub(MAPPED).ok_or_else(mapped)?;
        IpNetwork::new(ipv4.into(), length)
            .map(Network)
            .map_err(|_| mapped())
    }
}

impl<'de> serde::Deserialize<'de> for Network {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        written::parsed(from, "a network in quotes, such as \"10.0.0.0/8\"")
    }
}

/// A text that is no network.
#[derive(Debug, PartialEq, Eq)]
pub enum NetworkError {
    /// At all.
    None(String),
    /// It is wider than all of IPv4, and means it.
    Mapped(String),
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NetworkError::None(text) => write!(
                f,
                "{text:?} is no network; write ADDR or ADDR/LENGTH, as 127.0.0.1, 10.0.0.0/8 or \
                 2001:db8::/32"
            ),
            NetworkError::Mapped(text) => write!(
                f,
                "{text:?} is wider than all of IPv4; write 0.0.0.0/0, or ::/0 for IPv6"
            ),
        }
    }
}

impl std::error::Error for NetworkError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_mapped_is_what_it_means() {
        for (text, expected) in [
            ("127.0.0.1", "127.0.0.1/32"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("::/0", "::/0"),
            ("::ffff:203.0.113.250", "203.0.113.250/32"),
            ("::ffff:127.0.0.0/104", "127.0.0.0/8"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
        ] {
            let Network(network) = text.parse().unwrap();
            assert_eq!(network.to_string(), expected, "{text}");
        }
        for (text, expected) in [
            ("10.0.0.0/99", "\"10.0.0.0/99\" is no network; write ADDR"),
            ("::ffff:0:0/95", "is wider than all of IPv4"),
            ("localhost", "is no network"),
            ("", "is no network"),
        ] {
            let error = text.parse::<Network>().unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
