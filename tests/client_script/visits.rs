//! The name follows the machine, with as few visits as that needs.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::client::{Client, FETCHERS, SHELLS, said, site};
use crate::relay::Mode;
use crate::site::{Site, search};

/// The URL of `home` as the relay has it.
fn url(site: &Site, port: u16) -> String {
    format!("http://localhost:{port}/{}/home", site.token)
}

#[test]
fn the_name_follows_in_every_shell_with_every_program() {
    let Some((site, relay)) = site() else { return };
    let url = url(&site, relay.port);
    let mut number = 10;
    for shell in SHELLS {
        for fetcher in FETCHERS {
            let what = format!("{shell:?} {fetcher}");
            // Without IPv6 to the outside, these know no IPv6 address of a name.
            let literal = |host| url.replace("localhost", host);
            let urls = match fetcher {
                "curl" | "busybox wget" => url.clone(),
                _ => format!("{} 4\n{} 6", literal("127.0.0.1"), literal("[::1]")),
            };
            let client = Client::new(shell, fetcher, &urls);
            let both = fetcher != "busybox wget";
            for step in ["first", "moved"] {
                number += 1;
                let (ipv4, ipv6) = (format!("203.0.113.{number}"), format!("2001:db8::{number}"));
                relay.move_client(&ipv4, &ipv6);
                relay.counted();
                let (status, text) = client.run(&["run"]);
                assert_eq!(status, 0, "{what} {step}: {text}");
                // Each family over its own connection; busybox takes the one it likes.
                let visits = if both { (2, 2) } else { (1, 1) };
                assert_eq!(relay.counted(), visits, "{what} {step}: {text}");
                let seen = (site.dig("home", "A"), site.dig("home", "AAAA"));
                if both {
                    assert_eq!(seen, (ipv4, ipv6), "{what} {step}: {text}");
                } else {
                    assert!(seen.0 == ipv4 || seen.1 == ipv6, "{what} {step}: {seen:?}");
                }
                // Nothing has changed: only the address is asked for, and nothing is said.
                let (status, text) = client.run(&["run"]);
                assert_eq!((status, text.as_str()), (0, ""), "{what} {step}");
                assert_eq!(relay.counted(), (visits.0, 0), "{what} {step}");
            }
            // Once a day it is confirmed anew.
            client.edit("again", "1");
            assert_eq!(client.run(&["run"]).0, 0, "{what}");
            assert!(relay.counted().1 > 0, "{what}");
            let (status, text) = client.run(&["status"]);
            assert_eq!(status, 0, "{what}: {text}");
            assert!(text.contains("confirmed 0 minutes ago"), "{what}: {text}");
            assert!(text.contains("home at "), "{what}: {text}");
            search(
                client.root.path().join("var").as_path(),
                &site.token,
                &mut 0,
            );
        }
    }
}

#[test]
fn only_one_family_where_the_url_says_so() {
    let Some((site, relay)) = site() else { return };
    let client = Client::new(SHELLS[0], "curl", &format!("{} 6", url(&site, relay.port)));
    assert_eq!(client.run(&["run"]).0, 0);
    assert_eq!(relay.counted(), (1, 1));
    assert_eq!(site.dig("home", "A"), "");
    assert_eq!(site.dig("home", "AAAA"), "2001:db8::7");
}

#[test]
fn no_proxy_stands_between_the_machine_and_the_server() {
    let Some((site, relay)) = site() else { return };
    for (number, fetcher) in FETCHERS.into_iter().enumerate() {
        let client = Client::new(SHELLS[0], fetcher, &url(&site, relay.port));
        let (ipv4, ipv6) = (format!("203.0.113.{number}"), format!("2001:db8::{number}"));
        relay.move_client(&ipv4, &ipv6);
        let mut run = client.command(&["run"]);
        for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
            // Nobody listens there.
            run.env(name, "http://127.0.0.1:9");
        }
        let (status, text) = said(&run.output().unwrap());
        assert_eq!(status, 0, "{fetcher}: {text}");
        let seen = (site.dig("home", "A"), site.dig("home", "AAAA"));
        assert!(seen.0 == ipv4 || seen.1 == ipv6, "{fetcher}: {seen:?}");
    }
}

