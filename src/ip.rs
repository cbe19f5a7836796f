//! Addresses: the two families, what may be published, and what a name holds.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address family, and with it a record type: A or AAAA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// A records (RFC 1035 3.4.1).
    Ipv4,
    /// AAAA records (RFC 3596).
    Ipv6,
}

impl Family {
    /// Both, in the order in which they are answered.
    pub const BOTH: [Family; 2] = [Family::Ipv4, Family::Ipv6];

    /// The family of an address.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Family::Ipv4,
            IpAddr::V6(_) => Family::Ipv6,
        }
    }

    /// The one that it is not.
    pub fn other(self) -> Self {
        match self {
            Family::Ipv4 => Family::Ipv6,
            Family::Ipv6 => Family::Ipv4,
        }
    }

    /// `ipv4` or `ipv6`, as in options, logs and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Family::Ipv4 => "ipv4",
            Family::Ipv6 => "ipv6",
        }
    }

    /// `IPv4` or `IPv6`, as in a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Family::Ipv4 => "IPv4",
            Family::Ipv6 => "IPv6",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// At most one address of each family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Addresses {
    /// The A record's.
    pub ipv4: Option<Ipv4Addr>,
    /// The AAAA record's.
    pub ipv6: Option<Ipv6Addr>,
}

impl Addresses {
    /// None of either family.
    pub const NONE: Addresses = Addresses {
        ipv4: None,
        ipv6: None,
    };

    /// The address of one family.
    pub fn get(self, family: Family) -> Option<IpAddr> {
        match family {
            Family::Ipv4 => self.ipv4.map(IpAddr::V4),
            Family::Ipv6 => self.ipv6.map(IpAddr::V6),
        }
    }

    /// Puts an address in the place of its family.
    pub fn put(&mut self, address: IpAddr) {
        match address {
            IpAddr::V4(ipv4) => self.ipv4 = Some(ipv4),
            IpAddr::V6(ipv6) => self.ipv6 = Some(ipv6),
        }
    }

    /// Empties the place of one family.
    pub fn clear(&mut self, family: Family) {
        match family {
            Family::Ipv4 => self.ipv4 = None,
            Family::Ipv6 => self.ipv6 = None,
        }
    }

    /// Those that are there, IPv4 first.
    pub fn iter(self) -> impl Iterator<Item = IpAddr> {
        Family::BOTH
            .into_iter()
            .filter_map(move |family| self.get(family))
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self == Addresses::NONE
    }
}

/// `203.0.113.7,2001:db8::1`: comma between, nothing around (RFC 5952 form).
impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, address) in self.iter().enumerate() {
            let comma = if position == 0 { "" } else { "," };
            write!(f, "{comma}{address}")?;
        }
        Ok(())
    }
}

impl FromIterator<IpAddr> for Addresses {
    fn from_iter<I: IntoIterator<Item = IpAddr>>(addresses: I) -> Self {
        let mut all = Addresses::NONE;
        addresses.into_iter().for_each(|address| all.put(address));
        all
    }
}

/// The addresses of one RRset as a name server has it: sorted, each once, perhaps none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AddressSet(Vec<IpAddr>);

impl AddressSet {
    /// Those in the set, in order.
    pub fn iter(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.0.iter().copied()
    }

    /// Whether there is no such RRset.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<IpAddr> for AddressSet {
    fn from_iter<I: IntoIterator<Item = IpAddr>>(addresses: I) -> Self {
        let mut all: Vec<IpAddr> = addresses.into_iter().collect();
        all.sort_unstable();
        all.dedup();
        AddressSet(all)
    }
}

impl From<Option<IpAddr>> for AddressSet {
    fn from(address: Option<IpAddr>) -> Self {
        AddressSet(address.into_iter().collect())
    }
}

/// Which addresses a host may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Those the whole internet can reach.
    Public,
    /// Private ranges too (RFC 1918, RFC 6598, RFC 4193): `--allow-private`.
    Private,
}

