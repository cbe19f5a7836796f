//! `bowline.toml`: the first one, and edits that keep every comment.

use std::path::Path;

use toml_edit::{ArrayOfTables, DocumentMut, Item, RawString, Table, value};

use super::error::SetupError;
use super::nameserver::UPDATE;
use crate::base_url::BaseUrl;
use crate::fill::Fill;
use crate::name::ZoneName;
use crate::port::AddressPort;
use crate::span::Span;
use crate::ttl::Ttl;

const TEMPLATE: &str = include_str!("bowline.toml");

/// What the last zone of a new file has beside the rest.
const ACME: &str = "# Hosts may set challenges for certificates.\nacme = true\n";

/// Where the zone begins, as it is shipped.
const ZONE: &str = "[[zone]]\n";

/// What stands before it for a log of its own.
const LOG: &str =
    "[log]\n# There was no syslog here, and nobody keeps a responder's standard error.\n";

/// What stands before the command above a zone.
const COMMAND: &str = "# Set up with: ";

/// What a `[[zone]]` is given, where anything was said about it.
#[derive(Debug, Clone, Copy, Default)]
pub struct ZoneKeys {
    /// Where updates go.
    pub server: Option<AddressPort>,
    /// The TTL of its hosts.
    pub ttl: Option<Ttl>,
    /// When silent hosts expire.
    pub expire: Option<Span>,
    /// Whether they may set challenges for certificates.
    pub acme: Option<bool>,
}

/// A new file with one zone; lines go to `log`, where that is given.
///
/// # Errors
/// A shipped file that does not fit.
pub fn new(
    url: &BaseUrl,
    registry: &Path,
    zone: &ZoneName,
    keys: &ZoneKeys,
    log: Option<&Path>,
) -> Result<String, SetupError> {
    let update = UPDATE.to_string();
    let mut fill = Fill::new(TEMPLATE)
        .value("https://update.example.org", url)
        .value("/var/lib/bowline/bowline.db", registry.display())
        .value("\"dyn.example.org\"", format_args!("\"{zone}\""));
    if let Some(server) = keys.server {
        fill = fill.value(&update, server);
    }
    if let Some(ttl) = keys.ttl {
        fill = fill.value("ttl = 60", format_args!("ttl = {ttl}"));
    }
    if let Some(expire) = keys.expire {
        fill = fill.value(
            "expire = \"0\"",
            format_args!("expire = \"{}\"", shown(expire)),
        );
    }
    if let Some(log) = log {
        let target = format_args!("{LOG}target = \"file:{}\"\n\n{ZONE}", log.display());
        fill = fill.value(ZONE, target);
    }
    let text = fill.text()?;
    Ok(match keys.acme {
        Some(true) => format!("{text}{ACME}"),
        Some(false) | None => text,
    })
}

/// The file with another URL.
///
/// # Errors
/// When `text` is no TOML.
pub fn with_url(file: &Path, text: &str, url: &BaseUrl) -> Result<String, SetupError> {
    let mut document = parse(file, text)?;
    if document.get("url").and_then(Item::as_str) != Some(url.as_str()) {
        put(document.as_table_mut(), "url", url.as_str());
    }
    Ok(document.to_string())
}

/// The file with the zone in it, its keys as given.
///
/// # Errors
/// When `text` is no TOML or has something else under `zone`.
pub fn with_zone(
    file: &Path,
    text: &str,
    zone: &ZoneName,
    keys: &ZoneKeys,
) -> Result<String, SetupError> {
    let mut document = parse(file, text)?;
    let zones = zones(file, &mut document)?;
    if !zones.iter().any(|table| is_zone(table, zone)) {
        let mut table = Table::new();
        table.insert("name", value(zone.as_str()));
        let server = keys.server.unwrap_or(UPDATE);
        table.insert("server", value(server.to_string()));
        table.insert("key_file", value("tsig.key"));
        table.insert(
            "ttl",
            value(i64::from(keys.ttl.unwrap_or(Ttl::DEFAULT).seconds())),
        );
        table.insert("expire", value(shown(keys.expire.unwrap_or(Span::ZERO))));
        zones.push(table);
    }
    for table in zones.iter_mut().filter(|table| is_zone(table, zone)) {
        if let Some(server) = keys.server {
            let same = table
                .get("server")
                .and_then(Item::as_str)
                .and_then(|text| text.parse().ok());
            if same != Some(server) {
                put(table, "server", server.to_string());
            }
        }
        if let Some(ttl) = keys.ttl {
            put(table, "ttl", i64::from(ttl.seconds()));
        }
        if let Some(expire) = keys.expire {
            put(table, "expire", shown(expire));
        }
        // Nobody may where nothing is said.
        if let Some(acme) = keys.acme
            && (acme || table.contains_key("acme"))
        {
            put(table, "acme", acme);
        }
    }
    Ok(document.to_string())
}

