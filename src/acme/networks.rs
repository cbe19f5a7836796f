//! `allowfrom`: the networks from which alone an account may be used.

use ipnetwork::IpNetwork;
use serde_json::{Value, json};

/// No client has more of them.
const MOST: usize = 64;

/// The networks, and how the client wrote them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowFrom {
    /// None: from everywhere.
    pub networks: Vec<IpNetwork>,
    texts: Vec<String>,
}

impl AllowFrom {
    /// Reads the value of the key; `None` when it is no list of networks.
    pub fn read(value: &Value) -> Option<Self> {
        let list = match value {
            Value::Null => return Some(AllowFrom::default()),
            Value::Array(list) if list.len() <= MOST => list,
            _ => return None,
        };
        let texts = list.iter().map(|network| {
            // acme-dns takes an IPv6 address in brackets too, and leaves them out.
            Some(network.as_str()?.replace(['[', ']'], ""))
        });
        let texts: Vec<String> = texts.collect::<Option<_>>()?;
        let network = |text: &String| match text.contains('/') {
            true => text.parse().ok(),
            false => None,
        };
        let networks = texts.iter().map(network).collect::<Option<_>>()?;
        Some(AllowFrom { networks, texts })
    }

    /// As it is told to the client.
    pub fn document(&self) -> Value {
        json!(self.texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_ask_for() {
        let many = vec!["192.0.2.0/24"; 65];
        let most = &many[1..];
        for (value, expected) in [
            (json!(null), Some(json!([]))),
            (json!([]), Some(json!([]))),
            (
                json!(["192.0.2.1/24", "[::1]/64", "2001:db8::/32"]),
                Some(json!(["192.0.2.1/24", "::1/64", "2001:db8::/32"])),
            ),
            (json!(["192.0.2.1"]), None),
            (json!(["192.0.2.0/33"]), None),
            (json!(["localhost/8"]), None),
            (json!(["192.0.2.0/24", 1]), None),
            (json!([""]), None),
            (json!("192.0.2.0/24"), None),
            (json!({}), None),
            (json!(many), None),
            (json!(most), Some(json!(most))),
        ] {
            let read = AllowFrom::read(&value);
            assert_eq!(read.map(|read| read.document()), expected, "{value}");
        }
    }
}
