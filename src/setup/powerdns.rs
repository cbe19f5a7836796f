//! PowerDNS's files: what is shipped in `pdns/`, filled.

mod next;

use std::path::{Path, PathBuf};

use super::error::SetupError;
use super::files::{Content, File, State, read};
use super::nameserver::{Base, Files, PARENT_LINES, Program, SOA, apex_lines, parent_lines, soa};
use super::next::Step;
use super::ns::Ns;
use super::place::Place;
use super::records::Record;
use super::zone::NewZone;
use crate::fill::Fill;
use crate::name::ZoneName;
use crate::port::AddressPort;

const PDNS_CONF: &str = include_str!("../../pdns/pdns.conf");
const BOWLINE_CONF: &str = include_str!("../../pdns/bowline.conf");
const POLICY: &str = include_str!("../../pdns/update-policy.lua");
const KEY_SQL: &str = include_str!("../../pdns/key.sql");
const UNIT: &str = include_str!("../../pdns/pdns.service.conf");
pub(super) const FIRST_CONTENTS: &str = include_str!("../../pdns/first-contents");

/// How a record at the apex begins in the script.
const APEX: &str = "@ 3600 ";

/// The line of the script that has a zone signed.
const SIGNED: &str = "control secure-zone \"$zone\"";

/// PowerDNS Authoritative Server, 4.7 and later, with SQLite.
#[derive(Debug)]
pub struct PowerDns;

impl Program for PowerDns {
    fn name(&self) -> &'static str {
        "PowerDNS"
    }

    fn daemon(&self) -> &'static str {
        "pdns_server"
    }

    fn user(&self) -> &'static str {
        "pdns"
    }

    fn service(&self) -> &'static str {
        "pdns"
    }

    fn reads_ours(&self, place: &Place) -> Result<bool, SetupError> {
        next::reads_ours(place)
    }

    fn first_contents(&self, place: &Place, zone: &ZoneName) -> PathBuf {
        place.pdns_ours().join(format!("first-contents-{zone}"))
    }

    fn files(&self, base: &Base<'_>, listeners: &[AddressPort]) -> Result<Vec<File>, SetupError> {
        let place = base.place;
        let dir = &place.pdns_dir;
        let ours = place.pdns_ours();
        let mut files = Files::of(base.owners.read_by(self.user()));
        if place.private {
            files.add(dir.clone(), 0o750, Content::Directory);
            files.add(dir.join("run"), 0o770, Content::Directory);
            files.add(place.pdns_include(), 0o750, Content::Directory);
            files.add(place.pdns_storage.clone(), 0o770, Content::Directory);
            let text = Fill::new(PDNS_CONF)
                .value("/etc/powerdns", dir.display())
                .text()?;
            files.add(place.pdns_conf(), 0o640, Content::Text(text));
        }
        files.add(ours.clone(), 0o750, Content::Directory);
        files.add(ours.join("rights"), 0o750, Content::Directory);
        // The script before the settings that name it: see pdns/bowline.conf.
        files.add(policy(place), 0o640, Content::Text(policy_text(base)?));
        if let Some(path) = place.pdns_unit() {
            let root = &base.owners.root;
            files.add_of(root, directory(&path), 0o755, Content::Directory);
            files.add_of(root, path, 0o644, Content::Text(UNIT.to_owned()));
        }
        let (algorithm, secret) = base.key.parts()?;
        let key = Fill::new(KEY_SQL)
            .value("'bowline'", format_args!("'{}'", base.key.name))
            .value("hmac-sha256", algorithm)
            .value("c2VjcmV0c2VjcmV0", secret)
            .text()?;
        files.add(key_sql(place), 0o640, Content::Secret(key));
        let settings = settings_text(base, listeners)?;
        files.add(settings_file(place), 0o640, Content::Text(settings));
        Ok(files.all())
    }

    fn zone_files(
        &self,
        base: &Base<'_>,
        zone: &NewZone,
        parent: &[Record],
    ) -> Result<Vec<File>, SetupError> {
        let place = base.place;
        let mut files = Files::of(base.owners.read_by(self.user()));
        let kinds = if zone.acme {
            "A AAAA TXT\n"
        } else {
            "A AAAA\n"
        };
        let may = Content::Text(kinds.to_owned());
        files.add(rights(place, &zone.name), 0o640, may);
        let script = Fill::new(FIRST_CONTENTS)
            .part("dnssec", zone.dnssec)
            .value(
                "'/etc/powerdns'",
                format_args!("'{}'", place.pdns_dir.display()),
            )
            .value("/var/lib/powerdns", place.pdns_storage.display())
            .value("dyn.example.org", &zone.name)
            .value(PARENT_LINES, parent_lines(parent))
            .value(SOA, soa(zone, ""))
            .value(
                &format!("{APEX}NS ns1.example.org.\n"),
                apex_lines(zone, APEX, ""),
            )
            .text()?;
        // Run as the server's user, which owns the database.
        let path = self.first_contents(place, &zone.name);
        files.add_of(&base.owners.root, path, 0o755, Content::Text(script));
        Ok(files.all())
    }

    fn check_theirs(&self, place: &Place, _: &[&File]) -> Result<(), SetupError> {
        next::check_theirs(place)
    }

    fn is_signed(&self, place: &Place, zone: &ZoneName) -> Result<bool, SetupError> {
        let script = read(&self.first_contents(place, zone))?;
        Ok(script.is_none_or(|script| script.lines().any(|line| line == SIGNED)))
    }

    fn key_copies(&self, place: &Place) -> PathBuf {
        place.pdns_ours()
    }

    fn key_directory(&self, _: &Place) -> Option<(PathBuf, PathBuf)> {
        None
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

    fn removal(&self, place: &Place, zone: &ZoneName, last: bool) -> Vec<Step> {
        next::removal(place, zone, last)
    }

    fn zone_paths(&self, place: &Place, zone: &ZoneName) -> Vec<PathBuf> {
        vec![rights(place, zone), self.first_contents(place, zone)]
    }

    fn acme_note(&self) -> Option<String> {
        None
    }
}

