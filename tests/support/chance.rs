//! Numbers that look random, the same ones again for the same seed.
#![allow(dead_code, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::time::{Duration, SystemTime};

/// A source of them (xorshift).
pub struct Chance(u64);

impl Chance {
    /// The `n`th source of a run.
    pub fn of(seed: u64, n: usize) -> Self {
        Chance(seed.wrapping_mul(31).wrapping_add(n as u64 + 1).max(1))
    }

    /// Below `most`.
    pub fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }

    /// Once in so many times.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of them.
    pub fn one_of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let most = u64::try_from(all.len()).unwrap().max(1);
        all.get(usize::try_from(self.below(most)).unwrap())
    }

    /// Shorter than so many milliseconds.
    pub fn moment(&mut self, most: u64) -> Duration {
        Duration::from_micros(self.below(most * 1000))
    }
}

/// The seed of a run that is not told one: what fails then fails because of a change.
const SEED: u64 = 20;

/// The seed of a run, by `BOWLINE_SEED`, where 0 has the clock choose one, and how much it does, by
/// the variable `much` or `usual`; both are on standard error.
pub fn run(much: &str, usual: usize) -> (u64, usize) {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().unwrap());
    let seed = match number("BOWLINE_SEED") {
        Some(0) => {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            u64::from(since.unwrap().subsec_nanos()) + 1
        }
        seed => seed.unwrap_or(SEED),
    };
    let wanted = number(much).map_or(usual, |number| usize::try_from(number).unwrap());
    eprintln!("BOWLINE_SEED={seed} {much}={wanted}");
    (seed, wanted)
}
