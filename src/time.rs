//! Moments, to the second.

use std::fmt;

use crate::span::Span;

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Now, by the system's clock.
    pub fn now() -> Self {
        Timestamp(jiff::Timestamp::now().as_second())
    }

    /// The moment so many seconds after 1970.
    pub const fn from_seconds(seconds: i64) -> Self {
        Timestamp(seconds)
    }

    /// In seconds since 1970.
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// The moment `span` later.
    pub fn plus(self, span: Span) -> Self {
        Timestamp(self.0.saturating_add_unsigned(span.seconds()))
    }

    /// The moment `span` earlier.
    pub fn minus(self, span: Span) -> Self {
        Timestamp(self.0.saturating_sub_unsigned(span.seconds()))
    }

    /// How long ago `earlier` was; nothing when it was not.
    pub fn since(self, earlier: Timestamp) -> Span {
        Span::from_seconds(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// RFC 3339 in UTC: `2026-11-21T02:14:33Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0) {
            Ok(time) => write!(f, "{time}"),
            Err(_) => write!(f, "{}s since 1970", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_in_utc() {
        assert_eq!(
            Timestamp::from_seconds(1_795_227_273).to_string(),
            "2026-11-21T02:14:33Z"
        );
    }

    #[test]
    fn a_clock_that_went_back_gives_no_span() {
        let now = Timestamp::from_seconds(100);
        assert_eq!(now.since(now.plus(Span::from_seconds(5))), Span::ZERO);
        assert_eq!(now.since(now.minus(Span::from_seconds(5))).seconds(), 5);
    }
}
