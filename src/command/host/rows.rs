//! A list of hosts as text: TOML, CSV with a header (RFC 4180; also with semicolons or tabs), or
//! JSON lines.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::super::Failure;

/// The key under which a date of TOML is told to who does not know of dates.
const TOML_DATE: &str = "$__toml_private_datetime";

/// One host of the list, and where it stands in it.
#[derive(Debug)]
pub(super) struct Record {
    /// `line 3`, or `host 3` in TOML.
    pub(super) place: String,
    /// Its settings by their names, in which `_` stands for `-`.
    pub(super) fields: Map<String, Value>,
}

/// The settings of one host, each once.
struct Fields(Map<String, Value>);

/// A map of serde's keeps the last of two and says nothing.
impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a host with its settings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Map::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    let name = name.replace('-', "_");
                    if fields.contains_key(&name) {
                        return Err(Error::custom(twice(&name)));
                    }
                    fields.insert(name, plain(value));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

/// The value with the dates of TOML, which come as a map of their own, as texts.
fn plain(value: Value) -> Value {
    match value {
        Value::Object(mut map) => match map.remove(TOML_DATE) {
            Some(date) => date,
            None => Value::Object(map.into_iter().map(|(key, it)| (key, plain(it))).collect()),
        },
        Value::Array(list) => Value::Array(list.into_iter().map(plain).collect()),
        value => value,
    }
}

/// Reads a list, in whichever of the three forms it is.
pub(super) fn read(text: &str) -> Result<Vec<Record>, Failure> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'))
        .unwrap_or_default();
    if first.starts_with('{') {
        json_lines(text)
    } else if let Some(behind) = first.strip_prefix('[') {
        // A table of TOML has its name there, or a second bracket.
        match behind.trim_start().starts_with(['{', ']']) || behind.trim().is_empty() {
            true => json_array(text),
            false => toml(text),
        }
    } else {
        csv(text)
    }
}

/// One object a line.
fn json_lines(text: &str) -> Result<Vec<Record>, Failure> {
    let mut records = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let place = format!("line {number}");
        match serde_json::from_str(line) {
            Ok(Fields(fields)) => records.push(Record { place, fields }),
            Err(error) => return Err(Failure::new(wrong_json(&error)).at(place)),
        }
    }
    Ok(records)
}

/// One array of objects, as `export --json` writes it.
fn json_array(text: &str) -> Result<Vec<Record>, Failure> {
    let list: Vec<Fields> = serde_json::from_str(text)
        .map_err(|error| Failure::new(wrong_json(&error)).at(format!("line {}", error.line())))?;
    Ok(numbered(list))
}

/// What serde says, without the line, which it counts from where it began.
fn wrong_json(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    let said = error.to_string();
    let bare = said.strip_suffix(&format!(" at line {line} column {column}"));
    format!("{} (column {column})", bare.unwrap_or(&said))
}

/// `[[host]]` tables.
fn toml(text: &str) -> Result<Vec<Record>, Failure> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct List {
        host: Vec<Fields>,
    }
    let list: List = toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.unwrap_or_default().matches('\n').count() + 1;
        Failure::new(format!(
            "line {line}: {}",
            error.message().replace('\n', "; ")
        ))
        .hint("each host is a table [[host]] with a name")
    })?;
    Ok(numbered(list.host))
}

/// Nobody could tell which of both is meant.
fn twice(name: &str) -> String {
    format!("{name:?} stands there twice")
}

/// Hosts whose lines are not known.
fn numbered(list: Vec<Fields>) -> Vec<Record> {
    (1..)
        .zip(list)
        .map(|(number, Fields(fields))| Record {
            place: format!("host {number}"),
            fields,
        })
        .collect()
}

/// A header of names, then a line per host; an empty cell says nothing.
fn csv(text: &str) -> Result<Vec<Record>, Failure> {
    let mut lines = cells(text, separator(text))?.into_iter();
    let Some((begin, header)) = lines.next() else {
        return Ok(Vec::new());
    };
    let header: Vec<String> = header
        .iter()
        .map(|name| name.trim().to_lowercase().replace('-', "_"))
        .collect();
    if !header.iter().any(|name| name == "name") {
        return Err(Failure::new("the list has no column \"name\"")
            .hint("give TOML, CSV with a header, or JSON lines"));
    }
    for (column, name) in header.iter().enumerate() {
        // Spreadsheets write empty columns at the end.
        if !name.is_empty() && header.iter().take(column).any(|before| before == name) {
            return Err(Failure::new(format!("line {begin}: {}", twice(name))));
        }
    }
    let mut records = Vec::new();
    for (number, line) in lines {
        let place = format!("line {number}");
        if line.len() != header.len() {
            return Err(Failure::new(format!(
                "{place} has {}, the header {}",
                match line.len() {
                    1 => "1 cell".to_owned(),
                    count => format!("{count} cells"),
                },
                header.len()
            )));
        }
        let fields = header.iter().cloned().zip(line);
        let fields = fields
            .filter(|(_, cell)| !cell.is_empty())
            .map(|(name, cell)| (name, Value::String(cell)))
            .collect();
        records.push(Record { place, fields });
    }
    Ok(records)
}

