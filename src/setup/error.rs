//! Why a set-up is refused or stopped.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::gateway::WebServer;
use super::nameserver::UPDATE;
use crate::config::ConfigError;
use crate::dns::KeyError;
use crate::fill::FillError;
use crate::hint::Hint;
use crate::name::ZoneName;
use crate::registry::RegistryError;
use crate::token::TokenError;

/// Why a set-up is refused or stopped.
#[derive(Debug)]
pub enum SetupError {
    /// A value that a later version will take: the option, the value, the ways out.
    Later(&'static str, String, &'static str),
    /// A name server below the zone that it serves.
    NameServerInZone(String, ZoneName),
    /// A URL whose host is the zone's apex or below it.
    UrlInZone(String, ZoneName),
    /// A path with a character that some server would not take as it is.
    Path(PathBuf, char),
    /// No address that the outside could ask.
    NoPublicAddress,
    /// An address for updates that is not this machine's own.
    UpdateElsewhere(SocketAddr),
    /// An address and port where somebody else listens.
    Taken(SocketAddr, String),
    /// No user of that name on this machine.
    NoUser(String),
    /// A web server without the directory for its site.
    NoSites(WebServer, PathBuf),
    /// A site of that name that is enabled already, in that file.
    SiteThere(String, PathBuf),
    /// A user whom CGI programs do not run as, and the one whom they do run as.
    NotWebUser(String, String),
    /// A zone that is there already.
    ZoneThere(ZoneName),
    /// A zone that is not there.
    NoZone(ZoneName),
    /// A zone with hosts, so many of them.
    HostsThere(ZoneName, usize),
    /// A zone whose parent still has records of that type.
    ParentThere(ZoneName, &'static str),
    /// A signed zone of whose parent nothing can be told, and why.
    ParentUnknown(ZoneName, String),
    /// A zone that is to be signed no more, whose parent has its DS.
    DsThere(ZoneName),
    /// The same, where it cannot be told whether it has, and why.
    DsUnknown(ZoneName, String),
    /// Nobody said which name servers the zone has.
    NoNameServers,
    /// A value outside its range, in words.
    Value(String),
    /// Knot has an item of that section and name already, in that file.
    KnotHas(String, String, PathBuf),
    /// Knot reads that configuration database, and not that file.
    KnotConfdb(PathBuf, PathBuf),
    /// A name server with something of its own that does not go together with ours: its
    /// name, what that is, and where.
    ServerHas(&'static str, String, PathBuf),
    /// A zone that another name server was set up for, of that name.
    ServedBy(ZoneName, &'static str),
    /// Another key for updates than the one that is there.
    KeyThere(PathBuf),
    /// A key that Knot could not include.
    KeyForm(PathBuf),
    /// A registry whose lookup key is gone.
    LookupKeyGone(PathBuf, PathBuf),
    /// A set-up that another one is changing, with that lock.
    Busy(PathBuf),
    /// A file or directory: what was tried, where, and why it failed.
    Io(&'static str, PathBuf, io::Error),
    /// `bowline.toml` could not be edited.
    Toml(PathBuf, String),
    /// `bowline.toml` cannot be used.
    Config(ConfigError),
    /// The registry could not be made.
    Registry(RegistryError),
    /// A directory that cannot have the state: which, why not, and the way out.
    StateDirectory(PathBuf, String, String),
    /// A local command that failed.
    Command(String, String),
    /// The key for updates.
    Key(KeyError),
    /// The lookup key.
    Token(TokenError),
    /// A shipped file that was filled wrongly.
    Fill(FillError),
}

impl SetupError {
    /// An error about a path.
    pub fn io(doing: &'static str, path: &Path, error: io::Error) -> Self {
        SetupError::Io(doing, path.to_owned(), error)
    }
}

impl Hint for SetupError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            SetupError::Later(_, _, ways) => (*ways).to_owned(),
            SetupError::StateDirectory(_, _, way) => way.clone(),
            SetupError::NameServerInZone(name, zone) => format!(
                "the key for updates may change every name below {zone}, so nothing else lives there; \
                 give the name server a name of the parent, like ns1.{}{}",
                zone.parent(),
                if name.starts_with("ns1.") {
                    " or one elsewhere"
                } else {
                    ""
                }
            ),
            SetupError::UrlInZone(_, zone) => format!(
                "the zone holds hosts only, and the key for updates may change every name below it; \
                 give the URL a name of the parent, like update.{}; that of a zone which is served \
                 already, with --dns none, may be {zone} itself",
                zone.parent()
            ),
            SetupError::Path(..) => {
                "choose a path of letters, digits and / . _ - + @ , = ~ :".to_owned()
            }
            SetupError::NoPublicAddress => {
                "behind NAT say --public ADDR (what the outside asks) and --dns-listen ADDR@PORT \
                 (what is translated to); for a trial --dns-listen 127.0.0.1@5300"
                    .to_owned()
            }
            SetupError::UpdateElsewhere(_) => format!(
                "updates stay on this machine: --update {}; or --dns none, for a name server that is \
                 there already, here or elsewhere",
                UPDATE.for_knot()
            ),
            SetupError::KeyThere(file) => format!(
                "leave --key out to go on with that one, or move {} away",
                file.display()
            ),
            SetupError::Taken(address, _) if address.ip().is_loopback() => {
                "stop it, or choose another port: --update 127.0.0.1@5354, --dns-listen 127.0.0.1@5301"
                    .to_owned()
            }
            SetupError::Taken(address, _) => format!(
                "stop it, or give the new server another address with --dns-listen ADDR@{}, or leave it in \
                 front: --dns-listen 127.0.0.1@5300 and let it fetch the zone from there as hidden primary",
                address.port()
            ),
            SetupError::NoUser(_) => "--user names the one the web server runs as".to_owned(),
            SetupError::NoSites(web, _) => format!(
                "`apt-get install {}` first; where another web server serves the URL, or its files are \
                 laid out otherwise than Debian's, --web none leaves the site to you",
                web.as_str()
            ),
            SetupError::SiteThere(..) => {
                "every page of it would be bowline's: give bowline a name of its own in --url, or take that \
                 site out first; with --web none nothing of a web server is changed"
                    .to_owned()
            }
            SetupError::NotWebUser(user, _) => format!(
                "leave --user out, or let a responder run as {user}: --gateway fastcgi; where your web server \
                 does run it as {user} (suEXEC), --web none leaves its files to you"
            ),
            SetupError::ZoneThere(zone) => format!("`bowline zone set {zone}` changes it"),
            SetupError::NoZone(_) => "`bowline zone list` shows those there are".to_owned(),
            SetupError::HostsThere(zone, _) => format!(
                "`bowline host list --zone {zone}` shows them, `bowline host remove NAME` removes one; \
                 one that is removing goes with `bowline upkeep`"
            ),
            SetupError::ParentThere(zone, kind) => format!(
                "take the {kind} of {zone} out of {} first, wait for the TTL it had, then run it again; \
                 without --apply the whole way is shown",
                zone.parent()
            ),
            SetupError::ParentUnknown(zone, _) => format!(
                "have a resolver in /etc/resolv.conf that answers, and run it again; or, when DS and NS are gone \
                 from {} for longer than their TTL, type what is shown without --apply, and take the [[zone]] \
                 out of bowline.toml",
                zone.parent()
            ),
            SetupError::DsThere(zone) => format!(
                "take the DS of {zone} out of {} first, wait for the TTL it had, then run it again",
                zone.parent()
            ),
            SetupError::DsUnknown(..) => {
                "have a resolver in /etc/resolv.conf that answers, and run it again; without --apply the \
                 steps are shown, for you to take once the DS is gone for longer than its TTL"
                    .to_owned()
            }
            SetupError::NoNameServers => "say --nameserver NAME".to_owned(),
            SetupError::KnotHas(section, id, file) if section == "zone" => format!(
                "choose another zone, or note its records (`knotc zone-read {id}`), take it out of {} \
                 and run this again",
                file.display()
            ),
            SetupError::KnotHas(_, _, file) => format!(
                "give it another name in {}, wherever it is used, or have a Knot beside that one: \
                 --config-dir DIR",
                file.display()
            ),
            SetupError::KnotConfdb(database, file) => format!(
                "`knotc conf-export {file} && mv {database} {database}.before`, restart Knot, and run this \
                 again: it has the same settings then, from the file; or have a Knot beside that one: \
                 --config-dir DIR",
                file = file.display(),
                database = database.display()
            ),
            SetupError::ServerHas(server, ..) => format!(
                "have a {server} of bowline's own beside that one: --config-dir DIR with another \
                 --dns-listen ADDR@PORT; or serve the zone with Knot, which goes together with other \
                 zones: --dns knot; or let that one serve the zone, and leave it as it is: --dns none"
            ),
            SetupError::ServedBy(_, server) => format!(
                "without --dns it stays with {server}; \"Another name server\" in the book's \"Changes of \
                 life\" takes it to another one, with its hosts and their tokens"
            ),
            SetupError::KeyForm(_) => {
                "`keymgr -t bowline hmac-sha256` prints one that Knot can include".to_owned()
            }
            SetupError::LookupKeyGone(..) => {
                "put the lookup key back (it is in every backup); without it no token is recognised"
                    .to_owned()
            }
            SetupError::Busy(file) => format!(
                "nothing was changed; run it again when that is done (`fuser {}` shows who it is)",
                file.display()
            ),
            SetupError::Io(_, _, error)
                if error.kind() == io::ErrorKind::PermissionDenied
                    && !rustix::process::geteuid().is_root() =>
            {
                "run this as root, with sudo; for a trial init takes --config-dir DIR"
                    .to_owned()
            }
            SetupError::Command(..) => {
                "mend that, then run it again: what is done already stays".to_owned()
            }
            SetupError::Registry(error) => return error.hint(),
            SetupError::Token(error) => return error.hint(),
            _ => return None,
        })
    }

