//! The two secrets of a set-up: those that are there stay, else new ones are made.

use std::path::Path;

use super::error::SetupError;
use super::files::read;
use super::nameserver::UpdateKey;
use super::place::Place;
use crate::dns::Key;
use crate::token::LookupKey;

/// The name of the key for updates, in the name server's configuration too.
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

/// What is weak about the key for updates in `file`, where there is one.
///
/// # Errors
/// One that cannot be read.
pub fn weakness(file: &Path) -> Result<Option<String>, SetupError> {
    let Some(text) = read(file)? else {
        return Ok(None);
    };
    let warning = Key::read(&text)?.warning();
    Ok(warning.map(|warning| format!("{}: {warning}", file.display())))
}

/// The key for updates, where `given` is one that the name server has already.
///
/// # Errors
/// One that cannot be read, or another one than is there.
pub fn tsig_key(place: &Place, given: Option<&str>) -> Result<UpdateKey, SetupError> {
    let file = place.tsig_key();
    let (key, text) = match (read(&file)?, given) {
        (Some(text), Some(given)) if text != given => return Err(SetupError::KeyThere(file)),
        (Some(text), _) => (Key::read(&text)?, text),
        (None, Some(given)) => (Key::read(given)?, given.to_owned()),
        (None, None) => Key::generate(KEY_NAME)?,
    };
    Ok(UpdateKey {
        name: key.name().to_owned(),
        text,
    })
}
