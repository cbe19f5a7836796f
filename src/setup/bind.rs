//! BIND's files: what is shipped in `bind/`, filled.

mod next;

use std::net::SocketAddr;
use std::path::PathBuf;

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

const NAMED_CONF: &str = include_str!("../../bind/named.conf");
const ZONE_CONF: &str = include_str!("../../bind/zone.conf");
const PUBLIC_CONF: &str = include_str!("../../bind/public.conf");
pub(super) const FIRST_CONTENTS: &str = include_str!("../../bind/first-contents");

/// The listeners as they are shipped.
const LISTEN: &str = "    listen-on port 53 { 192.0.2.53; };
    listen-on-v6 port 53 { 2001:db8::53; };
    listen-on port 5353 { 127.0.0.1; };
";

/// The view that knows the key, as it is shipped.
const VIEW: &str = "    match-clients { 127.0.0.1; };
    match-destinations { 127.0.0.1; };
";

/// How a record at the apex begins in the script.
const APEX: &str = "@ 3600 ";

/// BIND 9.18 and later.
#[derive(Debug)]
pub struct Bind;

impl Program for Bind {
    fn name(&self) -> &'static str {
        "BIND"
    }

    fn daemon(&self) -> &'static str {
        "named"
    }

    fn user(&self) -> &'static str {
        "bind"
    }

    fn service(&self) -> &'static str {
        "named"
    }

    fn reads_ours(&self, place: &Place) -> Result<bool, SetupError> {
        next::reads_ours(place)
    }

    fn first_contents(&self, place: &Place, zone: &ZoneName) -> PathBuf {
        place.bind_dir.join(format!("first-contents-{zone}"))
    }

    fn files(&self, base: &Base<'_>, listeners: &[AddressPort]) -> Result<Vec<File>, SetupError> {
        let place = base.place;
        let dir = &place.bind_dir;
        let mut files = Files::of(base.owners.read_by(self.user()));
        files.add(dir.clone(), 0o750, Content::Directory);
        if place.private {
            files.add(dir.join("run"), 0o770, Content::Directory);
        }
        files.add(place.bind_storage.clone(), 0o770, Content::Directory);
        files.add(place.bind_storage.join("keys"), 0o770, Content::Directory);
        files.add(update_dir(place), 0o750, Content::Directory);
        files.add(public_dir(place), 0o750, Content::Directory);
        let (algorithm, secret) = base.key.parts()?;
        let name = &base.key.name;
        let clause = format!(
            "key \"{name}\" {{\n    algorithm {algorithm};\n    secret \"{secret}\";\n}};\n"
        );
        files.add(key_conf(place), 0o640, Content::Secret(clause));
        let main = main_file(base, listeners)?;
        files.add(place.bind_conf(), 0o640, Content::Text(main));
        Ok(files.all())
    }

    fn zone_files(
        &self,
        base: &Base<'_>,
        zone: &NewZone,
        parent: &[Record],
    ) -> Result<Vec<File>, SetupError> {
        let place = base.place;
        let key = &base.key.name;
        let mut files = Files::of(base.owners.read_by(self.user()));
        let clause = Fill::new(ZONE_CONF)
            .part("dnssec", zone.dnssec)
            .part("acme", zone.acme)
            .value("dyn.example.org", &zone.name)
            .value("deny bowline", format_args!("deny {key}"))
            .value("grant bowline", format_args!("grant {key}"))
            .text()?;
        files.add(zone_conf(place, &zone.name), 0o640, Content::Text(clause));
        let public = Fill::new(PUBLIC_CONF)
            .value("dyn.example.org", &zone.name)
            .text()?;
        files.add(public_conf(place, &zone.name), 0o640, Content::Text(public));
        let script = Fill::new(FIRST_CONTENTS)
            .value("/var/lib/bind/bowline", place.bind_storage.display())
            .value("dyn.example.org", &zone.name)
            .value(PARENT_LINES, parent_lines(parent))
            .value(SOA, soa(zone, ""))
            .value(
                &format!("{APEX}NS ns1.example.org.\n"),
                apex_lines(zone, APEX, ""),
            )
            .text()?;
        let path = self.first_contents(place, &zone.name);
        files.add_of(&base.owners.root, path, 0o755, Content::Text(script));
        Ok(files.all())
    }

    fn check_theirs(&self, place: &Place, _: &[&File]) -> Result<(), SetupError> {
        next::check_theirs(place)
    }

    fn is_signed(&self, place: &Place, zone: &ZoneName) -> Result<bool, SetupError> {
        let signs = |line: &str| line.trim_start().starts_with("dnssec-policy ");
        let text = read(&zone_conf(place, zone))?;
        Ok(text.is_none_or(|text| text.lines().any(signs)))
    }

    fn key_copies(&self, place: &Place) -> PathBuf {
        update_dir(place)
    }

    fn key_directory(&self, place: &Place) -> Option<(PathBuf, PathBuf)> {
        // The package makes the one above ours.
        let storage = &place.bind_storage;
        Some((storage.parent()?.to_owned(), storage.join("keys")))
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
        vec![
            zone_conf(place, zone),
            public_conf(place, zone),
            self.first_contents(place, zone),
        ]
    }

    fn acme_note(&self) -> Option<String> {
        let note = "no rule of BIND tells _acme-challenge from other names: with --acme the key may \
                    set TXT at every name below the apex, but not at _acme-challenge of the zone itself";
        Some(note.to_owned())
    }
}

