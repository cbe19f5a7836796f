//! Mail: to whom, with what in it, over TLS, and to servers that fail in every way.

use std::time::Instant;

use bowline::registry::Settings;

use crate::receiver::{out, Receiver, bowline, certificate, moves, run, telling, text, upkeep};
use crate::receiver::{upkeep_later, webhook};
use crate::support::site::{Home, Site};

fn mail(port: u16, more: &str) -> String {
    format!("[notify.mail]\nsmtp = \"127.0.0.1:{port}\"\nfrom = \"Dyn <dyn@example.org>\"\n{more}")
}

/// A host whose person has that address.
fn of(site: &Site, name: &str, address: &str) -> Home {
    let settings = Settings {
        mail: Some(address.to_owned()),
        ..Settings::default()
    };
    site.add_with(name, settings)
}

#[test]
fn a_change_is_told_once_to_the_person_else_to_the_operator() {
    let server = Receiver::smtp("plain", &[]);
    let site = telling(&mail(server.port, "to = \"root@example.org\"\n"));
    let (home, away) = (of(&site, "home", "anna@example.org"), site.add("away"));
    moves(&site, &home, "203.0.113.7");
    moves(&site, &away, "203.0.113.8");
    assert_eq!(
        server.taken(),
        Vec::<String>::new(),
        "a visit sends nothing"
    );
    upkeep(&site);
    upkeep(&site);
    let taken = server.taken();
    assert_eq!(taken.len(), 2, "{taken:?}");
    let first = &taken[0];
    for part in [
        "Envelope: dyn@example.org anna@example.org\n",
        "From: Dyn <dyn@example.org>",
        "To: anna@example.org",
        "Subject: home.dyn.example.org is now at 203.0.113.7",
        "Auto-Submitted: auto-generated",
        "@update.example.org>",
        "IPv4: none -> 203.0.113.7",
        "Content-Type: text/html; charset=utf-8",
    ] {
        assert!(first.contains(part), "{part:?} in {first}");
    }
    assert!(taken[1].starts_with("Envelope: dyn@example.org root@example.org\n"));
    assert!(!first.contains(home.token.secret()), "{first}");
    let history = out(&site, &["history", "home"]);
    let told = "home.dyn.example.org  changed  told by mail to anna@example.org\n";
    assert!(history.ends_with(told), "{history}");
    assert!(!run(&site, &["status"]).contains("messages"));
}

#[test]
fn what_a_visit_a_host_or_an_owner_wants_counts() {
    let server = Receiver::smtp("plain", &[]);
    let site = telling(&mail(server.port, "events = [\"silent\"]\n"));
    let home = of(&site, "home", "anna@example.org");
    moves(&site, &home, "203.0.113.1");
    site.visit(&home.at("?myip=203.0.113.2&notify_change=1"));
    upkeep(&site);
    assert_eq!(server.taken().len(), 1, "the visit wants it told");
    let said = run(
        &site,
        &["host", "set", "home", "--notify", "changed,expired"],
    );
    assert!(!said.contains("error"), "{said}");
    moves(&site, &home, "203.0.113.3");
    site.visit(&home.at("?myip=203.0.113.4&notify_change=0"));
    upkeep(&site);
    assert_eq!(
        server.taken().len(),
        2,
        "the host does, but one visit did not"
    );
    run(&site, &["host", "set", "home", "--no-notify"]);
    run(&site, &["owner", "add", "anna"]);
    run(&site, &["host", "set", "home", "--owner", "anna"]);
    run(&site, &["owner", "set", "anna", "--notify", "all"]);
    moves(&site, &home, "203.0.113.5");
    upkeep(&site);
    assert_eq!(server.taken().len(), 3, "the owner does");
    let shown = run(&site, &["owner", "show", "anna"]);
    assert!(shown.contains("all"), "{shown}");
}

#[test]
fn over_tls_with_a_password_where_the_certificate_is_known() {
    let directory = tempfile::tempdir().unwrap();
    let (certificate, key) = certificate(directory.path());
    for (mode, scheme) in [("starttls", "starttls"), ("tls", "smtps")] {
        let server = Receiver::smtp(mode, &[&certificate, &key]);
        let with = |password: &str| {
            format!(
                "[notify.mail]\nsmtp = \"{scheme}://localhost:{}\"\nfrom = \"dyn@example.org\"\n\
                 to = \"root@example.org\"\nuser = \"anna\"\npassword = \"{password}\"\n",
                server.port
            )
        };
        let site = telling(&with("correct horse"));
        let test = |trusted: bool| {
            let mut command = bowline(&site, &["notify", "test"]);
            if trusted {
                command.env("SSL_CERT_FILE", &certificate);
            }
            let output = command.output().unwrap();
            (output.status.code(), text(&output))
        };
        let (code, said) = test(false);
        assert_eq!(code, Some(1), "{mode}: {said}");
        assert!(said.contains("invalid peer certificate"), "{mode}: {said}");
        assert_eq!(server.taken().len(), 0, "{mode}");
        let (code, said) = test(true);
        assert_eq!(code, Some(0), "{mode}: {said}");
        assert!(server.taken()[0].contains("Subject: Test: "), "{mode}");
        site.configure("http://update.example.org", &with("wrong"));
        let (code, said) = test(true);
        assert_eq!(code, Some(1), "{mode}: {said}");
        assert!(said.contains("535"), "{mode}: {said}");
        assert!(!said.contains("wrong"), "{mode}: {said}");
        assert_eq!(server.taken().len(), 1, "{mode}");
        let shown = run(&site, &["config", "show"]);
        assert!(shown.contains("password = \"…\""), "{shown}");
    }
}

