//! The name servers that can be set up: one trait, and a file for each of them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::bind::Bind;
use super::error::SetupError;
use super::files::{Content, File, State};
use super::installed::is_installed;
use super::issuer::Issuer;
use super::knot::Knot;
use super::next::Step;
use super::ns::Ns;
use super::place::Place;
use super::powerdns::PowerDns;
use super::records::Record;
use super::users::{Owner, Owners};
use super::zone::{NameServer, NewZone};
use crate::dns::{Algorithm, Key, KeyError};
use crate::name::ZoneName;
use crate::port::AddressPort;

/// Where a name server takes updates, unless something else is said.
pub const UPDATE: AddressPort = AddressPort(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5353));

/// How long a server on this machine may take to say whether it has a zone.
pub(super) const WAIT: Duration = Duration::from_millis(500);

/// All of them, the first choice first.
pub const ALL: [&dyn Program; 3] = [&Knot, &Bind, &PowerDns];

/// The one that is installed; Knot where none is.
pub fn installed() -> &'static dyn Program {
    let here = |program: &&&dyn Program| is_installed(program.daemon());
    ALL.iter().find(here).copied().unwrap_or(&Knot)
}

/// The one that a zone was set up for, whose script of first contents is there. None for a
/// zone whose name server was there before bowline, which set-up leaves alone.
pub fn found(place: &Place, zone: &ZoneName) -> Option<&'static dyn Program> {
    let has_it = |program: &&&dyn Program| program.first_contents(place, zone).exists();
    ALL.iter().find(has_it).copied()
}

/// What set-up has to know about a name server's program.
pub trait Program: fmt::Debug + Sync {
    /// What people call it.
    fn name(&self) -> &'static str;

    /// Its executable.
    fn daemon(&self) -> &'static str;

    /// The user that the packages run it as.
    fn user(&self) -> &'static str;

    /// The packages' name of its service.
    fn service(&self) -> &'static str;

    /// Whether the file that the packages start it from has it read ours; a private one is ours.
    ///
    /// # Errors
    /// A file of its own that cannot be read.
    fn reads_ours(&self, place: &Place) -> Result<bool, SetupError>;

    /// The script that gives a zone its first records.
    fn first_contents(&self, place: &Place, zone: &ZoneName) -> PathBuf;

    /// The files that all zones share.
    ///
    /// # Errors
    /// A shipped file that does not fit, a key that it cannot use, or a file of its own
    /// that cannot be read.
    fn files(&self, base: &Base<'_>, listeners: &[AddressPort]) -> Result<Vec<File>, SetupError>;

    /// The files of one zone: its clause, its first contents, the rights of the key.
    ///
    /// # Errors
    /// A shipped file that does not fit.
    fn zone_files(
        &self,
        base: &Base<'_>,
        zone: &NewZone,
        parent: &[Record],
    ) -> Result<Vec<File>, SetupError>;

    /// Refuses what the operator's own configuration has already, other than through our files.
    ///
    /// # Errors
    /// The first thing that is there, or a file that cannot be read.
    fn check_theirs(&self, place: &Place, files: &[&File]) -> Result<(), SetupError>;

    /// Whether the files of a zone have it signed.
    ///
    /// It is where the one that tells is gone: signed without need a zone goes on, but not
    /// unsigned where its parent has a DS.
    ///
    /// # Errors
    /// A file that cannot be read.
    fn is_signed(&self, place: &Place, zone: &ZoneName) -> Result<bool, SetupError>;

    /// The directory with its copy of the key for updates, in a file that has `key` in its name.
    fn key_copies(&self, place: &Place) -> PathBuf;

    /// The directory of the zones' DNSSEC keys, after one that is there wherever the server
    /// is; nothing where they are no files.
    fn key_directory(&self, place: &Place) -> Option<(PathBuf, PathBuf)>;

    /// What is still to be typed until it serves `zone`.
    ///
    /// # Errors
    /// A file of its own that cannot be read.
    fn next(
        &self,
        place: &Place,
        files: &[(File, State)],
        update: AddressPort,
        zone: &ZoneName,
    ) -> Result<Vec<Step>, SetupError>;

    /// How a zone that has its first contents gets another NS, unless it has it.
    fn add_ns(&self, place: &Place, zone: &ZoneName, ns: &Ns<'_>) -> Step;

    /// Whether secondaries can be set up.
    fn has_secondaries(&self) -> bool {
        false
    }

    /// The secondaries that are set up.
    ///
    /// # Errors
    /// A file that cannot be read.
    fn secondaries(&self, _place: &Place) -> Result<Vec<AddressPort>, SetupError> {
        Ok(Vec::new())
    }

    /// The way back from `zone`, which may be the last one.
    fn removal(&self, place: &Place, zone: &ZoneName, last: bool) -> Vec<Step>;

    /// The files of `zone` that go with it.
    fn zone_paths(&self, place: &Place, zone: &ZoneName) -> Vec<PathBuf>;

    /// What there is to know about the right to set challenges.
    fn acme_note(&self) -> Option<String>;
}

/// What the files of all zones have in common.
#[derive(Debug)]
pub struct Base<'a> {
    /// Where files go.
    pub place: &'a Place,
    /// Whose they are.
    pub owners: &'a Owners,
    /// The key for updates.
    pub key: &'a UpdateKey,
    /// Where updates go.
    pub update: AddressPort,
    /// Other machines that serve the zones too.
    pub secondaries: &'a [AddressPort],
    /// What the outside asks.
    pub public: &'a [IpAddr],
}

impl Base<'_> {
    /// Where updates come from: the kernel chooses 127.0.0.1 for all of 127/8.
    pub(super) fn source(&self) -> IpAddr {
        match self.update.0.ip() {
            IpAddr::V4(_) => IpAddr::from([127, 0, 0, 1]),
            ipv6 => ipv6,
        }
    }
}

