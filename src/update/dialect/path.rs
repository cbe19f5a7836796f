//! The path of a row: words, and places for token, name and address.

use super::Text;

/// A path such as `/update/<name>/<token>`.
///
/// `<token>`, `<name>` and `<address>` each stand for one segment; every other segment
/// stands for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern(pub Text);

/// What the path of a request says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Captured<'a> {
    /// The segment in the token's place.
    pub token: Option<&'a [u8]>,
    /// The segment in the name's place; it may be a list.
    pub name: Option<&'a [u8]>,
    /// The segment in the address's place.
    pub address: Option<&'a [u8]>,
}

impl PathPattern {
    /// What a path of these segments says; `None` when it is another path.
    pub fn matches<'a>(&self, segments: &'a [Vec<u8>]) -> Option<Captured<'a>> {
        let mut captured = Captured::default();
        let mut rest = segments.iter().map(Vec::as_slice);
        for expected in self.0.split('/').filter(|word| !word.is_empty()) {
            let segment = rest.next()?;
            match expected {
                "<token>" => captured.token = Some(segment),
                "<name>" => captured.name = Some(segment),
                "<address>" => captured.address = Some(segment),
                word if word.as_bytes() == segment => {}
                _ => return None,
            }
        }
        rest.next().is_none().then_some(captured)
    }

    /// Which segments can be anything, a bit each, the first one the highest: of two paths
    /// that match a request, the smaller number is the more specific.
    pub(super) fn openness(&self) -> u64 {
        let segments = self.0.split('/').filter(|word| !word.is_empty());
        segments.fold(0, |open, word| open << 1 | u64::from(word.starts_with('<')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_paths_only() {
        let pattern = PathPattern("/update/<name>/<token>".into());
        for (path, expected) in [
            ("update/home/secret", Some(("home", "secret"))),
            ("update/update/update", Some(("update", "update"))),
            ("update/home", None),
            ("update/home/secret/more", None),
            ("Update/home/secret", None),
            ("", None),
        ] {
            let segments: Vec<Vec<u8>> = path.split('/').map(|part| part.into()).collect();
            let captured = pattern.matches(&segments);
            let expected = expected.map(|(name, token)| Captured {
                name: Some(name.as_bytes()),
                token: Some(token.as_bytes()),
                address: None,
            });
            assert_eq!(captured, expected, "{path}");
        }
    }
}