    fn file(&self) -> Option<&Path> {
        match self {
            SetupError::Config(error) => error.file(),
            SetupError::Registry(error) => error.file(),
            SetupError::Token(error) => error.file(),
            _ => None,
        }
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SetupError::Later(option, value, _) => {
                write!(f, "{option} {value} is not in this version yet")
            }
            SetupError::NameServerInZone(name, zone) => {
                write!(
                    f,
                    "the name server {name:?} would be inside the zone {zone}"
                )
            }
            SetupError::UrlInZone(host, zone) => {
                write!(f, "the URL's host {host:?} would be inside the zone {zone}")
            }
            SetupError::Path(path, c) => {
                write!(
                    f,
                    "{path:?} has {c:?}, which not every server takes as it is"
                )
            }
            SetupError::NoPublicAddress => f.write_str("this machine has no public address"),
            SetupError::UpdateElsewhere(address) => {
                write!(f, "--update {address} is not a loopback address")
            }
            SetupError::Taken(address, who) => write!(f, "{address} is taken by {who}"),
            SetupError::NoUser(name) => write!(f, "there is no user {name:?}"),
            SetupError::NoSites(web, path) => write!(
                f,
                "there is no directory {} for the site of {}",
                path.display(),
                web.name()
            ),
            SetupError::SiteThere(host, file) => {
                write!(f, "{} has a site with the name {host}", file.display())
            }
            SetupError::NotWebUser(user, web) => write!(
                f,
                "with CGI the web server runs bowline as {web}, and not as {user}"
            ),
            SetupError::ZoneThere(zone) => write!(f, "the zone {zone} is there already"),
            SetupError::NoZone(zone) => write!(f, "there is no zone {zone}"),
            SetupError::HostsThere(zone, 1) => write!(f, "the zone {zone} still has a host"),
            SetupError::HostsThere(zone, count) => {
                write!(f, "the zone {zone} still has {count} hosts")
            }
            SetupError::ParentThere(zone, kind) => {
                write!(
                    f,
                    "the parent {} still has the {kind} of {zone}",
                    zone.parent()
                )
            }
            SetupError::ParentUnknown(zone, why) => write!(
                f,
                "{why}: whether {} still has the DS of {zone} could not be told, and with it the zone would be bogus",
                zone.parent()
            ),
            SetupError::DsThere(zone) => write!(
                f,
                "the parent {} has a DS of {zone}: with it the zone must stay signed, or it is bogus",
                zone.parent()
            ),
            SetupError::DsUnknown(zone, why) => write!(
                f,
                "{why}: whether {} has a DS of {zone} could not be told, and with it the zone must stay signed",
                zone.parent()
            ),
            SetupError::NoNameServers => f.write_str("the name servers of the zone are not known"),
            SetupError::Value(sentence) => f.write_str(sentence),
            SetupError::KnotHas(section, id, file) => {
                write!(f, "{} has the {section} {id:?} already", file.display())
            }
            SetupError::KnotConfdb(database, file) => write!(
                f,
                "Knot reads its configuration database {}, and not {}",
                database.display(),
                file.display()
            ),
            SetupError::ServerHas(server, what, file) => {
                write!(f, "{server} has {what} of its own, in {}", file.display())
            }
            SetupError::ServedBy(zone, server) => {
                write!(f, "{server} is set up for the zone {zone}")
            }
            SetupError::KeyThere(file) => {
                write!(f, "{} is another key than that of --key", file.display())
            }
            SetupError::KeyForm(path) => {
                write!(
                    f,
                    "{} is not in the form that Knot includes",
                    path.display()
                )
            }
            SetupError::LookupKeyGone(key, registry) => write!(
                f,
                "{} is missing, but the registry {} is there",
                key.display(),
                registry.display()
            ),
            SetupError::Busy(file) => write!(
                f,
                "another bowline is changing the files in {}",
                file.parent().unwrap_or(file).display()
            ),
            SetupError::Io(doing, path, error) => {
                write!(f, "could not {doing} {}: {error}", path.display())
            }
            SetupError::StateDirectory(path, why, _) => {
                write!(f, "the state directory {} {why}", path.display())
            }
            SetupError::Toml(path, error) => write!(f, "{}: {error}", path.display()),
            SetupError::Command(command, how) => write!(f, "{command:?} {how}"),
            SetupError::Config(error) => error.fmt(f),
            SetupError::Registry(error) => error.fmt(f),
            SetupError::Key(error) => error.fmt(f),
            SetupError::Token(error) => error.fmt(f),
            SetupError::Fill(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SetupError {}

impl From<FillError> for SetupError {
    fn from(error: FillError) -> Self {
        SetupError::Fill(error)
    }
}

impl From<TokenError> for SetupError {
    fn from(error: TokenError) -> Self {
        SetupError::Token(error)
    }
}

impl From<KeyError> for SetupError {
    fn from(error: KeyError) -> Self {
        SetupError::Key(error)
    }
}

impl From<ConfigError> for SetupError {
    fn from(error: ConfigError) -> Self {
        SetupError::Config(error)
    }
}

impl From<RegistryError> for SetupError {
    fn from(error: RegistryError) -> Self {
        SetupError::Registry(error)
    }
}
