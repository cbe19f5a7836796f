//! Knot's files: what is shipped in `knot/`, filled.

mod next;
pub(super) mod secondaries;
mod theirs;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use super::error::SetupError;
use super::files::{Content, File, State, read};
use super::installed::program;
use super::nameserver::{Base, Files, PARENT_LINES, Program, SOA, apex_lines, parent_lines, soa};
use super::next::Step;
use super::ns::Ns;
use super::place::Place;
use super::records::Record;
use super::zone::NewZone;
use crate::fill::Fill;
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

/// Knot DNS, 3.2 and later.
#[derive(Debug)]
pub struct Knot;

impl Program for Knot {
    fn name(&self) -> &'static str {
        "Knot"
    }

    fn daemon(&self) -> &'static str {
        "knotd"
    }

    fn user(&self) -> &'static str {
        "knot"
    }

    fn service(&self) -> &'static str {
        "knot"
    }

    fn reads_ours(&self, place: &Place) -> Result<bool, SetupError> {
        theirs::reads_ours(place)
    }

    fn first_contents(&self, place: &Place, zone: &ZoneName) -> PathBuf {
        place.knot_include().join(format!("first-contents-{zone}"))
    }

    fn files(&self, base: &Base<'_>, listeners: &[AddressPort]) -> Result<Vec<File>, SetupError> {
        let place = base.place;
        check_key(base)?;
        let mut files = Files::of(base.owners.read_by(self.user()));
        let theirs = match place.private {
            true => Vec::new(),
            false => listens(&read(&place.knot_conf())?.unwrap_or_default()),
        };
        if place.private {
            files.add(place.knot_dir.clone(), 0o750, Content::Directory);
            files.add(place.knot_dir.join("run"), 0o770, Content::Directory);
            files.add(place.knot_storage.clone(), 0o770, Content::Directory);
            let text = Fill::new(KNOT_CONF)
                .value("/etc/bowline/knot", place.knot_dir.display())
                .text()?;
            files.add(place.knot_conf(), 0o640, Content::Text(text));
        }
        let include = place.knot_include();
        let key = Content::Secret(base.key.text.clone());
        let common = common(base, listeners, &theirs)?;
        files.add(include, 0o750, Content::Directory);
        files.add(key_conf(place), 0o640, key);
        files.add(common_conf(place), 0o640, Content::Text(common));
        if !base.secondaries.is_empty() {
            secondaries::files(base, listeners, &mut files)?;
        }
        Ok(files.all())
    }

    fn zone_files(
        &self,
        base: &Base<'_>,
        zone: &NewZone,
        parent: &[Record],
    ) -> Result<Vec<File>, SetupError> {
        let place = base.place;
        check_key(base)?;
        let mut files = Files::of(base.owners.read_by(self.user()));
        if zone.acme {
            let template = if any_txt() {
                ACME_ANY_TXT_CONF
            } else {
                ACME_CONF
            };
            let text = Fill::new(template)
                .value(
                    "address: 127.0.0.1",
                    format_args!("address: {}", base.source()),
                )
                .value("key: bowline", format_args!("key: {}", base.key.name))
                .text()?;
            files.add(acme_conf(place), 0o640, Content::Text(text));
        }
        let clause = Content::Text(zone_clause(base, zone)?);
        files.add(zone_conf(place, &zone.name), 0o640, clause);
        let script = Content::Text(first_contents(place, zone, parent)?);
        let path = self.first_contents(place, &zone.name);
        files.add_of(&base.owners.root, path, 0o755, script);
        Ok(files.all())
    }

    fn check_theirs(&self, place: &Place, files: &[&File]) -> Result<(), SetupError> {
        theirs::check(place, files.iter().copied())
    }

    fn is_signed(&self, place: &Place, zone: &ZoneName) -> Result<bool, SetupError> {
        let text = read(&zone_conf(place, zone))?;
        Ok(text.is_none_or(|text| text.lines().any(|line| line.trim() == "dnssec-signing: on")))
    }

    fn key_copies(&self, place: &Place) -> PathBuf {
        place.knot_include()
    }

    fn key_directory(&self, place: &Place) -> Option<(PathBuf, PathBuf)> {
        let storage = place.knot_storage.clone();
        Some((storage.clone(), storage.join("keys")))
    }

    fn next(
        &self,
        place: &Place,
        files: &[(File, State)],
        update: AddressPort,
        zone: &ZoneName,
    ) -> Result<Vec<Step>, SetupError> {
        next::next(place, files, update, zone)
    }

    fn add_ns(&self, place: &Place, zone: &ZoneName, ns: &Ns<'_>) -> Step {
        next::add_ns(place, zone, ns)
    }

    fn has_secondaries(&self) -> bool {
        true
    }

    fn secondaries(&self, place: &Place) -> Result<Vec<AddressPort>, SetupError> {
        secondaries::known(place)
    }

    fn removal(&self, place: &Place, zone: &ZoneName, last: bool) -> Vec<Step> {
        next::removal(place, zone, last)
    }

    fn zone_paths(&self, place: &Place, zone: &ZoneName) -> Vec<PathBuf> {
        vec![zone_conf(place, zone), self.first_contents(place, zone)]
    }

    fn acme_note(&self) -> Option<String> {
        let note = "before 3.3.3 Knot cannot tell _acme-challenge from other names: with --acme the \
                    key may set TXT at every name below the apex";
        any_txt().then(|| note.to_owned())
    }
}

