//! The command line: a test of what is configured, presets, who hears of what, and what
//! status and history say of it.

use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::receiver::{Receiver, status};
use crate::server::Server;
use crate::site::{configure, later, said, site, upkeep};
use crate::support::site::{Home, Site};

const OPERATOR: &str = "to = \"root@example.org\"";

/// `bowline notify test` with these arguments, by who trusts the mail server's certificate.
fn test(site: &Site, server: &Server, arguments: &[&str]) -> Output {
    let arguments = [&["notify", "test"], arguments].concat();
    let mut verb = site.verb(&arguments);
    verb.env("SSL_CERT_FILE", server.file("cert.pem"));
    verb.output().unwrap()
}

fn json(site: &Site, arguments: &[&str]) -> Value {
    serde_json::from_str(&site.bowline(arguments)).unwrap()
}

#[test]
fn a_test_goes_every_way_and_says_what_failed() {
    let (server, receiver) = (Server::start(&["starttls"]), Receiver::new());
    let site = site("");
    let home = site.add("home");
    let both = home.with("203.0.113.7,2001:db8::7");
    assert_eq!(site.visit(&both).status, 200);
    let history = json(&site, &["history", "--json"]);
    let output = test(&site, &server, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("nobody is told anything"));
    assert!(said(&output).contains("hint: put [notify.mail]"));

    let told = site.path("told");
    let command = format!(
        "[notify.command]\ncommand = [\"/bin/sh\", \"-c\", \"cat > {}\"]\n",
        told.display()
    );
    let mail = server.table("starttls", OPERATOR);
    configure(&site, &(mail + &receiver.table("") + &command));
    site.bowline(&["host", "set", "home", "--mail", "anna@example.org"]);
    for (arguments, to) in [
        (&[][..], "root@example.org"),
        (&["home"], "anna@example.org"),
    ] {
        let output = test(&site, &server, arguments);
        assert!(output.status.success(), "{}", said(&output));
        let lines = "command  sent\nwebhook  sent\nmail     sent\n";
        assert_eq!(String::from_utf8_lossy(&output.stdout), lines);
        let [mail] = server.take().try_into().unwrap();
        let envelope = format!("dns@example.org {to} tls -");
        assert!(mail.starts_with(&envelope), "{mail}");
        assert!(mail.contains("\nSubject: Test: "), "{mail}");
        let [post] = receiver.take().try_into().unwrap();
        let title = post.json()["title"].to_string();
        assert!(title.starts_with("\"Test: "), "{title}");
        let piped: Value = serde_json::from_slice(&std::fs::read(&told).unwrap()).unwrap();
        assert_eq!(piped["title"], post.json()["title"]);
        let text = post.json()["text"].to_string();
        let shown = text.contains("IPv4: none -> 203.0.113.7\\nIPv6: none -> 2001:db8::7");
        assert_eq!(shown, arguments == ["home"], "{text}");
        let about = post.json().to_string().contains("home.dyn.example.org");
        assert_eq!(about, arguments == ["home"], "{}", post.body);
    }
    let output = test(&site, &server, &["nobody"]);
    assert!(
        said(&output).contains("there is no host"),
        "{}",
        said(&output)
    );
    assert!(server.take().is_empty() && receiver.take().is_empty());

    // One way that fails holds up no other.
    receiver.says(|_| status("403 Forbidden"));
    let output = test(&site, &server, &["--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let tested: Value = serde_json::from_slice(&output.stdout).unwrap();
    let sent = |at: usize| (tested[at]["channel"].clone(), tested[at]["sent"].clone());
    assert_eq!(sent(0), ("command".into(), true.into()));
    assert_eq!(sent(1), ("webhook".into(), false.into()));
    assert_eq!(sent(2), ("mail".into(), true.into()));
    let reason = tested[1]["reason"].as_str().unwrap();
    assert!(reason.contains("403"), "{reason}");
    assert_eq!(server.take().len(), 1);
    // A test is no event: nothing waits, and nothing is remembered.
    assert_eq!(upkeep(&site), [0, 0, 0]);
    assert_eq!(json(&site, &["history", "--json"]), history);
}

#[test]
fn a_preset_put_into_the_configuration_reaches_its_receiver() {
    let receiver = Receiver::new();
    let site = site("");
    let home = site.add("home");
    for (number, (preset, path, check)) in [
        ("ntfy", "/", ("topic", "TOPIC")),
        ("gotify", "/message", ("priority", "5")),
        ("slack", "/services/T000/B000/XXXX", ("text", "home.dyn")),
        ("home-assistant", "/api/webhook/ID", ("count", "1")),
    ]
    .into_iter()
    .enumerate()
    {
        let text = site.bowline(&["notify", "preset", preset]);
        let document = json(&site, &["notify", "preset", preset, "--json"]);
        assert!(document["notify"]["webhook"]["url"].is_string(), "{preset}");
        // Only the server's address is another one.
        let host = text.split_once("https://").unwrap().1;
        let host = host.split(['/', '"']).next().unwrap();
        let here = text.replacen(
            &format!("https://{host}"),
            &format!("http://{}", receiver.address),
            1,
        );
        configure(&site, &here);
        site.bowline(&["config", "check"]);
        let visit = site.visit(&home.with(format!("203.0.113.{}", number + 1)));
        assert_eq!(visit.status, 200);
        assert_eq!(upkeep(&site), [1, 0, 0], "{preset}");
        let [post] = receiver.take().try_into().unwrap();
        assert!(
            post.line.starts_with(&format!("POST {path} ")),
            "{preset}: {}",
            post.line
        );
        let value = post.json()[check.0].to_string();
        assert!(value.contains(check.1), "{preset}: {}", post.body);
        let said = post.json().to_string();
        assert!(said.contains("home.dyn.example.org"), "{preset}: {said}");
    }
}

#[test]
fn hosts_and_owners_choose_on_the_command_line() {
    let receiver = Receiver::new();
    let site = site(&receiver.table(""));
    let (home, nas) = (site.add("home"), site.add("nas"));
    site.bowline(&["owner", "add", "anna"]);
    site.bowline(&["host", "set", "nas", "--owner", "anna"]);
    let mut last = 0;
    let mut told = |home: &Home| {
        last += 1;
        let visit = site.visit(&home.with(format!("203.0.113.{last}")));
        assert_eq!(visit.status, 200);
        upkeep(&site);
        receiver.take().len()
    };
    assert_eq!((told(&home), told(&nas)), (1, 1));
    for (arguments, expected) in [
        (&["owner", "set", "anna", "--notify", "none"][..], (1, 0)),
        (
            &["host", "set", "nas", "--notify", "changed,silent"],
            (1, 1),
        ),
        (&["host", "set", "home", "--notify", "expired"], (0, 1)),
        (&["host", "set", "nas", "--no-notify"], (0, 0)),
        (&["owner", "set", "anna", "--no-notify"], (0, 1)),
        (&["host", "set", "home", "--notify", "all"], (1, 1)),
    ] {
        site.bowline(arguments);
        assert_eq!((told(&home), told(&nas)), expected, "{arguments:?}");
    }
    for wrong in ["changed,mars", "", "all,changed"] {
        let output = site
            .verb(&["host", "set", "home", "--notify", wrong])
            .output();
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong}: {}", said(&output));
    }
    site.bowline(&["host", "set", "home", "--notify", "changed,silent"]);
    site.bowline(&["owner", "set", "anna", "--notify", "silent"]);
    let shown = site.bowline(&["host", "show", "home"]);
    assert!(shown.contains("changed,silent"), "{shown}");
    let shown = json(&site, &["owner", "show", "anna", "--json"]);
    assert_eq!(shown["notify"], "silent");

    // It travels with an export, into a registry that knows nothing of it.
    let list = site.path("list");
    std::fs::write(&list, site.bowline(&["host", "export", "--json"])).unwrap();
    site.bowline(&["host", "set", "home", "--no-notify"]);
    site.bowline(&["host", "import", list.to_str().unwrap()]);
    let shown = json(&site, &["host", "show", "home", "--json"]);
    assert_eq!(shown["notify"], "changed,silent");
}

#[test]
fn status_and_history_say_what_was_told() {
    let receiver = Receiver::new();
    let site = site(&receiver.table(""));
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    let waits = site.bowline(&["status"]);
    assert!(waits.contains("webhook: 1 event since"), "{waits}");
    receiver.says(|_| status("503 Service Unavailable"));
    assert_eq!(upkeep(&site), [0, 1, 0]);
    let failed = site.bowline(&["status"]);
    assert!(failed.contains(" waiting (it answers 503"), "{failed}");
    let document = json(&site, &["status", "--json"]);
    assert_eq!(document["messages"][0]["channel"], "webhook");
    assert_eq!(document["messages"][0]["given_up"], false);

    receiver.says(|_| status("200 OK"));
    later(&site, 3600);
    receiver.take();
    assert_eq!(upkeep(&site), [1, 0, 0]);
    let id = receiver.take().remove(0).json()["id"].clone();
    assert!(!site.bowline(&["status"]).contains("webhook"));
    let history = site.bowline(&["history", "home"]);
    let lines: Vec<&str> = history.lines().collect();
    assert_eq!(lines.len(), 2, "{history}");
    assert!(lines[0].contains("none -> 203.0.113.1"), "{history}");
    assert!(
        lines[1].ends_with("home.dyn.example.org  changed  told by webhook"),
        "{history}"
    );
    let document = json(&site, &["history", "--json"]);
    assert_eq!(document[1]["message"], id);
    // What was told before is not of the last hour.
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let told = |seconds: i64| {
        let before = "UPDATE outbox SET done = done - ?1";
        db.execute(before, [seconds]).unwrap();
        let last = json(&site, &["history", "--json", "--since", "1h"]);
        let mut last = last.as_array().unwrap().iter();
        last.any(|entry| entry["message"] == id)
    };
    assert!(told(1800));
    assert!(!told(2400));

    // Nobody takes it: given up, and said so.
    receiver.says(|_| status("503 Service Unavailable"));
    assert_eq!(site.visit(&home.with("203.0.113.2")).status, 200);
    assert_eq!(upkeep(&site), [0, 1, 0]);
    later(&site, 30 * 86_400);
    assert_eq!(upkeep(&site), [0, 0, 1]);
    let status = site.bowline(&["status"]);
    assert!(status.contains(" given up (it answers 503"), "{status}");
    let history = site.bowline(&["history", "home"]);
    let last = history.lines().last().unwrap();
    assert!(
        last.contains("not told by webhook: it answers 503"),
        "{last}"
    );
    // Whoever is removed is spoken of no more.
    site.bowline(&["host", "remove", "home"]);
    upkeep(&site);
    assert_eq!(json(&site, &["history", "--json"]), Value::Array(vec![]));
}

#[test]
fn a_template_with_an_error_is_named_before_it_is_needed() {
    let templates = tempfile::tempdir().unwrap();
    let file = templates.path().join("change_notification.j2");
    std::fs::write(&file, "Subject: x\n\n{{ oops\n").unwrap();
    let site = site("");
    let mail = |templates: &Path| {
        format!(
            "[notify.mail]\nsmtp = \"sendmail:/bin/true\"\nfrom = \"dns@example.org\"\n{OPERATOR}\n\
             templates = \"{}\"\n",
            templates.display()
        )
    };
    configure(&site, &mail(templates.path()));
    let output = site.verb(&["config", "check"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = said(&output);
    assert!(text.contains("change_notification.j2:"), "{text}");
    assert!(text.contains("the built-in one is used"), "{text}");
    std::fs::write(&file, "Subject: x\n\n{{ fqdn }}\n").unwrap();
    assert_eq!(site.bowline(&["config", "check"]), "ok\n");
}

#[test]
fn a_program_for_mail_that_is_not_there_is_named_before_it_is_needed() {
    let site = site("");
    let mail = "[notify.mail]\nsmtp = \"sendmail:/x\"\nfrom = \"dns@example.org\"\n";
    configure(&site, mail);
    let output = site.verb(&["config", "check"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let expected = "bowline: /x, which is to take mail, is no program\nhint: name another in \
                    [notify.mail] smtp: sendmail:PATH, or smtp://HOST:PORT\n";
    assert!(said(&output).ends_with(expected), "{}", said(&output));
}

#[test]
fn a_command_or_a_body_that_cannot_be_is_named_before_it_is_needed() {
    let site = site("");
    let hook = |body: &str| format!("[notify.webhook]\nurl = \"https://x\"\nbody = {{ {body} }}\n");
    for (table, expected) in [
        (
            "[notify.command]\ncommand = [\"/\", \"x\"]\n".to_owned(),
            "bowline: /, which is to tell what happened, is no program\n\
             hint: name another in [notify.command] command\n",
        ),
        (
            hook("a.b = [\"{{ title\"]"),
            "bowline: [notify.webhook] body: syntax error: unexpected end of input, expected end \
             of variable block\nhint: until it is mended nothing is posted\n",
        ),
    ] {
        configure(&site, &table);
        let output = site.verb(&["config", "check"]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{table}");
        assert!(said(&output).ends_with(expected), "{}", said(&output));
    }
    let right = hook("a = \"{{ ipv4 }} {{ last_ipv6_update | upper }} {{ count + 1 }}\"");
    configure(
        &site,
        &(right + "[notify.command]\ncommand = [\"/bin/true\"]\n"),
    );
    assert_eq!(site.bowline(&["config", "check"]), "ok\n");
}

#[test]
fn every_way_says_why_it_failed() {
    let (server, receiver) = (Server::start(&[]), Receiver::new());
    let site = site("");
    receiver.says(|_| status("418 I'm a teapot"));
    server.fails("rcpt-550");
    let command =
        "[notify.command]\ncommand = [\"/bin/sh\", \"-c\", \"echo no luck >&2; exit 3\"]\n";
    let mail = server.table("smtp", OPERATOR);
    configure(&site, &(mail.clone() + &receiver.table("") + command));
    let output = test(&site, &server, &[]);
    assert_eq!(output.status.code(), Some(1));
    let text = said(&output);
    for (channel, why) in [
        ("command", "no luck"),
        ("webhook", "418"),
        ("mail", "no such user"),
    ] {
        let line = text.lines().find(|line| line.starts_with(channel)).unwrap();
        assert!(line.contains("failed: ") && line.contains(why), "{line}");
    }
    assert!(text.contains("bowline: 3 tests failed"), "{text}");

    // A command that hangs is not waited for any longer than it is in upkeep.
    let slow = "[notify.command]\ncommand = [\"/bin/sleep\", \"60\"]\ntimeout = \"1s\"\n";
    configure(&site, slow);
    let began = Instant::now();
    assert_eq!(test(&site, &server, &[]).status.code(), Some(1));
    assert!(began.elapsed() < Duration::from_secs(30));

    // Nobody has an address.
    configure(&site, &mail.replace(OPERATOR, ""));
    let output = test(&site, &server, &["--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let tested: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(tested[0]["sent"], false);
    assert!(!tested[0]["reason"].as_str().unwrap().is_empty());
}

#[test]
fn history_names_whose_mail_it_was() {
    let server = Server::start(&[]);
    let site = site(&server.table("smtp", OPERATOR));
    let (home, nas) = (site.add("home"), site.add("nas"));
    site.bowline(&["host", "set", "home", "--mail", "anna@example.org"]);
    for home in [&home, &nas] {
        assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    }
    assert_eq!(upkeep(&site), [2, 0, 0]);
    assert_eq!(server.take().len(), 2);
    let history = site.bowline(&["history"]);
    for line in [
        "home.dyn.example.org  changed  told by mail to anna@example.org\n",
        "nas.dyn.example.org  changed  told by mail\n",
    ] {
        assert!(history.contains(line), "{history}");
    }
    // What is asked of one host has nothing of the others.
    assert!(!site.bowline(&["history", "nas"]).contains("anna"));
    let document = json(&site, &["history", "home", "--json"]);
    assert_eq!(document[1]["to"], "anna@example.org");
    assert_eq!(document[1]["given_up"], false);
}
