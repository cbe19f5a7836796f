//! Secondaries of Knot: what the primary has for them, and the file that each of them gets.

use std::collections::BTreeSet;
use std::fmt::{Display, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use super::super::error::SetupError;
use super::super::files::{Content, read};
use super::super::nameserver::{Base, Files};
use super::super::place::Place;
use crate::dns::Key;
use crate::fill::Fill;
use crate::port::AddressPort;

const SECONDARIES_CONF: &str = include_str!("../../../knot/secondaries.conf");
const SECONDARY_CONF: &str = include_str!("../../../knot/secondary.conf");

/// The key for transfers.
const KEY_NAME: &str = "bowline-transfer";

/// A secondary as it is shipped.
const REMOTE: &str = "  - id: bowline_secondary_1
    address: 198.51.100.53@53
    # A NOTIFY comes from where the secondary expects it.
    via: [ 192.0.2.53, 2001:db8::53 ]
    key: bowline-transfer
";

/// The key as it is shipped.
const KEY: &str = "key:
  - id: bowline-transfer
    algorithm: hmac-sha256
    secret: c2VjcmV0c2VjcmV0
";

/// Those that are set up: the addresses of the remotes.
pub(super) fn known(place: &Place) -> Result<Vec<AddressPort>, SetupError> {
    Ok(of(&read(&conf(place))?.unwrap_or_default()))
}

/// The addresses of the remotes in a file of ours.
pub(super) fn of(text: &str) -> Vec<AddressPort> {
    let values = text
        .lines()
        .filter_map(|line| line.strip_prefix("    address: "));
    values.filter_map(|value| value.parse().ok()).collect()
}

/// The identifiers of so many secondaries, as a list of Knot's.
pub(super) fn ids(count: usize) -> String {
    list((1..=count).map(|number| format!("bowline_secondary_{number}")))
}

/// The key for transfers, the part of the primary, and the file for the secondaries.
pub(super) fn files(
    base: &Base<'_>,
    listeners: &[AddressPort],
    files: &mut Files,
) -> Result<(), SetupError> {
    let place = base.place;
    let key_file = key_conf(place);
    let key = match read(&key_file)? {
        Some(text) => text,
        None => Key::generate(KEY_NAME)?.1,
    };
    let text = secondary(base, listeners, &key)?;
    files.add(key_file, 0o640, Content::Secret(key));
    let text_here = primary(base.secondaries, listeners)?;
    files.add(conf(place), 0o640, Content::Text(text_here));
    files.add_of(
        &base.owners.root,
        for_secondary(place),
        0o600,
        Content::Secret(text),
    );
    Ok(())
}

/// The key for transfers.
pub(super) fn key_conf(place: &Place) -> PathBuf {
    place.knot_include().join("05-transfer-key.conf")
}

/// What the primary has for its secondaries.
pub(super) fn conf(place: &Place) -> PathBuf {
    place.knot_include().join("06-secondaries.conf")
}

/// The file that each secondary gets.
pub(in crate::setup) fn for_secondary(place: &Place) -> PathBuf {
    place.config_dir().join("secondary.conf")
}

fn primary(secondaries: &[AddressPort], listeners: &[AddressPort]) -> Result<String, SetupError> {
    let mut remotes = String::new();
    for (number, secondary) in (1..).zip(secondaries) {
        let _ = writeln!(remotes, "  - id: bowline_secondary_{number}");
        let _ = writeln!(remotes, "    address: {}", secondary.for_knot());
        let ipv4 = secondary.0.is_ipv4();
        let via = listeners.iter().map(|address| address.0.ip());
        if let Some(via) = via.clone().find(|address| address.is_ipv4() == ipv4) {
            let _ = writeln!(remotes, "    via: {via}");
        }
        let _ = writeln!(remotes, "    key: {KEY_NAME}");
    }
    let text = Fill::new(SECONDARIES_CONF)
        .value(REMOTE, remotes)
        .value(
            "address: [ 198.51.100.53 ]",
            format_args!("address: {}", list(ips(secondaries))),
        )
        .value("[ bowline_secondary_1 ]", ids(secondaries.len()))
        .text()?;
    Ok(text)
}

fn secondary(base: &Base<'_>, listeners: &[AddressPort], key: &str) -> Result<String, SetupError> {
    // Behind NAT the outside sees the public addresses; the ports are those forwarded.
    let port = |ip: &IpAddr| {
        let same = |address: &&AddressPort| address.0.is_ipv4() == ip.is_ipv4();
        listeners
            .iter()
            .find(same)
            .map_or(53, |address| address.0.port())
    };
    let mut public: BTreeSet<IpAddr> = base.public.iter().copied().collect();
    if public.is_empty() {
        public = ips(listeners).collect();
    }
    let masters = public
        .iter()
        .map(|ip| AddressPort(SocketAddr::new(*ip, port(ip))).for_knot());
    let text = Fill::new(SECONDARY_CONF)
        .value(KEY, key)
        .value("[ 192.0.2.53@53, 2001:db8::53@53 ]", list(masters))
        .value("[ 192.0.2.53, 2001:db8::53 ]", list(&public))
        .text()?;
    Ok(text)
}

fn ips(addresses: &[AddressPort]) -> impl Iterator<Item = IpAddr> {
    addresses.iter().map(|address| address.0.ip())
}

/// A list in Knot's configuration.
fn list(items: impl IntoIterator<Item = impl Display>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    format!("[ {} ]", items.join(", "))
}
