//! Webhooks: what is posted, how it is signed, and where it does not go.

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use crate::receiver::{out, Receiver, bowline, certificate, moves, run, telling, text, upkeep};
use crate::receiver::{upkeep_later, webhook};

#[test]
fn a_document_is_posted_and_signed() {
    let hook = Receiver::http();
    let site = telling(
        &(webhook(&hook, "/x", "[\"changed\"]")
            + "secret = \"s3cret\"\nheaders = { Authorization = \"Bearer t0ken\" }\n"),
    );
    let home = site.add("home");
    moves(&site, &home, "203.0.113.7");
    // No proxy of the environment is believed.
    let output = bowline(&site, &["upkeep"])
        .env("http_proxy", "http://127.0.0.1:1/")
        .env("HTTP_PROXY", "http://127.0.0.1:1/")
        .env("ALL_PROXY", "http://127.0.0.1:1/")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let posted = hook.posted();
    assert_eq!(posted.len(), 1, "{posted:?}");
    let document = &hook.documents()[0];
    assert_eq!(document["events"][0]["event"], "changed");
    assert_eq!(document["events"][0]["host"], "home.dyn.example.org");
    assert_eq!(document["events"][0]["ipv4"], "203.0.113.7");
    assert_eq!(document["count"], 1);
    assert_eq!(posted[0]["path"], "/x");
    let headers = &posted[0]["headers"];
    assert_eq!(headers["Authorization"], "Bearer t0ken");
    let named = ["X-Bowline-Id", "X-Bowline-Signature"].map(|name| {
        let mut all = headers.as_object().unwrap().iter();
        let found = all.find(|(field, _)| field.eq_ignore_ascii_case(name));
        found.expect(name).1.as_str().unwrap().to_owned()
    });
    assert_eq!(document["id"], named[0].as_str());
    let (time, signature) = named[1].split_once(",v1=").unwrap();
    let time = time.strip_prefix("t=").unwrap();
    let mut openssl = Command::new("openssl")
        .args(["dgst", "-sha256", "-hmac", "s3cret"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let signed = format!("{time}.{}", posted[0]["body"].as_str().unwrap());
    openssl
        .stdin
        .take()
        .unwrap()
        .write_all(signed.as_bytes())
        .unwrap();
    let output = text(&openssl.wait_with_output().unwrap());
    assert!(
        output.trim_end().ends_with(signature),
        "{output} {signature}"
    );
}

#[test]
fn a_burst_is_one_message() {
    let hook = Receiver::http();
    let site = telling(&webhook(&hook, "/", "[\"changed\"]"));
    for number in 1..=60 {
        let home = site.add(&format!("h{number}"));
        site.visit(&home.with(format!("203.0.113.{number}")));
    }
    upkeep(&site);
    let documents = hook.documents();
    assert_eq!(documents.len(), 1);
    assert_eq!(documents[0]["count"], 60);
    assert_eq!(documents[0]["events"].as_array().unwrap().len(), 50);
    let title = documents[0]["title"].as_str().unwrap();
    assert!(title.ends_with(", and 59 more"), "{title}");
}

#[test]
fn https_where_the_certificate_is_known() {
    let directory = tempfile::tempdir().unwrap();
    let (certificate, key) = certificate(directory.path());
    let hook = Receiver::https(&certificate, &key);
    let site = telling(&format!(
        "[notify.webhook]\nurl = \"https://localhost:{}/\"\n",
        hook.port
    ));
    let said = run(&site, &["notify", "test"]);
    assert!(said.contains("certificate"), "{said}");
    let output = bowline(&site, &["notify", "test"])
        .env("SSL_CERT_FILE", &certificate)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(hook.posted().len(), 1);
}

#[test]
fn refusals_redirects_and_lies() {
    let hook = Receiver::http();
    let site = telling(&webhook(&hook, "/redirect", "[\"changed\"]"));
    let home = site.add("home");
    moves(&site, &home, "203.0.113.7");
    upkeep(&site);
    let status = run(&site, &["status"]);
    assert!(
        status.contains("waiting (it answers 302 Found: redirects are not followed)"),
        "{status}"
    );
    // It rests, and then tells what came meanwhile in the same message.
    site.configure(
        "http://update.example.org",
        &webhook(&hook, "/", "[\"changed\"]"),
    );
    moves(&site, &home, "203.0.113.8");
    upkeep(&site);
    assert_eq!(hook.posted().len(), 1);
    upkeep_later(&site, "+2m");
    let posted = hook.posted();
    assert_eq!(posted.len(), 2);
    assert!(posted.iter().all(|post| post["path"] != "/elsewhere"));
    assert_eq!(hook.documents()[1]["count"], 2);
    site.configure(
        "http://update.example.org",
        &webhook(&hook, "/liar", "[\"changed\"]"),
    );
    moves(&site, &home, "203.0.113.9");
    for later in ["+0", "+3m", "+10m", "+30m", "+2h"] {
        upkeep_later(&site, later);
    }
    let documents = hook.documents();
    assert_eq!(documents.len(), 5, "three times, and no more");
    assert!(
        documents[2..]
            .iter()
            .all(|one| one["id"] == documents[2]["id"])
    );
}

#[test]
fn a_receiver_that_is_down_for_a_day() {
    let port = {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let site = telling(&format!(
        "[notify.webhook]\nurl = \"http://127.0.0.1:{port}/\"\nevents = [\"changed\"]\n"
    ));
    let home = site.add("home");
    moves(&site, &home, "203.0.113.1");
    for later in ["+0", "+5m", "+1h", "+6h", "+12h", "+23h"] {
        upkeep_later(&site, later);
        let status = run(&site, &["status"]);
        assert!(
            status.contains("webhook: 1 event since"),
            "{later}: {status}"
        );
    }
    moves(&site, &home, "203.0.113.2");
    let hook = Receiver::http_at(port);
    upkeep_later(&site, "+25h");
    let documents = hook.documents();
    assert_eq!(documents.len(), 1);
    assert_eq!(documents[0]["count"], 2);
    upkeep_later(&site, "+26h");
    assert_eq!(hook.documents().len(), 1);
    drop(hook);
    moves(&site, &home, "203.0.113.3");
    upkeep_later(&site, "+27h");
    upkeep_later(&site, "+4d");
    let status = run(&site, &["status"]);
    assert!(
        status.contains("1 event since") && status.contains("given up"),
        "{status}"
    );
}

#[test]
fn presets_fill_in() {
    let hook = Receiver::http();
    for (preset, field) in [
        ("ntfy", "message"),
        ("gotify", "message"),
        ("slack", "text"),
    ] {
        let printed = run(
            &crate::support::site::Site::new(),
            &["notify", "preset", preset],
        );
        let own = format!("url = \"http://127.0.0.1:{}/\"", hook.port);
        let lines = printed.lines().map(|line| match line.starts_with("url") {
            true => own.clone(),
            false => line.to_owned(),
        });
        let text: String = lines.map(|line| line + "\n").collect();
        let site = telling(&text);
        let said = run(&site, &["notify", "test"]);
        assert!(said.starts_with("webhook  sent"), "{preset}: {said}");
        let document = hook.documents().pop().unwrap();
        let told = document[field].as_str().unwrap();
        assert!(told.contains("this is a test"), "{preset}: {document}");
    }
}
