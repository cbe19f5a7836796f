//! A page of the documentation, and what stands in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A Markdown file.
pub(crate) struct Page {
    pub(crate) name: String,
    pub(crate) file: PathBuf,
    pub(crate) text: String,
}

/// The source tree.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page: the book, README and their like.
pub(crate) fn pages() -> Vec<Page> {
    let mut directories = vec![root().join("docs/src")];
    let mut files: Vec<PathBuf> = [
        "README.md",
        "SECURITY.md",
        "CONTRIBUTING.md",
        "examples/README.md",
    ]
    .map(|name| root().join(name))
    .into();
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => directories.push(path),
                false => files.push(path),
            }
        }
    }
    files.sort();
    files.iter().map(|file| Page::read(file)).collect()
}

/// All of our own source and the client, in which quoted messages are looked for.
pub(crate) fn source() -> String {
    let mut directories = vec![root().join("src")];
    let client = root().join("scripts/bowline-client");
    let mut text = fs::read_to_string(client).unwrap();
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => directories.push(path),
                false => text += &fs::read_to_string(path).unwrap_or_default(),
            }
        }
    }
    text
}

/// The command lines of bowline in a line for the shell, each split into words.
pub(crate) fn ours(command: &str) -> Vec<Vec<String>> {
    let parts = command.split(['|', ';']).flat_map(|part| part.split("&&"));
    parts
        .filter_map(|part| {
            let mut words = words(part);
            // Whoever runs it, and where, is no part of it.
            let start = words.iter().position(|word| word == "bowline")?;
            let before = &words[..start];
            let leads =
                |word: &String| ["sudo", "exec", "compose", "docker"].contains(&word.as_str());
            if start > 0 && !before.iter().any(leads) || before.iter().any(|word| word == "install")
            {
                return None;
            }
            if before.iter().any(|word| word == "exec") {
                // `docker compose exec SERVICE COMMAND`: the service has the same name.
                words.remove(start);
            }
            Some(words.split_off(start))
        })
        .collect()
}

/// The words of a command; quotes hold some together, and a remark ends it.
pub(crate) fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None, '#') if words.last().unwrap().is_empty() => break,
            (None, ' ') => words.push(String::new()),
            _ => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

impl Page {
    pub(crate) fn read(file: &Path) -> Self {
        let shown = file.strip_prefix(root()).unwrap_or(file);
        Page {
            name: shown.display().to_string(),
            file: file.to_owned(),
            text: fs::read_to_string(file).unwrap(),
        }
    }

    /// The fenced blocks of a language: the heading above, and the text.
    pub(crate) fn blocks(&self, language: &str) -> Vec<(String, String)> {
        let fence = format!("```{language}");
        let (mut heading, mut blocks, mut open) = (String::new(), Vec::new(), None::<String>);
        let mut inside = false;
        for line in self.text.lines() {
            match &mut open {
                Some(text) if line == "```" => blocks.push((heading.clone(), std::mem::take(text))),
                Some(text) => {
                    *text += &format!("{line}\n");
                    continue;
                }
                None if !inside && line == fence => {
                    open = Some(String::new());
                    inside = true;
                    continue;
                }
                None => {}
            }
            if line.starts_with("```") {
                inside = open.is_none() && !inside;
                open = None;
            } else if !inside && line.starts_with('#') {
                heading = line.trim_start_matches('#').trim().to_owned();
            }
        }
        blocks
    }

    /// Every command of the blocks for a terminal.
    pub(crate) fn commands(&self) -> Vec<String> {
        let blocks = self.blocks("console").into_iter();
        blocks
            .flat_map(|(_, text)| steps(&text))
            .map(|(command, _)| command)
            .collect()
    }

    /// Command lines of ours in the sentences: `bowline host list` and the like.
    pub(crate) fn inline(&self) -> Vec<Vec<String>> {
        let prose = self.prose();
        let spans = prose.split('`').skip(1).step_by(2);
        spans
            .filter(|span| span.starts_with("bowline ") && !span.contains(['…', ':']))
            // Names in capitals and groups of verbs are no command lines.
            .filter(|span| !span.contains(" VERB") && !span.contains(" DIR"))
            .map(words)
            .collect()
    }

    /// Everything but fenced blocks.
    fn prose(&self) -> String {
        let parts = self.text.split("\n```").step_by(2);
        parts.collect::<Vec<_>>().join("\n")
    }

    /// The links within the source tree.
    pub(crate) fn links(&self) -> Vec<String> {
        let prose = self.prose();
        let parts = prose.split("](").skip(1);
        parts
            .filter_map(|part| part.split_once(')'))
            .map(|(link, _)| link.to_owned())
            .filter(|link| !link.contains("://") && !link.starts_with("mailto:"))
            .collect()
    }

    /// What `#…` can lead to: headings as Markdown makes anchors of them.
    pub(crate) fn anchors(&self) -> BTreeSet<String> {
        let prose = self.prose();
        let headings = prose.lines().filter(|line| line.starts_with('#'));
        headings
            .map(|line| {
                let text = line.trim_start_matches('#').trim().to_lowercase();
                let kept = text
                    .chars()
                    .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
                kept.collect::<String>().replace(' ', "-")
            })
            .collect()
    }
}

/// The commands of a block, each with what it is said to print.
pub(crate) fn steps(block: &str) -> Vec<(String, String)> {
    let mut steps: Vec<(String, String)> = Vec::new();
    for line in block.lines() {
        let command = line.strip_prefix("# ").or_else(|| line.strip_prefix("$ "));
        match (command, steps.last_mut()) {
            (Some(command), _) => steps.push((command.to_owned(), String::new())),
            // A long one goes on behind a backslash.
            (None, Some((last, _))) if last.ends_with('\\') => {
                last.pop();
                *last += line.trim_start();
            }
            (None, Some((_, output))) => *output += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    steps
}
