//! Counters in a directory of their own.

use super::*;
use crate::span::Span;

fn at(second: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + second)
}

fn limit(directory: &tempfile::TempDir, rate: &str) -> Limit {
    Limit {
        rate: rate.parse().unwrap(),
        file: directory.path().join("counters"),
        logger: Logger::default(),
    }
}

#[test]
fn so_many_in_so_long() {
    let directory = tempfile::tempdir().unwrap();
    let limit = limit(&directory, "3/10m");
    for second in [0, 1, 599] {
        assert_eq!(limit.until(b"home", at(second)), None);
        assert_eq!(limit.count(b"home", at(second)), None, "{second}");
    }
    for second in [599, 2, 0] {
        assert_eq!(limit.count(b"home", at(second)), Some(at(600)), "{second}");
        assert_eq!(limit.until(b"home", at(second)), Some(at(600)));
    }
    assert_eq!(limit.count(b"nas", at(599)), None, "another one");
    assert_eq!(limit.until(b"home", at(600)), None, "its time is over");
    assert_eq!(limit.count(b"home", at(600)), None);
    let longer = Limit {
        rate: Rate::AtMost(1, Span::from_seconds(5)),
        file: limit.file.clone(),
        logger: Logger::default(),
    };
    assert_eq!(longer.until(b"home", at(601)), Some(at(605)), "set anew");
    assert_eq!(limit.until(b"home", at(601)), None);
}

#[test]
fn what_did_not_happen_is_taken_back() {
    let directory = tempfile::tempdir().unwrap();
    let limit = limit(&directory, "1/10m");
    assert_eq!(limit.count(b"home", at(0)), None);
    limit.take_back(b"home", at(1));
    limit.take_back(b"home", at(1));
    assert_eq!(limit.count(b"home", at(2)), None);
    assert_eq!(limit.count(b"home", at(3)), Some(at(602)));
}

#[test]
fn a_clock_that_went_back_locks_nobody_out() {
    let directory = tempfile::tempdir().unwrap();
    let limit = limit(&directory, "1/10m");
    assert_eq!(limit.count(b"home", at(100_000)), None);
    assert_eq!(limit.count(b"home", at(0)), None);
    assert_eq!(limit.count(b"home", at(1)), Some(at(600)));
}

#[test]
fn a_crowd_refuses_no_innocent_and_frees_no_offender() {
    let directory = tempfile::tempdir().unwrap();
    let limit = limit(&directory, "5/10m");
    for _ in 0..5 {
        assert_eq!(limit.count(b"offender", at(0)), None);
    }
    let size = std::fs::metadata(&limit.file).unwrap().len();
    for one in 0..20_000_u32 {
        assert_eq!(limit.count(&one.to_le_bytes(), at(1)), None, "{one}");
    }
    assert_eq!(limit.count(b"offender", at(2)), Some(at(600)));
    assert_eq!(std::fs::metadata(&limit.file).unwrap().len(), size);
    assert!(size < 200_000, "{size}");
}

#[test]
fn no_limit_and_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let off = limit(&directory, "off");
    for _ in 0..100 {
        assert_eq!(off.count(b"home", at(0)), None);
    }
    assert!(!off.file.exists());
    // What cannot be opened, or is no file of counters, stops nobody.
    let nowhere = Limit {
        file: directory.path().join("no/such/file"),
        ..limit(&directory, "1/10m")
    };
    std::os::unix::fs::symlink("/dev/null", directory.path().join("link")).unwrap();
    let link = Limit {
        file: directory.path().join("link"),
        ..limit(&directory, "1/10m")
    };
    for limit in [&nowhere, &link] {
        for _ in 0..3 {
            assert_eq!(limit.count(b"home", at(0)), None);
        }
    }
    let odd = limit(&directory, "1/10m");
    for text in ["", "x", &"y".repeat(1_000_000)] {
        std::fs::write(&odd.file, text).unwrap();
        assert_eq!(odd.count(b"home", at(0)), None);
        assert_eq!(odd.count(b"home", at(0)), Some(at(600)), "made anew");
    }
}

#[test]
fn many_at_once_are_counted_exactly() {
    let directory = tempfile::tempdir().unwrap();
    let limit = limit(&directory, "50/10m");
    let within: usize = std::thread::scope(|scope| {
        let count = || {
            (0..20)
                .filter(|_| limit.count(b"home", at(0)).is_none())
                .count()
        };
        let threads = [(); 4].map(|()| scope.spawn(count));
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!(within, 50);
    let held = lock::open(&limit.file).unwrap();
    held.try_lock().unwrap();
    assert_eq!(limit.count(b"home", at(0)), None, "nobody waits for long");
}
