//! Names: a zone, a host strictly below it, and the owner names of its records.
//!
//! Everything is kept as lower-case A-labels without the final dot, so that two
//! spellings of one name are one value (RFC 4343, RFC 5890).

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// A label may have 63 octets, a name 255 with its length octets (RFC 1035 2.3.4).
const LABEL_MAX: usize = 63;
/// The longest name in text form: 255 octets on the wire less the first length
/// octet and the root label.
const NAME_MAX: usize = 253;
/// Stands in front of a challenge's name; every host leaves room for it (RFC 8555 8.4).
pub const CHALLENGE: &str = "_acme-challenge.";
/// How many characters a random label has: some 60 bits.
const LABEL: usize = 12;
/// Thirty-two letters and digits that nobody takes for one another.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Stands in front of a wildcard.
const STAR: &str = "*.";

/// A zone that the name server serves, e.g. `dyn.example.org`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ZoneName(String);

impl ZoneName {
    /// The name without its final dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as a person reads it: U-labels beside the A-labels where they differ.
    pub fn for_people(&self) -> String {
        for_people(&self.0)
    }

    /// The zone's parent as far as the name tells, e.g. `example.org`.
    pub fn parent(&self) -> &str {
        self.0.split_once('.').map_or("", |(_, parent)| parent)
    }

    /// The part of `name` to the left of this zone; `None` where it is not strictly below.
    pub fn relative<'a>(&self, name: &'a str) -> Option<&'a str> {
        name.strip_suffix(self.as_str())?
            .strip_suffix('.')
            .filter(|below| !below.is_empty())
    }

    /// Whether `name` is this zone's apex or below it.
    pub fn holds(&self, name: &str) -> bool {
        name == self.as_str() || self.relative(name).is_some()
    }
}

impl FromStr for ZoneName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let name = to_a_labels(text)?;
        check_labels(&name)?;
        if name.len() > NAME_MAX {
            return Err(NameError::Long(name.len()));
        }
        if !name.contains('.') {
            return Err(NameError::SingleLabel(name.into_owned()));
        }
        Ok(ZoneName(name.into_owned()))
    }
}

/// A host: one name strictly below a zone, e.g. `home.dyn.example.org`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostName {
    name: String,
    /// Where the zone begins in `name`.
    zone: usize,
}

impl HostName {
    /// The host that `text` names in `zone`: relative (`home`, `a.b`) or in full.
    ///
    /// # Errors
    /// Anything that cannot be a host: the apex, `*`, underscores, labels over 63
    /// or names over 255 octets with the challenge label in front.
    pub fn new(text: &str, zone: &ZoneName) -> Result<Self, NameError> {
        let given = to_a_labels(text)?;
        if given == zone.as_str() {
            return Err(NameError::Apex(given.into_owned()));
        }
        let below = zone.relative(&given).unwrap_or(&given);
        check_labels(below)?;
        let name = [below, zone.as_str()].join(".");
        if CHALLENGE.len() + name.len() > NAME_MAX {
            return Err(NameError::Long(CHALLENGE.len() + name.len()));
        }
        Ok(HostName {
            zone: below.len() + 1,
            name,
        })
    }

    /// A label that nobody guesses.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn random_label() -> Result<String, getrandom::Error> {
        let mut bytes = [0; LABEL];
        getrandom::fill(&mut bytes)?;
        let letter = |byte: &u8| LETTERS.get(usize::from(byte % 32)).copied();
        Ok(bytes.iter().filter_map(letter).map(char::from).collect())
    }

    /// The name in full, without its final dot.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The name relative to its zone, as it stands in an update URL.
    pub fn relative(&self) -> &str {
        self.name.get(..self.zone - 1).unwrap_or_default()
    }

    /// The zone this host is in.
    pub fn zone(&self) -> ZoneName {
        ZoneName(self.name.get(self.zone..).unwrap_or_default().to_owned())
    }

    /// The name as a person reads it: U-labels beside the A-labels where they differ.
    pub fn for_people(&self) -> String {
        for_people(&self.name)
    }

    /// The names between this one and the zone's apex, the nearest first.
    pub fn above(&self) -> impl Iterator<Item = HostName> {
        let dots = self.relative().match_indices('.');
        dots.filter_map(|(dot, _)| {
            Some(HostName {
                name: self.name.get(dot + 1..)?.to_owned(),
                zone: self.zone - dot - 1,
            })
        })
    }
}

/// A name in A-labels, and behind them in U-labels where they differ.
fn for_people(name: &str) -> String {
    let (unicode, valid) = idna::domain_to_unicode(name);
    if valid.is_ok() && unicode != name {
        format!("{name} ({unicode})")
    } else {
        name.to_owned()
    }
}

