//! Mail: to a real server, with and without TLS, and to one that fails in every way.

use std::fs;
use std::time::{Duration, Instant};

use bowline::registry::Settings;

use crate::server::Server;
use crate::site::{configure, forget, later, site, trouble, waiting};

const OPERATOR: &str = "to = \"root@example.org\"";
const LOGIN: &str = "to = \"root@example.org\"\nuser = \"bowline\"\npassword = \"s3cret word\"";

#[test]
fn each_way_to_a_server() {
    for (kinds, scheme, more, envelope) in [
        (&[][..], "smtp", OPERATOR, "plain -"),
        (&["starttls"], "starttls", OPERATOR, "tls -"),
        (&["starttls", "auth"], "starttls", LOGIN, "tls bowline"),
        (&["tls"], "smtps", OPERATOR, "tls -"),
        (&["auth"], "smtp", LOGIN, "plain bowline"),
    ] {
        let server = Server::start(kinds);
        let site = site(&server.table(scheme, more));
        let home = site.add("home");
        assert_eq!(site.visit(&home.with("203.0.113.7")).status, 200);
        assert_eq!(
            server.upkeep(&site),
            [1, 0, 0],
            "{kinds:?}: {}",
            trouble(&site)
        );
        let mail = server.take().remove(0);
        let (first, mail) = mail.split_once('\n').unwrap();
        assert_eq!(
            first,
            format!("dns@example.org root@example.org {envelope}")
        );
        assert!(
            mail.contains("From: \"Dyn DNS\" <dns@example.org>"),
            "{mail}"
        );
        for header in [
            "Message-ID: <",
            "Date: ",
            "Auto-Submitted: auto-",
            "Subject: ",
        ] {
            assert!(mail.contains(header), "{header}: {mail}");
        }
        for kind in ["text/plain", "text/html"] {
            assert!(mail.contains(kind), "{kind}: {mail}");
        }
        assert!(mail.contains("home.dyn.example.org") && mail.contains("203.0.113.7"));
    }
}

#[test]
fn no_tls_no_mail() {
    // A certificate that nobody vouches for.
    let server = Server::start(&["tls"]);
    let site = site(&server.table("smtps", OPERATOR));
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.7")).status, 200);
    assert_eq!(crate::site::upkeep(&site), [0, 1, 0]);
    let why = trouble(&site).to_lowercase();
    assert!(
        why.contains("certificate") || why.contains("unknownissuer"),
        "{why}"
    );
    // STARTTLS that is not offered.
    let plain = Server::start(&[]);
    configure(&site, &plain.table("starttls", OPERATOR));
    later(&site, 3600);
    assert_eq!(plain.upkeep(&site), [0, 1, 0]);
    // A password that is wrong.
    let guarded = Server::start(&["starttls", "auth"]);
    let wrong = LOGIN.replace("s3cret", "other");
    configure(&site, &guarded.table("starttls", &wrong));
    later(&site, 3600);
    assert_eq!(guarded.upkeep(&site), [0, 1, 0]);
    assert!(trouble(&site).contains("535"), "{}", trouble(&site));
    for server in [&server, &plain, &guarded] {
        assert!(server.take().is_empty());
    }
    assert_eq!(waiting(&site), 1);
}

#[test]
fn to_its_person_else_its_owner_else_the_operator() {
    let server = Server::start(&[]);
    let site = site(&server.table("smtp", OPERATOR));
    let to = |address: &str| Settings {
        mail: Some(address.to_owned()),
        ..Settings::default()
    };
    let anna = site.add_with("anna", to("anna@example.net"));
    let nobody = site.add("nobody");
    let owned = site.add("owned");
    site.bowline(&["owner", "add", "bob", "--mail", "bob@example.net"]);
    site.bowline(&["host", "set", "owned", "--owner", "bob"]);
    for home in [&anna, &nobody, &owned, &anna] {
        let n = fs::read_dir(site.path("")).unwrap().count();
        let at = home.with(format!("203.0.113.{}", n % 200));
        assert_eq!(site.visit(&at).status, 200);
    }
    assert_eq!(site.visit(&anna.with("203.0.113.250")).status, 200);
    assert_eq!(server.upkeep(&site), [3, 0, 0]);
    let mut heads: Vec<String> = server
        .take()
        .iter()
        .map(|mail| mail.split(' ').nth(1).unwrap().to_owned())
        .collect();
    heads.sort();
    assert_eq!(
        heads,
        ["anna@example.net", "bob@example.net", "root@example.org"]
    );
}

