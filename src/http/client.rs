//! Who the client is: the web server's peer, or whom a trusted proxy names.

use std::net::{IpAddr, SocketAddr};

use ipnetwork::IpNetwork;

use super::Request;

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
    for element in request.header_text(header).rsplit(',') {
        let address = element_address(element.trim())?;
        if !is_trusted(address) {
            return Some(address);
        }
    }
    None
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
