//! Who the client is: the web server's peer, or whom a trusted proxy names.

use std::net::{IpAddr, SocketAddr};

use ipnetwork::IpNetwork;

use super::Request;

/// The header that has more in its elements than addresses (RFC 7239).
const FORWARDED: &str = "Forwarded";

/// The client's address; `None` when a trusted proxy does not say it.
///
/// Behind a trusted proxy it is the right-most element of `header` that is not itself
/// trusted: everything to the left of it is the client's own word. A proxy's address
/// never takes the client's place.
pub fn client_address(request: &Request, trusted: &[IpNetwork], header: &str) -> Option<IpAddr> {
    let peer = request.peer?;
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_trusted(peer) {
        return Some(peer);
    }
    let is_forwarded = header.eq_ignore_ascii_case(FORWARDED);
    for element in request.header_text(header).rsplit(',') {
        let node = match is_forwarded {
            true => forwarded_for(element)?,
            false => element,
        };
        let address = element_address(node.trim())?;
        if !is_trusted(address) {
            return Some(address);
        }
    }
    None
}

/// Whom an element is about: `for=203.0.113.7;proto=https`, `for="[2001:db8::1]:4711"`
/// (RFC 7239 4).
fn forwarded_for(element: &str) -> Option<&str> {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, node) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    let node = node.trim();
    let quoted = (node.strip_prefix('"')).and_then(|node| node.strip_suffix('"'));
    Some(quoted.unwrap_or(node))
}

/// `203.0.113.7`, `203.0.113.7:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`.
fn element_address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    bare.unwrap_or(text)
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()))
        .ok()
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::super::Meta;
    use super::*;

    #[test]
    fn forwarded_has_its_own_elements() {
        let trusted = ["127.0.0.0/8".parse().unwrap()];
        for (header, expected) in [
            ("for=198.51.100.4", Some("198.51.100.4")),
            (
                "for=6.6.6.6, proto=https; For=\"198.51.100.4:4711\" ;by=_a",
                Some("198.51.100.4"),
            ),
            (
                "for=\"[2001:db8::1]:4711\", for=127.0.0.1",
                Some("2001:db8::1"),
            ),
            ("for=\"a, for=198.51.100.4", Some("198.51.100.4")),
            ("for=198.51.100.4, by=127.0.0.1", None),
            ("for=unknown", None),
            ("for=_hidden", None),
            ("198.51.100.4", None),
            ("", None),
        ] {
            let meta = Meta::new([("REMOTE_ADDR", "127.0.0.1"), ("HTTP_FORWARDED", header)]);
            let request = Request::new(meta, b"");
            let client = client_address(&request, &trusted, "forwarded");
            let client = client.map(|ip| ip.to_string());
            assert_eq!(client.as_deref(), expected, "{header:?}");
        }
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let trusted: Vec<IpNetwork> = ["127.0.0.0/8", "10.0.0.0/8", "2001:db8:ff::/48"]
            .iter()
            .map(|network| network.parse().unwrap())
            .collect();
        for (peer, header, expected) in [
            ("203.0.113.7", "", Some("203.0.113.7")),
            ("203.0.113.7", "198.51.100.4", Some("203.0.113.7")),
            ("127.0.0.1", "198.51.100.4", Some("198.51.100.4")),
            ("127.0.0.1", "6.6.6.6, 198.51.100.4", Some("198.51.100.4")),
            (
                "127.0.0.1",
                "6.6.6.6,198.51.100.4 ,10.1.2.3",
                Some("198.51.100.4"),
            ),
            (
                "::ffff:127.0.0.1",
                "198.51.100.4:4711",
                Some("198.51.100.4"),
            ),
            ("2001:db8:ff::1", "[2001:db8::1]:4711", Some("2001:db8::1")),
            ("127.0.0.1", "[2001:db8::1]", Some("2001:db8::1")),
            ("127.0.0.1", "::ffff:198.51.100.4", Some("198.51.100.4")),
            ("127.0.0.1", "::ffff:10.1.2.3", None),
            ("127.0.0.1", "", None),
            ("127.0.0.1", "unknown", None),
            ("127.0.0.1", "198.51.100.4, _hidden", None),
            ("127.0.0.1", "10.1.2.3", None),
            ("", "198.51.100.4", None),
        ] {
            let meta = Meta::new([("REMOTE_ADDR", peer), ("HTTP_X_FORWARDED_FOR", header)]);
            let request = Request::new(meta, b"");
            let client = client_address(&request, &trusted, "X-Forwarded-For");
            assert_eq!(
                client.map(|ip| ip.to_string()).as_deref(),
                expected,
                "{peer} {header:?}"
            );
        }
    }
}
