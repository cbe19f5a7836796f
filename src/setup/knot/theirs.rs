//! What the operator's own Knot configuration has already: an identifier that is there
//! twice makes all of it invalid, at the next reload or boot.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::error::SetupError;
use super::super::files::{File, read};
use super::super::place::Place;

/// The options that Debian's unit starts Knot with.
const DEFAULTS: &str = "/etc/default/knot";
/// Files that include each other are followed this deep, as Knot does.
const DEPTH: usize = 5;

/// A file of ours that has to be among those that are read: any zone's.
const OF_A_ZONE: &str = "50-dyn.example.org.conf";

/// One item of a section that may be there only once.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Item {
    /// `zone`, `acl`, `template`.
    section: String,
    /// Its identifier or domain, lower case, without the final dot.
    id: String,
}

/// Refuses a Knot that reads no `knot.conf`, and what that and its includes have already, other
/// than through our files.
///
/// # Errors
/// A configuration database, the first item of `files` that is there, or a `knot.conf` that cannot be read.
pub(super) fn check<'a>(
    place: &Place,
    files: impl Iterator<Item = &'a File>,
) -> Result<(), SetupError> {
    if let Some(database) = confdb(place) {
        return Err(SetupError::KnotConfdb(database, place.knot_conf()));
    }
    let ours = place.knot_include();
    let wanted: Vec<Item> = files
        .filter(|file| file.path.parent() == Some(&ours))
        .filter_map(|file| file.content.text())
        .flat_map(items)
        .collect();
    let mut found = Vec::new();
    collect(&place.knot_conf(), &ours, DEPTH, &mut found)?;
    match found.into_iter().find(|(item, _)| wanted.contains(item)) {
        Some((item, file)) => Err(SetupError::KnotHas(item.section, item.id, file)),
        None => Ok(()),
    }
}

/// The configuration database that Knot prefers to its file where there is one, unless it is
/// started with that file (knotd(8), `-c`).
fn confdb(place: &Place) -> Option<PathBuf> {
    let options = fs::read_to_string(DEFAULTS).unwrap_or_default();
    let mut options = options
        .lines()
        .filter_map(|line| line.trim().strip_prefix("KNOTD_ARGS="))
        .flat_map(|value| value.split(|c: char| c.is_whitespace() || "'\"=".contains(c)));
    let by_file = place.private || options.any(|option| ["-c", "--config"].contains(&option));
    let database = place.knot_storage.join("confdb");
    (!by_file && database.join("data.mdb").exists()).then_some(database)
}

/// Whether `knot.conf` or what it includes has our files read, in whatever words.
///
/// # Errors
/// A file that cannot be read.
pub(super) fn reads_ours(place: &Place) -> Result<bool, SetupError> {
    Ok(place.private || includes_ours(&place.knot_conf(), &place.knot_include(), DEPTH)?)
}

/// The same of one file. Those of ours need not be there yet.
fn includes_ours(file: &Path, ours: &Path, depth: usize) -> Result<bool, SetupError> {
    for include in includes(file, &read(file)?.unwrap_or_default()) {
        let of_zones = include.file_name().unwrap_or_default().to_string_lossy();
        if include == ours || include.parent() == Some(ours) && fits(&of_zones, OF_A_ZONE) {
            return Ok(true);
        }
        for file in matches(&include).iter().filter(|_| depth > 0) {
            if includes_ours(file, ours, depth - 1)? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The items of a file and of those it includes, `ours` left out.
fn collect(
    file: &Path,
    ours: &Path,
    depth: usize,
    found: &mut Vec<(Item, PathBuf)>,
) -> Result<(), SetupError> {
    let text = read(file)?.unwrap_or_default();
    found.extend(items(&text).map(|item| (item, file.to_owned())));
    for include in includes(file, &text).filter(|_| depth > 0) {
        for included in matches(&include) {
            if included.parent() != Some(ours) {
                collect(&included, ours, depth - 1, found)?;
            }
        }
    }
    Ok(())
}

/// What the text of `file` includes, each as it is said, from the directory of that file.
fn includes(file: &Path, text: &str) -> impl Iterator<Item = PathBuf> {
    let directory = file.parent().unwrap_or(Path::new("/"));
    let lines = text.lines().filter_map(|line| value(line, "include"));
    lines.map(|include| directory.join(include))
}

/// The files that an include means: a file, all of a directory, or a pattern in the last part.
fn matches(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let (directory, pattern) = match path.is_dir() {
        true => (path, "*".to_owned()),
        false => (
            path.parent().unwrap_or(Path::new("/")),
            path.file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
        ),
    };
    let mut files: Vec<PathBuf> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| fits(&pattern, &entry.file_name().to_string_lossy()))
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files
}

/// Whether a pattern with `*` and `?` means a name (glob(7), without brackets).
fn fits(pattern: &str, name: &str) -> bool {
    let mut rest = name.chars();
    match pattern.chars().next() {
        None => name.is_empty(),
        Some('*') => {
            let after = pattern.get(1..).unwrap_or_default();
            let tails = name.char_indices().map(|(at, _)| name.get(at..));
            tails.flatten().chain([""]).any(|tail| fits(after, tail))
        }
        Some(c) => {
            let same = rest.next().is_some_and(|is| c == '?' || is == c);
            let after = pattern.get(c.len_utf8()..).unwrap_or_default();
            same && fits(after, rest.as_str())
        }
    }
}

/// The items of a text: `- id:` and `- domain:` below the name of a section.
fn items(text: &str) -> impl Iterator<Item = Item> + '_ {
    let mut section = String::new();
    text.lines().filter_map(move |line| {
        if line.starts_with(|c: char| c.is_ascii_alphabetic())
            && let Some((name, _)) = line.split_once(':')
        {
            section = name.trim().to_owned();
        }
        let item = line.trim_start().strip_prefix('-')?.trim_start();
        let id = value(item, "id").or_else(|| value(item, "domain"))?;
        Some(Item {
            section: section.clone(),
            id: id.strip_suffix('.').unwrap_or(id).to_ascii_lowercase(),
        })
    })
}

/// The value of `key: value`, without quotes and comment.
fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(key)?.trim_start().strip_prefix(':')?;
    let rest = rest.trim();
    match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => rest.split(['#', ' ', '\t']).next(),
    }
    .filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_of_a_text() {
        let text = "# zone:\nacl:\n  - id: a # x\n    key: b\nzone:\n#  - domain: no.example\n- domain: \"Dyn.Example.org.\"\n";
        let found: Vec<(String, String)> =
            items(text).map(|item| (item.section, item.id)).collect();
        let expected = [("acl", "a"), ("zone", "dyn.example.org")];
        assert_eq!(found, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.conf~", false),
            ("a?c*", "abcd", true),
            ("*", "", true),
            ("a", "ab", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
