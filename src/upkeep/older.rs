//! Which is the older one when many hosts differ: the zone, or the registry?
//!
//! Serials tell when an older one is seen than before. Where they go by the clock they do not:
//! the first UPDATE to an older copy, a visit's or the name server's own new signatures, gives
//! it a serial that is newer than all before. That none has gone back proves nothing, then.
//!
//! What the zone shows tells it. An older zone shows what the hosts had at one moment of the
//! past, which is in their history, and has lost all that changed since. A registry that is the
//! older one knows nothing of the newer addresses, or others that changed at the same time
//! still stand. Where neither is clear, nothing is undone: the operator is asked.

use crate::ip::{Addresses, Family};
use crate::registry::Change;
use crate::time::Timestamp;

/// From when until when a host had what the zone shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Had {
    /// When that was accepted.
    from: Timestamp,
    /// When something else was.
    until: Timestamp,
}

/// When a host that stands as it should last changed, and was last confirmed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    /// When its addresses last changed.
    pub(super) changed: Timestamp,
    /// When the name server last confirmed them.
    pub(super) confirmed: Timestamp,
}

/// When a host that was `created` then had `shown`, by its changes, oldest first; `wished` is when
/// the last one was accepted. The first of them may be forgotten by now, or all.
pub(super) fn had(
    changes: &[Change],
    created: Timestamp,
    wished: Timestamp,
    shown: Addresses,
) -> Vec<Had> {
    let mut from = Timestamp::from_seconds(i64::MIN);
    if changes.is_empty() && shown == Addresses::NONE {
        let until = wished;
        return vec![Had { from, until }];
    }
    let first = |family| changes.iter().find(|change| change.family == family);
    // What a family was before it first changed; one that never did is as it always was.
    let mut then: Addresses = Family::BOTH
        .into_iter()
        .filter_map(|family| first(family).map_or(shown.get(family), |change| change.old))
        .collect();
    let mut had = Vec::new();
    // Before it was there it had none, though what came next is forgotten.
    if shown == Addresses::NONE && then != shown {
        let until = created;
        had.push(Had { from, until });
    }
    for change in changes {
        // Of two changes at once, one of each family, there is nothing in between.
        if then == shown && from < change.at {
            let until = change.at;
            had.push(Had { from, until });
        }
        from = change.at;
        then = Family::BOTH
            .into_iter()
            .filter_map(|family| match family == change.family {
                true => change.new,
                false => then.get(family),
            })
            .collect();
    }
    had
}