/// An address that a policy lets be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicAddress(IpAddr);

impl PublicAddress {
    /// Takes an address in; IPv4 mapped into IPv6 is IPv4 (RFC 4291 2.5.5.2).
    ///
    /// # Errors
    /// The kind of address that nobody, or nobody outside, could reach.
    pub fn new(address: IpAddr, policy: Policy) -> Result<Self, Unpublishable> {
        let address = address.to_canonical();
        let kind = match address {
            IpAddr::V4(ipv4) => kind_of_ipv4(ipv4),
            IpAddr::V6(ipv6) => kind_of_ipv6(ipv6),
        };
        match (kind, policy) {
            (Kind::Public, _) | (Kind::Private(_), Policy::Private) => Ok(PublicAddress(address)),
            (Kind::Private(kind) | Kind::Never(kind), _) => Err(Unpublishable { address, kind }),
        }
    }

    /// The address.
    pub fn ip(self) -> IpAddr {
        self.0
    }
}

/// An address that may not be published, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unpublishable {
    /// The address.
    pub address: IpAddr,
    /// What kind of address that is, e.g. `loopback`.
    pub kind: &'static str,
}

impl Unpublishable {
    /// Whether a host may have it that may have private addresses.
    pub fn is_private(&self) -> bool {
        PublicAddress::new(self.address, Policy::Private).is_ok()
    }
}

impl fmt::Display for Unpublishable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = with_article(self.kind);
        write!(
            f,
            "{} is {kind} address and cannot be published",
            self.address
        )
    }
}

impl std::error::Error for Unpublishable {}

impl crate::hint::Hint for Unpublishable {}

/// A kind of address as it stands in a sentence, e.g. `a loopback`.
pub fn with_article(kind: &str) -> String {
    let article = match kind.starts_with('I') {
        true => "an",
        false => "a",
    };
    format!("{article} {kind}")
}

