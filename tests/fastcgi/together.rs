//! Visits that wait at the same time share transactions and UPDATEs; each hears the truth.

use std::path::Path;
use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bowline::token::Token;

use crate::peer::{Peer, with};
use crate::site::Site;
use crate::support::knot::{ZONE, wait_until};

/// Clients that come at the same time, each with hosts of its own.
const CLIENTS: usize = 16;
/// Hosts of each.
const HOSTS: usize = 12;

#[test]
fn parallel_visits_share_updates() {
    let site = Site::new();
    let tokens: Vec<Token> = (0..CLIENTS * HOSTS)
        .map(|_| Token::random().unwrap())
        .collect();
    let names = (0..tokens.len()).map(|number| format!("h{number}"));
    site.add_hosts(names.zip(&tokens));
    let _bowline = site.listen_with(&["--workers", "16"]);
    let socket = site.path("bowline.sock");
    let before = site.knot.serial();
    let address = |number: usize| format!("203.0.{}.{}", number / 200, number % 200);
    thread::scope(|scope| {
        for (client, tokens) in tokens.chunks(HOSTS).enumerate() {
            let socket = &socket;
            scope.spawn(move || {
                for (own, token) in tokens.iter().enumerate() {
                    let (number, secret) = (client * HOSTS + own, token.secret());
                    let path = format!("/{secret}/h{number}?myip={}", address(number));
                    let answered = Peer::connect(socket).ask(&path, false).expect("an answer");
                    assert_eq!(answered.body(), format!("good {}\n", address(number)));
                }
            });
        }
    });
    for number in 0..tokens.len() {
        let found = site.knot.kdig(&format!("h{number}.{ZONE}"), "A");
        assert_eq!(found, [address(number)]);
    }
    let updates = site.knot.serial() - before;
    assert!(
        updates < 100,
        "{updates} transactions of the name server for {} changes",
        tokens.len()
    );
}

#[test]
fn visits_to_one_host_at_once_end_as_one_of_them() {
    let site = Site::new();
    let _bowline = site.listen_with(&["--workers", "8"]);
    let socket = site.path("bowline.sock");
    for round in 0..5 {
        let said: Vec<String> = thread::scope(|scope| {
            let visits: Vec<_> = (0..8)
                .map(|n| {
                    let (site, socket) = (&site, &socket);
                    scope.spawn(move || {
                        let path = site.update(&format!("203.0.{round}.{n}"));
                        let answered = Peer::connect(socket).ask(&path, false);
                        answered.expect("an answer").body().to_owned()
                    })
                })
                .collect();
            visits
                .into_iter()
                .map(|visit| visit.join().unwrap())
                .collect()
        });
        let found = site.address();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            said.iter().all(|said| said.starts_with("good ")),
            "{said:?}"
        );
        assert!(
            said.contains(&format!("good {}\n", found[0])),
            "{said:?} {found:?}"
        );
    }
}

#[test]
fn a_silent_server_holds_one_worker_and_the_others_answer_at_once() {
    let mut site = Site::new();
    let tokens: Vec<Token> = (0..40).map(|_| Token::random().unwrap()).collect();
    let names = (0..tokens.len()).map(|number| format!("h{number}"));
    site.add_hosts(names.zip(&tokens));
    let _bowline = site.listen_with(&["--workers", "4"]);
    let socket = site.path("bowline.sock");
    site.knot.pause();
    let visit = |number: usize| {
        let secret = tokens[number].secret();
        let path = format!("/{secret}/h{number}?myip=203.0.113.{number}");
        let answered = Peer::connect(&socket).ask(&path, false);
        answered.expect("an answer").body().to_owned()
    };
    // With all of them waiting for the name server in turn this would take minutes.
    thread::scope(|scope| {
        let visits: Vec<_> = (0..tokens.len())
            .map(|number| scope.spawn(move || visit(number)))
            .collect();
        for visit in visits {
            assert_eq!(visit.join().unwrap(), "dnserr\n");
        }
    });
    site.knot.resume();
    let status = site.bowline().arg("upkeep").status().unwrap();
    assert!(status.success());
    for number in 0..tokens.len() {
        let found = site.knot.kdig(&format!("h{number}.{ZONE}"), "A");
        assert_eq!(found, [format!("203.0.113.{number}")]);
    }
    site.knot.stop();
}

