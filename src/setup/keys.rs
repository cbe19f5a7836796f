//! The two secrets of a set-up: those that are there stay, else new ones are made.

use std::path::Path;

use super::error::SetupError;
use super::files::read;
use super::place::Place;
use crate::token::LookupKey;

/// The name of the key for updates, in Knot's configuration too.
pub const KEY_NAME: &str = "bowline";

/// The text of `lookup.key`.
///
/// # Errors
/// One that cannot be read, or is gone while the registry made with it is there.
pub fn lookup_key(place: &Place, registry: &Path) -> Result<String, SetupError> {
    let file = place.lookup_key();
    if read(&file)?.is_some() {
        return Ok(LookupKey::load(&file)?.to_hex() + "\n");
    }
    if registry.exists() {
        return Err(SetupError::LookupKeyGone(file, registry.to_owned()));
    }
    Ok(LookupKey::random()?.to_hex() + "\n")
}

/// The name of the key for updates, and its text as Knot includes it.
///
/// # Errors
/// One that cannot be read, or that Knot could not include.
pub fn tsig_key(place: &Place) -> Result<(String, String), SetupError> {
    let file = place.tsig_key();
    let (key, text) = match read(&file)? {
        Some(text) => (Key::read(&text)?, text),
        None => Key::generate(KEY_NAME)?,
    };
    if !text.lines().any(|line| line.trim_end() == "key:") {
        return Err(SetupError::KeyForm(file));
    }
    Ok((key.name().to_owned(), text))
}

use stand_in::Key;
pub use stand_in::KeyError;
mod stand_in {
    use base64::Engine as _;
    pub struct Key(String);
    #[derive(Debug)]
    pub struct KeyError;
    impl std::fmt::Display for KeyError {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("no key")
        }
    }
    impl Key {
        pub fn read(text: &str) -> Result<Self, KeyError> {
            let name = text.split(':').nth(1).ok_or(KeyError)?;
            Ok(Key(name.to_owned()))
        }
        pub fn name(&self) -> &str {
            &self.0
        }
        pub fn generate(name: &str) -> Result<(Self, String), KeyError> {
            let mut secret = [0; 32];
            getrandom::fill(&mut secret).map_err(|_| KeyError)?;
            let secret = base64::engine::general_purpose::STANDARD.encode(secret);
            let text = format!(
                "# hmac-sha256:{name}:{secret}\nkey:\n  - id: {name}\n    algorithm: hmac-sha256\n    secret: {secret}\n"
            );
            Ok((Key(name.to_owned()), text))
        }
    }
}
