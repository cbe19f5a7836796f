//! Doing together what many threads want at the same time.
//!
//! Whoever comes while nobody is at work takes all that waits and does it at once; those
//! who come meanwhile wait, and the one of them that has the most time takes the next lot:
//! nobody's work is cut short by another's deadline. After a lot of several the next may be put
//! off for a moment, so that more are part of it. A process with one thread pays a lock that
//! nobody else wants.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::deadline::Deadline;

/// Jobs of one kind that are better done together.
#[derive(Debug)]
pub struct Together<J, R> {
    desk: Mutex<Desk<J, R>>,
    news: Condvar,
    /// For how long the next lot is put off, after one of several jobs.
    rest: fn(&Lot) -> Duration,
}

#[derive(Debug)]
struct Desk<J, R> {
    /// Whether somebody is at work.
    busy: bool,
    /// Whether all are sent away, since the one at work cannot go on.
    closed: bool,
    /// Before then no lot is taken.
    rests: Option<Instant>,
    /// The last ticket given out; jobs are done in the order of theirs.
    last: u64,
    jobs: BTreeMap<u64, Job<J, R>>,
}

#[derive(Debug)]
enum Job<J, R> {
    /// Until then its giver waits.
    Waiting(J, Deadline),
    Taken,
    Ended(Told<R>),
}

/// Jobs that were done together.
#[derive(Debug)]
pub struct Lot {
    /// Whether they had been put off.
    pub rested: bool,
    /// How long they took.
    pub took: Duration,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told<R> {
    /// It was done: what came of it.
    Done(R),
    /// It was not done, in time or at all.
    NotDone,
    /// It was sent away, since the one at work cannot go on.
    SentAway,
}

impl<J, R> Default for Together<J, R> {
    fn default() -> Self {
        Together::resting(|_| Duration::ZERO)
    }
}

impl<J, R> Together<J, R> {
    /// Jobs that are done in fewer and larger lots: after one of several the next is put off for
    /// as long as `rest` says then. Whoever comes alone never waits.
    pub fn resting(rest: fn(&Lot) -> Duration) -> Self {
        Together {
            desk: Mutex::new(Desk {
                busy: false,
                closed: false,
                rests: None,
                last: 0,
                jobs: BTreeMap::new(),
            }),
            news: Condvar::new(),
            rest,
        }
    }

    /// Has `job` done together with those that wait: by somebody else, or by `work` here.
    ///
    /// `work` gets all jobs and says what came of each, in their order; `None`: it was not done.
    /// Nobody among those whose jobs they are waits longer than until `deadline`.
    pub fn join(
        &self,
        job: J,
        deadline: Deadline,
        work: impl FnOnce(Vec<J>, &Others<'_, J, R>) -> Vec<Option<R>>,
    ) -> Told<R> {
        let mut desk = self.desk();
        if desk.closed {
            return Told::SentAway;
        }
        desk.last += 1;
        let ticket = desk.last;
        desk.jobs.insert(ticket, Job::Waiting(job, deadline));
        loop {
            let turn = desk.is_turn_of(ticket);
            let rest = desk.rest();
            if turn && rest.is_zero() {
                break;
            }
            let waits = matches!(desk.jobs.get(&ticket), Some(Job::Waiting(..) | Job::Taken));
            if !waits || deadline.passed() {
                return match desk.jobs.remove(&ticket) {
                    Some(Job::Ended(told)) => told,
                    _ => Told::NotDone,
                };
            }
            let left = deadline.left();
            let wait = if turn { left.min(rest) } else { left };
            desk = self
                .news
                .wait_timeout(desk, wait)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        let rested = desk.rests.is_some();
        let (tickets, jobs) = desk.take();
        desk.jobs.remove(&ticket);
        drop(desk);
        // Told even when `work` panics: then nothing was done.
        let mut others = Others {
            together: self,
            began: Instant::now(),
            rested,
            tickets,
            results: Vec::new(),
        };
        others.results = work(jobs, &others);
        others.told(ticket)
    }

    fn desk(&self) -> MutexGuard<'_, Desk<J, R>> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J, R> Desk<J, R> {
    /// Whether nobody is at work, and of those who wait that one has the most time.
    fn is_turn_of(&self, ticket: u64) -> bool {
        let waiting = self.jobs.iter().filter_map(|(ticket, job)| match job {
            Job::Waiting(_, deadline) => Some((*deadline, *ticket)),
            Job::Taken | Job::Ended(_) => None,
        });
        !self.busy && waiting.max().is_some_and(|(_, next)| next == ticket)
    }

    /// For how long no lot is to be taken.
    fn rest(&self) -> Duration {
        let until = |until: Instant| until.saturating_duration_since(Instant::now());
        self.rests.map_or(Duration::ZERO, until)
    }

    /// All that waits; somebody is at work from now on.
    fn take(&mut self) -> (Vec<u64>, Vec<J>) {
        self.busy = true;
        let (mut tickets, mut jobs) = (Vec::new(), Vec::new());
        for (ticket, job) in &mut self.jobs {
            match std::mem::replace(job, Job::Taken) {
                Job::Waiting(waiting, _) => {
                    tickets.push(*ticket);
                    jobs.push(waiting);
                }
                other => *job = other,
            }
        }
        (tickets, jobs)
    }
}

impl<R> Told<R> {
    fn of(result: Option<R>) -> Self {
        result.map_or(Told::NotDone, Told::Done)
    }
}

/// Those who wait for the one at work.
pub struct Others<'a, J, R> {
    together: &'a Together<J, R>,
    began: Instant,
    rested: bool,
    /// The jobs in hand, and what came of them.
    tickets: Vec<u64>,
    results: Vec<Option<R>>,
}

impl<J, R> Others<'_, J, R> {
    /// Sends all others away, and whoever comes before the work is done.
    pub fn send_away(&self) {
        let mut desk = self.together.desk();
        desk.closed = true;
        for job in desk.jobs.values_mut() {
            if !matches!(job, Job::Ended(_)) {
                *job = Job::Ended(Told::SentAway);
            }
        }
        self.together.news.notify_all();
    }

    /// Takes out what came of one job.
    fn told(&mut self, ticket: u64) -> Told<R> {
        let at = self.tickets.iter().position(|other| *other == ticket);
        Told::of(at.and_then(|at| self.results.get_mut(at)?.take()))
    }
}

impl<J, R> Drop for Others<'_, J, R> {
    fn drop(&mut self) {
        let mut desk = self.together.desk();
        desk.busy = false;
        desk.closed = false;
        let lot = Lot {
            rested: self.rested,
            took: self.began.elapsed(),
        };
        let rest = match self.tickets.len() {
            0 | 1 => Duration::ZERO,
            _ => (self.together.rest)(&lot),
        };
        desk.rests = (!rest.is_zero()).then(|| Instant::now() + rest);
        let mut results = std::mem::take(&mut self.results).into_iter();
        for ticket in &self.tickets {
            let result = results.next().flatten();
            // Who was sent away, or has given up, does not hear it.
            if let Some(job @ Job::Taken) = desk.jobs.get_mut(ticket) {
                *job = Job::Ended(Told::of(result));
            }
        }
        self.together.news.notify_all();
    }
}

#[cfg(test)]
mod tests;