/// What stands between cells: a comma, or what spreadsheets of some countries write in its
/// place. The names of columns have none of them, so the header tells.
fn separator(text: &str) -> char {
    let header = text.lines().find(|line| !line.trim().is_empty());
    let header = header.unwrap_or_default();
    let others = [';', '\t'].into_iter().filter(|c| header.contains(*c));
    match header.contains(',') {
        true => ',',
        false => others.min_by_key(|c| header.find(*c)).unwrap_or(','),
    }
}

/// The cells of each line that is not empty, and its number.
fn cells(text: &str, separator: char) -> Result<Vec<(usize, Vec<String>)>, Failure> {
    let (mut lines, mut line, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut number, mut begin, mut quoted) = (1, 1, false);
    let mut rest = text.chars().filter(|c| *c != '\r').peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => cell.extend(rest.next()),
            '"' if quoted || cell.is_empty() => quoted = !quoted,
            c if c == separator && !quoted => line.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                line.push(std::mem::take(&mut cell));
                lines.push((begin, std::mem::take(&mut line)));
                begin = number + 1;
            }
            c => cell.push(c),
        }
        number += usize::from(c == '\n');
    }
    if quoted {
        return Err(Failure::new(format!("line {begin}: a quote is not closed")));
    }
    line.push(cell);
    lines.push((begin, line));
    lines.retain(|(_, line)| line.iter().any(|cell| !cell.trim().is_empty()));
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match read(text) {
            Ok(records) => records
                .into_iter()
                .map(|record| format!("{} {}", record.place, Value::Object(record.fields)))
                .collect::<Vec<_>>()
                .join("; "),
            Err(failure) => failure.to_string(),
        }
    }

    #[test]
    fn three_forms() {
        for (text, expected) in [
            ("", ""),
            (
                "name,note\na,\"x, \"\"y\"\"\nz\"\n\nb,\n",
                "line 2 {\"name\":\"a\",\"note\":\"x, \\\"y\\\"\\nz\"}; line 5 {\"name\":\"b\"}",
            ),
            ("\u{feff}Name\r\na\r\n", "line 2 {\"name\":\"a\"}"),
            (
                "\u{feff}Name;Note;\r\na;\"x; y, z\";\r\n",
                "line 2 {\"name\":\"a\",\"note\":\"x; y, z\"}",
            ),
            (
                "\nname\tnote\na\tx; y, z\n",
                "line 3 {\"name\":\"a\",\"note\":\"x; y, z\"}",
            ),
            (
                "name,note\na,x; y\n",
                "line 2 {\"name\":\"a\",\"note\":\"x; y\"}",
            ),
            (
                "# hosts\n[[host]]\nname = \"a\"\nttl = 60\n[[host]]\nname = \"b\"",
                "host 1 {\"name\":\"a\",\"ttl\":60}; host 2 {\"name\":\"b\"}",
            ),
            (
                "[[host]]\nname = 2026-01-02\ntokens = [{ until = 2026-01-02T03:04:05Z }]",
                "host 1 {\"name\":\"2026-01-02\",\"tokens\":[{\"until\":\"2026-01-02T03:04:05Z\"}]}",
            ),
            ("[]", ""),
            (
                "name,note,,\na,x,,\n",
                "line 2 {\"name\":\"a\",\"note\":\"x\"}",
            ),
            ("[\n{\"name\":\"a\"}]", "host 1 {\"name\":\"a\"}"),
            (
                "{\"name\":\"a\"}\n\n{\"name\":\"b\",\"note\":null}",
                "line 1 {\"name\":\"a\"}; line 3 {\"name\":\"b\",\"note\":null}",
            ),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_wrong_and_where() {
        for (text, expected) in [
            ("home\n", "no column \"name\""),
            ("name\na,b\n", "line 2 has 2 cells, the header 1"),
            ("name;note\na,b\n", "line 2 has 1 cell, the header 2"),
            ("name\n\n\"a\n", "line 3: a quote is not closed"),
            (
                "{\"name\":\"a\"}\n{",
                "line 2: EOF while parsing an object (column 1)\n",
            ),
            (
                "[host]\nname = \"a\"",
                "hint: each host is a table [[host]]",
            ),
            (
                "{\"name\":\"a\"}\n{\"name\":\"b\",\"name\":\"c\"}",
                "line 2: \"name\" stands there twice",
            ),
            (
                "[\n{\"name\":\"a\",\"allow-private\":true,\n\"allow_private\":false}]",
                "line 3: \"allow_private\" stands there twice",
            ),
            (
                "\nname,ttl,Plain-HTTP,TTL\na,60,,120\n",
                "line 2: \"ttl\" stands there twice",
            ),
            (
                "[[host]]\nname = \"a\"\nplain-http = true\nplain_http = false",
                "\"plain_http\" stands there twice",
            ),
            ("[[host]]\nname = \"a\"\nname = \"b\"", "duplicate key"),
            ("{\"name\":\"a\"}\n[]", "line 2: "),
            ("[[host]]\nname = a", "line 2: "),
            ("[[hosts]]\nname = \"a\"", "unknown field `hosts`"),
        ] {
            assert!(shown(text).contains(expected), "{text:?}: {}", shown(text));
        }
    }
}
