//! Who waits, who works for all that wait, and who is told what.

use super::*;
use std::sync::mpsc;
use std::thread;

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}

/// Runs `first` as the one at work while four others wait; says what those heard.
fn beside(
    first: impl FnOnce(&Others<'_, u32, u32>) -> Vec<Option<u32>> + Send,
    deadline: Deadline,
) -> (Option<Told<u32>>, Vec<Told<u32>>) {
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
    assert_eq!(first, Some(Told::Done(7)));
    assert_eq!(heard, [10, 20, 30, 40].map(Told::Done));
}

#[test]
fn who_has_the_most_time_takes_the_next_lot() {
    let together = Together::<u32, u32>::default();
    let (begun, begins) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(|| {
            together.join(0, soon(), |_, _| {
                begun.send(()).unwrap();
                while together.desk().last < 5 {
                    thread::yield_now();
                }
                Vec::new()
            })
        });
        begins.recv().unwrap();
        let others = [20, 30, 50, 40].map(|time| {
            let together = &together;
            let deadline = Deadline::after(Duration::from_secs(time.into()));
            scope.spawn(move || {
                together.join(time, deadline, |jobs, _| vec![Some(time); jobs.len()])
            })
        });
        for other in others {
            assert_eq!(other.join().unwrap(), Told::Done(50));
        }
    });
}

#[test]
fn after_a_lot_of_several_the_next_is_put_off_so_that_more_are_part_of_it() {
    let together = Together::<u32, usize>::resting(|_| Duration::from_secs(1));
    let size = |jobs: Vec<u32>, _: &Others<'_, u32, usize>| vec![Some(jobs.len()); jobs.len()];
    let (begun, begins) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(|| {
            together.join(0, soon(), |_, _| {
                begun.send(()).unwrap();
                while together.desk().last < 3 {
                    thread::yield_now();
                }
                Vec::new()
            })
        });
        begins.recv().unwrap();
        let visit = |n| {
            let (together, size) = (&together, &size);
            scope.spawn(move || {
                [
                    together.join(n, soon(), size),
                    together.join(n, soon(), size),
                ]
            })
        };
        // Whoever is first to come again would be alone.
        for visitor in [visit(1), visit(2)] {
            assert_eq!(visitor.join().unwrap(), [Told::Done(2), Told::Done(2)]);
        }
    });
}

#[test]
fn who_comes_alone_never_waits() {
    let together = Together::<u32, u32>::resting(|_| Duration::from_secs(60));
    for _ in 0..3 {
        let told = together.join(7, soon(), |jobs, _| jobs.into_iter().map(Some).collect());
        assert_eq!(told, Told::Done(7));
    }
}

#[test]
fn who_is_sent_away_does_not_wait() {
    let (told, tells) = mpsc::channel();
    let (first, heard) = beside(
        move |others| {
            others.send_away();
            told.send(()).unwrap();
            vec![Some(7)]
        },
        soon(),
    );
    tells.recv().unwrap();
    assert_eq!(first, Some(Told::Done(7)), "the one at work goes on");
    assert_eq!(heard, vec![Told::SentAway; 4]);
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
    assert_eq!(
        (first, heard),
        (Some(Told::NotDone), vec![Told::NotDone; 4])
    );
}

#[test]
fn a_panic_costs_its_own_work_only() {
    let (first, heard) = beside(|_| panic!("a bug"), soon());
    assert_eq!(first, None);
    assert_eq!(heard, [10, 20, 30, 40].map(Told::Done));
}
