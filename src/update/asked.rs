//! Which addresses a request asks for, as far as the request alone tells.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::dialect::{Dialect, Omitted, is_placeholder};
use crate::http::{Illegible, Method, Request};
use crate::ip::{Addresses, Family, Unpublishable};
use crate::prefix::Prefix;

/// Parameters in which a router names the prefix of its LAN.
const PREFIX: [&str; 3] = ["ip6lanprefix", "ipv6prefix", "prefix"];

/// The addresses of a request.
///
/// Empty values, placeholders, `preserve` and the unspecified addresses count as not
/// given: devices send them when they do not know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Given outright.
    pub addresses: Addresses,
    /// Families whose records are to go.
    pub remove: Vec<Family>,
    /// Given, but bound to an interface of the sender (RFC 4007 11).
    pub scoped: Option<Unpublishable>,
    /// The prefix of the LAN behind the host: then the client's address is not meant.
    pub lan: Option<Lan>,
    /// What becomes of the family that is not given while the other is.
    pub omitted: Omitted,
    /// Whether the change is to be told; `None`: as configured.
    pub notify: Option<bool>,
}

/// What a request says of the LAN behind its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lan {
    /// It has that prefix.
    Prefix(Prefix),
    /// It has none: `-`.
    Gone,
}

impl Asked {
    /// Reads the parameters of a dialect; an address in the path stands before all of them.
    ///
    /// # Errors
    /// On a value that is no address, on two different ones of a family, and on a body in which
    /// there may have been one.
    pub fn read(
        request: &Request,
        dialect: &Dialect,
        in_path: Option<&[u8]>,
    ) -> Result<Self, AskedError> {
        if let Some(illegible) = request.illegible {
            return Err(AskedError::Body(illegible));
        }
        let mut asked = Asked {
            lan: lan(request)?,
            omitted: dialect.omitted,
            notify: notify(request, dialect),
            ..Asked::default()
        };
        let ipv4 = match in_path {
            Some(list) => {
                asked.take_list(list, Family::Ipv4)?;
                &[]
            }
            None => &*dialect.ipv4,
        };
        for (family, names) in [(Family::Ipv4, ipv4), (Family::Ipv6, &*dialect.ipv6)] {
            for name in names {
                let mut is_given = false;
                for list in request.fields.all(name.as_ref()) {
                    is_given |= asked.take_list(list, family)?;
                }
                if is_given {
                    break;
                }
            }
        }
        let is_on = |name| request.fields.is_on(name);
        if request.method == Method::Delete || is_on("offline") || is_on("clear") {
            asked.remove_named();
        }
        Ok(asked)
    }

    /// Takes the items of a list; whether one of them counts as given.
    fn take_list(&mut self, list: &[u8], family: Family) -> Result<bool, AskedError> {
        let mut is_given = false;
        for item in list.split(|b| *b == b',') {
            is_given |= self.take(item.trim_ascii(), family)?;
        }
        Ok(is_given)
    }

    fn take(&mut self, item: &[u8], family: Family) -> Result<bool, AskedError> {
        if item == b"-" {
            self.remove.push(family);
            return Ok(true);
        }
        let Some(item) = without_prefix_length(item) else {
            return Ok(false);
        };
        let text = std::str::from_utf8(item).map_err(|_| AskedError::Unparsable)?;
        let (text, scope) = match text.split_once('%') {
            Some((text, scope)) => (text, Some(scope)),
            None => (text, None),
        };
        let text = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'))
            .unwrap_or(text);
        let address: IpAddr = text.parse().map_err(|_| AskedError::Unparsable)?;
        let address = address.to_canonical();
        if address == Ipv4Addr::UNSPECIFIED || address == Ipv6Addr::UNSPECIFIED {
            return Ok(false);
        }
        if scope.is_some() {
            self.scoped = Some(Unpublishable {
                address,
                kind: "scoped",
            });
            return Ok(true);
        }
        match self.addresses.get(Family::of(address)) {
            Some(other) if other != address => Err(AskedError::TwoOfAFamily),
            _ => {
                self.addresses.put(address);
                Ok(true)
            }
        }
    }

    /// Turns the families that are named, or all when none is, into ones to remove.
    fn remove_named(&mut self) {
        let scoped = self.scoped.iter().map(|scoped| scoped.address);
        let named = self.addresses.iter().chain(scoped).map(Family::of);
        self.remove.extend(named);
        self.remove.sort();
        self.remove.dedup();
        if self.remove.is_empty() {
            self.remove.extend(Family::BOTH);
        }
        self.addresses = Addresses::NONE;
        self.scoped = None;
        self.lan = None;
    }
}

/// The prefix of the LAN, where it is given: by the first name that has a value.
fn lan(request: &Request) -> Result<Option<Lan>, AskedError> {
    for name in PREFIX {
        let lan = one_lan(request.fields.all(name))?;
        if lan.is_some() {
            return Ok(lan);
        }
    }
    Ok(None)
}

