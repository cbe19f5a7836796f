//! The `init` that a set-up was made with, as far as its files tell: what hints say to run again.

use super::nameserver::{self, UPDATE};
use super::place::Place;
use crate::config::{Config, Zone};
use crate::port::AddressPort;
use crate::setup::delegation::Delegation;

/// What a hint says after the command: addresses behind NAT and the like are in no file of ours.
pub const OTHERS: &str = "with the other options it had";

/// The command for `zone`. With what it does not name, it would be another set-up.
pub fn init(config: &Config, zone: &Zone, place: &Place) -> String {
    let mut command = format!("bowline init {}", zone.name);
    let mut add = |option: &str| {
        command.push(' ');
        command.push_str(option);
    };
    let known = Delegation::load(place, &zone.name).unwrap_or_default();
    for server in &known.nameservers {
        add(&format!("--nameserver {}", server.as_str()));
    }
    add(&format!("--url {}", config.url));
    let update = AddressPort(zone.server);
    if update != UPDATE {
        add(&format!("--update {}", update.for_knot()));
    }
    match nameserver::found(place, &zone.name) {
        None => add("--dns none"),
        // Signed without a word.
        Some(server) if matches!(server.is_signed(place, &zone.name), Ok(false)) => {
            add("--no-dnssec");
        }
        Some(_) => {}
    }
    if !place.apache_site().exists() && !place.nginx_site().exists() {
        add("--web none");
    }
    command
}

/// The command for the first zone with another option, in the words of a hint.
pub fn hint(config: &Config, place: &Place, option: &str) -> String {
    match config.zones.first() {
        Some(zone) => format!("`{}{option}`, {OTHERS}", init(config, zone, place)),
        None => format!("`bowline init …{option}` with the options it had"),
    }
}
