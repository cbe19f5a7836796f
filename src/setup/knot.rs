//! Knot's files: what is shipped in `knot/`, filled.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::Command;

use super::error::SetupError;
use super::files::{File, read};
use super::fill::Fill;
use super::place::Place;
use super::records::Record;
use super::users::Owners;
use super::zone::{NameServer, NewZone};
use crate::name::ZoneName;
use crate::port::AddressPort;

const KNOT_CONF: &str = include_str!("../../knot/knot.conf");
const BOWLINE_CONF: &str = include_str!("../../knot/bowline.conf");
const ZONE_CONF: &str = include_str!("../../knot/zone.conf");
const ACME_CONF: &str = include_str!("../../knot/acme.conf");
const ACME_ANY_TXT_CONF: &str = include_str!("../../knot/acme-any-txt.conf");
pub(super) const FIRST_CONTENTS: &str = include_str!("../../knot/first-contents");

/// The first version whose ACL tells `_acme-challenge` from other names.
const PATTERNS: (u32, u32, u32) = (3, 3, 3);

/// The key for updates, as Knot includes it.
#[derive(Debug)]
pub struct KnotKey<'a> {
    /// Its name.
    pub name: &'a str,
    /// The text of `tsig.key`.
    pub text: &'a str,
}

/// The files that all zones share.
///
/// # Errors
/// A shipped file that does not fit, or a `knot.conf` that cannot be read.
pub fn files(
    place: &Place,
    owners: &Owners,
    key: &KnotKey<'_>,
    listeners: &[AddressPort],
    update: AddressPort,
) -> Result<Vec<File>, SetupError> {
    let theirs = match place.private {
        true => Vec::new(),
        false => listens(&read(&place.knot_conf())?.unwrap_or_default()),
    };
    let mut files = Vec::new();
    if place.private {
        let text = Fill::new(KNOT_CONF)
            .value("/etc/bowline/knot", place.knot_dir.display())
            .text()?;
        files.extend([
            File::directory(place.knot_dir.clone(), 0o750, &owners.knot),
            File::directory(place.knot_dir.join("run"), 0o770, &owners.knot),
            File::directory(place.knot_storage.clone(), 0o770, &owners.knot),
            File::text(place.knot_conf(), 0o640, &owners.knot, text),
        ]);
    }
    let include = place.knot_include();
    let common = common(place, key.name, listeners, update, &theirs)?;
    let (key_file, file) = (include.join("00-key.conf"), include.join("10-bowline.conf"));
    files.extend([
        File::directory(include, 0o750, &owners.knot),
        File::secret(key_file, 0o640, &owners.knot, key.text.to_owned()),
        File::text(file, 0o640, &owners.knot, common),
    ]);
    Ok(files)
}

/// The files of one zone: its clause, its first contents, and for certificates the right to set TXT.
///
/// # Errors
/// A shipped file that does not fit.
pub fn zone_files(
    place: &Place,
    owners: &Owners,
    key_name: &str,
    update: AddressPort,
    zone: &NewZone,
    parent: &[Record],
) -> Result<Vec<File>, SetupError> {
    let mut files = Vec::new();
    let mut add = |path, mode, owner: &_, text| files.push(File::text(path, mode, owner, text));
    if zone.acme {
        let template = if any_txt() {
            ACME_ANY_TXT_CONF
        } else {
            ACME_CONF
        };
        let text = Fill::new(template)
            .value(
                "address: 127.0.0.1",
                format_args!("address: {}", source_of(update)),
            )
            .value("key: bowline", format_args!("key: {key_name}"))
            .text()?;
        add(
            place.knot_include().join("20-acme.conf"),
            0o640,
            &owners.knot,
            text,
        );
    }
    add(
        place.knot_zone(&zone.name),
        0o640,
        &owners.knot,
        zone_clause(zone)?,
    );
    add(
        place.first_contents(&zone.name),
        0o755,
        &owners.root,
        first_contents(place, zone, parent)?,
    );
    Ok(files)
}

/// Listeners, ACL, policy and template.
fn common(
    place: &Place,
    key_name: &str,
    listeners: &[AddressPort],
    update: AddressPort,
    theirs: &[SocketAddr],
) -> Result<String, SetupError> {
    let open = |address: &&AddressPort| !theirs.iter().any(|their| covers(*their, address.0));
    let public: Vec<String> = listeners
        .iter()
        .filter(open)
        .map(|address| address.for_knot())
        .collect();
    let text = Fill::new(BOWLINE_CONF)
        .part("public", !public.is_empty())
        .part("update", open(&&update) && !listeners.contains(&update))
        .value("192.0.2.53@53, 2001:db8::53@53", public.join(", "))
        .value("127.0.0.1@5353", update.for_knot())
        .value(
            "address: 127.0.0.1",
            format_args!("address: {}", source_of(update)),
        )
        .value("key: bowline", format_args!("key: {key_name}"))
        .value("/etc/knot/bowline.d", place.knot_include().display())
        .value("/var/lib/knot", place.knot_storage.display())
        .text()?;
    Ok(text)
}

