//! Every way to be given a socket, and every socket that is not taken.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::process::{Command, Output, Stdio};

use crate::peer::Peer;
use crate::site::{Process, Site, wait_for_socket};
use crate::support::knot::free_port;
use crate::support::skip::{Privilege, may};

/// `bowline fastcgi` with these arguments, which ends by itself.
fn refused(site: &Site, arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = site
        .bowline()
        .arg("fastcgi")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn a_stale_socket_file_is_replaced_and_nothing_else() {
    let site = Site::new();
    let path = site.path("bowline.sock");
    let address = format!("unix:{}", path.display());
    // A file whose listener is gone.
    drop(UnixListener::bind(&path).unwrap());
    let bowline = site.listen();
    assert_eq!(
        Peer::connect(&path).ask("/ip", false).unwrap().status(),
        "200 OK"
    );
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    // Somebody answers.
    let (code, said) = refused(&site, &["--listen", &address]);
    assert_eq!(code, Some(1));
    assert!(
        said.contains("answers on") && said.contains("\nhint: "),
        "{said}"
    );
    assert_eq!(
        Peer::connect(&path).ask("/ip", false).unwrap().status(),
        "200 OK"
    );
    drop(bowline);
    // It is no socket.
    let file = site.path("lookup.key");
    let (code, said) = refused(&site, &["--listen", &format!("unix:{}", file.display())]);
    assert!(code == Some(1) && said.contains("is no socket"), "{said}");
    assert!(file.exists());
}

#[test]
fn a_socket_file_that_somebody_else_put_there_stays() {
    let site = Site::new();
    let path = site.path("bowline.sock");
    let mut bowline = site.listen();
    std::fs::remove_file(&path).unwrap();
    let mut next = site.listen();
    bowline.signal("TERM");
    assert!(bowline.end().success());
    let answered = Peer::connect(&path).ask(&site.update("203.0.113.7"), false);
    assert_eq!(answered.unwrap().body(), "good 203.0.113.7\n");
    assert_eq!(site.address(), ["203.0.113.7"]);
    next.signal("TERM");
    assert!(next.end().success());
    assert!(!path.exists());
}

#[test]
fn tcp_beyond_loopback_needs_to_be_allowed() {
    let site = Site::new();
    let port = free_port();
    let everywhere = format!("0.0.0.0:{port}");
    let (code, said) = refused(&site, &["--listen", &everywhere]);
    assert!(code == Some(1) && said.contains("--allow"), "{said}");
    for (listen, allow, answered) in [
        (format!("127.0.0.1@{port}"), None, true),
        (everywhere.clone(), Some("127.0.0.0/8"), true),
        (everywhere, Some("192.0.2.0/24"), false),
    ] {
        let mut command = site.bowline();
        command.args(["fastcgi", "--workers", "1", "--listen", &listen]);
        command.args(allow.iter().flat_map(|network| ["--allow", network]));
        let _bowline = Process::start(&mut command);
        assert_eq!(ask_tcp(port), answered, "{listen} {allow:?}");
    }
}

/// Where both families arrive, whoever comes by IPv4 is known by an IPv4 address.
#[test]
fn peers_by_ipv4_at_a_socket_of_both_families() {
    if !may(Privilege::Ipv6) {
        return;
    }
    let site = Site::new();
    let port = free_port();
    for (allow, answered) in [("127.0.0.0/8", true), ("192.0.2.0/24", false)] {
        let mut command = site.bowline();
        command.args(["fastcgi", "--workers", "1", "--allow", allow]);
        let _bowline = Process::start(command.args(["--listen", &format!("[::]:{port}")]));
        assert_eq!(ask_tcp(port), answered, "{allow}");
    }
}

/// The peers that FastCGI's own variable names (section 3.2).
#[test]
fn tcp_for_the_web_servers_that_the_environment_names() {
    const VARIABLE: &str = "FCGI_WEB_SERVER_ADDRS";
    let site = Site::new();
    let port = free_port();
    let (own, everywhere) = (format!("127.0.0.1:{port}"), format!("0.0.0.0:{port}"));
    for (listen, named, answered) in [
        (&own, "127.0.0.1", true),
        (&own, "192.0.2.7, ::ffff:127.0.0.1", true),
        (&own, "192.0.2.7", false),
        (&everywhere, "192.0.2.7,127.0.0.1", true),
        (&everywhere, "192.0.2.7", false),
    ] {
        let mut command = site.bowline();
        command.args(["fastcgi", "--workers", "1", "--listen", listen]);
        let _bowline = Process::start(command.env(VARIABLE, named));
        assert_eq!(ask_tcp(port), answered, "{listen} {named}");
    }
    for (named, said) in [("localhost", "is no list of addresses"), ("", "--allow")] {
        let mut command = site.bowline();
        command.args(["fastcgi", "--listen", &everywhere]);
        let ended = command.env(VARIABLE, named).output().unwrap();
        let stderr = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1), "{named}: {stderr}");
        assert!(stderr.contains(said), "{named}: {stderr}");
    }
}

/// Whether `/ip` is answered on a port of loopback.
fn ask_tcp(port: u16) -> bool {
    use std::io::{Read, Write};
    let mut stream = None;
    crate::support::knot::wait_until("the port", || {
        stream = std::net::TcpStream::connect(("127.0.0.1", port)).ok();
        stream.is_some()
    });
    let mut stream = stream.unwrap();
    let _ = stream.write_all(&crate::peer::get(1, "/ip", false));
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).contains("198.51.100.4")
}