/// The file with the command above the zone that sets it up, in the place of one from before.
///
/// # Errors
/// As [`with_zone`].
pub fn with_command(
    file: &Path,
    text: &str,
    zone: &ZoneName,
    command: &str,
) -> Result<String, SetupError> {
    let mut document = parse(file, text)?;
    for table in zones(file, &mut document)?.iter_mut() {
        if is_zone(table, zone) {
            let above = above(table).unwrap_or("\n").to_owned();
            let others = above.split_inclusive('\n');
            let others: String = others.filter(|line| !line.starts_with(COMMAND)).collect();
            let decor = table.decor_mut();
            decor.set_prefix(format!("{others}{COMMAND}{command}\n"));
        }
    }
    Ok(document.to_string())
}

/// The command that has set up the zone, where the file says it and it is one that a shell takes
/// for nothing else: it is for people to type, and the file may be out of a backup.
pub fn command(text: &str, zone: &ZoneName) -> Option<String> {
    let document: DocumentMut = text.parse().ok()?;
    let zones = document.get("zone")?.as_array_of_tables()?;
    let table = zones.iter().find(|table| is_zone(table, zone))?;
    let mut lines = above(table)?.lines();
    let command = lines.find_map(|line| line.strip_prefix(COMMAND))?;
    is_plain(command).then(|| command.to_owned())
}

/// Whether that is bowline's command with words as they are, or between single quotes.
fn is_plain(command: &str) -> bool {
    let is_harmless = |c: char| c.is_ascii_alphanumeric() || " -_.,:/@%+=".contains(c);
    let mut outside = command.split('\'').step_by(2);
    let is_even = command.matches('\'').count().is_multiple_of(2);
    command.starts_with("bowline ")
        && is_even
        && !command.contains(char::is_control)
        && outside.all(|words| words.chars().all(is_harmless))
}

/// The comments above a table.
fn above(table: &Table) -> Option<&str> {
    table.decor().prefix().and_then(RawString::as_str)
}

/// The file without the zone.
///
/// # Errors
/// As [`with_zone`].
pub fn without_zone(file: &Path, text: &str, zone: &ZoneName) -> Result<String, SetupError> {
    let mut document = parse(file, text)?;
    zones(file, &mut document)?.retain(|table| !is_zone(table, zone));
    Ok(document.to_string())
}

fn parse(file: &Path, text: &str) -> Result<DocumentMut, SetupError> {
    text.parse().map_err(|error: toml_edit::TomlError| {
        SetupError::Toml(file.to_owned(), error.message().to_owned())
    })
}

fn zones<'a>(
    file: &Path,
    document: &'a mut DocumentMut,
) -> Result<&'a mut ArrayOfTables, SetupError> {
    document
        .entry("zone")
        .or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()))
        .as_array_of_tables_mut()
        .ok_or_else(|| SetupError::Toml(file.to_owned(), "zone is not written [[zone]]".to_owned()))
}

fn is_zone(table: &Table, zone: &ZoneName) -> bool {
    let name = table.get("name").and_then(Item::as_str);
    name.and_then(|name| name.parse().ok()).as_ref() == Some(zone)
}

/// Changes a value, where it is another one, and leaves the comments above and behind it.
fn put(table: &mut Table, key: &str, new: impl Into<toml_edit::Value>) {
    let mut new = new.into();
    let Some(item) = table.get_mut(key) else {
        table.insert(key, Item::Value(new));
        return;
    };
    if let Some(old) = item.as_value() {
        *new.decor_mut() = old.decor().clone();
        if new.to_string() == old.to_string() {
            return;
        }
    }
    *item = Item::Value(new);
}

