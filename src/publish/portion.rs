//! How many hosts go into the next UPDATE, where many wait and no visit does.
//!
//! While it is at an UPDATE a name server takes no other, and one that it is at for longer than
//! a request may take is not confirmed to anybody. PowerDNS lists the whole zone for each address
//! that it takes away (4.7.3: 0.1 s and more where that has 100,000 hosts), so as many as fit a message
//! would keep it for half a minute. The first are few therefore, and how long they take
//! tells how many come next.

use std::time::{Duration, Instant};

use super::TOGETHER;

/// So many come first.
const FIRST: usize = 16;
/// So long a visit may have to wait for the hosts of a portion.
const LONGEST: Duration = Duration::from_secs(1);

/// The size of the portions in which hosts are published.
#[derive(Debug)]
pub struct Portion {
    hosts: usize,
    /// Since when the last one is being published.
    began: Option<Instant>,
}

impl Portion {
    /// Before anything is published.
    pub const fn first() -> Self {
        Portion {
            hosts: FIRST,
            began: None,
        }
    }

    /// The hosts that are next, and the rest; to be called when the last ones are published.
    pub fn of<'a, T>(&mut self, hosts: &'a [T]) -> (&'a [T], &'a [T]) {
        if let Some(began) = self.began.replace(Instant::now()) {
            self.hosts = after(self.hosts, began.elapsed());
        }
        hosts.split_at(self.hosts.min(hosts.len()))
    }
}

/// How many come after so many that took so long: twice as many at most, as these may be of
/// another kind.
fn after(hosts: usize, took: Duration) -> usize {
    let in_time = LONGEST.as_micros() * hosts as u128 / took.as_micros().max(1);
    let most = TOGETHER.min(2 * hosts);
    usize::try_from(in_time).unwrap_or(most).clamp(1, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sizes of the portions where each host takes so many milliseconds.
    fn sizes(milliseconds: u64) -> Vec<usize> {
        let took = |hosts: usize| Duration::from_millis(milliseconds * hosts as u64);
        let next = |hosts: &usize| Some(after(*hosts, took(*hosts)));
        std::iter::successors(Some(FIRST), next).take(6).collect()
    }

    #[test]
    fn a_portion_takes_no_longer_than_a_visit_may_wait() {
        assert_eq!(sizes(0), [16, 32, 64, 128, TOGETHER, TOGETHER]);
        assert_eq!(sizes(20), [16, 32, 50, 50, 50, 50]);
        assert_eq!(sizes(130), [16, 7, 7, 7, 7, 7]);
        assert_eq!(sizes(5000), [16, 1, 1, 1, 1, 1]);
    }
}
