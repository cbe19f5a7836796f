//! Changes beyond the limit: however many there are, what is written of them stays small and true.

use bowline::event::{Channel, Events, Wanted};
use bowline::registry::{Accepted, Delivery, HostId, Notice};
use bowline::span::Span;
use bowline::time::Timestamp;
use bowline::token::Token;

use crate::fixture::{Fixture, NOW};

const A: &str = "203.0.113.1";
const B: &str = "203.0.113.2";
const C: &str = "203.0.113.3";
const D: &str = "203.0.113.4";
const SIX: &str = "2001:db8::1";

/// A registry that tells of everything by webhook.
fn fixture() -> Fixture {
    let it = Fixture::new();
    let mut wanted = Wanted::NOTHING;
    for (channel, events) in Channel::ALL.into_iter().zip(&mut wanted.channels) {
        *events = (channel == Channel::Webhook).then_some(Events::ALL);
    }
    Fixture {
        registry: it.registry.tell(wanted),
        ..it
    }
}

fn after(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(NOW.seconds() + seconds)
}

impl Fixture {
    /// A visit so many seconds after the first; beyond the limit, or not.
    fn visit(&mut self, (id, token): &(HostId, Token), to: &str, seconds: i64, beyond: bool) {
        let mut ask = self.ask(*id, token, to);
        ask.now = after(seconds);
        ask.not_before = beyond.then(|| after(600));
        let accepted = self.registry.accept(&[ask]).unwrap().remove(0);
        assert!(matches!(accepted, Accepted::Wish(_)), "{accepted:?}");
    }

    /// The same, and the name server confirms it.
    fn publish(&mut self, home: &(HostId, Token), to: &str, seconds: i64) {
        self.visit(home, to, seconds, false);
        let wish = self.host(home.0).wish;
        self.confirm_wish(home.0, &wish, after(seconds));
    }

    /// The history, with the seconds after the first visit.
    fn changes(&self, id: HostId) -> Vec<String> {
        let text = |ip: Option<std::net::IpAddr>| ip.map_or("none".to_owned(), |ip| ip.to_string());
        let changes = self.registry.history(Some(id), Timestamp::from_seconds(0));
        let shown = changes.unwrap().into_iter().map(|change| {
            let (old, new) = (text(change.old), text(change.new));
            let at = change.at.seconds() - NOW.seconds();
            format!("{at} {old} {new}")
        });
        shown.collect()
    }

    fn notices(&self) -> Vec<Notice> {
        let all = self.registry.waiting(Channel::Webhook, 1000, after(0));
        all.unwrap()
    }

    /// The outbox.
    fn told(&self) -> Vec<String> {
        let shown = |notice: &Notice| format!("{} > {}", notice.what.old, notice.what.new);
        self.notices().iter().map(shown).collect()
    }

    fn pending_since(&self, id: HostId) -> i64 {
        let since = self.registry.pending_since(&self.host(id)).unwrap();
        since.seconds() - NOW.seconds()
    }
}

#[test]
fn many_are_one_change_and_one_notice() {
    let mut it = fixture();
    let home = it.add("home");
    it.publish(&home, A, 0);
    for n in 0..200 {
        let to = [B, C][n as usize % 2];
        it.visit(&home, to, n / 20, true);
        assert_eq!(it.pending_since(home.0), i64::from(n >= 20), "{n}");
    }
    assert_eq!(
        it.changes(home.0),
        [format!("0 none {A}"), format!("1 {A} {C}")]
    );
    assert_eq!(it.told(), [format!(" > {A}"), format!("{A} > {C}")]);
    assert_eq!(it.notices()[1].at, after(9));
    let host = it.host(home.0);
    assert_eq!(host.wish.number, 201);
    let trouble = host.trouble.unwrap();
    assert_eq!(trouble, "too many changes: 200 beyond the limit");
    let due = |it: &Fixture, at| it.registry.due(Span::from_seconds(600), at).unwrap().len();
    assert_eq!((due(&it, after(599)), due(&it, after(600))), (0, 1));

    let wish = it.host(home.0).wish;
    it.confirm_wish(home.0, &wish, after(601));
    it.publish(&home, D, 602);
    assert_eq!(it.changes(home.0)[2], format!("602 {C} {D}"));
    assert_eq!(it.told()[2], format!("{C} > {D}"));
}