enum Kind {
    Public,
    Private(&'static str),
    Never(&'static str),
}

/// The IANA special-purpose registry (RFC 6890), documentation ranges let through:
/// they harm nobody and every example uses them.
fn kind_of_ipv4(address: Ipv4Addr) -> Kind {
    match address.octets() {
        [0, ..] => Kind::Never("this-network"),
        [127, ..] => Kind::Never("loopback"),
        [169, 254, ..] => Kind::Never("link-local"),
        [192, 0, 0, _] => Kind::Never("protocol-assignment"),
        [198, 18..=19, ..] => Kind::Never("benchmarking"),
        [224..=239, ..] => Kind::Never("multicast"),
        [240..=255, ..] => Kind::Never("reserved"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Kind::Private("private"),
        [100, 64..=127, ..] => Kind::Private("carrier NAT"),
        _ => Kind::Public,
    }
}

fn kind_of_ipv6(address: Ipv6Addr) -> Kind {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Kind::Never("loopback"),
        // The rest of ::/96, unspecified included (RFC 4291 2.5.5.1).
        [0, 0, 0, 0, 0, 0, _, _] => Kind::Never("IPv4-compatible"),
        // Its second prefix leads to private IPv4 addresses too (RFC 8215).
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] | [0x64, 0xff9b, 1, ..] => Kind::Never("NAT64"),
        [0x2001, 0, ..] => Kind::Never("Teredo"),
        [0x2002, ..] => Kind::Never("6to4"),
        [0xfe80..=0xfebf, ..] => Kind::Never("link-local"),
        [0xfec0..=0xfeff, ..] => Kind::Never("site-local"),
        [0xff00..=0xffff, ..] => Kind::Never("multicast"),
        [0xfc00..=0xfdff, ..] => Kind::Private("unique local"),
        _ => Kind::Public,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(text: &str, policy: Policy) -> Result<String, &'static str> {
        PublicAddress::new(text.parse().unwrap(), policy)
            .map(|address| address.ip().to_string())
            .map_err(|refused| refused.kind)
    }

    #[test]
    fn published_as_they_are() {
        for text in [
            "203.0.113.7",
            "192.0.2.1",
            "198.51.100.4",
            "8.8.8.8",
            "192.0.1.0",
            "198.20.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "223.255.255.255",
            "2001:db8::1",
            "2a01:4f8::1",
            "2001:1::1",
            "64:ff9b:2::1",
        ] {
            assert_eq!(publish(text, Policy::Public).as_deref(), Ok(text));
        }
    }

    #[test]
    fn mapped_is_ipv4() {
        assert_eq!(
            publish("::ffff:203.0.113.7", Policy::Public).as_deref(),
            Ok("203.0.113.7")
        );
        assert_eq!(publish("::ffff:127.0.0.1", Policy::Public), Err("loopback"));
    }

    #[test]
    fn never_published() {
        for (text, kind) in [
            ("0.0.0.0", "this-network"),
            ("0.1.2.3", "this-network"),
            ("127.8.9.1", "loopback"),
            ("169.254.1.1", "link-local"),
            ("192.0.0.8", "protocol-assignment"),
            ("198.18.0.1", "benchmarking"),
            ("198.19.255.255", "benchmarking"),
            ("224.0.0.1", "multicast"),
            ("240.0.0.1", "reserved"),
            ("255.255.255.255", "reserved"),
            ("::", "IPv4-compatible"),
            ("::1", "loopback"),
            ("::192.0.2.1", "IPv4-compatible"),
            ("239.255.255.255", "multicast"),
            ("fe80::1", "link-local"),
            ("febf:ffff::1", "link-local"),
            ("fec0::1", "site-local"),
            ("feff:ffff::1", "site-local"),
            ("ff00::1", "multicast"),
            ("ff02::1", "multicast"),
            ("ffff::1", "multicast"),
            ("64:ff9b::c000:201", "NAT64"),
            ("64:ff9b:1::a00:1", "NAT64"),
            ("64:ff9b:1:ffff::", "NAT64"),
            ("2001::1", "Teredo"),
            ("2002:c000:201::", "6to4"),
        ] {
            assert_eq!(publish(text, Policy::Private), Err(kind), "{text}");
        }
    }

    #[test]
    fn private_only_where_allowed() {
        for (text, kind) in [
            ("10.0.0.1", "private"),
            ("172.16.0.1", "private"),
            ("172.31.255.255", "private"),
            ("192.168.100.1", "private"),
            ("100.64.0.1", "carrier NAT"),
            ("100.127.255.255", "carrier NAT"),
            ("fd00::1", "unique local"),
            ("fc00::1", "unique local"),
        ] {
            assert_eq!(publish(text, Policy::Public), Err(kind), "{text}");
            assert_eq!(publish(text, Policy::Private).as_deref(), Ok(text));
        }
    }

    #[test]
    fn a_refusal_is_a_sentence() {
        let refused = |text: &str| {
            let address = text.parse().unwrap();
            PublicAddress::new(address, Policy::Public).map_err(|refused| refused.to_string())
        };
        for (text, says) in [
            ("::c000:201", "::c000:201 is an IPv4-compatible address"),
            ("fd00::1", "fd00::1 is a unique local address"),
            ("10.0.0.1", "10.0.0.1 is a private address"),
        ] {
            let says = format!("{says} and cannot be published");
            assert_eq!(refused(text), Err(says));
        }
    }

    #[test]
    fn shown_with_a_comma() {
        let mut all = Addresses::NONE;
        assert_eq!(all.to_string(), "");
        all.put("2001:DB8::1".parse().unwrap());
        assert_eq!(all.to_string(), "2001:db8::1");
        all.put("203.0.113.7".parse().unwrap());
        assert_eq!(all.to_string(), "203.0.113.7,2001:db8::1");
    }
}
