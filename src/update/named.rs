//! Which of the names in a request are the host that its token is for.

use super::{Answer, Word};
use crate::name::{HostName, NameError, ZoneName};

/// What a name in a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// The host.
    Host,
    /// Another one, or none that there is.
    Other,
    /// What can be no host's name.
    Invalid,
}

impl Named {
    /// Tells by the name as it stands in the request, in full or relative to the zone, and by
    /// all names the host goes by.
    pub fn new(name: &[u8], zone: &ZoneName, own: &[HostName]) -> Self {
        let Ok(text) = std::str::from_utf8(name) else {
            return Named::Invalid;
        };
        match HostName::new(text, zone) {
            Ok(name) if own.contains(&name) => Named::Host,
            Ok(_) | Err(NameError::Apex(_)) => Named::Other,
            // Too long in this zone, and yet some other zone's name.
            Err(NameError::Long(_)) if text.parse::<ZoneName>().is_ok() => Named::Other,
            Err(_) => Named::Invalid,
        }
    }
}

/// An answer for every name, in order: the host's own where it is named.
pub(super) fn answers(names: &[Named], own: &Answer) -> Vec<Answer> {
    let refusal = |word, reason: &str| Answer {
        host: own.host.clone(),
        ..Answer::new(word).because(reason)
    };
    names
        .iter()
        .map(|name| match name {
            Named::Host => own.clone(),
            Named::Other => refusal(
                Word::NoHost,
                "the name in the request is not the token's host",
            ),
            Named::Invalid => refusal(Word::NotFqdn, "the name in the request is no host name"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        use Named::{Host, Invalid, Other};
        let zone: ZoneName = "dyn.example.org".parse().unwrap();
        let own = ["home", "old", "xn--bro-hoa"].map(|name| HostName::new(name, &zone).unwrap());
        let long = "a".repeat(64);
        let foreign = format!("{}.{0}.{0}.{0}", "a".repeat(60));
        for (name, expected) in [
            ("home", Host),
            ("HOME.dyn.Example.org.", Host),
            ("old", Host),
            ("b\u{fc}ro", Host),
            ("B\u{dc}RO.dyn.example.org", Host),
            ("other", Other),
            ("home.example.com", Other),
            ("dyn.example.org", Other),
            ("xhome.dyn.example.org", Other),
            (&foreign, Other),
            ("*.home", Invalid),
            ("a_b", Invalid),
            ("a..b", Invalid),
            ("-a", Invalid),
            ("home\n", Invalid),
            ("home\0", Invalid),
            ("http://home", Invalid),
            (&long, Invalid),
        ] {
            assert_eq!(
                Named::new(name.as_bytes(), &zone, &own),
                expected,
                "{name:?}"
            );
        }
        assert_eq!(Named::new(b"\xff", &zone, &own), Invalid);
    }
}