#[test]
fn two_at_once_visit_once() {
    let Some((site, relay)) = site() else { return };
    let client = Client::new(SHELLS[0], "curl", &url(&site, relay.port));
    relay.set(Mode::Slow(Duration::from_millis(700)));
    for round in 0..3 {
        relay.move_client(&format!("203.0.113.{round}"), "2001:db8::1");
        relay.counted();
        let both = [client.start(), client.start(), client.start()];
        let mut done = 0;
        for run in both {
            let (status, text) = said(&run.wait_with_output().unwrap());
            assert!([0, 7].contains(&status), "{status} {text}");
            done += usize::from(status == 0);
        }
        assert!(done > 0);
        // One for each family at first, later for the one that moved.
        let visits = if round == 0 { 2 } else { 1 };
        assert_eq!(relay.counted().1, visits, "round {round}");
        assert_eq!(site.dig("home", "A"), format!("203.0.113.{round}"));
    }
}

#[test]
fn a_lock_of_the_dead_is_no_lock() {
    let Some((site, relay)) = site() else { return };
    let client = Client::new(SHELLS[1], "curl", &url(&site, relay.port));
    fs::create_dir_all(client.state()).unwrap();
    let lock = |owner: u32, time: i64| {
        let file = client.state().join(format!("lock.{owner}.{time}"));
        fs::write(&file, "").unwrap();
        file
    };
    // Nobody has this number: it is above the largest there is.
    let dead = lock(99_999_999, crate::client::now());
    assert_eq!(client.run(&["run"]).0, 0);
    assert!(!dead.exists());
    // That of a process that lives, which may be somebody else's after a restart.
    let old = lock(std::process::id(), crate::client::now() - 4000);
    assert_eq!(client.run(&["run"]).0, 0);
    assert!(!old.exists());
    let held = lock(std::process::id(), crate::client::now());
    relay.counted();
    assert_eq!(client.run(&["run"]).0, 7);
    assert_eq!(relay.counted(), (0, 0));
    assert!(held.exists());
}

#[test]
fn the_secret_is_in_no_process_list_and_no_log() {
    let Some((site, relay)) = site() else { return };
    for fetcher in FETCHERS {
        let client = Client::new(SHELLS[0], fetcher, &url(&site, relay.port));
        relay.counted();
        relay.set(Mode::Slow(Duration::from_millis(300)));
        let mut run = client.start();
        let mut looked = 0;
        while run.try_wait().unwrap().is_none() {
            looked += seen_in_process_list(fetcher.split(' ').next().unwrap(), &site.token);
        }
        let (status, text) = said(&run.wait_with_output().unwrap());
        assert_eq!(status, 0, "{fetcher}: {text}");
        assert!(
            text.contains("203.0.113.7") || text.contains("2001:db8::7"),
            "{text}"
        );
        assert!(!text.contains(&site.token), "{fetcher}: {text}");
        assert!(looked > 0, "{fetcher} was never seen at work");
        relay.set(Mode::Pass);
    }
    search(site.trial.dir.path(), &site.token, &mut 0);
}

/// Searches every command line for the token; how often the program was seen.
fn seen_in_process_list(program: &str, token: &str) -> usize {
    let mut seen = 0;
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(line) = fs::read(Path::new("/proc").join(entry.file_name()).join("cmdline")) else {
            continue;
        };
        let line = String::from_utf8_lossy(&line).into_owned();
        assert!(!line.contains(token), "in the process list: {line:?}");
        let at_work = line.split('\0').any(|word| word.ends_with(program));
        seen += usize::from(at_work);
    }
    seen
}
