//! Receivers that leave a doubt: one whose certificate nobody knows, one that takes a document
//! and hangs up, and one that says nothing while another would listen.

use std::collections::BTreeSet;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use bowline::registry::Settings;
use serde_json::Value;

use crate::receiver::Receiver;
use crate::server::certificate;
use crate::site::{later, said, site, trouble, upkeep, waiting};
use crate::support::knot::free_port;
use crate::support::site::Site;

/// Ended when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A receiver behind TLS, with `cert.pem` there.
fn https(dir: &Path, port: u16) -> Running {
    certificate(dir);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/outbox/https.py");
    let child = Command::new("/usr/bin/python3")
        .args([script, &port.to_string(), "cert.pem", "key.pem", "kept"])
        .current_dir(dir)
        .spawn()
        .unwrap();
    let mut running = Running(child);
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        let ended = running.0.try_wait().unwrap();
        assert!(ended.is_none(), "the receiver ended: {ended:?}");
        assert!(began.elapsed() < Duration::from_secs(60), "no receiver");
        std::thread::sleep(Duration::from_millis(20));
    }
    running
}

/// A round that trusts that certificate: messages sent and failed.
fn trusting(site: &Site, certificate: &Path) -> [u64; 2] {
    let output = site
        .verb(&["upkeep", "--json"])
        .env("SSL_CERT_FILE", certificate)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    ["sent", "failed"].map(|what| report["messages"][what].as_u64().unwrap())
}

#[test]
fn a_webhook_goes_only_where_the_certificate_is_known() {
    let (own, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let port = free_port();
    let _receiver = https(own.path(), port);
    let _other = https(other.path(), free_port());
    let (certificate, kept) = (own.path().join("cert.pem"), own.path().join("kept"));
    let table = |host: &str| format!("[notify.webhook]\nurl = \"https://{host}:{port}/hook\"\n");
    let site = site(&table("localhost"));
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.7")).status, 200);
    // Nobody vouches for it; then somebody else is trusted; then it has another name.
    assert_eq!(upkeep(&site), [0, 1, 0]);
    let why = trouble(&site).to_lowercase();
    assert!(why.contains("certificate"), "{why}");
    later(&site, 3600);
    assert_eq!(trusting(&site, &other.path().join("cert.pem")), [0, 1]);
    later(&site, 3600);
    crate::site::configure(&site, &table("127.0.0.1"));
    assert_eq!(trusting(&site, &certificate), [0, 1]);
    assert!(!kept.exists(), "it has got something");
    later(&site, 3600);
    crate::site::configure(&site, &table("localhost"));
    assert_eq!(trusting(&site, &certificate), [1, 0], "{}", trouble(&site));
    let got = fs::read_to_string(kept).unwrap();
    let document: Value = serde_json::from_str(&got).unwrap();
    assert_eq!(document["count"], 1);
    assert_eq!(document["events"][0]["ipv4"], "203.0.113.7");
}

#[test]
fn what_was_taken_without_an_answer_keeps_its_name_and_is_not_sent_for_ever() {
    let receiver = Receiver::new();
    // It takes the document and hangs up.
    receiver.says(|_| String::new());
    let site = site(&receiver.table(""));
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    for _ in 0..6 {
        upkeep(&site);
        later(&site, 6 * 3600);
    }
    let posts = receiver.take();
    assert!((2..=3).contains(&posts.len()), "{} times", posts.len());
    let names: BTreeSet<String> = (posts.iter())
        .map(|post| post.headers["x-bowline-id"].clone())
        .collect();
    assert_eq!(names.len(), 1, "one message has one name: {names:?}");
    assert_eq!(waiting(&site), 0);
    assert!(!trouble(&site).is_empty());
    // What happens afterwards is another message.
    receiver.says(|_| crate::receiver::status("200 OK"));
    assert_eq!(site.visit(&home.with("203.0.113.2")).status, 200);
    assert_eq!(upkeep(&site), [1, 0, 0]);
    let post = receiver.take().remove(0);
    assert!(!names.contains(&post.headers["x-bowline-id"]));
    assert_eq!(post.json()["count"], 1);
}

#[test]
fn who_waits_longest_goes_first_and_a_name_outlives_the_trouble_of_others() {
    let receiver = Receiver::new();
    let site = site(&receiver.table(""));
    let home = site.add("home");
    // The names of what it has got in a round.
    let round = |expected| {
        assert_eq!(upkeep(&site), expected, "{}", trouble(&site));
        let posts = receiver.take().into_iter();
        let names = posts.map(|post| post.headers["x-bowline-id"].clone());
        names.collect::<Vec<String>>()
    };
    receiver.says(|_| String::new());
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    let first = round([0, 1, 0]);
    later(&site, 3600);
    assert_eq!(site.visit(&home.with("203.0.113.2")).status, 200);
    // It hangs up once more, and is left alone with all that is newer.
    assert_eq!(round([0, 1, 0]), first);
    let second = round([0, 1, 0]);
    assert_eq!(second.len(), 1);
    assert_ne!(first, second);
    // It takes nothing: of the second nobody knows better than before.
    receiver.says(|_| crate::receiver::status("503 Service Unavailable"));
    later(&site, 3600);
    assert_eq!(round([0, 1, 0]), first);
    receiver.says(|_| crate::receiver::status("200 OK"));
    later(&site, 3600);
    let names = round([2, 0, 0]);
    for name in [&first[0], &second[0]] {
        assert!(names.contains(name), "{names:?} without {name}");
    }
    assert_eq!(waiting(&site), 0);
}

#[test]
fn a_mail_server_that_says_nothing_holds_up_no_webhook() {
    // It takes connections, and not a word follows.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let receiver = Receiver::new();
    let site = site(&format!(
        "[notify.mail]\nsmtp = \"smtp://127.0.0.1:{port}\"\nfrom = \"dns@example.org\"\n\
         events = [\"changed\"]\n{}",
        receiver.table("events = [\"changed\"]")
    ));
    let mail = Some("anna@example.net".to_owned());
    let home = site.add_with(
        "home",
        Settings {
            mail,
            ..Settings::default()
        },
    );
    assert_eq!(site.visit(&home.with("203.0.113.7")).status, 200);
    assert_eq!(waiting(&site), 2);
    assert_eq!(upkeep(&site), [1, 1, 0]);
    assert_eq!(receiver.take().len(), 1);
    assert_eq!(waiting(&site), 1, "the mail waits, and nothing else does");
    assert_eq!(why(&site), "it does not answer within 10 s");
    // It rests meanwhile; what comes later is told at once where somebody listens.
    assert_eq!(site.visit(&home.with("203.0.113.8")).status, 200);
    assert_eq!(upkeep(&site), [1, 0, 0]);
    assert_eq!(receiver.take().len(), 1);
}

#[test]
fn a_receiver_that_says_nothing_is_said_to_say_nothing() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let site = site(&format!(
        "[notify.webhook]\nurl = \"http://{address}/hook\"\n"
    ));
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.7")).status, 200);
    assert_eq!(upkeep(&site), [0, 1, 0]);
    assert_eq!(why(&site), "it does not answer within 10 s");
}

/// Why what waits was not delivered.
fn why(site: &Site) -> String {
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let why = "SELECT trouble FROM outbox WHERE done IS NULL";
    db.query_row(why, [], |row| row.get(0)).unwrap()
}
