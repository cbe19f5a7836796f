//! Durations as people write them: `90`, `90s`, `15m`, `12h`, `30d`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer};

use crate::written;

/// A length of time in whole seconds, at most ten years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(u64);

impl Span {
    /// Nothing; means "never" or "at once" where the setting says so.
    pub const ZERO: Span = Span(0);
    const MAX: u64 = 3660 * 24 * 3600;

    /// So many seconds.
    pub const fn from_seconds(seconds: u64) -> Self {
        Span(seconds)
    }

    /// So many days.
    pub const fn from_days(days: u64) -> Self {
        Span(days * 24 * 3600)
    }

    /// In seconds.
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// As the standard library has it.
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }

    /// What people want to know of it: `3m` of three minutes and a half.
    pub fn coarse(self) -> Self {
        let unit = [24 * 3600, 3600, 60, 1]
            .into_iter()
            .find(|unit| self.0 >= *unit)
            .unwrap_or(1);
        Span(self.0 / unit * unit)
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let bad = || SpanError(text.to_owned());
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = match text.get(digits.len()..).unwrap_or_default() {
            "" | "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 24 * 3600,
            _ => return Err(bad()),
        };
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad());
        }
        digits
            .parse::<u64>()
            .ok()
            .and_then(|count| count.checked_mul(unit))
            .filter(|seconds| *seconds <= Self::MAX)
            .map(Span)
            .ok_or_else(bad)
    }
}

/// A text such as `"30d"`.
impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let form = "a duration in quotes, such as \"90s\", \"15m\", \"12h\" or \"30d\"";
        written::parsed(from, form)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, seconds) in [("d", 24 * 3600), ("h", 3600), ("m", 60)] {
            if self.0 != 0 && self.0.is_multiple_of(seconds) {
                return write!(f, "{}{unit}", self.0 / seconds);
            }
        }
        write!(f, "{}s", self.0)
    }
}

/// A text that is no duration.
#[derive(Debug, PartialEq, Eq)]
pub struct SpanError(String);

impl fmt::Display for SpanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no duration; write 90s, 15m, 12h or 30d, ten years at most",
            self.0
        )
    }
}

impl std::error::Error for SpanError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_reads_and_reads_back() {
        for (text, seconds, shown) in [
            ("90", 90, "90s"),
            ("90s", 90, "90s"),
            ("15m", 900, "15m"),
            ("12h", 43_200, "12h"),
            ("30d", 2_592_000, "30d"),
            ("0", 0, "0s"),
            ("3600", 3600, "1h"),
        ] {
            let span: Span = text.parse().unwrap();
            assert_eq!(
                (span.seconds(), span.to_string().as_str()),
                (seconds, shown)
            );
            assert_eq!(span.to_string().parse::<Span>().unwrap(), span);
        }
    }

    #[test]
    fn what_people_want_to_know() {
        for (seconds, coarse) in [
            (0, "0s"),
            (59, "59s"),
            (215, "3m"),
            (7213, "2h"),
            (90_000, "1d"),
        ] {
            assert_eq!(Span::from_seconds(seconds).coarse().to_string(), coarse);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "s",
            "1w",
            "-1",
            "+1",
            "1 h",
            "1.5h",
            "1hh",
            "99999999999999999999d",
            "4000d",
        ] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }
}