#[test]
fn a_server_that_fails_in_every_way() {
    let server = Server::start(&[]);
    let site = site(&server.table("smtp", OPERATOR));
    let home = site.add("home");
    for (n, mode, why) in [
        (1, "rcpt-451", "greylisted"),
        (2, "data-451", "later"),
        (3, "rcpt-550", "no such user"),
        (4, "data-554", "spam"),
        (5, "drop", ""),
        (6, "silent", "it does not answer within 10 s"),
        (7, "trickle", ""),
    ] {
        forget(&site);
        server.fails(mode);
        assert_eq!(site.visit(&home.with(format!("203.0.113.{n}"))).status, 200);
        let began = Instant::now();
        let report = server.upkeep(&site);
        assert_eq!(report[0], 0, "{mode}: {report:?}");
        assert_eq!(report[1] + report[2], 1, "{mode}: {report:?}");
        assert!(began.elapsed() < Duration::from_secs(40), "{mode}");
        assert!(trouble(&site).contains(why), "{mode}: {}", trouble(&site));
        assert!(!trouble(&site).is_empty(), "{mode}");
    }
    assert!(server.take().is_empty());
    // A person who is not there holds up nobody else.
    forget(&site);
    server.fails("");
    let odd = Settings {
        mail: Some("not an address@".to_owned()),
        ..Settings::default()
    };
    let odd = site.add_with("odd", odd);
    assert_eq!(site.visit(&odd.with("203.0.113.8")).status, 200);
    assert_eq!(site.visit(&home.with("203.0.113.9")).status, 200);
    assert_eq!(server.upkeep(&site)[0], 1);
    assert_eq!(server.take().len(), 1);
}

#[test]
fn what_one_does_not_get_the_next_one_gets() {
    let server = Server::start(&[]);
    let site = site(&server.table("smtp", ""));
    let [anna, bob] = ["anna", "bob"].map(|name| {
        let settings = Settings {
            mail: Some(format!("{name}@example.net")),
            ..Settings::default()
        };
        site.add_with(name, settings)
    });
    for (n, mode, report) in [
        (1, "rcpt-451", [1, 1, 0]),
        (2, "data-451", [1, 1, 0]),
        (3, "rcpt-550", [1, 0, 1]),
        (4, "data-554", [1, 0, 1]),
    ] {
        forget(&site);
        server.fails(&format!("{mode} anna@example.net"));
        for home in [&anna, &bob] {
            assert_eq!(site.visit(&home.with(format!("203.0.113.{n}"))).status, 200);
        }
        assert_eq!(server.upkeep(&site), report, "{mode}: {}", trouble(&site));
        let taken = server.take();
        assert_eq!(taken.len(), 1, "{mode}");
        assert!(taken[0].contains(" bob@example.net "), "{mode}");
        // What is refused for ever is not tried again.
        assert_eq!(waiting(&site), i64::from(report[1] == 1), "{mode}");
    }
}

#[test]
fn an_international_domain_is_one_of_ascii_too() {
    // It does not know SMTPUTF8.
    let server = Server::start(&[]);
    let site = site(&server.table("smtp", "to = \"root@grün.example\""));
    let add = |name: &str, mail: Option<&str>, address: &str| {
        let mail = mail.map(str::to_owned);
        let home = site.add_with(
            name,
            Settings {
                mail,
                ..Settings::default()
            },
        );
        assert_eq!(site.visit(&home.with(address)).status, 200);
    };
    add("kurt", Some("kurt@Bücher.example"), "203.0.113.1");
    add("home", None, "203.0.113.2");
    // What stands before the @ has no other form.
    add("odd", Some("kürt@bücher.example"), "203.0.113.3");
    assert_eq!(server.upkeep(&site), [2, 0, 1], "{}", trouble(&site));
    let why = "the mail server takes ASCII addresses only";
    assert!(trouble(&site).contains(why), "{}", trouble(&site));
    let mut mails = server.take();
    mails.sort();
    for (mail, to) in (mails.iter()).zip(["kurt@xn--bcher-kva.example", "root@xn--grn-ioa.example"])
    {
        let envelope = format!("dns@example.org {to} ");
        assert!(mail.starts_with(&envelope), "{mail}");
        assert!(mail.contains(&format!("To: {to}")), "{mail}");
    }
    // A server that knows it gets the domain so too.
    let server = Server::start(&["utf8"]);
    configure(&site, &server.table("smtp", OPERATOR));
    forget(&site);
    add("other", Some("kürt@bücher.example"), "203.0.113.4");
    assert_eq!(server.upkeep(&site), [1, 0, 0], "{}", trouble(&site));
    let mail = server.take().remove(0);
    assert!(mail.contains(" kürt@xn--bcher-kva.example "), "{mail}");
}

