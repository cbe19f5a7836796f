//! How many hosts go into the next UPDATE, where many wait and no visit does.
//!
//! While it is at an UPDATE a name server takes no other, and one that it is at for longer than a
//! request may take is not confirmed to anybody. PowerDNS lists the whole zone for each address
//! that it takes away (4.7.3: 0.1 s and more where that has 100,000 hosts), so as many as fit a
//! message would keep it for half a minute. The first are few therefore, and how long they take
//! tells how many come next. They are no more than even a server that is slow beyond expectation
//! can do, or none would ever be confirmed there; and not one alone, so that all of one owner
//! change at once.

use std::time::{Duration, Instant};

use super::{Published, TOGETHER, Trouble};

/// So many come first.
const FIRST: usize = 4;
/// So long a visit may have to wait for the hosts of a portion.
const LONGEST: Duration = Duration::from_secs(1);
/// Where so many are refused, those of the first portions, something is wrong with their zone.
const ENOUGH: usize = FIRST + 2 * FIRST;

/// The portions in which the hosts of a zone are published.
#[derive(Debug)]
pub struct Portion {
    hosts: usize,
    /// When the last one was asked for.
    began: Instant,
    /// So many were refused since one was taken.
    in_vain: usize,
}

impl Portion {
    /// Before anything is published.
    pub fn first() -> Self {
        Portion {
            hosts: FIRST,
            began: Instant::now(),
            in_vain: 0,
        }
    }

    /// The hosts that are to be published now, and the rest.
    pub fn of<'a, T>(&mut self, hosts: &'a [T]) -> (&'a [T], &'a [T]) {
        self.began = Instant::now();
        hosts.split_at(self.hosts.min(hosts.len()))
    }

    /// To be called with what became of them at once. Says whether the rest would fare alike: the
    /// name server is silent, or has refused so many, one after the other, that it is not about
    /// each of them.
    pub fn is_last(&mut self, published: &[Published]) -> bool {
        self.hosts = after(self.hosts, self.began.elapsed());
        let mut is_of_all = false;
        for one in published {
            match one {
                Published::Refused(trouble) | Published::Unconfirmed(trouble)
                    if trouble.is_of_zone() =>
                {
                    is_of_all = true;
                }
                Published::Refused(Trouble::Refused(_))
                | Published::Unconfirmed(Trouble::Among(_) | Trouble::Lookup(_)) => {
                    self.in_vain += 1;
                }
                Published::Unconfirmed(_) => {}
                Published::Refused(_) | Published::Confirmed | Published::Off | Published::Gone => {
                    self.in_vain = 0;
                    return false;
                }
            }
        }
        is_of_all || self.in_vain >= ENOUGH
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
    use crate::dns::{Doubt, Rcode, Refusal};

    /// The sizes of the portions where each host takes so many milliseconds.
    fn sizes(milliseconds: u64) -> Vec<usize> {
        let took = |hosts: usize| Duration::from_millis(milliseconds * hosts as u64);
        let next = |hosts: &usize| Some(after(*hosts, took(*hosts)));
        std::iter::successors(Some(FIRST), next).take(8).collect()
    }

    #[test]
    fn a_portion_takes_no_longer_than_a_visit_may_wait() {
        assert_eq!(sizes(0), [4, 8, 16, 32, 64, 128, TOGETHER, TOGETHER]);
        assert_eq!(sizes(20), [4, 8, 16, 32, 50, 50, 50, 50]);
        assert_eq!(sizes(130), [4, 7, 7, 7, 7, 7, 7, 7]);
        assert_eq!(sizes(400), [4, 2, 2, 2, 2, 2, 2, 2]);
        assert_eq!(sizes(5000), [4, 1, 1, 1, 1, 1, 1, 1]);
    }

    #[test]
    fn the_rest_is_left_where_it_would_fare_alike() {
        let refusal = Refusal::Rcode {
            rcode: Rcode::REFUSED,
            tsig: None,
            authenticated: true,
        };
        let refused = || Published::Refused(Trouble::Refused(refusal.clone()));
        let busy = || Published::Unconfirmed(Trouble::Busy);
        let silent = || Published::Unconfirmed(Trouble::Doubt(Doubt::Silent));
        assert!(Portion::first().is_last(&[silent()]));
        assert!(!Portion::first().is_last(&[silent(), Published::Confirmed]));

        let mut portion = Portion::first();
        assert!(!portion.is_last(&vec![refused(); ENOUGH - 1]));
        assert!(!portion.is_last(&[busy(), busy()]));
        assert!(!portion.is_last(&[refused(), Published::Confirmed]));
        assert!(!portion.is_last(&vec![refused(); ENOUGH - 1]));
        assert!(portion.is_last(&[refused()]));
    }
}
