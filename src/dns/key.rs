//! TSIG keys (RFC 8945): a name, an algorithm and a secret shared with the name server.

use std::fmt;
use std::str::FromStr;

use base64::engine::general_purpose::{GeneralPurpose, PAD};
use base64::{Engine, alphabet};
use domain::tsig;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::key_text::{self, Written};

/// A secret shorter than this is easier to guess than a hash (RFC 8945 8).
const SECRET_MIN: usize = 16;
/// A new secret is as long as the output of its hash (RFC 8945 8).
const SECRET_NEW: usize = 32;

/// Standard base64, padded (RFC 4648 4). Spare bits need not be zero: the servers read
/// such secrets too.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    PAD.with_decode_allow_trailing_bits(true),
);

/// A key as the name server knows it. `Debug` never shows the secret.
#[derive(Clone)]
pub struct Key {
    /// Holds the secret; its own `Debug` is not for us to rely on.
    signer: tsig::Key,
    /// Lower case, without the final dot.
    name: String,
    algorithm: Algorithm,
    /// How long the secret is.
    secret_octets: usize,
    /// Tells two secrets apart without either.
    fingerprint: [u8; 32],
}

impl Key {
    /// The one key in `text`: what `keymgr -t` prints, `[algorithm:]name:secret`, or a
    /// BIND `key` clause.
    ///
    /// # Errors
    /// No key, several, or one that cannot be used. No error holds the secret.
    pub fn read(text: &str) -> Result<Self, KeyError> {
        Self::read_named(text, None)
    }

    /// The key called `name` in `text`, the forms as in [`Key::read`]; the only one when
    /// no name is given.
    ///
    /// # Errors
    /// As [`Key::read`], or no key of that name.
    pub fn read_named(text: &str, name: Option<&str>) -> Result<Self, KeyError> {
        let mut written = key_text::keys(text)?;
        if let Some(name) = name.filter(|_| !written.is_empty()) {
            let wanted = canonical(name);
            let names = key_names(&written);
            written.retain(|key| canonical(&key.name) == wanted);
            if written.is_empty() {
                return Err(KeyError::Absent {
                    wanted: name.to_owned(),
                    names,
                });
            }
        }
        match (written.pop(), written.is_empty()) {
            (Some(only), true) => Self::from_written(&only),
            (Some(last), false) => {
                written.push(last);
                Err(KeyError::Several(key_names(&written)))
            }
            (None, _) => Err(KeyError::NoKey),
        }
    }

    /// The key that `text` is, with nothing else in it than remarks: for a text that is still to
    /// become a file.
    ///
    /// # Errors
    /// As [`Key::read`], or there is more.
    pub fn read_alone(text: &str) -> Result<Self, KeyError> {
        let key = Self::read(text)?;
        let written = key_text::keys(text)?;
        match written.iter().all(|one| key_text::is_alone(text, one)) {
            true => Ok(key),
            false => Err(KeyError::More),
        }
    }

    /// The one key in `text`, with another algorithm: the same secret, to find out which
    /// one the name server has it for.
    ///
    /// # Errors
    /// As [`Key::read`].
    pub fn read_for(text: &str, algorithm: Algorithm) -> Result<Self, KeyError> {
        let mut written = key_text::keys(text)?;
        let mut key = written.pop().ok_or(KeyError::NoKey)?;
        key.algorithm = Some(algorithm.as_str().to_owned());
        Self::from_written(&key)
    }

    /// The secret of the one key in `text`, in base64: for the file of a name server that
    /// has a form of its own.
    ///
    /// # Errors
    /// As [`Key::read`].
    pub fn secret(text: &str) -> Result<String, KeyError> {
        Self::read(text)?;
        let only = key_text::keys(text)?.pop().ok_or(KeyError::NoKey)?;
        Ok(only.secret.split_ascii_whitespace().collect())
    }