fn one_lan<'a>(lists: impl Iterator<Item = &'a [u8]>) -> Result<Option<Lan>, AskedError> {
    let mut told = None;
    for item in lists.flat_map(|list| list.split(|b| *b == b',')) {
        let item = item.trim_ascii();
        let lan = match without_prefix_length(item) {
            None => continue,
            Some(b"-") => Lan::Gone,
            Some(_) => {
                let text = std::str::from_utf8(item).map_err(|_| AskedError::Prefix)?;
                match Prefix::read(text).map_err(|_| AskedError::Prefix)? {
                    Some(prefix) => Lan::Prefix(prefix),
                    None => continue,
                }
            }
        };
        if told.is_some_and(|other| other != lan) {
            return Err(AskedError::TwoPrefixes);
        }
        told = Some(lan);
    }
    Ok(told)
}

/// Whether the change is to be told, where it says so.
fn notify(request: &Request, dialect: &Dialect) -> Option<bool> {
    let names = dialect.notify.iter().map(AsRef::as_ref);
    let is_given = |name: &&str| request.fields.all(name).any(|value| !value.is_empty());
    let mut given = names.filter(is_given);
    given.next().map(|name| request.fields.is_on(name))
}

/// A value without `/24` behind it; `None` for one that counts as not given.
fn without_prefix_length(item: &[u8]) -> Option<&[u8]> {
    let slash = item.iter().rposition(|b| *b == b'/');
    let item = match slash.and_then(|slash| item.split_at_checked(slash)) {
        Some((address, [_, digits @ ..]))
            if matches!(digits.len(), 1..=3) && digits.iter().all(u8::is_ascii_digit) =>
        {
            address
        }
        _ => item,
    };
    let given =
        !item.is_empty() && !is_placeholder(item) && !item.eq_ignore_ascii_case(b"preserve");
    given.then_some(item)
}

/// Why the addresses of a request cannot be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedError {
    /// A value is no address.
    Unparsable,
    /// Two different addresses of one family.
    TwoOfAFamily,
    /// A value is no prefix.
    Prefix,
    /// Two different prefixes.
    TwoPrefixes,
    /// The body is not what it says it is.
    Body(Illegible),
}

impl fmt::Display for AskedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AskedError::Body(illegible) => return illegible.fmt(f),
            AskedError::Unparsable => "a value is no address",
            AskedError::TwoOfAFamily => "two different addresses of one family",
            AskedError::Prefix => "a value is no IPv6 prefix",
            AskedError::TwoPrefixes => "two different prefixes",
        })
    }
}

impl std::error::Error for AskedError {}

#[cfg(test)]
mod tests {
    use super::super::BUILT_IN;
    use super::*;
    use crate::http::Meta;
    use proptest::prelude::*;

    fn read(method: &str, query: &[u8]) -> Result<Asked, AskedError> {
        let meta = Meta::new([
            ("REQUEST_METHOD", method.as_bytes()),
            ("QUERY_STRING", query),
        ]);
        let [first, ..] = &*BUILT_IN;
        Asked::read(&Request::new(meta, b""), first, None)
    }

    fn shown(query: &str) -> String {
        match read("GET", query.as_bytes()) {
            Err(error) => format!("{error:?}"),
            Ok(asked) => {
                let remove = asked.remove.iter().map(|family| format!(" -{family}"));
                let scoped = asked.scoped.iter().map(|_| " scoped".to_owned());
                let lan = asked.lan.iter().map(|lan| match lan {
                    Lan::Prefix(prefix) => format!(" lan {prefix}"),
                    Lan::Gone => " no lan".to_owned(),
                });
                let rest: String = remove.chain(scoped).chain(lan).collect();
                format!("{}{rest}", asked.addresses)
            }
        }
    }

