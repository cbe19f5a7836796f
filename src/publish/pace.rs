//! When the next UPDATE of a zone is worth sending, while many visits change something.
//!
//! Knot begins no change of a zone within 10 ms after the last one: a thread of its own sleeps so
//! long before the former contents are given back (liburcu's `call_rcu`), and the zone is locked
//! until then. An UPDATE sent sooner waits there, and whoever comes meanwhile waits for the one
//! after it. So those who are next wait here, and are in one UPDATE with all who come.
//!
//! But not when a second of the clock ends. Knot notes that the secondaries are to be told in the
//! next second, whether there are any or not, and an UPDATE that finds the zone at rest in that
//! second waits until a whole one has passed since the last. One that is already in line is not
//! held up, and after it none is until that second ends. (Seen in 3.2.6 by its system calls; the
//! stall in 3.2 to 3.5. Both rules together: a third to a half more changed visits on 32
//! connections, three times as many on four.)

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What is left of the 10 ms once the visits of the last UPDATE have their answers.
const REST: Duration = Duration::from_millis(8);
/// So long before a second ends an UPDATE that rested might still be done too soon.
const BEFORE: Duration = Duration::from_millis(6);
/// So long after it Knot, which reads the clock of the kernel's last tick, may still see the old one.
const AFTER: Duration = Duration::from_millis(10);
const SECOND: Duration = Duration::from_secs(1);

/// For how long the next UPDATE is to wait for more visits.
pub(super) fn rest() -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    rest_at(now.map_or(0, |now| now.subsec_nanos()))
}

/// The same, so many nanoseconds after a second has begun.
fn rest_at(nanoseconds: u32) -> Duration {
    let since = Duration::from_nanos(nanoseconds.into());
    match AFTER < since && since < SECOND - REST - BEFORE {
        true => REST,
        false => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_second_ends_while_an_update_is_put_off() {
        let rests = |milliseconds: u32| !rest_at(milliseconds * 1_000_000).is_zero();
        assert!([11, 500, 985].into_iter().all(rests));
        assert!(![0, 10, 986, 999].into_iter().any(rests));
    }
}
