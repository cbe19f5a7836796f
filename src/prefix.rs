//! The prefix of a network at home, as routers tell it.

use std::fmt;
use std::net::Ipv6Addr;

use ipnetwork::Ipv6Network;

/// How many bits of an address tell its network (RFC 4291 2.5.1); a longer prefix is cut
/// to them, and one without a length has them.
const NETWORK: u8 = 64;

/// An IPv6 prefix of 1 to 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix(Ipv6Network);

impl Prefix {
    /// Reads `2001:db8:1::/56`, `2001:db8:1::` or `2001:db8:1`; `None` for `::`, which
    /// routers send when they have none.
    ///
    /// # Errors
    /// When it is no prefix.
    pub fn read(text: &str) -> Result<Option<Self>, PrefixError> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, length_of(length).ok_or(PrefixError)?),
            None => (text, NETWORK),
        };
        let whole = || address.parse().ok();
        // One group alone could be anything, e.g. a length.
        let is_begun = address.contains(':') && !address.contains("::");
        let begun = || format!("{address}::").parse().ok().filter(|_| is_begun);
        let address: Ipv6Addr = whole().or_else(begun).ok_or(PrefixError)?;
        if address.to_ipv4_mapped().is_some() {
            return Err(PrefixError);
        }
        let told = Ipv6Network::new(address, length.min(NETWORK)).map_err(|_| PrefixError)?;
        let network = Ipv6Network::new(told.network(), told.prefix()).map_err(|_| PrefixError)?;
        Ok((!network.network().is_unspecified()).then_some(Prefix(network)))
    }

    /// Its address: all bits behind the prefix are zero.
    pub fn network(self) -> Ipv6Addr {
        self.0.network()
    }

    /// The bits that it has.
    pub(crate) fn mask(self) -> u128 {
        self.0.mask().to_bits()
    }
}

/// A length in bits, in decimal digits.
fn length_of(text: &str) -> Option<u8> {
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let length: u8 = text.parse().ok().filter(|_| is_number)?;
    (u32::from(length) <= Ipv6Addr::BITS).then_some(length)
}

/// `2001:db8:1::/56`.
impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A text that is no IPv6 prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrefixError;

impl fmt::Display for PrefixError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is no IPv6 prefix")
    }
}

impl std::error::Error for PrefixError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        for (text, expected) in [
            ("2001:db8:1::/56", "2001:db8:1::/56"),
            ("2001:DB8:1::/48", "2001:db8:1::/48"),
            ("2001:db8:1:2::/64", "2001:db8:1:2::/64"),
            ("2001:db8:1::", "2001:db8:1::/64"),
            ("2001:db8:1", "2001:db8:1::/64"),
            ("2001:db8:1:2", "2001:db8:1:2::/64"),
            ("2001:db8:1/56", "2001:db8:1::/56"),
            ("2001:db8:1:2:3::/80", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:3:4:5:6/128", "2001:db8:1:2::/64"),
            ("2001:db8:1:ff02::1/56", "2001:db8:1:ff00::/56"),
            ("fd00::/8", "fd00::/8"),
            ("::", "-"),
            ("::/0", "-"),
            ("::1/64", "-"),
            ("2001:db8::/0", "-"),
            ("64", "no"),
            ("dead", "no"),
            ("", "no"),
            (":", "no"),
            ("2001:db8:1:", "no"),
            ("2001:db8:1::/129", "no"),
            ("2001:db8:1::/256", "no"),
            ("2001:db8:1::/", "no"),
            ("2001:db8:1::/+56", "no"),
            ("2001:db8:1::/5x", "no"),
            ("2001:db8:1::/56/64", "no"),
            ("2001:db8:1::%eth0/64", "no"),
            ("2001:db8:g::/64", "no"),
            ("203.0.113.0/24", "no"),
            ("::ffff:203.0.113.7/64", "no"),
        ] {
            let found = match Prefix::read(text) {
                Ok(Some(prefix)) => prefix.to_string(),
                Ok(None) => "-".to_owned(),
                Err(PrefixError) => "no".to_owned(),
            };
            assert_eq!(found, expected, "{text}");
        }
    }
}
