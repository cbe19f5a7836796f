//! Octets from a web server, whole and in pieces: both mean the same, and neither makes
//! us keep more than the bounds.
#![no_main]

use bowline::gateway::fastcgi::{Conversation, Heard, Received};
use bowline::http::{BODY_MAX, HEAD_MAX};
use libfuzzer_sys::fuzz_target;

/// Parameters, body, and one record that is read whole.
const KEPT_MAX: usize = HEAD_MAX + BODY_MAX + 3 * 0x10000;

fuzz_target!(|data: &[u8]| {
    let Some((cut, octets)) = data.split_first() else {
        return;
    };
    let whole = hear(octets, octets.len().max(1));
    let pieces = hear(octets, usize::from(*cut).max(1));
    assert_eq!(whole, pieces);
});

/// Replies, requests, and whether the connection goes on.
fn hear(octets: &[u8], size: usize) -> (Vec<u8>, Vec<Received>, bool) {
    let mut conversation = Conversation::default();
    let (mut replies, mut requests) = (Vec::new(), Vec::new());
    for piece in octets.chunks(size) {
        let mut rest = piece;
        loop {
            let heard = conversation.hear(rest);
            replies.extend(conversation.replies());
            assert!(conversation.kept() <= KEPT_MAX);
            match heard {
                Heard::More => break,
                Heard::Over => return (replies, requests, false),
                Heard::Request(read, received) => {
                    requests.push(*received);
                    rest = &rest[read..];
                }
            }
        }
    }
    (replies, requests, true)
}
