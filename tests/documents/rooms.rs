//! The order of the rooms in the library's documentation is that of the code: what a room
//! uses stands below it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::page::root;

/// The rooms as the documentation has them, from top to bottom.
fn rooms(library: &str) -> Vec<String> {
    let list = library.split("//! # The rooms\n").nth(1).unwrap();
    let items = list
        .lines()
        .filter_map(|line| line.strip_prefix("//! 1. [`"));
    let name = |item: &str| item.split('`').next().unwrap().to_owned();
    items.map(name).collect()
}

#[test]
fn a_room_uses_only_rooms_below_it() {
    let library = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let rooms = rooms(&library);
    let there: BTreeSet<_> = library
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod "))
        .map(|name| name.trim_end_matches(';'))
        .collect();
    let listed: BTreeSet<_> = rooms.iter().map(String::as_str).collect();
    assert_eq!(listed, there, "every room has its place");
    assert_eq!(listed.len(), rooms.len(), "and only one");
    let mut uses = 0;
    for (place, room) in rooms.iter().enumerate() {
        let directory = root().join("src").join(room);
        let mut files = vec![directory.with_extension("rs")];
        files.extend(below(&directory));
        files.retain(|file| file.exists() && !file.ends_with("tests.rs"));
        assert!(!files.is_empty(), "{room}");
        for file in files {
            let shown = file.display();
            for used in used(&file) {
                let Some(other) = rooms.iter().position(|name| *name == used) else {
                    panic!("{shown}: what room is {used:?}?");
                };
                assert!(other >= place, "{shown}: {used} stands above {room}");
                uses += usize::from(other > place);
            }
        }
    }
    assert!(uses > 500, "{uses}");
}

/// Every file below a directory.
fn below(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(below(&path)),
            false => files.push(path),
        }
    }
    files.retain(|file| file.extension().is_some_and(|kind| kind == "rs"));
    files
}

/// The rooms that a file speaks of outside of its tests, its own among them.
fn used(file: &Path) -> Vec<String> {
    let code = code(&fs::read_to_string(file).unwrap());
    let inside = file.strip_prefix(root().join("src")).unwrap();
    let depth = inside.components().count() - usize::from(file.ends_with("mod.rs"));
    // From the file's own module so many steps lead up to where the rooms are.
    let up = "super::".repeat(depth);
    let mut used = Vec::new();
    for way in ["crate::", &up] {
        for (at, _) in code.match_indices(way) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let name = code[at + way.len()..].split(|c: char| !c.is_alphanumeric() && c != '_');
            used.extend(name.take(1).map(str::to_owned));
        }
    }
    used
}

/// A text without its comments and the modules of its tests.
fn code(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line == "#[cfg(test)]" {
            // An item ends with a semicolon, or with a brace of its own line.
            let ends =
                |line: &str| line == "}" || (line.starts_with("mod ") && line.ends_with(';'));
            lines.by_ref().find(|line| ends(line));
        } else if let Some(line) = line.split("//").next() {
            code.push_str(line);
            code.push('\n');
        }
    }
    code
}