/// Whether the zone is of a moment in the past, by when each host that differs `had` what it
/// shows; `lost` is when the last of what they should have was known to stand.
pub(super) fn is_zone(had: &[Vec<Had>], standing: &[Standing], lost: Timestamp) -> bool {
    let all = || had.iter().flatten();
    let mut from: Vec<Timestamp> = all().map(|had| had.from).collect();
    let mut until: Vec<Timestamp> = all().map(|had| had.until).collect();
    from.sort_unstable();
    until.sort_unstable();
    // The moment at which most of them had it; of several the last one.
    let moment = until
        .iter()
        .map(|at| {
            let begun = from.partition_point(|from| from <= at);
            (begun - until.partition_point(|until| until < at), *at)
        })
        .max();
    let Some((most, moment)) = moment else {
        return false;
    };
    // An older zone has lost these too, unless they were published again since.
    let kept = standing
        .iter()
        .filter(|one| one.changed >= moment && one.confirmed <= lost)
        .count();
    // A few may have come to theirs in another way, or back to what they had.
    most * 10 >= had.len() * 9 && kept * 2 < most
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::HostName;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_seconds(second)
    }

    fn addresses(text: &str) -> Addresses {
        let texts = text.split(',').filter(|text| !text.is_empty());
        texts.map(|text| text.parse().unwrap()).collect()
    }

    /// Changes to these addresses at these times; nothing before.
    fn changes(all: &[(i64, &str)]) -> Vec<Change> {
        let mut then = Addresses::NONE;
        let mut changes = Vec::new();
        for (second, to) in all {
            let to = addresses(to);
            for family in Family::BOTH {
                if then.get(family) != to.get(family) {
                    changes.push(Change {
                        at: at(*second),
                        host: HostName::new("h", &"dyn.example.org".parse().unwrap()).unwrap(),
                        family,
                        old: then.get(family),
                        new: to.get(family),
                        source: None,
                        dialect: "path".to_owned(),
                    });
                }
            }
            then = to;
        }
        changes
    }

    fn spans(all: &[(i64, &str)], shown: &str) -> Vec<(i64, i64)> {
        let had = had(&changes(all), at(5), at(99), addresses(shown)).into_iter();
        had.map(|had| (had.from.seconds(), had.until.seconds()))
            .collect()
    }

    #[test]
    fn what_a_host_had_and_when() {
        const OLD: &str = "192.0.2.1";
        const NEW: &str = "192.0.2.2";
        let moved = [(10, OLD), (20, NEW)];
        assert_eq!(spans(&moved, OLD), [(10, 20)]);
        assert_eq!(spans(&moved, NEW), [], "it has that still");
        assert_eq!(spans(&moved, "192.0.2.3"), []);
        assert_eq!(spans(&moved, ""), [(i64::MIN, 10)]);
        let back = [(10, OLD), (20, NEW), (30, OLD), (40, "")];
        assert_eq!(spans(&back, OLD), [(10, 20), (30, 40)]);
        let both = [(10, "192.0.2.1,2001:db8::1"), (20, "192.0.2.2,2001:db8::1")];
        assert_eq!(spans(&both, "192.0.2.1,2001:db8::1"), [(10, 20)]);
        assert_eq!(spans(&both, OLD), [], "not with that other one");
        // What came before is forgotten by now.
        let later = &changes(&both)[2..];
        let both = had(later, at(5), at(99), addresses("192.0.2.1,2001:db8::1"));
        assert_eq!(both.len(), 1);
        assert_eq!(both[0].until, at(20));
        let none = had(later, at(5), at(99), Addresses::NONE);
        assert_eq!(none.len(), 1, "before it was there");
        assert_eq!(none[0].until, at(5));
        // Nor is anything known of one that has changed no more for long.
        assert_eq!(spans(&[], ""), [(i64::MIN, 99)]);
        assert_eq!(spans(&[], OLD), []);
    }

    #[test]
    fn the_one_that_shows_the_past_is_older() {
        let span = |from, until| Had {
            from: at(from),
            until: at(until),
        };
        let unknown = Vec::new;
        let kept = |count| {
            let one = Standing {
                changed: at(65),
                confirmed: at(66),
            };
            vec![one; count]
        };
        let lost = at(80);
        let all: Vec<Vec<Had>> = (0..20).map(|n| vec![span(n, 60 + n)]).collect();
        assert!(is_zone(&all, &[], lost));
        assert!(is_zone(&all, &kept(9), lost), "some came back to theirs");
        assert!(!is_zone(&all, &kept(10), lost), "these should be lost too");
        let healed = Standing {
            changed: at(65),
            confirmed: at(81),
        };
        assert!(is_zone(&all, &[healed; 20], lost));
        let earlier = Standing {
            changed: at(59),
            confirmed: at(59),
        };
        assert!(is_zone(&all, &[earlier; 200], lost));

        let mut most = all.clone();
        most[3] = unknown();
        most[4] = unknown();
        assert!(is_zone(&most, &[], lost), "a hand was at these");
        most[5] = unknown();
        assert!(!is_zone(&most, &[], lost));
        let mut apart = all.clone();
        for (n, had) in apart.iter_mut().enumerate().take(10) {
            *had = vec![span(100 + n as i64, 120)];
        }
        assert!(!is_zone(&apart, &[], lost), "at no one moment");
        assert!(!is_zone(&[], &[], lost));
    }
}
