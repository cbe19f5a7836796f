//! Name-value pairs (FastCGI 1.0, section 3.4).

/// The pairs of a whole stream, one after the other; nothing is copied or reserved.
#[derive(Debug, Clone)]
pub struct Pairs<'a>(&'a [u8]);

/// A pair that claims more octets than there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut;

impl<'a> Pairs<'a> {
    /// Those in `octets`.
    pub fn new(octets: &'a [u8]) -> Self {
        Pairs(octets)
    }

    /// One name, its value, and what is left.
    fn pair(octets: &'a [u8]) -> Option<(&'a [u8], &'a [u8], &'a [u8])> {
        let (name, rest) = length(octets)?;
        let (value, rest) = length(rest)?;
        let (name, rest) = rest.split_at_checked(name)?;
        let (value, rest) = rest.split_at_checked(value)?;
        Some((name, value, rest))
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Result<(&'a [u8], &'a [u8]), Cut>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        match Pairs::pair(self.0) {
            Some((name, value, rest)) => {
                self.0 = rest;
                Some(Ok((name, value)))
            }
            None => {
                self.0 = &[];
                Some(Err(Cut))
            }
        }
    }
}

/// Appends a pair.
pub fn write(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    for length in [name.len(), value.len()] {
        match u8::try_from(length) {
            Ok(short @ ..0x80) => out.push(short),
            _ => {
                let long = u32::try_from(length).unwrap_or(u32::MAX) | 1 << 31;
                out.extend_from_slice(&long.to_be_bytes());
            }
        }
    }
    out.extend_from_slice(name);
    out.extend_from_slice(value);
}

/// A length of one octet below 128, or of four with the highest bit set.
fn length(octets: &[u8]) -> Option<(usize, &[u8])> {
    match octets {
        [short @ ..0x80, rest @ ..] => Some((usize::from(*short), rest)),
        [a, b, c, d, rest @ ..] => {
            let length = u32::from_be_bytes([a & 0x7f, *b, *c, *d]);
            Some((usize::try_from(length).ok()?, rest))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Found<'a> = Vec<(&'a [u8], &'a [u8])>;

    fn all(octets: &[u8]) -> Result<Found<'_>, Cut> {
        Pairs::new(octets).collect()
    }

    #[test]
    fn pairs_of_every_kind() {
        let many = vec![0; 64 * 1024];
        let pair = (&b"ab"[..], &b"c"[..]);
        for (what, octets, expected) in [
            ("none", &b""[..], Ok(vec![])),
            ("short", b"\x02\x01abc", Ok(vec![pair])),
            ("long", b"\x80\0\0\x02\x01abc", Ok(vec![pair])),
            ("both/long", b"\x80\0\0\x02\x80\0\0\x01abc", Ok(vec![pair])),
            ("cut/length", b"\x02", Err(Cut)),
            ("cut/long-length", b"\x80\0\0", Err(Cut)),
            ("cut/name", b"\x02\x01a", Err(Cut)),
            ("cut/value", b"\x02\x01ab", Err(Cut)),
            (
                "cut/2-gib",
                b"\xff\xff\xff\xff\xff\xff\xff\xffabc",
                Err(Cut),
            ),
            ("cut/second", b"\x02\x01abc\x01", Err(Cut)),
        ] {
            assert_eq!(all(octets), expected, "{what}");
        }
        assert_eq!(all(&many).map(|pairs| pairs.len()), Ok(32 * 1024));
    }

    proptest! {
        #[test]
        fn written_pairs_read_back(
            pairs in prop::collection::vec(
                (prop::collection::vec(any::<u8>(), 0..200), prop::collection::vec(any::<u8>(), 0..200)),
                0..20,
            )
        ) {
            let mut octets = Vec::new();
            for (name, value) in &pairs {
                write(&mut octets, name, value);
            }
            let read: Vec<_> = all(&octets).unwrap().into_iter()
                .map(|(name, value)| (name.to_vec(), value.to_vec()))
                .collect();
            prop_assert_eq!(read, pairs);
        }

        #[test]
        fn any_octets_are_read_to_their_end(octets in prop::collection::vec(any::<u8>(), 0..2000)) {
            let read = Pairs::new(&octets).flatten().map(|(name, value)| name.len() + value.len());
            prop_assert!(read.sum::<usize>() <= octets.len());
        }
    }
}
