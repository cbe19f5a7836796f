//! TERM, HUP, and what comes over meanwhile.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use bowline::registry::Registry;
use bowline::token::LookupKey;

use crate::peer::{Peer, get, with};
use crate::site::{Process, Site};
use crate::support::knot::{free_port, wait_until};

/// bowline on a socket that the test holds, as systemd and spawn-fcgi do.
pub(crate) fn on_standard_input(site: &Site, socket: &UnixListener) -> Process {
    let stdin: std::os::fd::OwnedFd = socket.try_clone().unwrap().into();
    let child = site.bowline().stdin(Stdio::from(stdin)).spawn().unwrap();
    Process::running(child)
}

#[test]
fn restarts_under_load_lose_nothing_while_the_socket_stays() {
    let site = Site::new();
    let path = site.path("held.sock");
    let socket = UnixListener::bind(&path).unwrap();
    let mut bowline = on_standard_input(&site, &socket);
    let over = AtomicBool::new(false);
    let asked = AtomicUsize::new(0);
    thread::scope(|scope| {
        for number in 0..6 {
            let (over, asked, path) = (&over, &asked, &path);
            let update = site.update("203.0.113.7");
            scope.spawn(move || {
                // Half of them keep their connection as nginx does: until it is closed.
                let mut kept: Option<Peer> = None;
                while !over.load(Ordering::Relaxed) {
                    let path_asked = if number < 3 { "/ip" } else { &update };
                    let keep = number % 2 == 0;
                    let fresh = kept.is_none();
                    let mut peer = kept.take().unwrap_or_else(|| Peer::connect(path));
                    match peer.ask(path_asked, keep) {
                        Some(answered) => {
                            assert_eq!(answered.status(), "200 OK", "{}", answered.text);
                            asked.fetch_add(1, Ordering::Relaxed);
                            kept = keep.then_some(peer);
                        }
                        // A kept connection may have been closed meanwhile; nobody
                        // has taken anything from it then.
                        None => assert!(!fresh, "a request was lost"),
                    }
                }
            });
        }
        for _ in 0..8 {
            thread::sleep(Duration::from_millis(300));
            bowline.signal("TERM");
            assert_eq!(bowline.end().code(), Some(0));
            bowline = on_standard_input(&site, &socket);
        }
        thread::sleep(Duration::from_millis(200));
        over.store(true, Ordering::Relaxed);
    });
    eprintln!("{} requests over 8 restarts", asked.load(Ordering::Relaxed));
    assert_eq!(site.address(), ["203.0.113.7"]);
}

#[test]
fn interrupted_in_the_middle_of_an_update_it_finishes_first() {
    let site = Site::new();
    let mut bowline = site.listen();
    let socket = site.path("bowline.sock");
    site.knot.pause();
    let update = site.update("203.0.113.9");
    let asking = thread::spawn({
        let socket = socket.clone();
        move || Peer::connect(&socket).ask(&update, false)
    });
    wait_until("the wish", || site.wish() == "203.0.113.9");
    bowline.signal("INT");
    thread::sleep(Duration::from_millis(200));
    site.knot.resume();
    let answered = asking.join().unwrap().expect("an answer");
    assert_eq!(
        (answered.status(), answered.body()),
        ("200 OK", "good 203.0.113.9\n")
    );
    assert_eq!(bowline.end().code(), Some(0));
    assert!(!socket.exists(), "its own socket file goes with it");
    assert_eq!(site.address(), ["203.0.113.9"]);
}

#[test]
fn what_waits_at_a_port_of_its_own_is_answered_too() {
    let site = Site::new();
    let place = ("127.0.0.1", free_port());
    let mut command = site.bowline();
    command.args(["fastcgi", "--workers", "1", "--listen"]);
    let mut bowline = Process::start(command.arg(format!("{}:{}", place.0, place.1)));
    wait_until("the port", || TcpStream::connect(place).is_ok());
    let visit = |address| {
        let mut stream = TcpStream::connect(place).unwrap();
        let request = get(1, &site.update(address), false);
        stream.write_all(&request).unwrap();
        stream
    };
    site.knot.pause();
    let worked_on = visit("203.0.113.8");
    wait_until("the wish", || site.wish() == "203.0.113.8");
    let waiting = visit("203.0.113.9");
    bowline.signal("TERM");
    thread::sleep(Duration::from_millis(200));
    site.knot.resume();
    for (mut stream, address) in [(worked_on, "203.0.113.8"), (waiting, "203.0.113.9")] {
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.contains(&format!("good {address}\n")), "{answer}");
    }
    assert_eq!(bowline.end().code(), Some(0));
    assert_eq!(site.address(), ["203.0.113.9"]);
}