#[test]
fn nothing_from_outside_becomes_a_header() {
    let server = Server::start(&[]);
    let templates = tempfile::tempdir().unwrap();
    let text = "Subject: {{ note }}\n\n{{ note }}\n";
    fs::write(templates.path().join("change_notification.j2"), text).unwrap();
    let more = format!("{OPERATOR}\ntemplates = \"{}\"", templates.path().display());
    let site = site(&server.table("smtp", &more));
    for (n, note) in [
        "x\r\nBcc: evil@example.net",
        "x\nTo: e@example.net\n\nbody",
        "x\r.\r\nMAIL",
        "ä\u{2028}\u{85}y",
    ]
    .into_iter()
    .enumerate()
    {
        // The command line refuses these; a registry may have been written by others.
        let home = site.add(&format!("h{n}"));
        let db = rusqlite::Connection::open(site.registry_file()).unwrap();
        db.execute("UPDATE host SET note = ?1", [note]).unwrap();
        assert_eq!(site.visit(&home.with(format!("203.0.113.{n}"))).status, 200);
        assert_eq!(server.upkeep(&site), [1, 0, 0], "{note:?}");
        let mail = server.take().remove(0);
        let (first, mail) = mail.split_once('\n').unwrap();
        assert_eq!(first, "dns@example.org root@example.org plain -");
        let head = mail.split("\r\n\r\n").next().unwrap();
        for line in head.split("\r\n") {
            assert!(!line.starts_with("Bcc:") && !line.contains('\n'), "{head}");
        }
        assert_eq!(head.matches("\r\nTo: ").count(), 1, "{head}");
    }
}

#[test]
fn templates_of_ddns_service_and_ones_with_errors() {
    let server = Server::start(&[]);
    let templates = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(templates.path().join(name), text).unwrap();
    let change = "Subject: DDNS {{ fqdn }}\n\n{{ hostname }}|{{ zone }}|{{ fqdn }}|\
        {{ ipv4_changed }}|{{ ipv4 }}|{{ last_ipv4_update }}|\
        {{ ipv6_changed }}|{{ ipv6 }}|{{ expiry_ttl }}\n\
        {% if ipv6_changed %}six{% else %}not six{% endif %}\n";
    write("change_notification.j2", change);
    write(
        "change_notification.html.j2",
        "<b>{{ fqdn }}</b> {{ note }}\n",
    );
    let more = format!("{OPERATOR}\ntemplates = \"{}\"", templates.path().display());
    let site = site(&server.table("smtp", &more));
    let home = site.add_with(
        "home",
        Settings {
            note: Some("<script>".to_owned()),
            expire: Some(bowline::span::Span::from_days(1)),
            ..Settings::default()
        },
    );
    assert_eq!(site.visit(&home.with("203.0.113.7")).status, 200);
    assert_eq!(server.upkeep(&site), [1, 0, 0]);
    let mail = server.take().remove(0);
    let flat = mail.replace("=\r\n", "");
    assert!(
        flat.contains("Subject: DDNS home.dyn.example.org"),
        "{mail}"
    );
    assert!(
        flat.contains("home|dyn.example.org|home.dyn.example.org|True|203.0.113.7|"),
        "{mail}"
    );
    assert!(
        flat.contains("|86400") && flat.contains("not six"),
        "{mail}"
    );
    assert!(
        flat.contains("<b>home.dyn.example.org</b> &lt;script&gt;"),
        "{mail}"
    );

    // One with an error is named with its line, and ours is used.
    write("change_notification.j2", "Subject: x\n\n{% if %}\n");
    assert_eq!(site.visit(&home.with("203.0.113.8")).status, 200);
    site.forget_log();
    assert_eq!(server.upkeep(&site), [1, 0, 0]);
    assert!(
        site.log().contains("change_notification.j2:3"),
        "{}",
        site.log()
    );
    assert!(server.take().remove(0).contains("203.0.113.8"));
    // And one that fails only when it is used.
    write(
        "change_notification.j2",
        "Subject: x\n\n\n{{ nothing.at.all }}\n",
    );
    assert_eq!(site.visit(&home.with("203.0.113.9")).status, 200);
    site.forget_log();
    assert_eq!(server.upkeep(&site), [1, 0, 0]);
    assert!(
        site.log().contains("change_notification.j2:4"),
        "{}",
        site.log()
    );
    assert!(server.take().remove(0).contains("203.0.113.9"));
}
