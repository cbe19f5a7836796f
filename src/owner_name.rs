//! The name of an owner: somebody with several hosts and one token for all of them.

use std::fmt;
use std::str::FromStr;

/// The longest name, in characters.
const LONGEST: usize = 64;

/// An owner's name: 1 to 64 letters, digits and `-._@` of ASCII, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OwnerName(String);

impl OwnerName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OwnerName {
    type Err = OwnerNameError;

    fn from_str(text: &str) -> Result<Self, OwnerNameError> {
        let is_usual = |b: &u8| b.is_ascii_alphanumeric() || b"-._@".contains(b);
        let begins = text
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphanumeric());
        match begins && text.len() <= LONGEST && text.as_bytes().iter().all(is_usual) {
            true => Ok(OwnerName(text.to_ascii_lowercase())),
            false => Err(OwnerNameError),
        }
    }
}

impl fmt::Display for OwnerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that can be no owner's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnerNameError;

impl fmt::Display for OwnerNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an owner's name has 1 to 64 letters, digits and -._@, and begins with a letter or digit")
    }
}

impl std::error::Error for OwnerNameError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (text, expected) in [
            ("anna", Ok("anna")),
            ("Anna.B@example.org", Ok("anna.b@example.org")),
            ("7", Ok("7")),
            ("", Err(OwnerNameError)),
            ("-", Err(OwnerNameError)),
            ("-anna", Err(OwnerNameError)),
            ("a b", Err(OwnerNameError)),
            ("a\n", Err(OwnerNameError)),
            ("b\u{fc}ro", Err(OwnerNameError)),
        ] {
            let read: Result<OwnerName, _> = text.parse();
            assert_eq!(
                read.as_ref().map(OwnerName::as_str),
                expected.as_ref().map(|e| *e),
                "{text:?}"
            );
        }
        assert!("a".repeat(65).parse::<OwnerName>().is_err());
    }
}