/// Else OpenRC calls its end a failure, and a restart that has begun ends there.
#[test]
fn openrc_waits_until_an_update_has_its_answer() {
    let service = concat!(env!("CARGO_MANIFEST_DIR"), "/openrc/bowline");
    let mut sh = Command::new("sh");
    // What it waits where a service does not say it.
    let retry = sh.args(["-c", ". \"$0\"; echo \"${retry:-TERM/5}\"", service]);
    let retry = String::from_utf8(retry.output().unwrap().stdout).unwrap();
    let site = Site::new();
    let mut bowline = site.listen();
    let (socket, update) = (site.path("bowline.sock"), site.update("203.0.113.9"));
    site.knot.pause();
    let asking = thread::spawn(move || Peer::connect(&socket).ask(&update, false));
    wait_until("the wish", || site.wish() == "203.0.113.9");
    let mut stop = Command::new("start-stop-daemon");
    stop.args(["--stop", "--retry", retry.trim(), "--pid"]);
    let mut stop = stop.arg(bowline.pid().to_string()).spawn().unwrap();
    assert_eq!(bowline.end().code(), Some(0));
    assert!(stop.wait().unwrap().success());
    let answered = asking.join().unwrap().expect("an answer");
    assert_eq!(answered.body(), "dnserr\n");
    site.knot.resume();
}

#[test]
fn a_hangup_reads_the_configuration_again() {
    let site = Site::new();
    let bowline = site.listen();
    let socket = site.path("bowline.sock");
    let ask = |path: &str| Peer::connect(&socket).ask(path, false).unwrap();
    assert_eq!(ask("/ip").status(), "200 OK");
    assert_eq!(ask("/below/ip").status(), "404 Not Found");

    let reload = |result: &str| {
        let before = site.log().matches(result).count();
        bowline.signal("HUP");
        wait_until(result, || site.log().matches(result).count() > before);
    };
    site.configure("https://update.example.org/below");
    reload("reload result=done");
    assert_eq!(ask("/below/ip").status(), "200 OK");
    assert_eq!(ask("/ip").status(), "404 Not Found");

    // What is broken changes nothing, and the log says so.
    for (file, broken) in [
        ("bowline.toml", "url = 1\n"),
        ("bowline.toml", "uri = \"https://update.example.org\"\n"),
        ("lookup.key", "no key\n"),
        ("key.conf", "no key either\n"),
    ] {
        let good = fs::read(site.path(file)).unwrap();
        fs::write(site.path(file), broken).unwrap();
        reload("reload result=kept-old reason=");
        let update = format!("/below{}", site.update("203.0.113.7"));
        assert_eq!(ask(&update).status(), "200 OK", "{file}: {broken}");
        fs::write(site.path(file), good).unwrap();
    }
    reload("reload result=done");
    assert_eq!(site.address(), ["203.0.113.7"]);
    let secret = site.token.secret();
    assert!(!site.log().contains(secret));
}

#[test]
fn a_key_that_was_replaced_is_taken_as_soon_as_the_old_one_is_refused() {
    let site = Site::new();
    let _bowline = site.listen();
    let socket = site.path("bowline.sock");
    let visit = |address: &str| {
        let update = site.update(address);
        let answered = Peer::connect(&socket).ask(&update, false).unwrap();
        answered.body().trim_end().to_owned()
    };
    assert_eq!(visit("203.0.113.1"), "good 203.0.113.1");
    for (n, first) in [(2, "203.0.113.1"), (3, "203.0.113.4")] {
        let other = format!("203.0.113.{n}");
        site.knot.write_another_key();
        // The name server still has the old one.
        assert_eq!(visit(&other), format!("good {other}"));
        assert_eq!(site.address(), [other.as_str()]);
        assert_eq!(visit("203.0.113.1"), "good 203.0.113.1");
        site.knot.reload();
        let word = if first == "203.0.113.1" {
            "nochg"
        } else {
            "good"
        };
        assert_eq!(visit(first), format!("{word} {first}"));
        assert_eq!(site.address(), [first]);
        assert_eq!(visit(&other), format!("good {other}"));
        assert_eq!(site.address(), [other.as_str()]);
    }
    assert!(!site.log().contains("dnserr"), "{}", site.log());
}

