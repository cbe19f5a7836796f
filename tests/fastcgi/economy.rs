//! What a responder costs while it stays: memory and time per request.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bowline::token::Token;

use crate::peer::Peer;
use crate::site::Site;

/// Requests; `BOWLINE_REQUESTS` asks for more.
const REQUESTS: usize = 4_000;
const HOSTS: usize = 10_000;
const CLIENTS: usize = 8;

#[test]
fn memory_stays_flat() {
    let site = Site::new();
    let tokens: Vec<Token> = (0..HOSTS).map(|_| Token::random().unwrap()).collect();
    let names = (0..HOSTS).map(|number| format!("h{number}"));
    site.add_hosts(names.zip(&tokens));
    let bowline = site.listen();
    let socket = site.path("bowline.sock");
    let requests =
        std::env::var("BOWLINE_REQUESTS").map_or(REQUESTS, |requests| requests.parse().unwrap());
    let done = AtomicUsize::new(0);
    let over = requests / CLIENTS;
    let ((quarter, rate), end) = thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (socket, tokens, done, site) = (&socket, &tokens, &done, &site);
            scope.spawn(move || {
                let mut kept: Option<Peer> = None;
                for number in 0..over {
                    let token = &tokens[(client * over + number) % 1000];
                    let wrong = format!("/{}x/home", token.secret());
                    let (path, expected) = match number % 16 {
                        0 => ("/ip".to_owned(), "200 OK"),
                        1 => (wrong, "404 Not Found"),
                        _ => (site.update("203.0.113.7"), "200 OK"),
                    };
                    let keep = number % 5 != 4;
                    let mut peer = kept.take().unwrap_or_else(|| Peer::connect(socket));
                    let answered = peer.ask(&path, keep).expect("an answer");
                    assert_eq!(answered.status(), expected, "{}", answered.text);
                    kept = keep.then_some(peer);
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let began = Instant::now();
        while done.load(Ordering::Relaxed) < requests / 4 {
            thread::sleep(Duration::from_millis(5));
        }
        let quarter = bowline.resident();
        while done.load(Ordering::Relaxed) < over * CLIENTS {
            thread::sleep(Duration::from_millis(5));
        }
        let rate = f64::from(u32::try_from(requests).unwrap()) / began.elapsed().as_secs_f64();
        ((quarter, rate), bowline.resident())
    });
    eprintln!(
        "{requests} requests, {rate:.0}/s; {quarter} KiB after a quarter, {end} KiB at the end"
    );
    assert!(end < quarter + 1024, "{quarter} KiB, then {end} KiB");
}
