//! `upkeep --watch`, and the signals that it hears.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use crate::place::Place;
use crate::published::served;

/// A configuration with which every round fails, and says so.
const BROKEN: &str = "url = \n";

/// An upkeep that runs, and what it says.
struct Upkeep {
    process: Child,
    said: Lines<BufReader<ChildStderr>>,
}

impl Upkeep {
    fn start(it: &Place) -> Self {
        let mut command = it.command("upkeep --watch");
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(process.stderr.take().unwrap()).lines();
        Upkeep { process, said }
    }

    /// Waits for a round to fail, and so to be over.
    fn failed(&mut self) {
        let mut said = self.said.by_ref().map(Result::unwrap);
        let note = said.find(|line| line.starts_with("note: "));
        assert!(note.unwrap().starts_with("note: this round failed"));
    }

    fn send(&self, signal: &str) {
        let mut kill = Command::new("kill");
        kill.args(["-s", signal]).arg(self.process.id().to_string());
        assert!(kill.status().unwrap().success());
    }
}

#[test]
fn a_signal_ends_the_pause_with_0() {
    let it = Place::new();
    it.write("etc/bowline.toml", BROKEN);
    for signal in ["TERM", "INT"] {
        let mut upkeep = Upkeep::start(&it);
        upkeep.failed();
        let begin = Instant::now();
        upkeep.send(signal);
        let ended = upkeep.process.wait().unwrap();
        assert_eq!(ended.code(), Some(0), "{signal}: {ended}");
        assert!(begin.elapsed() < Duration::from_secs(10), "{signal}");
    }
}

#[test]
fn hang_up_begins_the_next_round_with_the_configuration_as_it_is_then() {
    let it = Place::new();
    let config = it.read("etc/bowline.toml");
    it.write("etc/bowline.toml", BROKEN);
    let mut upkeep = Upkeep::start(&it);
    upkeep.failed();
    upkeep.send("HUP");
    upkeep.failed();
    it.write("etc/bowline.toml", &config);
    upkeep.send("HUP");
    crate::support::knot::wait_until("a round", || {
        it.run("status --json").out.contains("\"last_upkeep\": \"")
    });
    upkeep.send("TERM");
    assert_eq!(upkeep.process.wait().unwrap().code(), Some(0));
}

/// A round that hangs at a name server that takes what it is told and says nothing.
#[test]
fn a_round_under_way_ends_first_and_who_asks_twice_does_not_wait() {
    use std::os::unix::process::ExitStatusExt as _;
    let it = Place::new();
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let server = silent.local_addr().unwrap().to_string();
    let config = it.read("etc/bowline.toml");
    it.write("etc/bowline.toml", &config.replace("127.0.0.1:9", &server));
    it.done("host add home --static --ipv4 192.0.2.1");
    for twice in [false, true] {
        silent.set_nonblocking(true).unwrap();
        while silent.recv(&mut [0; 4096]).is_ok() {}
        silent.set_nonblocking(false).unwrap();
        let mut upkeep = Upkeep::start(&it);
        silent.recv(&mut [0; 4096]).unwrap();
        upkeep.send("TERM");
        if twice {
            std::thread::sleep(Duration::from_millis(200));
            assert_eq!(upkeep.process.try_wait().unwrap(), None);
            upkeep.send("TERM");
        }
        let ended = upkeep.process.wait().unwrap();
        match twice {
            true => assert_eq!(ended.signal(), Some(15)),
            false => assert_eq!(ended.code(), Some(0)),
        }
    }
}

#[test]
fn upkeep_that_watches_outlives_a_round_that_fails() {
    let it = Place::new();
    it.write("etc/bowline.toml", BROKEN);
    let mut upkeep = Upkeep::start(&it);
    upkeep.failed();
    let ended = upkeep.process.try_wait().unwrap();
    upkeep.process.kill().unwrap();
    upkeep.process.wait().unwrap();
    assert_eq!(ended, None);
}

#[test]
fn upkeep_watches_and_status_tells_why_something_is_pending() {
    let (it, knot) = served();
    knot.set("home 60 CNAME elsewhere.example.");
    let ran = it.run("host add home --ipv4 203.0.113.7");
    assert!(ran.err.contains("did not take home"), "{ran:?}");
    let status = it.json("status");
    let reason = status["pending"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("hidden by a CNAME"), "{reason}");
    let metrics = it.done("status --metrics");
    for line in [
        "bowline_hosts{zone=\"dyn.example.org\"} 1",
        "bowline_hosts_pending{zone=\"dyn.example.org\"} 1",
        "# TYPE bowline_pending_oldest_seconds gauge",
    ] {
        assert!(metrics.lines().any(|other| other == line), "{metrics}");
    }
    assert!(!metrics.contains("bowline_upkeep_age_seconds"), "{metrics}");

    knot.knotc(&["zone-begin", "dyn.example.org"]);
    knot.knotc(&["zone-unset", "dyn.example.org", "home", "CNAME"]);
    knot.knotc(&["zone-commit", "dyn.example.org"]);
    let mut watch = it.command("upkeep --watch").spawn().unwrap();
    crate::support::knot::wait_until("the record", || {
        knot.kdig("home.dyn.example.org", "A") == ["203.0.113.7"]
    });
    // The fact is noted after the record is there.
    crate::support::knot::wait_until("the fact", || {
        it.json("status")["pending"] == serde_json::json!([])
    });
    watch.kill().unwrap();
    watch.wait().unwrap();
}