#[test]
fn a_broken_configuration_is_answered_until_it_is_mended() {
    let site = Site::new();
    let good = fs::read(site.config()).unwrap();
    fs::write(site.config(), "nonsense").unwrap();

    let address = format!("unix:{}", site.path("own.sock").display());
    let out = site
        .bowline()
        .args(["fastcgi", "--listen", &address])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(1));
    assert!(
        said.starts_with("bowline: ") && said.contains("\nhint: "),
        "{said}"
    );

    // With a socket that others hold, an end would only start it again and again.
    let path = site.path("held.sock");
    let socket = UnixListener::bind(&path).unwrap();
    let _bowline = on_standard_input(&site, &socket);
    let answered = Peer::connect(&path)
        .ask(&site.update("203.0.113.7"), false)
        .unwrap();
    assert_eq!(
        (answered.status(), answered.body()),
        ("503 Service Unavailable", "911\n")
    );
    // In the words that the client prefers, also once the log has it.
    let accept: (&str, &[u8]) = ("HTTP_ACCEPT", b"application/json");
    let request = with(1, &site.update("203.0.113.7"), false, &[accept], b"");
    let answered = Peer::connect(&path).say(&request).answered(1).unwrap();
    assert_eq!(
        (answered.status(), answered.body()),
        ("503 Service Unavailable", "{\"status\":\"911\"}\n")
    );
    fs::write(site.config(), good).unwrap();
    wait_until("the configuration", || {
        let answered = Peer::connect(&path).ask(&site.update("203.0.113.7"), false);
        answered.unwrap().status() == "200 OK"
    });
    assert_eq!(site.address(), ["203.0.113.7"]);
}

#[test]
fn a_registry_that_was_put_back_is_noticed() {
    let site = Site::new();
    let _bowline = site.listen();
    let socket = site.path("bowline.sock");
    let ask = || {
        Peer::connect(&socket)
            .ask(&site.update("203.0.113.7"), false)
            .unwrap()
    };
    assert_eq!(ask().body(), "good 203.0.113.7\n");
    put_registry_aside(&site);
    assert_eq!(ask().status(), "503 Service Unavailable");
}

/// As a backup of another machine may bring them.
#[test]
fn a_registry_with_a_key_of_its_own_is_noticed() {
    let site = Site::new();
    let _bowline = site.listen();
    let socket = site.path("bowline.sock");
    let moves = |address: &str| {
        let answered = Peer::connect(&socket).ask(&site.update(address), false);
        assert_eq!(answered.unwrap().body(), format!("good {address}\n"));
        assert_eq!(site.address(), [address]);
    };
    moves("203.0.113.7");
    put_registry_aside(&site);
    let key = LookupKey::random().unwrap();
    fs::write(site.path("lookup.key"), key.to_hex()).unwrap();
    drop(Registry::create(&site.path("registry/bowline.db"), key).unwrap());
    let token = site.path("token");
    fs::write(&token, site.token.secret()).unwrap();
    let mut add = site.bowline();
    add.args(["host", "add", "home", "--token"]);
    let add = add.arg(format!("@{}", token.display())).output().unwrap();
    assert!(add.status.success(), "{add:?}");
    moves("203.0.113.8");
}

fn put_registry_aside(site: &Site) {
    for file in ["bowline.db", "bowline.db-wal", "bowline.db-shm"] {
        let file = site.path("registry").join(file);
        let _ = fs::rename(&file, file.with_extension("old"));
    }
}

/// A web server that keeps connections says nothing on them: the end does not wait for it.
#[test]
fn the_end_does_not_wait_for_a_silent_peer() {
    let site = Site::new();
    let mut bowline = site.listen();
    let mut peer = Peer::connect(&site.path("bowline.sock"));
    assert_eq!(peer.ask("/ip", true).unwrap().status(), "200 OK");
    bowline.signal("TERM");
    // An idle connection may stay for 75 s; this does not wait so long.
    assert!(bowline.end().success());
    assert!(peer.is_closed());
}
