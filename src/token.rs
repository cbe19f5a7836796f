//! Tokens, and the keyed digests under which the registry knows them.
//!
//! A token is a random secret of some 142 bits, so its digest needs no slow hash;
//! it is keyed (HMAC-SHA-256, RFC 2104) so that a registry without its
//! `lookup.key` helps nobody to test guesses.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::hint::Hint;

/// How many characters a token made here has.
pub const MADE: usize = 24;
/// A shorter path segment is never looked up.
pub const SHORTEST: usize = 16;
const LONGEST: usize = 64;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The secret of a host. `Debug` does not show it; nothing but a verb that made it prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A new one from the system's random source: 24 letters and digits, which every
    /// router passes on unharmed.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn random() -> Result<Self, TokenError> {
        let mut text = String::with_capacity(MADE);
        while text.len() < MADE {
            let mut bytes = [0; 32];
            getrandom::fill(&mut bytes).map_err(|_| TokenError::Random)?;
            // 248 is the largest multiple of 62 in a byte: above it the rest would favour some.
            let even = bytes.iter().filter(|byte| **byte < 248);
            let letters = even.filter_map(|byte| ALPHABET.get(usize::from(byte % 62)));
            text.extend(
                letters
                    .take(MADE - text.len())
                    .map(|letter| char::from(*letter)),
            );
        }
        Ok(Token(text))
    }

    /// The secret itself, for the one place that shows it.
    pub fn secret(&self) -> &str {
        &self.0
    }

    /// Whether `text` could be a token at all: anything else is no attempt at one.
    pub fn is_shaped(text: &[u8]) -> bool {
        (SHORTEST..=LONGEST).contains(&text.len())
            && text
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(b))
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        if Token::is_shaped(text.as_bytes()) {
            Ok(Token(text.to_owned()))
        } else {
            Err(TokenError::Shape)
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The server key under which tokens are looked up: 32 random bytes, in hex in its file.
#[derive(Clone)]
pub struct LookupKey(Arc<Keyed>);

struct Keyed {
    octets: [u8; 32],
    /// HMAC as it is once it has taken the key: every digest begins with it.
    mac: Hmac<Sha256>,
}

impl LookupKey {
    /// Reads the key's file.
    ///
    /// # Errors
    /// When it cannot be read, or is not 64 hexadecimal digits.
    pub fn load(file: &Path) -> Result<Self, TokenError> {
        let text = std::fs::read_to_string(file).map_err(|error| TokenError::KeyFile {
            file: file.display().to_string(),
            why: error.to_string(),
        })?;
        LookupKey::read(&text).map_err(|_| TokenError::KeyFile {
            file: file.display().to_string(),
            why: "it is not 64 hexadecimal digits".to_owned(),
        })
    }

    /// The key as its file has it.
    ///
    /// # Errors
    /// When it is not 64 hexadecimal digits.
    pub fn read(text: &str) -> Result<Self, TokenError> {
        text.trim().parse()
    }

    /// A new key from the system's random source.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn random() -> Result<Self, TokenError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|_| TokenError::Random)?;
        Ok(LookupKey::of(bytes))
    }

    fn of(octets: [u8; 32]) -> Self {
        // `KeyInit::new` takes a block-sized key; ours is shorter, which HMAC pads with zeros.
        let mut block = [0; 64];
        let (key, _) = block.split_at_mut(octets.len());
        key.copy_from_slice(&octets);
        let mac = Hmac::<Sha256>::new(&block.into());
        LookupKey(Arc::new(Keyed { octets, mac }))
    }

    /// The key as its file has it: 64 hexadecimal digits.
    pub fn to_hex(&self) -> String {
        hex(&self.0.octets)
    }

    /// The digest under which the registry has `token`.
    pub fn digest(&self, token: &Token) -> Digest {
        self.mac(b"token", token.secret().as_bytes())
    }

    /// A value that a registry made with this key carries, so that another one is recognised.
    pub fn check(&self) -> Digest {
        self.mac(b"registry", b"")
    }

    /// The domain keeps the two uses of the key apart.
    fn mac(&self, domain: &[u8], message: &[u8]) -> Digest {
        let mut mac = self.0.mac.clone();
        mac.update(domain);
        mac.update(&[0]);
        mac.update(message);
        Digest(mac.finalize().into_bytes().into())
    }
}

impl FromStr for LookupKey {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        from_hex(text).map(LookupKey::of)
    }
}