/// `0` where nothing expires, as in the documentation.
fn shown(span: Span) -> String {
    if span == Span::ZERO {
        "0".to_owned()
    } else {
        span.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, LogTarget};

    const FILE: &str = "/etc/bowline/bowline.toml";

    fn zone(name: &str) -> ZoneName {
        name.parse().unwrap()
    }

    #[test]
    fn the_shipped_file_is_one_that_can_be_read() {
        let config = Config::parse(Path::new(FILE), TEMPLATE).unwrap();
        assert_eq!(config.zones.len(), 1);
    }

    #[test]
    fn a_log_of_its_own_stands_before_the_zone() {
        let (url, name) = (
            "https://u.example.org".parse().unwrap(),
            zone("d.example.org"),
        );
        let new = |log| {
            let registry = Path::new("/srv/bowline.db");
            let text = new(&url, registry, &name, &ZoneKeys::default(), log).unwrap();
            Config::parse(Path::new(FILE), &text).unwrap()
        };
        let log = Path::new("/srv/bowline.log");
        let config = new(Some(log));
        assert_eq!(config.log.target, LogTarget::File(log.to_owned()));
        assert_eq!(config.zones[0].name, name);
        assert_eq!(new(None).log.target, LogTarget::Auto);
    }

    #[test]
    fn only_a_command_of_ours_is_one() {
        let name = zone("dyn.example.org");
        let said = |command: &str| {
            let text = with_command(Path::new(FILE), TEMPLATE, &name, command).unwrap();
            super::command(&text, &name)
        };
        for command in [
            "bowline init z --public ::1",
            "bowline init z --caa 'a;b $c'",
        ] {
            assert_eq!(said(command).as_deref(), Some(command));
        }
        for command in [
            "rm -rf /",
            "bowline init z; reboot",
            "bowline init $(reboot)",
            "bowline init 'z",
            "bowline init `z`",
            "bowline init 'a' | sh",
            "bowline init \u{1b}[2J",
        ] {
            assert_eq!(said(command), None, "{command}");
        }
        assert_eq!(super::command(TEMPLATE, &name), None);
    }

    #[test]
    fn edits_keep_comments_and_can_be_read() {
        let file = Path::new(FILE);
        let first = TEMPLATE.replace("ttl = 60", "# Not longer.\nttl = 60 # short");
        let keys = ZoneKeys {
            server: Some("127.0.0.1@5354".parse().unwrap()),
            ttl: Some(Ttl::new(120).unwrap()),
            expire: Some("30d".parse().unwrap()),
            acme: Some(true),
        };
        let two = with_zone(file, &first, &zone("d2.example.org"), &ZoneKeys::default()).unwrap();
        let set = with_zone(file, &two, &zone("dyn.example.org"), &keys).unwrap();
        assert!(
            set.contains("# Not longer.\nttl = 120 # short\nexpire = \"30d\"\nacme = true\n"),
            "{set}"
        );
        assert!(set.contains("# What is not set here has its default"));
        let config = Config::parse(file, &set).unwrap();
        assert_eq!(config.zones.len(), 2);
        assert_eq!(config.zones[0].server.to_string(), "127.0.0.1:5354");
        let one = without_zone(file, &set, &zone("dyn.example.org")).unwrap();
        let config = Config::parse(file, &one).unwrap();
        assert_eq!(config.zones[0].name, zone("d2.example.org"));
        assert_eq!(
            with_zone(file, &set, &zone("dyn.example.org"), &keys).unwrap(),
            set
        );
        let no = ZoneKeys {
            acme: Some(false),
            ..ZoneKeys::default()
        };
        let taken = with_zone(file, &set, &zone("dyn.example.org"), &no).unwrap();
        assert_eq!(taken, set.replace("acme = true", "acme = false"));
        assert_eq!(
            with_zone(file, &two, &zone("d2.example.org"), &no).unwrap(),
            two
        );
        let url = "https://u.example.org".parse().unwrap();
        assert!(
            with_url(file, &set, &url)
                .unwrap()
                .contains("url = \"https://u.example.org\"\n")
        );
    }
}