#[test]
fn each_failure_has_its_consequence() {
    let server = Receiver::smtp("plain", &[]);
    let site = telling(&mail(server.port, ""));
    let names = ["full", "nobody", "spam", "liar", "well"];
    for (last, name) in names.into_iter().enumerate() {
        let home = of(&site, name, &format!("{name}@example.org"));
        moves(&site, &home, &format!("203.0.113.{}", last + 1));
    }
    upkeep(&site);
    // Behind one that does not answer the others have to wait for the next round.
    upkeep(&site);
    let status = run(&site, &["status"]);
    assert!(status.contains("mail: 2 events since"), "{status}");
    let history = out(&site, &["history"]);
    for (name, why) in [("nobody", "550"), ("spam", "554")] {
        let line = format!("{name}.dyn.example.org  changed  not told by mail to {name}@");
        let line = history.lines().find(|one| one.contains(&line)).expect(name);
        assert!(line.contains(why), "{line}");
    }
    assert!(
        history.contains("well.dyn.example.org  changed  told by mail"),
        "{history}"
    );
    assert!(
        !history.contains("full.dyn.example.org  changed"),
        "{history}"
    );
    // The liar has had the message: it goes again under its own name, and not for ever.
    for later in ["+3m", "+10m", "+30m", "+2h", "+5h"] {
        upkeep_later(&site, later);
    }
    let lied: Vec<String> = (server.taken().into_iter())
        .filter(|taken| taken.contains("liar@"))
        .collect();
    assert_eq!(lied.len(), 3);
    let id = |taken: &String| {
        let mut lines = taken.lines();
        lines
            .find(|line| line.starts_with("Message-ID"))
            .map(str::to_owned)
    };
    assert!(
        lied.iter().all(|taken| id(taken) == id(&lied[0])),
        "one name"
    );
    // What is refused for now is tried for three days, and then given up.
    upkeep_later(&site, "+4d");
    let status = run(&site, &["status"]);
    assert!(status.contains("452"), "{status}");
    assert!(status.contains("given up"), "{status}");
    assert!(!status.contains("waiting"), "{status}");
}

#[test]
fn a_server_that_does_not_answer_holds_a_round_no_longer_than_it_may() {
    let (server, hook) = (Receiver::smtp("plain", &[]), Receiver::http());
    let site = telling(&(mail(server.port, "") + &webhook(&hook, "/", "[\"changed\"]")));
    let home = of(&site, "home", "slow@example.org");
    moves(&site, &home, "203.0.113.7");
    let began = Instant::now();
    upkeep(&site);
    assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
    assert_eq!(hook.posted().len(), 1, "the webhook does not wait for it");
    let status = run(&site, &["status"]);
    assert!(status.contains("mail: 1 event since"), "{status}");
    assert!(
        status.contains("waiting (no answer in time)") || status.contains("timed out"),
        "{status}"
    );
}

#[test]
fn a_note_cannot_write_header_fields() {
    let server = Receiver::smtp("plain", &[]);
    let templates = tempfile::tempdir().unwrap();
    let template = "Subject: {{ note }}\n\n{{ note }} {{ fqdn }}\n";
    std::fs::write(templates.path().join("change_notification.j2"), template).unwrap();
    let more = format!("templates = \"{}\"\n", templates.path().display());
    let site = telling(&mail(server.port, &more));
    let home = of(&site, "home", "anna@example.org");
    moves(&site, &home, "203.0.113.7");
    // The command line takes no such note; a registry may come from elsewhere.
    rusqlite::Connection::open(site.registry_file())
        .unwrap()
        .execute(
            "UPDATE host SET note = 'x' || char(13, 10) || 'Bcc: eve@example.org' || char(13, 10)
             || char(13, 10) || 'body'",
            [],
        )
        .unwrap();
    upkeep(&site);
    let taken = server.taken();
    let (head, _) = taken[0]
        .split_once("\n\n")
        .or(taken[0].split_once("\r\n\r\n"))
        .unwrap();
    assert!(
        head.contains("Subject: x  Bcc: eve") || head.contains("Subject: x Bcc: eve"),
        "{head}"
    );
    assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
    assert!(!head.contains("body\r\n\r\n"), "{head}");
}

#[test]
fn sendmail_takes_it_too() {
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("sendmail");
    let kept = directory.path().join("kept");
    let script = format!("#!/bin/sh\n{{ echo \"$@\"; cat; }} > {}\n", kept.display());
    std::fs::write(&program, script).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, executable).unwrap();
    let site = telling(&format!(
        "[notify.mail]\nsmtp = \"sendmail:{}\"\nfrom = \"dyn@example.org\"\n",
        program.display()
    ));
    let home = of(&site, "home", "anna@example.org");
    moves(&site, &home, "203.0.113.7");
    upkeep(&site);
    let kept = std::fs::read_to_string(kept).unwrap();
    assert!(
        kept.starts_with("-i -f dyn@example.org -- anna@example.org\n"),
        "{kept}"
    );
    assert!(
        kept.contains("Subject: home.dyn.example.org is now at"),
        "{kept}"
    );
}