#[test]
fn usage() {
    let site = Site::new();
    for (arguments, code, text) in [
        (&[][..], 1, "no socket to listen on"),
        (&["--listen", "nowhere"], 2, "no place to listen"),
        (&["--listen", "unix:"], 2, "needs a path"),
        (&["--workers", "0"], 2, "0"),
        (&["--workers", "65"], 2, "65"),
        (&["--allow", "all"], 2, "all"),
    ] {
        let (found, said) = refused(&site, arguments);
        assert!(
            found == Some(code) && said.contains(text),
            "{arguments:?}: {found:?} {said}"
        );
    }
}

#[test]
fn systemd_passes_its_sockets_on() {
    passed_on_by_systemd(&Site::new());
}

/// They go on to the process that serves them as the owner of the state.
#[test]
fn what_systemd_passes_on_to_root_goes_to_the_owner() {
    if !may(Privilege::Root) {
        return;
    }
    passed_on_by_systemd(&site_of_another());
}

/// A site whose state is not root's.
fn site_of_another() -> Site {
    let site = Site::new();
    let mut chown = Command::new("chown");
    chown.args(["-R", "www-data"]).arg(site.path(""));
    assert!(chown.status().unwrap().success());
    site
}

fn passed_on_by_systemd(site: &Site) {
    let socket = site.path("systemd.sock");
    // What systemd does, by its own program for that.
    let mut command = Command::new("systemd-socket-activate");
    command
        .arg("--listen")
        .arg(&socket)
        .arg("--setenv=BOWLINE_CONFIG")
        .env("BOWLINE_CONFIG", site.config())
        .args([env!("CARGO_BIN_EXE_bowline"), "fastcgi"])
        .stderr(Stdio::null());
    let _systemd = Process::start(&mut command);
    wait_for_socket(&socket);
    let answered = Peer::connect(&socket).ask(&site.update("203.0.113.7"), false);
    assert_eq!(answered.unwrap().body(), "good 203.0.113.7\n");
    assert_eq!(site.address(), ["203.0.113.7"]);
}

#[test]
fn spawn_fcgi_passes_its_socket_on() {
    let site = Site::new();
    for (arguments, tcp) in [
        (
            vec![
                "-s".to_owned(),
                site.path("spawn.sock").display().to_string(),
            ],
            None,
        ),
        (
            vec!["-a".into(), "127.0.0.1".into(), "-p".into()],
            Some(free_port()),
        ),
    ] {
        let mut command = Command::new("spawn-fcgi");
        command.arg("-n").args(arguments);
        command.args(tcp.map(|port| port.to_string()));
        // What mod_fcgid sets does not make it a CGI program.
        command.env("GATEWAY_INTERFACE", "CGI/1.1");
        command.env("BOWLINE_CONFIG", site.config());
        command.arg("--").arg(env!("CARGO_BIN_EXE_bowline"));
        let _spawned = Process::start(&mut command);
        match tcp {
            None => {
                wait_for_socket(&site.path("spawn.sock"));
                let mut peer = Peer::connect(&site.path("spawn.sock"));
                let answered = peer.ask(&site.update("203.0.113.8"), false).unwrap();
                assert_eq!(answered.body(), "good 203.0.113.8\n");
                assert_eq!(site.address(), ["203.0.113.8"]);
            }
            Some(port) => assert!(ask_tcp(port)),
        }
    }
}

#[test]
fn a_cgi_request_is_still_one() {
    let site = Site::new();
    // Standard input is a socket here too, but not one that listens.
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let stdin = std::net::TcpStream::connect(held.local_addr().unwrap()).unwrap();
    let stdin: std::os::fd::OwnedFd = stdin.into();
    let out = site
        .bowline()
        .envs([("GATEWAY_INTERFACE", "CGI/1.1"), ("REQUEST_METHOD", "GET")])
        .envs([("REQUEST_URI", "/ip"), ("REMOTE_ADDR", "198.51.100.4")])
        .stdin(Stdio::from(stdin))
        .output()
        .unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(text.ends_with("\r\n\r\n198.51.100.4\n"), "{text}");
}

/// The configuration is the one that is named, and root's process serves as the owner of the state.
#[test]
fn what_the_verb_is_told_counts_where_spawn_fcgi_passes_its_socket_on() {
    let site = match may(Privilege::Root) {
        true => site_of_another(),
        false => Site::new(),
    };
    let socket = site.path("spawn.sock");
    let mut command = Command::new("spawn-fcgi");
    command.args(["-n", "-s"]).arg(&socket);
    command.arg("--").arg(env!("CARGO_BIN_EXE_bowline"));
    command.arg("--config").arg(site.config());
    let _spawned = Process::start(command.args(["fastcgi", "--workers", "2"]));
    wait_for_socket(&socket);
    let answered = Peer::connect(&socket).ask(&site.update("203.0.113.9"), false);
    assert_eq!(answered.unwrap().body(), "good 203.0.113.9\n");
    assert_eq!(site.address(), ["203.0.113.9"]);
    let state = site.path("registry");
    let locks = fs::read_dir(state.join("locks")).unwrap();
    let owner = fs::metadata(&state).unwrap().uid();
    for lock in locks {
        assert_eq!(lock.unwrap().metadata().unwrap().uid(), owner);
    }
}