    #[test]
    fn what_clients_send() {
        for (query, expected) in [
            ("", ""),
            ("myip=203.0.113.7", "203.0.113.7"),
            ("MyIP=203.0.113.7", "203.0.113.7"),
            ("myip=2001%3adb8%3A%3a1", "2001:db8::1"),
            ("myip=203.0.113.7,2001:DB8::1", "203.0.113.7,2001:db8::1"),
            (
                "myip=203.0.113.7&myipv6=2001:db8::1",
                "203.0.113.7,2001:db8::1",
            ),
            ("myip=::ffff:203.0.113.7", "203.0.113.7"),
            ("ipv6=203.0.113.7", "203.0.113.7"),
            ("ip=203.0.113.8&myip=203.0.113.7", "203.0.113.7"),
            // The first that says something.
            ("myip=&ip=203.0.113.8", "203.0.113.8"),
            ("myip=<ipaddr>,&ip=203.0.113.8", "203.0.113.8"),
            ("myip=-&ip=203.0.113.8", " -ipv4"),
            ("ip6lanprefix=&prefix=2001:db8::/56", " lan 2001:db8::/56"),
            ("myip=203.0.113.7/24", "203.0.113.7"),
            ("myip=2001:db8::1/64", "2001:db8::1"),
            ("myip=[2001:db8::1]", "2001:db8::1"),
            ("myip=<ipaddr>&myipv6=<ip6addr>", ""),
            (
                "myip=203.0.113.7,<ip6addr>,,0.0.0.0,preserve, ::",
                "203.0.113.7",
            ),
            ("myip=0.0.0.0/0", ""),
            ("myip=<ipaddr>/24&myipv6=<ip6lanprefix>/64", ""),
            ("myip=/24&ipv6=2001:db8::1/64", "2001:db8::1"),
            ("myip=203.0.113.7&myip=203.0.113.7", "203.0.113.7"),
            ("myip=203.0.113.7,203.0.113.8", "TwoOfAFamily"),
            ("myip=203.0.113.7&ipv6=203.0.113.8", "TwoOfAFamily"),
            ("myip=preserve&myipv6=preserve", ""),
            ("myip=203.0.113.7&myipv6=preserve", "203.0.113.7"),
            ("myip=203.0.113.7&myipv6=no", "Unparsable"),
            ("myip=203.0.113", "Unparsable"),
            ("myip=203.0.113.256", "Unparsable"),
            ("myip=203.0.113.7%0a", "203.0.113.7"),
            ("myip=203.0.113.7%00", "Unparsable"),
            ("myip=%ff", "Unparsable"),
            ("myip=203.0.113.7/x", "Unparsable"),
            ("myip=203.0.113.7/2444", "Unparsable"),
            ("myip=fe80::1%25eth0", " scoped"),
            ("myip=2001:db8::1%25eth0", " scoped"),
            ("myip=-", " -ipv4"),
            ("ipv6=-&ipv4=203.0.113.7", "203.0.113.7 -ipv6"),
            ("offline=YES", " -ipv4 -ipv6"),
            ("offline=no", ""),
            ("offline=yes&myipv6=", " -ipv4 -ipv6"),
            ("offline=yes&myipv6=-", " -ipv6"),
            ("clear=true&myipv6=2001:db8::1", " -ipv6"),
            ("clear=true&myipv6=fe80::1%25eth0", " -ipv6"),
            (
                "offline=yes&myipv6=fe80::1%25eth0&myip=203.0.113.7",
                " -ipv4 -ipv6",
            ),
            ("ip6lanprefix=2001:db8:1::/56", " lan 2001:db8:1::/56"),
            ("IPv6Prefix=2001:db8:1::", " lan 2001:db8:1::/64"),
            ("prefix=2001%3Adb8%3A1%3A%3A%2F48", " lan 2001:db8:1::/48"),
            (
                "prefix=2001:db8:1&ipv6prefix=2001:db8:2",
                " lan 2001:db8:2::/64",
            ),
            ("prefix=2001:db8:1::/64, 2001:db8:1", " lan 2001:db8:1::/64"),
            ("prefix=2001:db8:1::/64,2001:db8:2::/64", "TwoPrefixes"),
            ("prefix=2001:db8:1::/64,-", "TwoPrefixes"),
            ("prefix=-", " no lan"),
            ("ip6lanprefix=", ""),
            ("ip6lanprefix=<ip6lanprefix>", ""),
            ("ip6lanprefix=<ip6lanprefix>/64", ""),
            ("ip6lanprefix=/64", ""),
            (
                "ip6lanprefix=::&prefix=2001:db8:1::",
                " lan 2001:db8:1::/64",
            ),
            ("ip6lanprefix=preserve", ""),
            ("prefix=203.0.113.0/24", "Prefix"),
            ("prefix=home", "Prefix"),
            ("prefix=2001:db8:1::/x", "Prefix"),
            ("prefix=%ff", "Prefix"),
            (
                "myip=203.0.113.7&myipv6=2001:db8::7&ip6lanprefix=2001:db8:1:0::/64",
                "203.0.113.7,2001:db8::7 lan 2001:db8:1::/64",
            ),
            ("offline=yes&prefix=2001:db8:1::", " -ipv4 -ipv6"),
        ] {
            assert_eq!(shown(query), expected, "{query}");
        }
        for (query, remove) in [
            ("", &Family::BOTH[..]),
            ("myipv6=", &Family::BOTH),
            ("myipv6=-", &[Family::Ipv6]),
        ] {
            assert_eq!(read("DELETE", query.as_bytes()).unwrap().remove, remove);
        }
        assert_eq!(
            read("DELETE", b"myip=203.0.113.7").unwrap().remove,
            [Family::Ipv4]
        );
    }

    proptest! {
        #[test]
        fn any_query_is_understood_or_refused(query: Vec<u8>) {
            let _ = read("GET", &query);
        }

        #[test]
        fn any_value_is_understood_or_refused(value in "[0-9a-f:./%,<>\\-]{0,40}") {
            let _ = read("GET", format!("myip={value}&prefix={value}").as_bytes());
        }
    }
}
