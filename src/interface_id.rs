//! The interface identifier of a host: the lower part of its IPv6 addresses (RFC 4291 2.5.1).

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use crate::prefix::Prefix;

/// How many bits a prefix has at least (RFC 6177 2); an identifier has none there.
const SHORTEST_PREFIX: u32 = 48;
/// How many octets a MAC address has.
const MAC: usize = 6;

/// What stands below the prefix of a network in an address, e.g. `::11:22:33:44`.
///
/// Mostly the lower 64 bits; the 16 bits above them tell the subnet, where a router tells
/// a shorter prefix than that of one network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InterfaceId(Ipv6Addr);

impl InterfaceId {
    /// The address below a prefix; `None` when the prefix has bits of its own in that place.
    pub fn below(self, prefix: Prefix) -> Option<Ipv6Addr> {
        let id = self.0.to_bits();
        let is_below = id & prefix.mask() == 0;
        is_below.then(|| Ipv6Addr::from_bits(prefix.network().to_bits() | id))
    }

    /// The modified EUI-64 identifier that is made of a MAC address (RFC 4291 appendix A).
    fn of_mac([a, b, c, d, e, f]: [u8; MAC]) -> Result<Self, InterfaceIdError> {
        const GROUP: u8 = 1;
        const UNIVERSAL: u8 = 2;
        if a & GROUP != 0 {
            return Err(InterfaceIdError::Group);
        }
        let id = u64::from_be_bytes([a ^ UNIVERSAL, b, c, 0xff, 0xfe, d, e, f]);
        Ok(InterfaceId(Ipv6Addr::from_bits(id.into())))
    }
}

impl FromStr for InterfaceId {
    type Err = InterfaceIdError;

    /// Reads `::11:22:33:44`, or a MAC address with `:` or `-` between its octets.
    fn from_str(text: &str) -> Result<Self, InterfaceIdError> {
        if let Some(mac) = mac(text) {
            return InterfaceId::of_mac(mac);
        }
        let id: Ipv6Addr = text.parse().map_err(|_| InterfaceIdError::Unparsable)?;
        match id.to_bits() {
            0 => Err(InterfaceIdError::Zero),
            bits if bits >> (u128::BITS - SHORTEST_PREFIX) != 0 => {
                let lower = u128::from(u64::MAX);
                Err(InterfaceIdError::WholeAddress(Ipv6Addr::from_bits(
                    bits & lower,
                )))
            }
            _ => Ok(InterfaceId(id)),
        }
    }
}

/// The octets of a MAC address: six times two hexadecimal digits, the same mark between.
fn mac(text: &str) -> Option<[u8; MAC]> {
    let mark = if text.contains('-') { '-' } else { ':' };
    let octet = |digits: &str| {
        let is_octet = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        u8::from_str_radix(digits, 16).ok().filter(|_| is_octet)
    };
    let octets: Option<Vec<u8>> = text.split(mark).map(octet).collect();
    octets?.try_into().ok()
}

impl fmt::Display for InterfaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a text is no interface identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InterfaceIdError {
    /// It is neither of the two forms.
    Unparsable,
    /// It has no bit set, and would be every router's address (RFC 4291 2.6.1).
    Zero,
    /// It is a MAC address of a group.
    Group,
    /// It has a prefix too; below that stands this.
    WholeAddress(Ipv6Addr),
}

impl fmt::Display for InterfaceIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InterfaceIdError::Unparsable => {
                f.write_str("write it like ::11:22:33:44, or as a MAC address")
            }
            InterfaceIdError::Zero => f.write_str("it has no bit set"),
            InterfaceIdError::Group => f.write_str("that MAC address is not one interface's"),
            InterfaceIdError::WholeAddress(id) => {
                write!(f, "it has a prefix before the identifier; try {id}")
            }
        }
    }
}

