//! What others wrote, as it may stand on a terminal: on one line, and moving no cursor.
//!
//! Whoever may write the registry may put anything into a note, an address of mail, a reason.

use std::fmt::{self, Display, Write};

/// A text with a space in the place of everything that is no character to be seen: line breaks,
/// what begins the commands of a terminal, and what turns the direction of writing.
#[derive(Debug, Clone, Copy)]
pub struct OneLine<T>(pub T);

impl<T: Display> Display for OneLine<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Clean(f), "{}", self.0)
    }
}

/// Passes on what is clean.
struct Clean<'a, 'f>(&'a mut fmt::Formatter<'f>);

impl Write for Clean<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut pieces = text.split(is_unseen);
        self.0.write_str(pieces.next().unwrap_or_default())?;
        pieces.try_for_each(|piece| write!(self.0, " {piece}"))
    }
}

/// Controls (C0 and C1), separators of lines and paragraphs, and those that turn the direction
/// (UAX 9, 2).
fn is_unseen(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_moves_a_cursor() {
        for (text, expected) in [
            ("", ""),
            ("the boat", "the boat"),
            ("\u{1b}[2Jgone", " [2Jgone"),
            ("a\r\nb\u{9b}31m\0", "a  b 31m "),
            ("a\u{202e}b\u{2069}\u{2028}", "a b  "),
            ("Café 日本 \u{1f6a4}", "Café 日本 \u{1f6a4}"),
        ] {
            assert_eq!(OneLine(text).to_string(), expected, "{text:?}");
        }
        assert_eq!(
            OneLine(format_args!("{}-{}", "a\n", 'b')).to_string(),
            "a -b"
        );
    }
}