impl fmt::Debug for LookupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LookupKey(…)")
    }
}

/// What the registry keeps of a token.
#[derive(Clone, Copy)]
pub struct Digest([u8; 32]);

impl Digest {
    /// A digest as the registry has it.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Digest(bytes)
    }

    /// The octets, for the registry.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A digest as `export` wrote it: 64 hexadecimal digits.
    ///
    /// # Errors
    /// On anything else.
    pub fn from_hex(text: &str) -> Result<Self, TokenError> {
        from_hex(text).map(Digest)
    }

    /// 64 hexadecimal digits, for `export`.
    pub fn to_hex(&self) -> String {
        hex(&self.0)
    }

    /// Whether `stored` is this digest, in a time that does not tell where they differ.
    pub fn matches(&self, stored: &[u8]) -> bool {
        self.0.ct_eq(stored).into()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

/// Why there is no token or no key.
#[derive(Debug, PartialEq, Eq)]
pub enum TokenError {
    /// A text that cannot be a token.
    Shape,
    /// The system's random source failed.
    Random,
    /// A text that is no lookup key.
    KeyShape,
    /// The lookup key's file could not be used.
    KeyFile {
        /// The file.
        file: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Hint for TokenError {
    fn hint(&self) -> Option<String> {
        let what = "put the lookup.key back that belongs to the registry, as from a backup; \
                    check [state] lookup_key in bowline.toml";
        self.file().map(|_| what.to_owned())
    }

    fn file(&self) -> Option<&Path> {
        match self {
            TokenError::KeyFile { file, .. } => Some(Path::new(file)),
            _ => None,
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenError::Shape => {
                write!(
                    f,
                    "a token is {SHORTEST} to {LONGEST} of A-Z a-z 0-9 - . _ ~"
                )
            }
            TokenError::Random => f.write_str("the system gave no random numbers"),
            TokenError::KeyShape => f.write_str("a key is 64 hexadecimal digits"),
            TokenError::KeyFile { file, why } => write!(f, "lookup key {file}: {why}"),
        }
    }
}

impl std::error::Error for TokenError {}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Result<[u8; 32], TokenError> {
    let mut bytes = [0; 32];
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != bytes.len() || !rest.is_empty() {
        return Err(TokenError::KeyShape);
    }
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        *byte = std::str::from_utf8(pair)
            .ok()
            .filter(|pair| pair.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
            .ok_or(TokenError::KeyShape)?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_different_and_hidden() {
        let (one, other) = (Token::random().unwrap(), Token::random().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.secret().len(), 24);
        assert!(one.secret().bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_eq!(format!("{one:?}"), "Token(…)");
    }

    #[test]
    fn taken_over_tokens_have_a_shape() {
        for good in ["0123456789abcdef", "a.b-c_d~0123456789", &"x".repeat(64)] {
            assert!(good.parse::<Token>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "0123456789abcde",
            "0123456789abcde/",
            "0123456789 abcdef",
            &"x".repeat(65),
        ] {
            assert!(bad.parse::<Token>().is_err(), "{bad}");
        }
    }

    #[test]
    fn digest_is_hmac_sha256_under_the_key() {
        let key: LookupKey = "0b".repeat(32).parse().unwrap();
        let token: Token = "0123456789abcdef".parse().unwrap();
        // printf 'token\0000123456789abcdef' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0b…
        assert_eq!(
            key.digest(&token).to_hex(),
            "74e2bc8a2c6dece5f5ee4fcf6bd1ad51eb0ac9fb6e8c51d5fe3c9e19b4d67437"
        );
        assert!(key.digest(&token).matches(key.digest(&token).as_bytes()));
        assert!(!key.digest(&token).matches(key.check().as_bytes()));
        assert!(!key.digest(&token).matches(b"short"));
    }

    #[test]
    fn keys_read_back_and_hide() {
        let key = LookupKey::random().unwrap();
        let again: LookupKey = key.to_hex().parse().unwrap();
        assert!(again.check().matches(key.check().as_bytes()));
        assert_eq!(format!("{key:?}"), "LookupKey(…)");
        for bad in [
            "",
            "0b",
            &"0b".repeat(31),
            &"0b".repeat(33),
            &"zz".repeat(32),
            &"+1".repeat(32),
        ] {
            assert!(bad.parse::<LookupKey>().is_err(), "{bad}");
        }
    }
}
