//! When the next UPDATE of a zone is worth sending, while many visits change something.
//!
//! Knot begins no change of a zone within 10 ms after the last one: a thread of its own sleeps so
//! long before the former contents are given back (liburcu's `call_rcu`), and the zone is locked
//! until then. An UPDATE sent sooner waits there, and whoever comes meanwhile waits for the one
//! after it. So those who are next wait here, and are in one UPDATE with all who come. That it is
//! so is seen by an UPDATE that did not wait here: BIND and PowerDNS take the next at once.
//!
//! But not when a second of the clock ends. Knot notes that the secondaries are to be told in the
//! next second, whether there are any or not, and an UPDATE that finds the zone at rest in that
//! second waits until a whole one has passed since the last. One that is already in line is not
//! held up, and after it none is until that second ends. (Seen in 3.2.6 by its system calls; the
//! stall in 3.2 to 3.5. Together about twice as many changed visits, on four connections and
//! on 32.)

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::together::Lot;

/// What is left of the 10 ms once the visits of the last UPDATE have their answers.
const REST: Duration = Duration::from_millis(8);
/// So long before a second ends an UPDATE that rested might still be done too soon.
const BEFORE: Duration = Duration::from_millis(6);
/// So long after it Knot, which reads the clock of the kernel's last tick, may still see the old
/// one.
const AFTER: Duration = Duration::from_millis(10);
const SECOND: Duration = Duration::from_secs(1);

/// For how long the next UPDATE is to wait for more visits, after those of the last one.
pub(super) fn rest(last: &Lot) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    rest_at(now.map_or(0, |now| now.subsec_nanos()), last)
}

/// The same, so many nanoseconds after a second has begun.
fn rest_at(nanoseconds: u32, last: &Lot) -> Duration {
    let since = Duration::from_nanos(nanoseconds.into());
    let is_slow = last.rested || last.took > REST;
    match is_slow && AFTER < since && since < SECOND - REST - BEFORE {
        true => REST,
        false => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rests(milliseconds: u32, rested: bool, took: u64) -> bool {
        let took = Duration::from_millis(took);
        !rest_at(milliseconds * 1_000_000, &Lot { rested, took }).is_zero()
    }

    #[test]
    fn no_second_ends_while_an_update_is_put_off() {
        assert!([11, 500, 985].into_iter().all(|at| rests(at, false, 11)));
        assert!(![0, 10, 986, 999].into_iter().any(|at| rests(at, false, 11)));
    }

    #[test]
    fn a_name_server_that_takes_the_next_at_once_is_not_made_to_wait() {
        assert!(!rests(500, false, 3));
        // What was put off is quick everywhere.
        assert!(rests(500, true, 3));
    }
}