/// Adds an owner with these hosts; the owner's token.
fn add_hosts_of_anna(site: &Site, names: &[String]) -> String {
    let tokens: Vec<Token> = names.iter().map(|_| Token::random().unwrap()).collect();
    site.add_hosts(names.iter().cloned().zip(&tokens));
    let added = site
        .bowline()
        .args(["owner", "add", "anna"])
        .output()
        .unwrap();
    let said = String::from_utf8(added.stdout).unwrap();
    for name in names {
        let mut set = site.bowline();
        let status = set.args(["host", "set", name, "--owner", "anna"]).status();
        assert!(status.unwrap().success());
    }
    said.lines().nth(2).expect("a token").to_owned()
}

/// One visit for all of an owner's hosts.
fn visit_all(socket: &Path, secret: &str, names: &[String], address: &str) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("{name}.{ZONE}")).collect();
    let path = format!("/nic/update?hostname={}&myip={address}", names.join(","));
    let password = STANDARD.encode(format!("anna:{secret}"));
    let password = format!("Basic {password}");
    let further: &[(&str, &[u8])] = &[("HTTP_AUTHORIZATION", password.as_bytes())];
    let mut peer = Peer::connect(socket);
    let answered = peer.say(&with(1, &path, false, further, b"")).answered(1);
    answered.expect("an answer").body().to_owned()
}

/// The UPDATE for so many goes by TCP; silence is silence there too.
#[test]
fn nobody_waits_behind_a_long_list_for_a_silent_server() {
    let mut site = Site::new();
    let names: Vec<String> = (0..20).map(|n| format!("host{n}")).collect();
    let secret = add_hosts_of_anna(&site, &names);
    let _bowline = site.listen();
    let socket = site.path("bowline.sock");
    site.knot.pause();
    thread::scope(|scope| {
        let list = scope.spawn(|| visit_all(&socket, &secret, &names, "203.0.113.78"));
        wait_until("the list", || site.pending() == names.len());
        // By then the list is with the name server, and for long not at its end.
        thread::sleep(Duration::from_millis(500));
        let answered = Peer::connect(&socket).ask(&site.update("203.0.113.79"), false);
        assert_eq!(answered.expect("an answer").body(), "dnserr\n");
        assert!(!list.is_finished(), "the visit waited as long as the list");
        assert_eq!(list.join().unwrap(), "dnserr\n".repeat(names.len()));
    });
    site.knot.stop();
}

#[test]
fn a_list_that_waits_behind_a_silent_server_hears_so_for_each_host() {
    let mut site = Site::new();
    let names = ["one", "two", "three"].map(str::to_owned);
    let secret = add_hosts_of_anna(&site, &names);
    let _bowline = site.listen();
    let socket = site.path("bowline.sock");
    site.knot.pause();
    let list = || visit_all(&socket, &secret, &names, "203.0.113.77");
    thread::scope(|scope| {
        // The visit that waits for the name server has one host; the list has three.
        let one = scope.spawn(|| {
            let answered = Peer::connect(&socket).ask(&site.update("203.0.113.76"), false);
            answered.expect("an answer").body().to_owned()
        });
        wait_until("the first visit", || site.wish().contains("203.0.113.76"));
        assert_eq!(list(), "dnserr\ndnserr\ndnserr\n");
        assert_eq!(one.join().unwrap(), "dnserr\n");
    });
    site.knot.resume();
    assert!(site.bowline().arg("upkeep").status().unwrap().success());
    for name in names {
        let found = site.knot.kdig(&format!("{name}.{ZONE}"), "A");
        assert_eq!(found, ["203.0.113.77"]);
    }
    site.knot.stop();
}