/// Knot's copy of the key for updates.
fn key_conf(place: &Place) -> PathBuf {
    place.knot_include().join("00-key.conf")
}

/// The file with listeners, rules, policy and template.
pub(super) fn common_conf(place: &Place) -> PathBuf {
    place.knot_include().join("10-bowline.conf")
}

/// The file with the right to set challenges.
fn acme_conf(place: &Place) -> PathBuf {
    place.knot_include().join("20-acme.conf")
}

/// The files that all zones share, in the order in which Knot includes them.
fn common_paths(place: &Place) -> [PathBuf; 5] {
    [
        key_conf(place),
        secondaries::key_conf(place),
        secondaries::conf(place),
        common_conf(place),
        acme_conf(place),
    ]
}

/// The file with Knot's part of one zone.
pub(super) fn zone_conf(place: &Place, zone: &ZoneName) -> PathBuf {
    place.knot_include().join(format!("50-{zone}.conf"))
}

/// Knot includes the key's file as it is.
fn check_key(base: &Base<'_>) -> Result<(), SetupError> {
    match base.key.text.lines().any(|line| line.trim_end() == "key:") {
        true => Ok(()),
        false => Err(SetupError::KeyForm(base.place.tsig_key())),
    }
}

/// Listeners, ACL, policy and template.
fn common(
    base: &Base<'_>,
    listeners: &[AddressPort],
    theirs: &[SocketAddr],
) -> Result<String, SetupError> {
    let (place, update, secondaries) = (base.place, base.update, base.secondaries.len());
    let open = |address: &&AddressPort| !theirs.iter().any(|their| covers(*their, address.0));
    let public: Vec<String> = listeners
        .iter()
        .filter(open)
        .map(|address| address.for_knot())
        .collect();
    let text = Fill::new(BOWLINE_CONF)
        .part("public", !public.is_empty())
        .part("secondaries", secondaries > 0)
        .value("[ bowline_secondary_1 ]", secondaries::ids(secondaries))
        .part("update", open(&&update) && !listeners.contains(&update))
        .value("192.0.2.53@53, 2001:db8::53@53", public.join(", "))
        .value("127.0.0.1@5353", update.for_knot())
        .value(
            "address: 127.0.0.1",
            format_args!("address: {}", base.source()),
        )
        .value("key: bowline", format_args!("key: {}", base.key.name))
        .value("/etc/knot/bowline.d", place.knot_include().display())
        .value("/var/lib/knot", place.knot_storage.display())
        .text()?;
    Ok(text)
}

/// The zone's clause.
fn zone_clause(base: &Base<'_>, zone: &NewZone) -> Result<String, SetupError> {
    let mut acl = vec!["bowline_update"];
    acl.extend(zone.acme.then_some("bowline_acme"));
    let replicated = !base.secondaries.is_empty();
    acl.extend(replicated.then_some("bowline_transfer"));
    let text = Fill::new(ZONE_CONF)
        .part("dnssec", zone.dnssec)
        .value("dyn.example.org", &zone.name)
        .value(
            "[ bowline_update, bowline_acme, bowline_transfer ]",
            format_args!("[ {} ]", acl.join(", ")),
        )
        .text()?;
    Ok(text)
}

/// The script with SOA and NS.
fn first_contents(place: &Place, zone: &NewZone, parent: &[Record]) -> Result<String, SetupError> {
    let text = Fill::new(FIRST_CONTENTS)
        .value("/etc/knot/knot.conf", place.knot_conf().display())
        .value("dyn.example.org", &zone.name)
        .value(PARENT_LINES, parent_lines(parent))
        .value(SOA, soa(zone, "'"))
        .value(
            &format!("{APEX}NS ns1.example.org.\n"),
            apex_lines(zone, APEX, "'"),
        )
        .text()?;
    Ok(text)
}

/// How a record at the apex begins in the script.
const APEX: &str = "control zone-set \"$zone\" \"$zone\" 3600 ";

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
fn any_txt() -> bool {
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
