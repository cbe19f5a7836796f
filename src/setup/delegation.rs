//! What the script of first contents remembers about the delegation of its zone.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::path::PathBuf;

use super::error::SetupError;
use super::files::read;
use super::nameserver::{self, PARENT_LINE};
use super::place::Place;
use super::zone::NameServer;
use crate::name::ZoneName;

/// What a script of first contents says about its zone.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Delegation {
    /// The name servers.
    pub nameservers: Vec<NameServer>,
    /// Their addresses.
    pub addresses: Vec<IpAddr>,
}

impl Delegation {
    /// Reads the script of a zone; empty where there is none.
    ///
    /// # Errors
    /// A script that cannot be read.
    pub fn load(place: &Place, zone: &ZoneName) -> Result<Self, SetupError> {
        let Some(server) = nameserver::found(place, zone) else {
            return Ok(Delegation::default());
        };
        let script = read(&server.first_contents(place, zone))?;
        Ok(Delegation::parse(&script.unwrap_or_default()))
    }

    /// The script of a zone that may be there, in a directory that is closed to us.
    pub fn closed(place: &Place, zone: &ZoneName) -> Option<PathBuf> {
        let mut scripts = nameserver::ALL
            .iter()
            .map(|server| server.first_contents(place, zone));
        scripts.find(|script| {
            let found = script.metadata();
            found.is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
        })
    }

    /// What a text of it says.
    pub(super) fn parse(script: &str) -> Self {
        let mut found = Delegation::default();
        let mut first: Option<&str> = None;
        for line in script
            .lines()
            .filter_map(|line| line.strip_prefix(PARENT_LINE))
        {
            let fields: Vec<&str> = line.split(' ').collect();
            match fields.as_slice() {
                [_, _, _, "NS", name] => found.nameservers.extend(name.parse::<NameServer>().ok()),
                // The first name is this machine's; secondaries have others.
                [name, _, _, "A" | "AAAA", address] if first.is_none_or(|first| first == *name) => {
                    first = Some(*name);
                    found.addresses.extend(address.parse::<IpAddr>().ok());
                }
                _ => {}
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::{bind, knot, powerdns};
    use super::*;

    #[test]
    fn the_script_remembers_the_delegation() {
        for script in [
            knot::FIRST_CONTENTS,
            bind::FIRST_CONTENTS,
            powerdns::FIRST_CONTENTS,
        ] {
            let shipped = Delegation::parse(script);
            assert_eq!(shipped.nameservers, ["ns1.example.org".parse().unwrap()]);
            assert_eq!(shipped.addresses.len(), 2);
        }
    }
}