/// The zone's clause.
fn zone_clause(zone: &NewZone) -> Result<String, SetupError> {
    let acl = if zone.acme {
        "[ bowline_update, bowline_acme ]"
    } else {
        "bowline_update"
    };
    let text = Fill::new(ZONE_CONF)
        .part("dnssec", zone.dnssec)
        .value("dyn.example.org", &zone.name)
        .value("[ bowline_update, bowline_acme ]", acl)
        .text()?;
    Ok(text)
}

/// The script with SOA and NS.
fn first_contents(place: &Place, zone: &NewZone, parent: &[Record]) -> Result<String, SetupError> {
    let mut ns = String::new();
    for server in &zone.nameservers {
        let _ = writeln!(ns, "{NS_LINE}{}.", server.as_str());
    }
    let mut delegation = String::new();
    for record in parent {
        let _ = writeln!(delegation, "{PARENT_LINE}{}", record.absolute());
    }
    let primary = zone.nameservers.first().map_or("", NameServer::as_str);
    let text = Fill::new(FIRST_CONTENTS)
        .value("/etc/knot/knot.conf", place.knot_conf().display())
        .value("dyn.example.org", &zone.name)
        .value(PARENT_LINES, delegation)
        .value(
            "SOA ns1.example.org. hostmaster.example.org.",
            format_args!("SOA {primary}. {}", zone.hostmaster),
        )
        .value(&format!("{NS_LINE}ns1.example.org.\n"), ns)
        .text()?;
    Ok(text)
}

/// How a name server stands in the script.
const NS_LINE: &str = "control zone-set \"$zone\" \"$zone\" 3600 NS ";

/// How a record of the parent stands in the script.
pub(super) const PARENT_LINE: &str = "#   ";

/// The parent's records in the script as it is shipped.
const PARENT_LINES: &str = "#   ns1.example.org. 3600 IN A 192.0.2.53
#   ns1.example.org. 3600 IN AAAA 2001:db8::53
#   dyn.example.org. 3600 IN NS ns1.example.org.
";

/// Whether the file of a zone has it signed.
pub fn is_signed(place: &Place, zone: &ZoneName) -> Result<bool, SetupError> {
    let text = read(&place.knot_zone(zone))?.unwrap_or_default();
    Ok(text.lines().any(|line| line.trim() == "dnssec-signing: on"))
}

/// Where updates to `update` come from: the kernel chooses 127.0.0.1 for all of 127/8.
fn source_of(update: AddressPort) -> IpAddr {
    match update.0.ip() {
        IpAddr::V4(_) => IpAddr::from([127, 0, 0, 1]),
        ipv6 => ipv6,
    }
}

/// Whether a listener of theirs answers at `address` already: Knot cannot bind both.
fn covers(their: SocketAddr, address: SocketAddr) -> bool {
    their == address
        || their.port() == address.port()
            && their.ip().is_unspecified()
            && their.is_ipv4() == address.is_ipv4()
}

/// The listeners in a `knot.conf`: `listen: ADDR[@PORT]` or a list of them.
fn listens(knot_conf: &str) -> Vec<SocketAddr> {
    knot_conf
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("listen:"))
        .flat_map(|values| {
            let values = values.split('#').next().unwrap_or_default();
            values.split(|c: char| c.is_whitespace() || "[],\"".contains(c))
        })
        .filter_map(|value| {
            let (ip, port) = value.split_once('@').unwrap_or((value, "53"));
            Some(SocketAddr::new(ip.parse().ok()?, port.parse().ok()?))
        })
        .collect()
}

/// Whether the Knot that is installed cannot tell challenges from other TXT records.
pub fn any_txt() -> bool {
    version() < Some(PATTERNS)
}

/// The version of the Knot that is installed.
fn version() -> Option<(u32, u32, u32)> {
    let output = Command::new(program("knotd"))
        .arg("--version")
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = text
        .rsplit(' ')
        .next()?
        .split(|c: char| !c.is_ascii_digit())
        .map(|number| number.parse().unwrap_or(0));
    Some((
        numbers.next()?,
        numbers.next()?,
        numbers.next().unwrap_or(0),
    ))
}

/// The path of a server's program: an ordinary user's PATH lacks the sbin directories.
pub fn program(name: &str) -> String {
    ["/usr/sbin", "/usr/local/sbin", "/sbin"]
        .into_iter()
        .map(|directory| Path::new(directory).join(name))
        .find(|path| path.exists())
        .map_or(name.to_owned(), |path| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_of_an_existing_server_are_not_opened_twice() {
        let found = listens(
            "server:\n    listen: [ 0.0.0.0@53, \"::1@5300\" ] # all\n#    listen: 192.0.2.1\n    listen: 192.0.2.2\n",
        );
        let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["0.0.0.0:53", "[::1]:5300", "192.0.2.2:53"]);
        for (address, covered) in [
            ("192.0.2.53:53", true),
            ("192.0.2.53:5353", false),
            ("[2001:db8::53]:53", false),
            ("[::1]:5300", true),
        ] {
            let address = address.parse().unwrap();
            assert_eq!(
                found.iter().any(|their| covers(*their, address)),
                covered,
                "{address}"
            );
        }
    }
}