    /// A new hmac-sha256 key with a secret from the system's random source, and its text
    /// as `keymgr -t` prints it, which Knot includes and [`Key::read`] reads.
    ///
    /// # Errors
    /// A name that is no domain name, or no random source.
    pub fn generate(name: &str) -> Result<(Key, String), KeyError> {
        let mut secret = [0; SECRET_NEW];
        getrandom::fill(&mut secret).map_err(|_| KeyError::Random)?;
        let key = Self::new(name, Algorithm::Sha256, &secret)?;
        let (name, algorithm, secret) = (&key.name, key.algorithm, BASE64.encode(secret));
        let text = format!(
            "# {algorithm}:{name}:{secret}\n\
             key:\n  - id: {name}\n    algorithm: {algorithm}\n    secret: {secret}\n"
        );
        Ok((key, text))
    }

    /// Its name in lower case, without the final dot.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The hash its signatures are made with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What is weak about it, where it is usable all the same.
    pub fn warning(&self) -> Option<&'static str> {
        if self.secret_octets < SECRET_MIN {
            Some("the secret is shorter than 16 octets")
        } else if self.algorithm == Algorithm::Sha1 {
            Some("hmac-sha1 is obsolete; make a key with hmac-sha256")
        } else {
            None
        }
    }

    /// Whether name, algorithm and secret are those of `other`.
    pub fn is_same(&self, other: &Key) -> bool {
        let secret: bool = self.fingerprint.ct_eq(&other.fingerprint).into();
        secret && self.name == other.name && self.algorithm == other.algorithm
    }

    /// A key nobody has: this one's name and algorithm with a new secret.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn stranger(&self) -> Result<Self, KeyError> {
        let mut secret = [0; SECRET_NEW];
        getrandom::fill(&mut secret).map_err(|_| KeyError::Random)?;
        Self::new(&self.name, self.algorithm, &secret)
    }

    /// What signs requests and verifies answers.
    pub(super) fn signer(&self) -> &tsig::Key {
        &self.signer
    }

    /// Checks what a text said.
    fn from_written(written: &Written) -> Result<Self, KeyError> {
        let algorithm = match &written.algorithm {
            Some(name) => name.parse()?,
            None => Algorithm::Sha256,
        };
        let name = canonical(&written.name);
        let secret: String = written.secret.split_ascii_whitespace().collect();
        if secret.is_empty() {
            return Err(KeyError::NoSecret(checked(&name)?));
        }
        let octets = BASE64.decode(&secret).map_err(|error| match error {
            base64::DecodeError::InvalidPadding => KeyError::Padding,
            _ => KeyError::Base64,
        })?;
        Self::new(&name, algorithm, &octets)
    }

    /// A key of its parts.
    fn new(name: &str, algorithm: Algorithm, secret: &[u8]) -> Result<Self, KeyError> {
        let name = checked(&canonical(name))?;
        let wire = wire(&name)?;
        let signer = tsig::Key::new(algorithm.of_library(), secret, wire, None, None)
            .map_err(|_| KeyError::Algorithm(None))?;
        Ok(Key {
            signer,
            name,
            algorithm,
            secret_octets: secret.len(),
            fingerprint: Sha256::digest(secret).into(),
        })
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("name", &self.name)
            .field("algorithm", &self.algorithm)
            .field("secret", &format_args!("…"))
            .finish()
    }
}

/// A keyed hash (RFC 8945 6); hmac-sha224 is not among them because the library lacks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// hmac-sha1: still verified everywhere, no longer recommended.
    Sha1,
    /// hmac-sha256: the usual one, and what a key without an algorithm has.
    Sha256,
    /// hmac-sha384.
    Sha384,
    /// hmac-sha512.
    Sha512,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Algorithm; 4] = [
        Algorithm::Sha1,
        Algorithm::Sha256,
        Algorithm::Sha384,
        Algorithm::Sha512,
    ];

    /// The name on the wire and in every file, without its final dot.
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Sha1 => "hmac-sha1",
            Algorithm::Sha256 => "hmac-sha256",
            Algorithm::Sha384 => "hmac-sha384",
            Algorithm::Sha512 => "hmac-sha512",
        }
    }

    /// The library's word for it.
    fn of_library(self) -> tsig::Algorithm {
        match self {
            Algorithm::Sha1 => tsig::Algorithm::Sha1,
            Algorithm::Sha256 => tsig::Algorithm::Sha256,
            Algorithm::Sha384 => tsig::Algorithm::Sha384,
            Algorithm::Sha512 => tsig::Algorithm::Sha512,
        }
    }
}