/// The owner name of records that a host has: itself, the wildcard below it, or the name of
/// its challenges.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordName {
    host: HostName,
    /// What stands in front.
    front: &'static str,
}

impl RecordName {
    /// The host's own name.
    pub fn exact(host: HostName) -> Self {
        RecordName { host, front: "" }
    }

    /// `*.` below the host (RFC 4592).
    pub fn wildcard(host: HostName) -> Self {
        RecordName { host, front: STAR }
    }

    /// `_acme-challenge.` in front of the host (RFC 8555 8.4).
    pub fn challenge(host: HostName) -> Self {
        RecordName {
            host,
            front: CHALLENGE,
        }
    }

    /// Whether it is the host's own name.
    pub fn is_of(&self, host: &HostName) -> bool {
        self.front.is_empty() && self.host == *host
    }

    /// The host whose record this is.
    pub fn host(&self) -> &HostName {
        &self.host
    }

    /// Reads what `Display` wrote: a host of `zone` in full, with or without `*.` in front.
    ///
    /// # Errors
    /// As [`HostName::new`].
    pub fn parse(text: &str, zone: &ZoneName) -> Result<Self, NameError> {
        match text.strip_prefix(STAR) {
            Some(host) => HostName::new(host, zone).map(RecordName::wildcard),
            None => HostName::new(text, zone).map(RecordName::exact),
        }
    }
}

impl fmt::Display for RecordName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.front, self.host)
    }
}

/// Why a text cannot be a name here.
#[derive(Debug, PartialEq, Eq)]
pub enum NameError {
    /// Nothing between two dots, or nothing at all.
    Empty(String),
    /// The zone itself: its records are not ours to move.
    Apex(String),
    /// A label of so many octets.
    LongLabel(String),
    /// So many octets, the challenge label counted.
    Long(usize),
    /// A character that a host name cannot have.
    Character(String, char),
    /// A label that begins or ends with a hyphen.
    Hyphen(String),
    /// Not valid under IDNA.
    Idna(String),
    /// A zone of one label.
    SingleLabel(String),
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NameError::Empty(name) => write!(f, "{name:?} has an empty label"),
            NameError::Apex(name) => {
                write!(
                    f,
                    "{name:?} is the zone itself; a host is strictly below it"
                )
            }
            NameError::LongLabel(label) => {
                write!(f, "the label {label:?} is over {LABEL_MAX} octets")
            }
            NameError::Long(octets) => write!(
                f,
                "the name would be {octets} octets with {CHALLENGE:?} in front; {NAME_MAX} fit"
            ),
            NameError::Character(name, c) => {
                write!(
                    f,
                    "{name:?} has {c:?}; letters, digits and hyphens make a host name"
                )
            }
            NameError::Hyphen(label) => {
                write!(f, "the label {label:?} begins or ends with a hyphen")
            }
            NameError::Idna(name) => write!(f, "{name:?} is no valid international name"),
            NameError::SingleLabel(name) => {
                write!(f, "{name:?} has one label; a zone is like dyn.example.org")
            }
        }
    }
}

impl std::error::Error for NameError {}

impl crate::hint::Hint for NameError {}

/// Lower-case A-labels without the final dot (RFC 5891, UTS 46).
fn to_a_labels(text: &str) -> Result<Cow<'_, str>, NameError> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let lower = match text.bytes().any(|octet| octet.is_ascii_uppercase()) {
        true => text.to_ascii_lowercase().into(),
        // As the registry has it.
        false => Cow::from(text),
    };
    if text.is_ascii() && !lower.contains("xn--") {
        return Ok(lower);
    }
    let labels = idna::domain_to_ascii_strict(text);
    labels.map_or_else(
        |_| Err(NameError::Idna(text.to_owned())),
        |labels| Ok(labels.into()),
    )
}

/// Letters, digits and inner hyphens in every label (RFC 1123 2.1).
fn check_labels(name: &str) -> Result<(), NameError> {
    for label in name.split('.') {
        if label.is_empty() {
            return Err(NameError::Empty(name.to_owned()));
        }
        if let Some(odd) = label
            .chars()
            .find(|c| !c.is_ascii_alphanumeric() && *c != '-')
        {
            return Err(NameError::Character(name.to_owned(), odd));
        }
        if label.len() > LABEL_MAX {
            return Err(NameError::LongLabel(label.to_owned()));
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err(NameError::Hyphen(label.to_owned()));
        }
    }
    Ok(())
}

macro_rules! shown_as_text {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.as_str())
            }
        }
    )*};
}
shown_as_text!(ZoneName, HostName);

impl fmt::Debug for RecordName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[cfg(test)]
mod tests;
