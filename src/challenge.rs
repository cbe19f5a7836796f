//! The value of a challenge for a certificate: what stands in the TXT record (RFC 8555 8.4).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// A SHA-256 digest has so many characters in base64url.
const LENGTH: usize = 43;
/// How long resolvers may keep one, in seconds: the next order must not meet it.
pub const CHALLENGE_TTL: u32 = 10;

/// A digest in base64url without padding; it is no secret, the whole world reads it in DNS.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChallengeValue(String);

impl ChallengeValue {
    /// The one that proves a key authorization, `TOKEN.THUMBPRINT` (RFC 8555 8.1, 8.4).
    pub fn of_key_authorization(text: &str) -> Self {
        ChallengeValue(URL_SAFE_NO_PAD.encode(Sha256::digest(text)))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ChallengeValue {
    type Err = ChallengeError;

    fn from_str(text: &str) -> Result<Self, ChallengeError> {
        let is_base64url = |c: &u8| c.is_ascii_alphanumeric() || b"-_".contains(c);
        match text.len() == LENGTH && text.as_bytes().iter().all(is_base64url) {
            true => Ok(ChallengeValue(text.to_owned())),
            false => Err(ChallengeError),
        }
    }
}

impl fmt::Display for ChallengeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no value of a challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChallengeError;

impl fmt::Display for ChallengeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a challenge has {LENGTH} characters of base64url")
    }
}

impl std::error::Error for ChallengeError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_a_challenge() {
        let good = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0";
        for (text, is_good) in [
            (good, true),
            ("", false),
            (&good[1..], false),
            (&format!("{good}="), false),
            (&good.replace('L', "+"), false),
            (&good.replace('L', "\""), false),
            (&good.replace("Lo", "é"), false),
        ] {
            assert_eq!(text.parse::<ChallengeValue>().is_ok(), is_good, "{text}");
        }
    }

    #[test]
    fn that_of_a_key_authorization() {
        // sha256("abc"), FIPS 180-4.
        let value = ChallengeValue::of_key_authorization("abc");
        assert_eq!(
            value.as_str(),
            "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"
        );
    }

    proptest! {
        #[test]
        fn every_digest_reads_back(text in "\\PC{0,80}") {
            let value = ChallengeValue::of_key_authorization(&text);
            prop_assert_eq!(value.as_str().parse(), Ok(value.clone()));
        }
    }
}