impl FromStr for Algorithm {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        match canonical(text).as_str() {
            "hmac-sha1" => Ok(Algorithm::Sha1),
            "hmac-sha256" => Ok(Algorithm::Sha256),
            "hmac-sha384" => Ok(Algorithm::Sha384),
            "hmac-sha512" => Ok(Algorithm::Sha512),
            "hmac-md5" | "hmac-md5.sig-alg.reg.int" => Err(KeyError::Md5),
            "hmac-sha224" => Err(KeyError::Algorithm(Some("hmac-sha224"))),
            // Not quoted: in a text with its parts in another order this is the secret.
            _ => Err(KeyError::Algorithm(None)),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a text gives no key. Holds key names at most, and those only from places where no
/// secret stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyError {
    /// In none of the three forms.
    NoKey,
    /// A `K*.private` or `K*.key` file.
    KFile,
    /// These keys, and none was chosen.
    Several(Vec<String>),
    /// Something else than a key stands there too.
    More,
    /// The wanted key is not among these.
    Absent {
        /// The name that was asked for.
        wanted: String,
        /// The names that are there.
        names: Vec<String>,
    },
    /// The name cannot be a domain name.
    Name,
    /// An algorithm that is not supported; named where it is a known one.
    Algorithm(Option<&'static str>),
    /// hmac-md5, which is not to be used (RFC 8945 6).
    Md5,
    /// The key of this name has no secret.
    NoSecret(String),
    /// The secret is not base64.
    Base64,
    /// The secret lacks the `=` at its end.
    Padding,
    /// A quote or comment without its end.
    Unfinished,
    /// The system's random source failed.
    Random,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyError::NoKey => f.write_str(
                "there is no TSIG key: what keymgr -t prints, algorithm:name:secret, \
                 or a BIND key clause would be one",
            ),
            KeyError::KFile => f.write_str(
                "this is a K* file, which is not read; make a key with tsig-keygen or keymgr -t",
            ),
            KeyError::Several(names) => {
                write!(f, "there are several keys: {}", names.join(", "))
            }
            KeyError::More => f.write_str("there is more than a TSIG key"),
            KeyError::Absent { wanted, names } => {
                write!(f, "there is no key {wanted:?}, only {}", names.join(", "))
            }
            KeyError::Name => f.write_str("the name of the key is no domain name"),
            KeyError::Algorithm(Some(name)) => {
                write!(f, "the algorithm {name} is not supported, hmac-sha256 is")
            }
            KeyError::Algorithm(None) => f.write_str(
                "the algorithm of the key is none of hmac-sha1, hmac-sha256, hmac-sha384, hmac-sha512",
            ),
            KeyError::Md5 => f.write_str("hmac-md5 is broken; make a key with hmac-sha256"),
            KeyError::NoSecret(name) => write!(f, "the key {name:?} has no secret"),
            KeyError::Base64 => f.write_str("the secret of the key is not base64"),
            KeyError::Padding => {
                f.write_str("the secret of the key is not base64: the padding (=) at its end is wrong")
            }
            KeyError::Unfinished => f.write_str("a quote or a comment around the key has no end"),
            KeyError::Random => f.write_str("the system's random source failed"),
        }
    }
}

impl std::error::Error for KeyError {}

/// Lower case, without the final dot: two spellings of one name are one name.
fn canonical(name: &str) -> String {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.to_ascii_lowercase()
}

/// Those names that may be shown.
fn key_names(written: &[Written]) -> Vec<String> {
    let names = written.iter().map(|key| canonical(&key.name));
    names
        .map(|name| checked(&name).unwrap_or_else(|_| "…".into()))
        .collect()
}

/// A name that needs no quoting in any of the files it stands in. No usual secret is one:
/// it has `=`, or is longer than a label.
fn checked(name: &str) -> Result<String, KeyError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if name.is_empty() || !name.chars().all(plain) {
        return Err(KeyError::Name);
    }
    wire(name).map(|_| name.to_owned())
}

/// A name in wire format.
fn wire(name: &str) -> Result<tsig::KeyName, KeyError> {
    tsig::KeyName::from_str(name).map_err(|_| KeyError::Name)
}
