//! What no value can tell by itself whether it may be.

use toml_edit::{Document, Item};

use super::{Config, ConfigError, SHORTEST_EXPIRE, line_of};
use crate::span::Span;

/// Where a key is: its table, which of several that is, and its name.
type Place<'a> = (&'a str, Option<usize>, &'a str);

impl Config {
    /// Whether its values can be as they are; `text` is what it was read from.
    pub(super) fn check(&self, text: &str) -> Result<(), ConfigError> {
        let bad = |place: Place<'_>, message: String| ConfigError {
            file: self.file.clone(),
            line: line(text, place),
            message,
        };
        for (table, key, span) in [
            ("limits", "reuse", self.limits.reuse),
            ("keep", "history", self.keep.history),
            ("notify", "pending", self.notify.pending),
            ("notify", "give_up", self.notify.give_up),
            ("keep", "challenges", self.keep.challenges),
        ] {
            if span == Span::ZERO {
                let message = format!("{table}.{key} = \"0\" is no time; write 30d or the like");
                return Err(bad((table, None, key), message));
            }
        }
        for (position, zone) in self.zones.iter().enumerate() {
            let at = |key| ("zone", Some(position), key);
            let mut before = self.zones.iter().take(position);
            if before.any(|other| other.name == zone.name) {
                let message = format!("zone {} stands there twice; leave one out", zone.name);
                return Err(bad(at("name"), message));
            }
            if zone.expire != Span::ZERO && zone.expire < SHORTEST_EXPIRE {
                let message = format!(
                    "zone {}: expire = \"{}\" is under ten minutes; 0 is never",
                    zone.name, zone.expire
                );
                return Err(bad(at("expire"), message));
            }
        }
        Ok(())
    }
}

/// The line of a key's value. The text is read once more for it, which costs nobody anything
/// whose configuration is right.
fn line(text: &str, (table, position, key): Place<'_>) -> Option<usize> {
    let document = Document::parse(text).ok()?;
    let table = document.as_item().get(table)?;
    let table: &Item = match position {
        Some(position) => table.get(position)?,
        None => table,
    };
    let span = table.get(key)?.span()?;
    Some(line_of(text, span.start))
}