/// The settings.
fn settings_text(base: &Base<'_>, listeners: &[AddressPort]) -> Result<String, SetupError> {
    let place = base.place;
    let mut all: Vec<String> = listeners.iter().map(|one| one.0.to_string()).collect();
    let update = base.update.0.to_string();
    if !all.contains(&update) {
        all.push(update);
    }
    let text = Fill::new(BOWLINE_CONF)
        .value(
            "192.0.2.53:53, [2001:db8::53]:53, 127.0.0.1:5353",
            all.join(", "),
        )
        .value("/var/lib/powerdns", place.pdns_storage.display())
        .value("/etc/powerdns", place.pdns_dir.display())
        .text()?;
    Ok(text)
}

/// The policy script.
fn policy_text(base: &Base<'_>) -> Result<String, SetupError> {
    let text = Fill::new(POLICY)
        .value("/etc/powerdns", base.place.pdns_dir.display())
        .value("\"bowline.\"", format_args!("\"{}.\"", base.key.name))
        .value("\"127.0.0.1\"", format_args!("\"{}\"", base.source()))
        .text()?;
    Ok(text)
}

/// The file with our settings.
fn settings_file(place: &Place) -> PathBuf {
    place.pdns_include().join("bowline.conf")
}

/// The key for updates, as it goes into the database.
fn key_sql(place: &Place) -> PathBuf {
    place.pdns_ours().join("key.sql")
}

/// The policy script's file.
fn policy(place: &Place) -> PathBuf {
    place.pdns_ours().join("update-policy.lua")
}

/// What the key may change in a zone.
fn rights(place: &Place, zone: &ZoneName) -> PathBuf {
    place.pdns_ours().join("rights").join(zone.as_str())
}

fn directory(file: &Path) -> PathBuf {
    file.parent().unwrap_or(Path::new("/")).to_owned()
}