#[test]
fn what_was_within_the_limit_stays() {
    let mut it = fixture();
    let home = it.add("home");
    for n in 0..30 {
        it.publish(&home, [A, B][n as usize % 2], n);
    }
    for n in 30..60 {
        it.visit(&home, [C, D][n as usize % 2], n, true);
    }
    let (changes, told) = (it.changes(home.0), it.told());
    assert_eq!((changes.len(), told.len()), (31, 31));
    assert_eq!(changes[29], format!("29 {A} {B}"));
    assert_eq!(changes[30], format!("30 {B} {D}"));
    assert_eq!(told[29..], [format!("{A} > {B}"), format!("{B} > {D}")]);
    // The window is over: upkeep may be publishing it, so nothing is replaced.
    it.visit(&home, A, 600, false);
    it.visit(&home, B, 601, true);
    let changes = it.changes(home.0);
    assert_eq!(
        changes[31..],
        [format!("600 {D} {A}"), format!("601 {A} {B}")]
    );
}

#[test]
fn each_address_has_its_own() {
    let mut it = fixture();
    let home = it.add("home");
    it.publish(&home, &format!("{A},{SIX}"), 0);
    for n in 1..100 {
        it.visit(&home, &format!("{B},2001:db8::{n}:1"), n, true);
        it.visit(&home, &format!("{C},2001:db8::{n}:1"), n, true);
    }
    let expected = [
        format!("0 none {A}"),
        format!("0 none {SIX}"),
        format!("1 {SIX} 2001:db8::99:1"),
        format!("1 {A} {C}"),
    ];
    assert_eq!(it.changes(home.0), expected);
    assert_eq!(it.told()[1..], [format!("{A},{SIX} > {C},2001:db8::99:1")]);
    // One is back where it was: the other one still waits, and the host since then.
    it.visit(&home, &format!("{A},2001:db8::99:1"), 150, true);
    assert_eq!(it.changes(home.0).len(), 3);
    it.visit(&home, &format!("{B},{SIX}"), 160, true);
    assert_eq!(it.changes(home.0)[2..], [format!("1 {A} {B}")]);
    it.visit(&home, &format!("{A},2001:db8::2"), 170, true);
    assert_eq!(it.changes(home.0)[2..], [format!("1 {SIX} 2001:db8::2")]);
    assert_eq!(it.pending_since(home.0), 1);
    assert_eq!(it.told()[1..], [format!("{A},{SIX} > {A},2001:db8::2")]);
}

#[test]
fn to_and_fro_leaves_no_trail() {
    let mut it = fixture();
    let home = it.add("home");
    it.publish(&home, B, 0);
    it.publish(&home, A, 0);
    let mut most = 0;
    for n in 1..=100 {
        it.visit(&home, B, n, true);
        most = most.max(it.told().len());
        it.publish(&home, A, n);
    }
    assert_eq!(
        it.changes(home.0),
        [format!("0 none {B}"), format!("0 {B} {A}")]
    );
    assert_eq!(it.told(), [format!(" > {B}"), format!("{B} > {A}")]);
    assert_eq!(most, 3);
    // What was told of the way there needs its way back.
    let sent: Vec<i64> = it.notices().iter().map(|notice| notice.id).collect();
    let done = |it: &mut Fixture, ids: &[i64]| {
        it.registry.claim(ids, "m", after(200)).unwrap();
        let give_up = after(-1000);
        (it.registry)
            .delivered(ids, &Delivery::Done, give_up, after(200))
            .unwrap();
    };
    done(&mut it, &sent);
    it.visit(&home, C, 201, true);
    let sent = it.notices()[0].id;
    done(&mut it, &[sent]);
    for n in 202..300 {
        it.publish(&home, A, n);
        assert_eq!(it.told(), [format!("{C} > {A}")]);
        it.visit(&home, D, n, true);
    }
    assert_eq!(it.told(), [format!("{C} > {A}"), format!("{A} > {D}")]);
}

