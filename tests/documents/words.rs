//! The project speaks of itself only: nothing of the machine it was written on, no half-done
//! merge, no place to download from but its own.

use std::fs;
use std::path::Path;

use crate::page::root;

#[test]
fn nothing_of_elsewhere_is_in_the_source() {
    // In pieces, so that they are not found here.
    let mut strange: Vec<String> = [
        ["crates", ".io"],
        ["npmjs", ".com"],
        ["npmjs", ".org"],
        ["pypi", ".org"],
        ["rubygems", ".org"],
        ["proxy.golang", ".org"],
        ["/home", "/runner"],
        ["\n<<<<", "<<< "],
        ["\n>>>>", ">>> "],
    ]
    .map(|pieces| pieces.concat())
    .into();
    let here = root().display().to_string();
    // A short path, such as /src, is a word like others.
    if here.matches('/').count() > 1 {
        strange.push(here);
    }
    let mut files = 0;
    search(root(), &strange, &mut files);
    assert!(files > 200, "{files}");
}

fn search(directory: &Path, strange: &[String], files: &mut usize) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if ![".git", "target", "dist", "corpus"].contains(&name.as_str()) {
                search(&path, strange, files);
            }
            continue;
        }
        // Cargo's own list has the place it is from; what is no text is no word.
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        if name == "Cargo.lock" {
            continue;
        }
        for word in strange {
            assert!(!text.contains(word), "{}: {word:?}", path.display());
        }
        *files += 1;
    }
}