impl std::error::Error for InterfaceIdError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spellings() {
        for (text, expected) in [
            ("::11:22:33:44", "::11:22:33:44"),
            ("::0211:32FF:feaa:bbcc", "::211:32ff:feaa:bbcc"),
            ("0:0:0:0:11:22:33:44", "::11:22:33:44"),
            ("::5:11:22:33:44", "::5:11:22:33:44"),
            ("::1", "::1"),
            ("00:11:32:aa:bb:cc", "::211:32ff:feaa:bbcc"),
            ("00-11-32-AA-BB-CC", "::211:32ff:feaa:bbcc"),
            ("02:00:00:00:00:01", "::ff:fe00:1"),
            ("::", "it has no bit set"),
            ("01:00:5e:00:00:01", "that MAC address is not one"),
            ("ff:ff:ff:ff:ff:ff", "that MAC address is not one"),
            ("2001:db8:1:2:11:22:33:44", "try ::11:22:33:44"),
            ("0:0:1:2:11:22:33:44", "try ::11:22:33:44"),
            ("fe80::211:32ff:feaa:bbcc", "try ::211:32ff:feaa:bbcc"),
            ("00:11:32:aa:bb", "write it like"),
            ("00:11:32-aa:bb:cc", "write it like"),
            ("00:11:32:aa:bb:cc:dd", "write it like"),
            ("0:11:32:aa:bb:cc", "write it like"),
            ("00:11:32:aa:bb:+c", "write it like"),
            ("11:22:33:44", "write it like"),
            ("::11:22:33:44/64", "write it like"),
            ("203.0.113.7", "write it like"),
            ("", "write it like"),
        ] {
            let found = match text.parse::<InterfaceId>() {
                Ok(id) => id.to_string(),
                Err(error) => error.to_string(),
            };
            assert!(found.contains(expected), "{text}: {found}");
        }
    }

    #[test]
    fn below_a_prefix() {
        for (id, prefix, expected) in [
            (
                "::11:22:33:44",
                "2001:db8:1::/56",
                "2001:db8:1:0:11:22:33:44",
            ),
            (
                "::11:22:33:44",
                "2001:db8:1:2::/64",
                "2001:db8:1:2:11:22:33:44",
            ),
            (
                "::5:11:22:33:44",
                "2001:db8:1:ff00::/56",
                "2001:db8:1:ff05:11:22:33:44",
            ),
            (
                "::5:11:22:33:44",
                "2001:db8:1::/48",
                "2001:db8:1:5:11:22:33:44",
            ),
            ("::5:11:22:33:44", "2001:db8:1:2::/64", "-"),
            ("::105:11:22:33:44", "2001:db8:1::/56", "-"),
            (
                "00:11:32:aa:bb:cc",
                "2001:db8::/32",
                "2001:db8::211:32ff:feaa:bbcc",
            ),
        ] {
            let id: InterfaceId = id.parse().unwrap();
            let prefix = Prefix::read(prefix).unwrap().unwrap();
            let address = id.below(prefix);
            let found = address.map_or("-".to_owned(), |address| address.to_string());
            assert_eq!(found, expected, "{id} below {prefix}");
        }
    }

    proptest! {
        /// Every bit of the address is the prefix's or the identifier's, in its place.
        #[test]
        fn prefix_and_identifier_stay_what_they_are(
            network: u128, length in 1_u32..=64, id in 1_u128..1 << 80,
        ) {
            let text = format!("{}/{length}", Ipv6Addr::from_bits(network));
            let Some(prefix) = Prefix::read(&text).unwrap() else { return Ok(()) };
            let id: InterfaceId = Ipv6Addr::from_bits(id).to_string().parse().unwrap();
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            let below = u128::BITS - length;
            match id.below(prefix) {
                Some(address) => {
                    let bits = address.to_bits();
                    prop_assert_eq!(bits >> below, network >> below);
                    prop_assert_eq!(bits << length >> length, id.0.to_bits());
                }
                None => prop_assert!(id.0.to_bits() >> below != 0),
            }
        }

        #[test]
        fn any_text_is_understood_or_refused(text in "[0-9a-f:./-]{0,40}|.{0,10}") {
            if let Ok(id) = text.parse::<InterfaceId>() {
                prop_assert_eq!(id.to_string().parse(), Ok(id));
            }
        }
    }
}
