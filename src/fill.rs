//! Shipped files as templates: their example values are what is replaced.
//!
//! A part that is not always wanted stands between `# begin NAME` and
//! `# end NAME`, so that the file is valid with all of them.

use std::fmt;

/// A shipped file and what is to stand in it.
#[derive(Debug)]
pub struct Fill<'a> {
    template: &'a str,
    values: Vec<(&'a str, String)>,
    parts: Vec<(&'a str, bool)>,
}

impl<'a> Fill<'a> {
    /// Begins with the file as it is shipped.
    pub fn new(template: &'a str) -> Self {
        Fill {
            template,
            values: Vec::new(),
            parts: Vec::new(),
        }
    }

    /// Puts `value` wherever the file has `example`; the longest example wins.
    pub fn value(mut self, example: &'a str, value: impl fmt::Display) -> Self {
        self.values.push((example, value.to_string()));
        self
    }

    /// Keeps or drops the part of that name.
    pub fn part(mut self, name: &'a str, keep: bool) -> Self {
        self.parts.push((name, keep));
        self
    }

    /// The filled file.
    ///
    /// # Errors
    /// When a value or a part has no place in the file, or a part of the file is not decided.
    pub fn text(mut self) -> Result<String, FillError> {
        let lines = self.wanted_lines()?;
        let longest_first = |(example, _): &(&str, String)| std::cmp::Reverse(example.len());
        self.values.sort_by_key(longest_first);
        let mut used = vec![false; self.values.len()];
        let mut filled = String::with_capacity(lines.len());
        let mut rest = lines.as_str();
        while let Some(first) = rest.chars().next() {
            let hit =
                self.values
                    .iter()
                    .zip(used.iter_mut())
                    .find_map(|((example, value), used)| {
                        rest.strip_prefix(example).map(|after| (value, after, used))
                    });
            match hit {
                Some((value, after, used)) => {
                    *used = true;
                    filled.push_str(value);
                    rest = after;
                }
                None => {
                    filled.push(first);
                    rest = rest.get(first.len_utf8()..).unwrap_or_default();
                }
            }
        }
        // A value may stand only in a part that was dropped.
        let missing = self
            .values
            .iter()
            .zip(used)
            .find(|((example, _), used)| !used && !self.template.contains(example));
        match missing {
            Some(((example, _), _)) => Err(FillError::Value((*example).to_owned())),
            None => Ok(filled),
        }
    }

    /// The lines of the file without the marks, and without the parts that were dropped.
    fn wanted_lines(&self) -> Result<String, FillError> {
        let mut wanted = String::with_capacity(self.template.len());
        let mut dropping = None;
        let mut seen = Vec::new();
        for line in self.template.lines() {
            let mark = line.trim_start();
            if let Some(name) = mark.strip_prefix("# begin ") {
                let (_, keep) = self
                    .parts
                    .iter()
                    .find(|(part, _)| *part == name)
                    .ok_or_else(|| FillError::Undecided(name.to_owned()))?;
                seen.push(name);
                if !keep && dropping.is_none() {
                    dropping = Some(name);
                }
            } else if let Some(name) = mark.strip_prefix("# end ") {
                if dropping == Some(name) {
                    dropping = None;
                }
            } else if dropping.is_none() {
                wanted.push_str(line);
                wanted.push('\n');
            }
        }
        match self.parts.iter().find(|(part, _)| !seen.contains(part)) {
            Some((part, _)) => Err(FillError::Part((*part).to_owned())),
            None => Ok(wanted),
        }
    }
}

/// A shipped file and the code that fills it do not belong together.
#[derive(Debug, PartialEq, Eq)]
pub enum FillError {
    /// The file has no such example value.
    Value(String),
    /// The file has no such part.
    Part(String),
    /// Nobody said whether this part is wanted.
    Undecided(String),
}

impl fmt::Display for FillError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FillError::Value(example) => write!(f, "a shipped file lacks {example:?}"),
            FillError::Part(part) => write!(f, "a shipped file lacks the part {part:?}"),
            FillError::Undecided(part) => write!(f, "the part {part:?} is not decided"),
        }
    }
}

impl std::error::Error for FillError {}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "a b\n# begin x\nab\n# end x\nc\n";

    #[test]
    fn values_and_parts_take_their_places() {
        let filled = |x| {
            Fill::new(FILE)
                .value("a", "b")
                .value("b", 2)
                .value("ab", "long")
                .part("x", x)
                .text()
        };
        assert_eq!(filled(true).unwrap(), "b 2\nlong\nc\n");
        assert_eq!(filled(false).unwrap(), "b 2\nc\n");
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let fill = || Fill::new(FILE).part("x", true);
        assert_eq!(
            fill().value("z", "").text(),
            Err(FillError::Value("z".to_owned()))
        );
        assert_eq!(
            fill().part("y", true).text(),
            Err(FillError::Part("y".to_owned()))
        );
        assert_eq!(
            Fill::new(FILE).text(),
            Err(FillError::Undecided("x".to_owned()))
        );
    }
}
