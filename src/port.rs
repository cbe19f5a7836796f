//! An address with its port, as people write it here and in Knot's configuration.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use crate::written;

/// `127.0.0.1:5353` or `127.0.0.1@5353`, `[::1]:53` or `::1@53`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AddressPort(pub SocketAddr);

impl AddressPort {
    /// The form that Knot reads: `ADDR@PORT`.
    pub fn for_knot(self) -> String {
        format!("{}@{}", self.0.ip(), self.0.port())
    }
}

impl FromStr for AddressPort {
    type Err = AddressPortError;

    fn from_str(text: &str) -> Result<Self, AddressPortError> {
        let bad = || AddressPortError(text.to_owned());
        let address = match text.rsplit_once('@') {
            None => text.parse().map_err(|_| bad())?,
            Some((ip, port)) => {
                let ip = ip.trim_start_matches('[').trim_end_matches(']');
                let ip: IpAddr = ip.parse().map_err(|_| bad())?;
                SocketAddr::new(ip, port.parse().map_err(|_| bad())?)
            }
        };
        if address.port() == 0 {
            return Err(bad());
        }
        // Servers do not take ::ffff:127.0.0.1 for an address of their own.
        match address.ip().to_canonical() {
            ip @ IpAddr::V4(_) => Ok(AddressPort(SocketAddr::new(ip, address.port()))),
            IpAddr::V6(_) => Ok(AddressPort(address)),
        }
    }
}

impl<'de> serde::Deserialize<'de> for AddressPort {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        written::parsed(
            from,
            "an address with a port in quotes, such as \"127.0.0.1:5353\"",
        )
    }
}

impl fmt::Display for AddressPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A text that is no address with a port.
#[derive(Debug, PartialEq, Eq)]
pub struct AddressPortError(String);

impl fmt::Display for AddressPortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no address with a port; write 127.0.0.1:5353, 127.0.0.1@5353 or [::1]:5353",
            self.0
        )
    }
}

impl std::error::Error for AddressPortError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_read() {
        for (text, shown, knot) in [
            ("127.0.0.1:5353", "127.0.0.1:5353", "127.0.0.1@5353"),
            ("127.0.0.1@5353", "127.0.0.1:5353", "127.0.0.1@5353"),
            ("[::1]:53", "[::1]:53", "::1@53"),
            ("::1@53", "[::1]:53", "::1@53"),
            ("[::1]@53", "[::1]:53", "::1@53"),
            ("::ffff:127.0.0.1@53", "127.0.0.1:53", "127.0.0.1@53"),
            ("[::ffff:127.0.0.1]:53", "127.0.0.1:53", "127.0.0.1@53"),
        ] {
            let address: AddressPort = text.parse().unwrap();
            assert_eq!(
                (address.to_string().as_str(), address.for_knot().as_str()),
                (shown, knot)
            );
        }
        for bad in [
            "",
            "127.0.0.1",
            "127.0.0.1:0",
            "127.0.0.1:65536",
            "::1:53",
            "localhost:53",
            "1.2.3.4@",
        ] {
            assert!(bad.parse::<AddressPort>().is_err(), "{bad}");
        }
    }
}
