//! Visits: one after the other in turn with others', and many at a time.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use crate::Trouble;
use crate::http::Client;
use crate::sample::Sample;

/// One who visits: the path for a visit's number, and what the answer begins with.
pub(crate) struct Visitor<'a> {
    /// Which server is visited.
    pub(crate) port: u16,
    /// The path of a visit.
    pub(crate) path: Box<dyn Fn(usize) -> String + Sync + 'a>,
    /// How a right answer begins.
    pub(crate) answer: &'static str,
    /// How many visits there were: no two have the same number.
    pub(crate) visits: AtomicUsize,
}

impl<'a> Visitor<'a> {
    /// One who visits these paths.
    pub(crate) fn new(
        port: u16,
        answer: &'static str,
        path: impl Fn(usize) -> String + Sync + 'a,
    ) -> Self {
        Visitor {
            port,
            path: Box::new(path),
            answer,
            visits: AtomicUsize::new(0),
        }
    }

    /// One visit; any answer but the right one is an error.
    fn visit(&self, client: &mut Client) -> Result<(), Trouble> {
        let path = (self.path)(self.visits.fetch_add(1, Ordering::Relaxed));
        let answer = client.get(&path)?;
        match answer.starts_with(self.answer) {
            true => Ok(()),
            false => Err(format!("{path}: {answer:?} instead of {:?}", self.answer).into()),
        }
    }
}

/// What each visit takes, in microseconds: `rounds` of one visit by everybody in turn.
pub(crate) fn latency(visitors: &[Visitor<'_>], rounds: usize) -> Result<Vec<Sample>, Trouble> {
    let mut clients: Vec<_> = visitors
        .iter()
        .map(|visitor| Client::new(visitor.port))
        .collect();
    let mut samples = vec![Sample::default(); visitors.len()];
    for round in 0..rounds + rounds.div_ceil(20) {
        for ((visitor, client), sample) in visitors.iter().zip(&mut clients).zip(&mut samples) {
            let began = Instant::now();
            visitor.visit(client)?;
            // The first ones warm everything up.
            if round >= rounds.div_ceil(20) {
                sample.push(began.elapsed().as_secs_f64() * 1e6);
            }
        }
    }
    Ok(samples)
}

/// Visits in a second over so many connections: `blocks` of some visits by everybody in turn.
pub(crate) fn throughput(
    visitors: &[(Visitor<'_>, usize)],
    connections: usize,
    blocks: usize,
) -> Result<Vec<Sample>, Trouble> {
    let mut samples = vec![Sample::default(); visitors.len()];
    for _ in 0..blocks {
        for ((visitor, visits), sample) in visitors.iter().zip(&mut samples) {
            let count = AtomicUsize::new(0);
            let began = Instant::now();
            together(visitor.port, connections, |client| {
                while count.fetch_add(1, Ordering::Relaxed) < *visits {
                    visitor.visit(client)?;
                }
                Ok(())
            })?;
            sample.push(*visits as f64 / began.elapsed().as_secs_f64());
        }
    }
    Ok(samples)
}

/// Does the same with every one of so many connections at a time.
pub(crate) fn together(
    port: u16,
    connections: usize,
    work: impl Fn(&mut Client) -> Result<(), Trouble> + Sync,
) -> Result<(), Trouble> {
    let trouble = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..connections {
            scope.spawn(|| {
                if let Err(error) = work(&mut Client::new(port))
                    && let Ok(mut trouble) = trouble.lock()
                {
                    trouble.get_or_insert(error);
                }
            });
        }
    });
    match trouble.into_inner() {
        Ok(None) => Ok(()),
        Ok(Some(error)) => Err(error),
        Err(_) => Err("a client panicked".into()),
    }
}
