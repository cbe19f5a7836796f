//! Doing together what many threads want at the same time.
//!
//! Whoever comes while nobody is at work takes all that waits and does it at once; those
//! who come meanwhile wait, and one of them takes the next lot. A process with one thread
//! pays a lock that nobody else wants.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::deadline::Deadline;

/// Jobs of one kind that are better done together.
#[derive(Debug)]
pub struct Together<J, R> {
    desk: Mutex<Desk<J, R>>,
    news: Condvar,
}

#[derive(Debug)]
struct Desk<J, R> {
    /// Whether somebody is at work.
    busy: bool,
    /// What all are told while the one at work cannot go on.
    dismissed: Option<R>,
    /// The last ticket given out; jobs are done in the order of theirs.
    last: u64,
    jobs: BTreeMap<u64, Job<J, R>>,
}

#[derive(Debug)]
enum Job<J, R> {
    Waiting(J),
    Taken,
    /// `None`: it was not done.
    Done(Option<R>),
}

impl<J, R> Default for Together<J, R> {
    fn default() -> Self {
        Together {
            desk: Mutex::new(Desk {
                busy: false,
                dismissed: None,
                last: 0,
                jobs: BTreeMap::new(),
            }),
            news: Condvar::new(),
        }
    }
}

impl<J, R: Clone> Together<J, R> {
    /// Has `job` done together with those that wait: by somebody else, or by `work` here.
    ///
    /// `work` gets all jobs and says what came of each, in their order. `None`: this one was
    /// not done, by `deadline` or at all.
    pub fn join(
        &self,
        job: J,
        deadline: Deadline,
        work: impl FnOnce(Vec<J>, &Others<'_, J, R>) -> Vec<Option<R>>,
    ) -> Option<R> {
        let mut desk = self.desk();
        if let Some(word) = &desk.dismissed {
            return Some(word.clone());
        }
        desk.last += 1;
        let ticket = desk.last;
        desk.jobs.insert(ticket, Job::Waiting(job));
        while desk.busy {
            desk = self
                .news
                .wait_timeout(desk, deadline.left())
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            let done = matches!(desk.jobs.get(&ticket), Some(Job::Done(_)) | None);
            if done || deadline.passed() {
                break;
            }
        }
        if desk.busy || !matches!(desk.jobs.get(&ticket), Some(Job::Waiting(_))) {
            return match desk.jobs.remove(&ticket) {
                Some(Job::Done(result)) => result,
                _ => None,
            };
        }
        let (tickets, jobs) = desk.take();
        desk.jobs.remove(&ticket);
        drop(desk);
        // Told even when `work` panics: then nothing was done.
        let mut others = Others {
            together: self,
            tickets,
            results: Vec::new(),
        };
        others.results = work(jobs, &others);
        others.result_of(ticket)
    }

    fn desk(&self) -> MutexGuard<'_, Desk<J, R>> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J, R> Desk<J, R> {
    /// All that waits; somebody is at work from now on.
    fn take(&mut self) -> (Vec<u64>, Vec<J>) {
        self.busy = true;
        let (mut tickets, mut jobs) = (Vec::new(), Vec::new());
        for (ticket, job) in &mut self.jobs {
            match std::mem::replace(job, Job::Taken) {
                Job::Waiting(waiting) => {
                    tickets.push(*ticket);
                    jobs.push(waiting);
                }
                other => *job = other,
            }
        }
        (tickets, jobs)
    }
}

/// Those who wait for the one at work.
pub struct Others<'a, J, R: Clone> {
    together: &'a Together<J, R>,
    /// The jobs in hand, and what came of them.
    tickets: Vec<u64>,
    results: Vec<Option<R>>,
}

impl<J, R: Clone> Others<'_, J, R> {
    /// Sends all others away with `word`, and whoever comes before the work is done.
    pub fn dismiss(&self, word: &R) {
        let mut desk = self.together.desk();
        desk.dismissed = Some(word.clone());
        for job in desk.jobs.values_mut() {
            if !matches!(job, Job::Done(_)) {
                *job = Job::Done(Some(word.clone()));
            }
        }
        self.together.news.notify_all();
    }

    /// Takes out what came of one job.
    fn result_of(&mut self, ticket: u64) -> Option<R> {
        let at = self.tickets.iter().position(|other| *other == ticket)?;
        self.results.get_mut(at)?.take()
    }
}

impl<J, R: Clone> Drop for Others<'_, J, R> {
    fn drop(&mut self) {
        let mut desk = self.together.desk();
        desk.busy = false;
        desk.dismissed = None;
        let mut results = std::mem::take(&mut self.results).into_iter();
        for ticket in &self.tickets {
            let result = results.next().flatten();
            // Who was sent away, or has given up, does not hear it.
            if let Some(job @ Job::Taken) = desk.jobs.get_mut(ticket) {
                *job = Job::Done(result);
            }
        }
        self.together.news.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(20))
    }

    /// Runs `first` as the one at work while four others wait; says what those heard.
    fn beside(
        first: impl FnOnce(&Others<'_, u32, u32>) -> Vec<Option<u32>> + Send,
        deadline: Deadline,
    ) -> (Option<Option<u32>>, Vec<Option<u32>>) {
        let together = Together::<u32, u32>::default();
        let (begun, begins) = mpsc::channel();
        thread::scope(|scope| {
            let one = scope.spawn(|| {
                together.join(0, soon(), |_, others| {
                    begun.send(()).unwrap();
                    // Until all the others have come, though some may have gone again.
                    while together.desk().last < 5 {
                        thread::yield_now();
                    }
                    first(others)
                })
            });
            begins.recv().unwrap();
            let others: Vec<_> = (1..5)
                .map(|n| {
                    let together = &together;
                    scope.spawn(move || {
                        together.join(n, deadline, |jobs, _| {
                            jobs.into_iter().map(|n| Some(n * 10)).collect()
                        })
                    })
                })
                .collect();
            let heard = others.into_iter().map(|other| other.join().unwrap());
            let heard = heard.collect();
            let one = one.join().ok();
            assert!(together.desk().jobs.is_empty(), "nothing stays on the desk");
            (one, heard)
        })
    }

    #[test]
    fn who_waits_is_served_by_the_next() {
        let (first, heard) = beside(|_| vec![Some(7)], soon());
        assert_eq!(first, Some(Some(7)));
        assert_eq!(heard, [Some(10), Some(20), Some(30), Some(40)]);
    }

    #[test]
    fn who_is_sent_away_does_not_wait() {
        let (told, tells) = mpsc::channel();
        let (first, heard) = beside(
            move |others| {
                others.dismiss(&99);
                told.send(()).unwrap();
                vec![Some(7)]
            },
            soon(),
        );
        tells.recv().unwrap();
        assert_eq!(first, Some(Some(7)), "the one at work goes on");
        assert_eq!(heard, [Some(99); 4]);
    }

    #[test]
    fn who_has_no_time_gives_up() {
        let (go, goes) = mpsc::channel::<()>();
        let deadline = Deadline::after(Duration::from_millis(20));
        let (first, heard) = beside(
            move |others| {
                while !others.together.desk().jobs.is_empty() {
                    thread::yield_now();
                }
                drop(go);
                vec![None]
            },
            deadline,
        );
        assert!(goes.recv().is_err());
        assert_eq!((first, heard), (Some(None), vec![None; 4]));
    }

    #[test]
    fn a_panic_costs_its_own_work_only() {
        let (first, heard) = beside(|_| panic!("a bug"), soon());
        assert_eq!(first, None);
        assert_eq!(heard, [Some(10), Some(20), Some(30), Some(40)]);
    }
}
