//! What there is to know about a zone before it is set up.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::error::SetupError;
use super::issuer::Issuer;
use crate::base_url::BaseUrl;
use crate::name::{NameError, ZoneName};
use crate::span::Span;
use crate::ttl::Ttl;

/// The longest name of a zone: the names of its files, 255 characters at most, have it with
/// what we, the name server and a file that is not finished yet add.
const LONGEST: usize = 220;

/// A zone to be added.
#[derive(Debug, Clone)]
pub struct NewZone {
    /// Its name.
    pub name: ZoneName,
    /// The name servers, the primary first.
    pub nameservers: Vec<NameServer>,
    /// Whether the name server is to sign it.
    pub dnssec: bool,
    /// Whether the key may set challenges for certificates.
    pub acme: bool,
    /// The TTL of hosts without one of their own.
    pub ttl: Option<Ttl>,
    /// How long a silent host keeps its records.
    pub expire: Option<Span>,
    /// Who answers for it.
    pub hostmaster: Mailbox,
    /// Who alone may issue certificates for it; nobody: anybody may.
    pub caa: Vec<Issuer>,
}

impl NewZone {
    /// A zone as its options say; a name server that is named twice is one.
    ///
    /// # Errors
    /// A name server inside the zone, no name server at all, a name too long for a file's.
    pub fn new(
        name: ZoneName,
        nameservers: Vec<NameServer>,
        hostmaster: Option<Mailbox>,
    ) -> Result<Self, SetupError> {
        if nameservers.is_empty() {
            return Err(SetupError::NoNameServers);
        }
        let length = name.as_str().len();
        if length > LONGEST {
            return Err(SetupError::Value(format!(
                "the zone's name has {length} characters; files are named after it, so it may have {LONGEST}"
            )));
        }
        for server in &nameservers {
            if server.as_str() == name.as_str() || name.relative(server.as_str()).is_some() {
                let server = server.as_str().to_owned();
                return Err(SetupError::NameServerInZone(server, name));
            }
        }
        let mut zone = NewZone::plain(name);
        if let Some(mailbox) = hostmaster {
            zone.hostmaster = mailbox;
        }
        for server in nameservers {
            if !zone.nameservers.contains(&server) {
                zone.nameservers.push(server);
            }
        }
        zone.dnssec = true;
        Ok(zone)
    }

    /// A zone that a name server serves already and that nobody sets up: because of `why`
    /// none of those options may have been said.
    ///
    /// # Errors
    /// One that was.
    pub fn served(name: ZoneName, why: &str, options: &[(&str, bool)]) -> Result<Self, SetupError> {
        match options.iter().find(|(_, is_said)| *is_said) {
            Some((option, _)) => Err(SetupError::Value(format!(
                "{why}: its name server stays as it is, leave {option} out"
            ))),
            None => Ok(NewZone::plain(name)),
        }
    }

    fn plain(name: ZoneName) -> Self {
        NewZone {
            hostmaster: Mailbox::hostmaster(name.parent()),
            name,
            nameservers: Vec::new(),
            dnssec: false,
            acme: false,
            ttl: None,
            expire: None,
            caa: Vec::new(),
        }
    }
}

/// The key for updates could change such a name. Not the apex: a zone that is served already may
/// have its web server there; the parent could not enter it for one that is new.
///
/// # Errors
/// A URL whose host is below the apex of `zone`, or the apex of a new one.
pub fn check_url(url: &BaseUrl, zone: &ZoneName, is_new: bool) -> Result<(), SetupError> {
    let host = url.host().to_ascii_lowercase();
    let host = host.strip_suffix('.').unwrap_or(&host);
    if is_new && host == zone.as_str() || zone.relative(host).is_some() {
        return Err(SetupError::UrlInZone(host.to_owned(), zone.clone()));
    }
    Ok(())
}

/// The host name of a name server, in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameServer(ZoneName);

/// Reads `--nameserver`: whatever is no full host name is refused, an address among it.
impl FromStr for NameServer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // Four numbers with dots between them would pass for labels.
        if text.trim_end_matches('.').parse::<IpAddr>().is_ok() {
            return Err(
                "it is an address, and an NS record has a name: give that, like ns1.example.org"
                    .to_owned(),
            );
        }
        // The rules are those of a zone's name: two labels at least, letters, digits, hyphens.
        text.parse().map(NameServer).map_err(|error| match error {
            NameError::SingleLabel(_) => {
                "a name server's name is given in full, like ns1.example.org".to_owned()
            }
            error => error.to_string(),
        })
    }
}

impl NameServer {
    /// The name without its final dot.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// A mailbox as the SOA has it: a domain name whose first label is the local part (RFC 1035 8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox(String);

impl Mailbox {
    /// `hostmaster` at a domain (RFC 2142 7).
    fn hostmaster(domain: &str) -> Self {
        Mailbox(format!("hostmaster.{domain}."))
    }
}

/// Reads `--hostmaster`: the mailbox of a mail address.
impl FromStr for Mailbox {
    type Err = String;

    fn from_str(mail: &str) -> Result<Self, String> {
        let bad = || "write it like hostmaster@example.org".to_owned();
        let (local, domain) = mail.rsplit_once('@').ok_or_else(bad)?;
        let domain: ZoneName = domain.parse().map_err(|_| bad())?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_+.".contains(c);
        if local.is_empty() || local.len() > 63 || !local.chars().all(plain) {
            return Err(bad());
        }
        Ok(Mailbox(format!("{}.{domain}.", local.replace('.', "\\."))))
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_address_becomes_a_mailbox() {
        for (mail, expected) in [
            ("root@example.org", Some("root.example.org.")),
            ("a.b+c@Example.org", Some("a\\.b+c.example.org.")),
            ("root", None),
            ("@example.org", None),
            ("a b@example.org", None),
            ("a'b@example.org", None),
        ] {
            let mailbox = mail
                .parse::<Mailbox>()
                .ok()
                .map(|mailbox| mailbox.to_string());
            assert_eq!(mailbox.as_deref(), expected, "{mail}");
        }
    }

    #[test]
    fn name_servers_live_elsewhere() {
        for (name, fits) in [
            ("ns1.example.org", true),
            ("ns1.dyn.example.org", false),
            ("dyn.example.org", false),
            ("xdyn.example.org", true),
        ] {
            let server = name.parse().unwrap();
            let zone = NewZone::new("dyn.example.org".parse().unwrap(), vec![server], None);
            assert_eq!(zone.is_ok(), fits, "{name}");
        }
    }

    #[test]
    fn files_can_be_named_after_a_zone() {
        for (last, fits) in [(28, true), (29, false)] {
            let long = "a".repeat(63);
            let name = format!("{long}.{long}.{long}.{}", "b".repeat(last));
            assert_eq!(name.len() <= LONGEST, fits);
            let server = "ns1.example.org".parse().unwrap();
            let zone = NewZone::new(name.parse().unwrap(), vec![server], None);
            assert_eq!(zone.is_ok(), fits, "{}", name.len());
        }
    }
}
