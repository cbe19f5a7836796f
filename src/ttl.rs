//! The time to live of our records.

use std::fmt;

/// How long resolvers may keep an answer, in seconds (RFC 2181 8): 1 to a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(try_from = "u32")]
pub struct Ttl(u32);

impl Ttl {
    /// What a zone has when nothing is said: short enough for a router that checks by DNS.
    pub const DEFAULT: Ttl = Ttl(60);
    /// A longer one would keep a wrong address for more than a week.
    const MAX: u32 = 7 * 24 * 3600;

    /// A TTL of so many seconds.
    ///
    /// # Errors
    /// Outside 1 to 604800.
    pub fn new(seconds: u32) -> Result<Self, TtlError> {
        if (1..=Self::MAX).contains(&seconds) {
            Ok(Ttl(seconds))
        } else {
            Err(TtlError(seconds))
        }
    }

    /// In seconds.
    pub fn seconds(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Ttl {
    type Error = TtlError;

    fn try_from(seconds: u32) -> Result<Self, TtlError> {
        Ttl::new(seconds)
    }
}

impl fmt::Display for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Seconds that are no sensible TTL.
#[derive(Debug, PartialEq, Eq)]
pub struct TtlError(u32);

impl fmt::Display for TtlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a TTL is 1 to {} seconds, not {}", Ttl::MAX, self.0)
    }
}

impl std::error::Error for TtlError {}
