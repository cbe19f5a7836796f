//! Who makes room where there are as many connections as there may be.

use std::thread::sleep;
use std::time::Duration;

use bowline::gateway::fastcgi::Limits;

use crate::peer::{begin, get};
use crate::responder::{Responder, short};

/// So many connections, none of which is closed for being late.
fn room_for(connections: usize) -> Responder {
    let long = Duration::from_secs(60);
    Responder::start(Limits {
        connections,
        idle: long,
        request: long,
        ..short()
    })
}

#[test]
fn the_one_that_is_idle_for_longest() {
    let responder = room_for(3);
    let [mut one, mut two, mut three] = [(); 3].map(|()| {
        let mut peer = responder.connect();
        assert_eq!(peer.ask("/", true).expect("an answer").ended, 0);
        peer
    });
    assert!(one.is_closed());
    assert!(!two.is_closed_now() && !three.is_closed_now());
    // Who says something is idle only from then on.
    assert_eq!(two.ask("/", true).expect("an answer").ended, 0);
    let mut four = responder.connect();
    assert_eq!(four.ask("/", true).expect("an answer").ended, 0);
    assert!(three.is_closed());
    for peer in [&mut two, &mut four] {
        assert!(!peer.is_closed_now());
        assert_eq!(peer.ask("/", true).expect("an answer").ended, 0);
    }
}

#[test]
fn an_idle_one_before_one_whose_request_is_on_its_way() {
    let responder = room_for(3);
    let mut slow = responder.connect();
    let request = get(1, "/", true);
    let (begun, rest) = request.split_at(begin(1, 1, true).len());
    slow.say(begun);
    let mut idle = responder.connect();
    assert_eq!(idle.ask("/", true).expect("an answer").ended, 0);
    // So long that either might have to go.
    sleep(Duration::from_millis(1200));
    let mut third = responder.connect();
    assert_eq!(third.ask("/", true).expect("an answer").ended, 0);
    assert!(idle.is_closed());
    assert!(!slow.is_closed_now());
    slow.say(rest);
    assert_eq!(slow.answered(1).expect("an answer").ended, 0);
    assert_eq!(third.ask("/", true).expect("an answer").ended, 0);
}
