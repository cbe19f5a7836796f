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

/// Whether `text` is this key and nothing else, in one of the three forms.
pub(super) fn is_alone(text: &str, key: &Written) -> bool {
    let Written { name, secret, .. } = key;
    let (knot, bind) = (format!("key: - id: {name}"), format!("key {name} {{"));
    let forms = match &key.algorithm {
        Some(algorithm) => vec![
            format!("{algorithm}:{name}:{secret}"),
            format!("{knot} algorithm: {algorithm} secret: {secret}"),
            format!("{knot} secret: {secret} algorithm: {algorithm}"),
            format!("{bind} algorithm {algorithm} ; secret {secret} ; }} ;"),
            format!("{bind} secret {secret} ; algorithm {algorithm} ; }} ;"),
        ],
        None => vec![
            format!("{name}:{secret}"),
            format!("{knot} secret: {secret}"),
            format!("{bind} secret {secret} ; }} ;"),
        ],
    };
    bare(text).is_some_and(|words| forms.contains(&words))
}

/// The words of a key's file, without quotes and remarks; nothing where a remark may be more
/// than one to another program, as `#include` and `#!` are.
fn bare(text: &str) -> Option<String> {
    let mut words = Vec::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for line in text.lines() {
        // Base64 has slashes: those of BIND's remarks are looked for before a line only.
        let slashes = line.trim_start().strip_prefix("//");
        let (content, remark) = slashes.map_or_else(
            || line.split_once('#').unwrap_or((line, "")),
            |remark| ("", remark),
        );
        let is_remark = remark.is_empty() || remark.starts_with([' ', '\t', '#']);
        if !is_remark || line.contains(|c: char| c.is_control() && c != '\t') {
            return None;
        }
        let mut content = content.replace('"', "");
        for mark in ["{", "}", ";"] {
            content = content.replace(mark, &format!(" {mark} "));
        }
        words.extend(content.split_whitespace().map(str::to_owned));
    }
    Some(words.join(" "))
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

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "MDEy//Q1Njc4OWFiY2RlZg==";

    fn is_key_alone(form: &str) -> bool {
        let text = form.replace('@', SECRET);
        let [key] = &keys(&text).unwrap()[..] else {
            panic!("{form}");
        };
        is_alone(&text, key)
    }

    #[test]
    fn a_file_with_a_key_and_nothing_else() {
        for form in [
            "hmac-sha256:bowline:@\n",
            "bowline:@",
            "\u{feff}bowline:@\r\n",
            "# made in spring\n\n#\n  bowline:@  # ours\n",
            // As `keymgr -t` and `tsig-keygen` print them.
            "# hmac-sha256:bowline:@\nkey:\n  - id: bowline\n    algorithm: hmac-sha256\n    secret: @\n",
            "key \"bowline\" {\n\talgorithm hmac-sha256;\n\tsecret \"@\";\n};\n",
            "key:\n- id: \"bowline.\"\n  secret: \"@\"\n  algorithm: HMAC-SHA256\n",
            "key:\n- id: bowline\n  secret: @",
            "key bowline{secret \"@\";algorithm hmac-sha256;};",
            "key bowline { secret @; };",
            "# ours\nkey \"bowline\" {\n\tsecret \"@\";\n};\n\n#\tits policy {\n",
            "  // ours\nkey bowline { secret @; };\n//\n",
        ] {
            assert!(is_key_alone(form), "{form}");
        }
    }

    #[test]
    fn a_file_with_more_than_a_key() {
        for form in [
            "#include /tmp/evil\nbowline:@",
            "#!/bin/sh\nbowline:@",
            "# a\u{1b}[2J\nbowline:@",
            "* * * * * root sh\nkey:\n- id: bowline\n  secret: @",
            "key:\n- id: bowline\n  secret: @\nacl:\n  - id: other\n",
            "key:\n- id: bowline\n  secret: evil\n  secret: @\n",
            "key:\n- id: bowline\n  more: evil\n  secret: @\n",
            "key:\n  evil\n- id: bowline\n  secret: @\n",
            "evil\nkey bowline { secret \"@\"; };",
            "key bowline { evil; secret \"@\"; };",
            "key bowline { secret \"@\"; }; evil",
            "/*\nevil\n*/ key bowline { secret \"@\"; };",
            "//evil\nkey bowline { secret \"@\"; };",
        ] {
            assert!(!is_key_alone(form), "{form}");
        }
    }
}