/// The file BIND is started from.
fn main_file(base: &Base<'_>, listeners: &[AddressPort]) -> Result<String, SetupError> {
    let place = base.place;
    let source = base.source();
    let text = Fill::new(NAMED_CONF)
        .part("private", place.private)
        .value(LISTEN, listen(listeners, base.update))
        .value(
            VIEW,
            format_args!(
                "    match-clients {{ {source}; }};\n    match-destinations {{ {}; }};\n",
                base.update.0.ip()
            ),
        )
        .value("/etc/bind/bowline", place.bind_dir.display())
        .value("/var/lib/bind/bowline", place.bind_storage.display())
        .text()?;
    Ok(text)
}

/// The listeners; a family without any is closed, where BIND would open all of it.
fn listen(listeners: &[AddressPort], update: AddressPort) -> String {
    let mut all: Vec<SocketAddr> = listeners.iter().map(|address| address.0).collect();
    if !all.contains(&update.0) {
        all.push(update.0);
    }
    let mut lines: String = all
        .iter()
        .map(|address| {
            let family = if address.is_ipv4() { "" } else { "-v6" };
            let (port, ip) = (address.port(), address.ip());
            format!("    listen-on{family} port {port} {{ {ip}; }};\n")
        })
        .collect();
    if !all.iter().any(SocketAddr::is_ipv4) {
        lines += "    listen-on { none; };\n";
    }
    if !all.iter().any(SocketAddr::is_ipv6) {
        lines += "    listen-on-v6 { none; };\n";
    }
    lines
}

/// The files of the view with the key.
fn update_dir(place: &Place) -> PathBuf {
    place.bind_dir.join("update.d")
}

/// The files of the view that all others see.
fn public_dir(place: &Place) -> PathBuf {
    place.bind_dir.join("public.d")
}

/// The key's file.
fn key_conf(place: &Place) -> PathBuf {
    update_dir(place).join("00-key.conf")
}

/// The zone and what the key may change in it.
fn zone_conf(place: &Place, zone: &ZoneName) -> PathBuf {
    update_dir(place).join(format!("50-{zone}.conf"))
}

/// The zone as the public sees it.
fn public_conf(place: &Place, zone: &ZoneName) -> PathBuf {
    public_dir(place).join(format!("50-{zone}.conf"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_without_listeners_is_closed() {
        let at = |text: &str| text.parse::<AddressPort>().unwrap();
        assert_eq!(
            listen(&[at("192.0.2.53@53")], at("127.0.0.1@5353")),
            "    listen-on port 53 { 192.0.2.53; };\n    listen-on port 5353 { 127.0.0.1; };\n    \
             listen-on-v6 { none; };\n"
        );
        assert_eq!(
            listen(&[at("::1@53")], at("::1@53")),
            "    listen-on-v6 port 53 { ::1; };\n    listen-on { none; };\n"
        );
    }
}