#[test]
fn what_is_being_sent_stays_as_it_is() {
    let mut it = fixture();
    let home = it.add("home");
    it.publish(&home, A, 0);
    it.visit(&home, B, 1, true);
    let read: Vec<i64> = it.notices().iter().map(|notice| notice.id).collect();
    it.registry.claim(&read, "message", after(2)).unwrap();
    for n in 3..30 {
        it.visit(&home, [C, D][n as usize % 2], n, true);
    }
    assert_eq!(
        it.told(),
        [
            format!(" > {A}"),
            format!("{A} > {B}"),
            format!("{B} > {D}")
        ]
    );
    assert_eq!(it.changes(home.0)[1..], [format!("1 {A} {D}")]);

    // A round has read it, and claims it when it is replaced: what is there now is not claimed.
    let read = it.notices()[2].id;
    it.visit(&home, C, 30, true);
    it.registry.claim(&[read], "late", after(31)).unwrap();
    let give_up = after(-1000);
    (it.registry)
        .delivered(&[read], &Delivery::Done, give_up, after(31))
        .unwrap();
    assert_eq!(it.told()[2..], [format!("{B} > {C}")]);

    // A receiver that takes nothing keeps its pause.
    let id = it.notices()[2].id;
    let refused = Delivery::Refused("closed".to_owned());
    (it.registry)
        .delivered(&[id], &refused, give_up, after(32))
        .unwrap();
    it.visit(&home, D, 33, true);
    let last = it.notices().pop().unwrap();
    assert_eq!((last.failures, last.retry_at), (1, Some(after(92))));
    assert_eq!(last.trouble.as_deref(), Some("closed"));
}

#[test]
fn a_visit_that_is_not_to_be_told_keeps_true_what_is() {
    let mut it = fixture();
    let home = it.add("home");
    it.publish(&home, A, 0);
    let silent = |it: &mut Fixture, to: &str, seconds: i64| {
        let mut ask = it.ask(home.0, &home.1, to);
        (ask.now, ask.not_before) = (after(seconds), Some(after(600)));
        ask.notify = Some(false);
        it.registry.accept(&[ask]).unwrap();
    };
    silent(&mut it, B, 1);
    assert_eq!(it.told(), [format!(" > {A}")]);
    it.visit(&home, C, 2, true);
    silent(&mut it, D, 3);
    assert_eq!(it.told()[1..], [format!("{B} > {D}")]);
    assert_eq!(it.changes(home.0)[1..], [format!("1 {A} {D}")]);
}

#[test]
fn what_somebody_may_have_seen_stays() {
    let mut it = fixture();
    let home = it.add("home");
    it.publish(&home, A, 0);
    // One within the limit is on its way, and takes with it what is newest by then.
    it.visit(&home, B, 1, false);
    it.visit(&home, C, 2, true);
    let taken = it.host(home.0).wish;
    it.visit(&home, D, 3, true);
    it.confirm_wish(home.0, &taken, after(4));
    for n in 4..50 {
        it.visit(&home, [A, B][n as usize % 2], n, true);
    }
    assert_eq!(
        it.changes(home.0)[1..],
        [
            format!("1 {A} {B}"),
            format!("2 {B} {C}"),
            format!("5 {C} {B}"),
        ]
    );
    // A try that came to nothing may have been seen all the same.
    it.unconfirmed(home.0);
    it.visit(&home, D, 60, true);
    assert_eq!(it.changes(home.0)[4..], [format!("60 {B} {D}")]);
    assert_eq!(it.changes(home.0).len(), 5);
}

#[test]
fn what_upkeep_may_be_publishing_stays() {
    let mut it = fixture();
    let home = it.add("home");
    it.publish(&home, A, 0);
    it.visit(&home, B, 1, true);
    // Its window is over, and the next one is beyond the limit as well.
    it.visit(&home, C, 600, true);
    assert_eq!(
        it.changes(home.0)[1..],
        [format!("1 {A} {B}"), format!("600 {B} {C}")]
    );
    assert_eq!(it.told()[1..], [format!("{A} > {B}"), format!("{B} > {C}")]);
}
