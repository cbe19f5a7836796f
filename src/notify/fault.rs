//! Why a message was not delivered.

use std::fmt;

use super::PATIENCE;
use crate::one_line::OneLine;

/// So much of what a receiver says is repeated.
const LONGEST: usize = 300;

/// Why a message was not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The receiver cannot be reached, or does not answer: nor would it for another message.
    Silent(String),
    /// The receiver takes no messages at present, this one or another.
    Refused(String),
    /// It does not take this message, perhaps as it is too long.
    TooMuch(String),
    /// It does not take this message at present.
    NotNow(String),
    /// It will never take this message.
    Never(String),
}

impl Fault {
    /// The receiver is silent.
    pub fn silent(why: impl fmt::Display) -> Self {
        Fault::Silent(one_line(&why.to_string()))
    }

    /// The receiver was waited for in vain.
    pub(super) fn late() -> Self {
        let seconds = PATIENCE.as_secs();
        Fault::silent(format_args!("it does not answer within {seconds} s"))
    }

    /// The receiver refuses.
    pub fn refused(why: impl fmt::Display) -> Self {
        Fault::Refused(one_line(&why.to_string()))
    }

    /// It does not take this one, perhaps a part of it.
    pub fn too_much(why: impl fmt::Display) -> Self {
        Fault::TooMuch(one_line(&why.to_string()))
    }

    /// It does not take this one at present.
    pub fn not_now(why: impl fmt::Display) -> Self {
        Fault::NotNow(one_line(&why.to_string()))
    }

    /// It will never take this one.
    pub fn never(why: impl fmt::Display) -> Self {
        Fault::Never(one_line(&why.to_string()))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Silent(why)
            | Fault::Refused(why)
            | Fault::TooMuch(why)
            | Fault::NotNow(why)
            | Fault::Never(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Fault {}

/// A text from outside, as one line of bearable length.
pub(super) fn one_line(text: &str) -> String {
    let clean = OneLine(text).to_string();
    let words: Vec<&str> = clean.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_and_not_endless() {
        assert_eq!(one_line(" no\r\nsuch\tuser \u{7}"), "no such user");
        assert_eq!(one_line(&"ä".repeat(1000)).chars().count(), LONGEST + 1);
    }
}
