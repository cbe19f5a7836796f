//! The time to live of our records.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// How long resolvers may keep an answer, in seconds (RFC 2181 8): 1 to a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
            Err(TtlError(seconds.into()))
        }
    }

    /// In seconds.
    pub fn seconds(self) -> u32 {
        self.0
    }
}

/// A number of seconds.
impl<'de> Deserialize<'de> for Ttl {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_i64(Seconds)
    }
}

struct Seconds;

impl Visitor<'_> for Seconds {
    type Value = Ttl;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a number of seconds, 1 to {}", Ttl::MAX)
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Ttl, E> {
        let ttl = u32::try_from(seconds).map(Ttl::new);
        ttl.unwrap_or(Err(TtlError(seconds))).map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Ttl, E> {
        self.visit_i64(i64::try_from(seconds).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Seconds that are no sensible TTL.
#[derive(Debug, PartialEq, Eq)]
pub struct TtlError(i64);

impl fmt::Display for TtlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a TTL is 1 to {} seconds, not {}", Ttl::MAX, self.0)
    }
}

impl std::error::Error for TtlError {}
