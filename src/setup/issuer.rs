//! Who may issue certificates for a zone: the value of a CAA record (RFC 8659 4.2).

use std::fmt;
use std::str::FromStr;

use crate::name::ZoneName;

/// A domain of an authority, e.g. `letsencrypt.org`, with or without parameters, e.g.
/// `letsencrypt.org; accounturi=https://…` (RFC 8657).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer(String);

impl FromStr for Issuer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (domain, parameters) = text.split_once(';').unwrap_or((text, ""));
        let domain: ZoneName = domain
            .trim()
            .parse()
            .map_err(|error| format!("{error}; an authority is like letsencrypt.org"))?;
        // It stands between quotes, in a script and in the record.
        let plain = |c: char| c.is_ascii_graphic() && !"'\"\\`$".contains(c) || c == ' ';
        match parameters.chars().find(|c| !plain(*c)) {
            Some(odd) => Err(format!("{odd:?} cannot stand in a CAA record")),
            None if parameters.trim().is_empty() => Ok(Issuer(domain.to_string())),
            None => Ok(Issuer(format!("{domain}; {}", parameters.trim()))),
        }
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities() {
        for (text, expected) in [
            ("letsencrypt.org", Some("letsencrypt.org")),
            ("LetsEncrypt.org ;", Some("letsencrypt.org")),
            (
                "letsencrypt.org;accounturi=https://ca.example/acct/1",
                Some("letsencrypt.org; accounturi=https://ca.example/acct/1"),
            ),
            ("", None),
            (";", None),
            ("letsencrypt", None),
            ("a'b.org", None),
            ("a.org; x=\"1\"", None),
            ("a.org; x=$(id)", None),
            ("a.org; x=\n", None),
        ] {
            let issuer = text.parse::<Issuer>().ok();
            let issuer = issuer.map(|issuer| issuer.to_string());
            assert_eq!(issuer.as_deref(), expected, "{text}");
        }
    }
}
