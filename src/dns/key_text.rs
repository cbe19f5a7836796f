//! The three forms in which a TSIG key is written: what `keymgr -t` prints (the YAML of
//! a Knot configuration), one line `[algorithm:]name:secret`, and BIND's `key` clause.
//!
//! Only what stands there is taken out here; [`super::key`] checks it.

use super::key::KeyError;

/// A key as a text says it, unchecked. No `Debug`: the secret is in it.
pub(super) struct Written {
    /// The name as written.
    pub(super) name: String,
    /// The algorithm as written, where one is.
    pub(super) algorithm: Option<String>,
    /// The secret in base64.
    pub(super) secret: String,
}

/// All keys of a text, in order.
pub(super) fn keys(text: &str) -> Result<Vec<Written>, KeyError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let has_braces = text.contains('{');
    if !has_braces && (text.contains("Private-key-format:") || text.contains(" IN KEY ")) {
        return Err(KeyError::KFile);
    }
    if text.lines().any(|line| without_comment(line) == "key:") {
        return Ok(of_knot(text));
    }
    // A one-line key has no braces, so a text with one is a configuration.
    if has_braces {
        return of_bind(text);
    }
    let lines = text.lines().map(without_comment);
    let lines = lines.filter(|line| !line.is_empty());
    lines
        .map(|line| of_line(line).ok_or(KeyError::NoKey))
        .collect()
}

/// `[algorithm:]name:secret`.
fn of_line(line: &str) -> Option<Written> {
    let mut parts = line.trim().split(':').map(str::to_owned);
    let (first, second, third) = (parts.next()?, parts.next()?, parts.next());
    if parts.next().is_some() {
        return None;
    }
    Some(match third {
        Some(secret) => Written {
            name: second,
            algorithm: Some(first),
            secret,
        },
        None => Written {
            name: first,
            algorithm: None,
            secret: second,
        },
    })
}

/// The keys in the `key:` section of a Knot configuration.
///
/// The comment above it, which `keymgr` writes too, is not read: Knot does not either.
fn of_knot(text: &str) -> Vec<Written> {
    let mut keys: Vec<Written> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let content = without_comment(line);
        if content.is_empty() {
            continue;
        }
        if !line.starts_with([' ', '\t', '-']) {
            inside = content == "key:";
            continue;
        }
        let item = content.trim_start_matches('-').trim_start();
        let Some((field, value)) = item.split_once(':').filter(|_| inside) else {
            continue;
        };
        let value = value.trim().trim_matches('"').to_owned();
        match (field.trim_end(), keys.last_mut()) {
            ("id", _) => keys.push(Written {
                name: value,
                algorithm: None,
                secret: String::new(),
            }),
            ("algorithm", Some(key)) => key.algorithm = Some(value),
            ("secret", Some(key)) => key.secret = value,
            _ => {}
        }
    }
    keys
}

/// A line without its `#` comment and the space around it.
fn without_comment(line: &str) -> &str {
    line.split_once('#')
        .map_or(line, |(before, _)| before)
        .trim()
}

/// The `key` clauses of a BIND configuration.
fn of_bind(text: &str) -> Result<Vec<Written>, KeyError> {
    let mut words = words(text)?.into_iter().peekable();
    let mut keys = Vec::new();
    while let Some(word) = words.next() {
        if word != Word::Text("key".into()) {
            continue;
        }
        let Some(Word::Text(name)) = words.next() else {
            continue;
        };
        if words.next_if_eq(&Word::Open).is_none() {
            continue;
        }
        let mut key = Written {
            name,
            algorithm: None,
            secret: String::new(),
        };
        while let Some(word) = words.next_if(|word| *word != Word::Close) {
            let Word::Text(field) = word else { continue };
            match (
                field.as_str(),
                words.next_if(|word| matches!(word, Word::Text(_))),
            ) {
                ("algorithm", Some(Word::Text(value))) => key.algorithm = Some(value),
                ("secret", Some(Word::Text(value))) => key.secret = value,
                _ => {}
            }
        }
        keys.push(key);
    }
    Ok(keys)
}

/// A word of BIND's configuration language.
#[derive(PartialEq)]
enum Word {
    /// `{`
    Open,
    /// `}`
    Close,
    /// `;`
    End,
    /// Anything else, its quotes taken off.
    Text(String),
}

/// The words of a BIND configuration, without `#`, `//` and `/* */` comments.
///
/// A comment begins only where a word could: base64 has slashes.
fn words(text: &str) -> Result<Vec<Word>, KeyError> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = if first == '#' || rest.starts_with("//") {
            (None, rest.split_once('\n').map_or("", |(_, after)| after))
        } else if let Some(comment) = rest.strip_prefix("/*") {
            let (_, after) = comment.split_once("*/").ok_or(KeyError::Unfinished)?;
            (None, after)
        } else if let Some(quoted) = rest.strip_prefix('"') {
            let (inside, after) = quoted.split_once('"').ok_or(KeyError::Unfinished)?;
            (Some(Word::Text(inside.to_owned())), after)
        } else if let Some((mark, after)) = mark(rest) {
            (Some(mark), after)
        } else {
            let ends = |c: char| c.is_whitespace() || "{};\"".contains(c);
            let (bare, after) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
            (Some(Word::Text(bare.to_owned())), after)
        };
        words.extend(word);
        rest = after.trim_start();
    }
    Ok(words)
}

/// A brace or semicolon at the beginning, and what follows it.
fn mark(text: &str) -> Option<(Word, &str)> {
    let marks = [("{", Word::Open), ("}", Word::Close), (";", Word::End)];
    marks
        .into_iter()
        .find_map(|(mark, word)| Some((word, text.strip_prefix(mark)?)))
}
