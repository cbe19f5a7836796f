//! The `init` that a set-up was made with, as `bowline.toml` has it or as far as its files tell:
//! what hints say to run again.

use std::fs;

use super::configuration;
use super::nameserver::{self, UPDATE};
use super::place::Place;
use crate::config::{Config, Zone};
use crate::port::AddressPort;
use crate::setup::delegation::Delegation;

/// The command that a zone was set up with.
pub struct Init {
    command: String,
    /// Whether that is all of it: addresses behind NAT and the like are in no file but
    /// `bowline.toml`, where they were kept.
    is_whole: bool,
}

impl Init {
    /// That of `zone`. With what it does not name, it would be another set-up.
    pub fn of(config: &Config, zone: &Zone, place: &Place) -> Self {
        let text = fs::read_to_string(&place.config).unwrap_or_default();
        match configuration::command(&text, &zone.name) {
            Some(command) => Init {
                command,
                is_whole: true,
            },
            None => Init {
                command: guessed(config, zone, place),
                is_whole: false,
            },
        }
    }

    /// The command with other options, each with its value if it has one, in the words of a hint.
    pub fn with(&self, options: &[(&str, &str)]) -> String {
        let mut command = self.command.clone();
        for (name, value) in options {
            command = format!("{} {name} {value}", without(&command, name));
        }
        let command = command.trim_end();
        match self.is_whole {
            true => format!("`{command}`"),
            false => format!("`{command}`, with the other options it had"),
        }
    }
}

/// The command for the first zone with other options, in the words of a hint.
pub fn hint(config: &Config, place: &Place, options: &[(&str, &str)]) -> String {
    match config.zones.first() {
        Some(zone) => Init::of(config, zone, place).with(options),
        None => "`bowline init` with the options it had".to_owned(),
    }
}

/// The command without an option and its value.
fn without(command: &str, name: &str) -> String {
    let Some((before, behind)) = command.split_once(&format!(" {name} ")) else {
        return command.to_owned();
    };
    match behind.split_once(" --") {
        Some((_, rest)) => format!("{before} --{rest}"),
        None => before.to_owned(),
    }
}

/// The command as far as files tell.
fn guessed(config: &Config, zone: &Zone, place: &Place) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_that_it_had_is_given_once() {
        let init = Init {
            command: "bowline init z --gateway cgi --user www --acme".to_owned(),
            is_whole: true,
        };
        assert_eq!(
            init.with(&[("--gateway", "fastcgi"), ("--user", "bowline")]),
            "`bowline init z --acme --gateway fastcgi --user bowline`"
        );
        assert_eq!(
            init.with(&[("--apply", "")]),
            "`bowline init z --gateway cgi --user www --acme --apply`"
        );
    }
}