/// The key for updates: its name, and the text of `tsig.key`.
pub struct UpdateKey {
    /// Its name.
    pub name: String,
    /// The text, in any form that [`Key::read`] reads.
    pub text: String,
}

impl UpdateKey {
    /// Algorithm and secret, for a server with a form of its own.
    pub(super) fn parts(&self) -> Result<(Algorithm, String), KeyError> {
        Ok((Key::read(&self.text)?.algorithm(), Key::secret(&self.text)?))
    }
}

/// `Debug` shows no secret.
impl fmt::Debug for UpdateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UpdateKey({:?}, …)", self.name)
    }
}

/// Collects files of one owner.
pub(super) struct Files {
    owner: Owner,
    all: Vec<File>,
}

impl Files {
    /// Those of `owner`.
    pub(super) fn of(owner: Owner) -> Self {
        Files {
            owner,
            all: Vec::new(),
        }
    }

    /// Adds one.
    pub(super) fn add(&mut self, path: PathBuf, mode: u32, content: Content) {
        let owner = self.owner.clone();
        self.add_of(&owner, path, mode, content);
    }

    /// Adds one of somebody else's.
    pub(super) fn add_of(&mut self, owner: &Owner, path: PathBuf, mode: u32, content: Content) {
        self.all.push(File {
            path,
            owner: owner.clone(),
            mode,
            content,
        });
    }

    /// All of them, in order.
    pub(super) fn all(self) -> Vec<File> {
        self.all
    }
}

/// How a record of the parent stands in a script of first contents.
pub(super) const PARENT_LINE: &str = "#   ";

/// The parent's records in the scripts as they are shipped.
pub(super) const PARENT_LINES: &str = "#   ns1.example.org. 3600 IN A 192.0.2.53
#   ns1.example.org. 3600 IN AAAA 2001:db8::53
#   dyn.example.org. 3600 IN NS ns1.example.org.
";

/// The parent's records as such lines.
pub(super) fn parent_lines(parent: &[Record]) -> String {
    let line = |record: &Record| format!("{PARENT_LINE}{}\n", record.absolute());
    parent.iter().map(line).collect()
}

/// The SOA's first two fields in the scripts as they are shipped.
pub(super) const SOA: &str = "SOA ns1.example.org. hostmaster.example.org.";

/// Those of a zone, each in `quote`: a dot in the mailbox has a backslash before it.
pub(super) fn soa(zone: &NewZone, quote: &str) -> String {
    let primary = zone.nameservers.first().map_or("", NameServer::as_str);
    format!(
        "SOA {quote}{primary}.{quote} {quote}{}{quote}",
        zone.hostmaster
    )
}

/// The lines of the scripts for what else stands at the apex: the name servers, and who may
/// issue certificates. Each begins with `at`; texts are in `quote` once more.
pub(super) fn apex_lines(zone: &NewZone, at: &str, quote: &str) -> String {
    let server = |server: &NameServer| format!("{at}NS {}.\n", server.as_str());
    let issuer = |issuer: &Issuer| format!("{at}CAA 0 issue {quote}\"{issuer}\"{quote}\n");
    let servers = zone.nameservers.iter().map(server);
    servers.chain(zone.caa.iter().map(issuer)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_key_shows_of_itself() {
        let (key, text) = Key::generate("bowline").unwrap();
        let key = UpdateKey {
            name: key.name().to_owned(),
            text,
        };
        let (algorithm, secret) = key.parts().unwrap();
        assert_eq!(algorithm, Algorithm::Sha256);
        assert!(key.text.lines().next().unwrap().ends_with(&secret));
        assert!(!format!("{key:?}").contains(&secret));
    }
}
