//! How often something may happen: `30/10m`, or `off`.

use std::fmt;
use std::str::FromStr;

use crate::span::Span;
use crate::written;

/// The longest time over which is counted: who is beyond a limit waits for no longer.
const LONGEST: Span = Span::from_days(1);
/// The largest number that is counted to.
const MOST: u32 = 1_000_000;

/// So many in so long, or without a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// As often as one likes.
    Off,
    /// At most so many, in that time from the first one on.
    AtMost(u32, Span),
}

impl Rate {
    /// For how long at most somebody beyond it waits.
    pub const fn longest_wait(self) -> Span {
        match self {
            Rate::Off => Span::ZERO,
            Rate::AtMost(_, per) => per,
        }
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        if text == "off" {
            return Ok(Rate::Off);
        }
        let rate = text.split_once('/').and_then(|(count, per)| {
            let digits = count.bytes().all(|b| b.is_ascii_digit());
            let count = count.parse().ok().filter(|_| digits)?;
            Some(Rate::AtMost(count, per.parse().ok()?))
        });
        rate.filter(|rate| match rate {
            Rate::AtMost(count, per) => {
                (1..=MOST).contains(count) && (Span::from_seconds(1)..=LONGEST).contains(per)
            }
            Rate::Off => false,
        })
        .ok_or_else(|| RateError(text.to_owned()))
    }
}

impl<'de> serde::Deserialize<'de> for Rate {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        written::parsed(from, "a limit in quotes, such as \"30/10m\", or \"off\"")
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rate::Off => f.write_str("off"),
            Rate::AtMost(count, per) => write!(f, "{count}/{per}"),
        }
    }
}

/// A text that is no rate.
#[derive(Debug, PartialEq, Eq)]
pub struct RateError(String);

impl fmt::Display for RateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no limit; write 30/10m (1 to {MOST}, in 1s to {LONGEST}) or off",
            self.0
        )
    }
}

impl std::error::Error for RateError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_read_and_read_back() {
        for (text, shown) in [
            ("30/10m", "30/10m"),
            ("1/1", "1/1s"),
            ("20/600s", "20/10m"),
            ("1000000/24h", "1000000/1d"),
            ("off", "off"),
        ] {
            let rate: Rate = text.parse().unwrap();
            assert_eq!(rate.to_string(), shown);
            assert_eq!(rate.to_string().parse::<Rate>().unwrap(), rate);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "30",
            "/",
            "30/",
            "/10m",
            "0/10m",
            "30/0",
            "30/2d",
            "-1/10m",
            "+1/10m",
            "1000001/1m",
            "30/10m/1",
            "30 / 10m",
            "Off",
            "4294967296/1m",
        ] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }
}
