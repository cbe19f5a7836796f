//! What ddns-service documents: every variable of its templates, and visits that ask for mail.

use std::fs;
use std::process::Command;

use bowline::registry::Settings;
use bowline::span::Span;
use bowline::time::Timestamp;

use crate::server::Server;
use crate::site::{said, site, steady_for, upkeep};
use crate::support::site::Site;

/// A zone that needs no file to be known.
const TZ: &str = "XST-3";

const CHANGE: &str = "Subject: {{ hostname }} in {{ zone }}\n\n\
    [{{ fqdn }}|{{ ipv4_changed }}|{{ ipv4 }}|{{ last_ipv4_update }}\
    |{{ ipv6_changed }}|{{ ipv6 }}|{{ last_ipv6_update }}|{{ expiry_ttl }}]\n\
    {% if ipv4_changed %}four{% endif %}{% if ipv6_changed %}six{% endif %}.\n";
const EXPIRY: &str = "Subject: {{ hostname }} of {{ zone }}\n\n\
    [{{ fqdn }}|{{ ipv4_expired }}|{{ last_ipv4 }}|{{ last_ipv4_update }}\
    |{{ ipv6_expired }}|{{ last_ipv6 }}|{{ last_ipv6_update }}|{{ expiry_ttl }}]\n\
    {% if ipv4_expired %}four{% endif %}{% if ipv6_expired %}six{% endif %}.\n";

/// A moment as date(1) writes it there.
fn local(time: i64) -> String {
    let date = Command::new("date")
        .env("TZ", TZ)
        .args(["-d", &format!("@{time}"), "+%Y-%m-%d %H:%M:%S %Z"])
        .output()
        .unwrap();
    String::from_utf8(date.stdout).unwrap().trim().to_owned()
}

/// The subject of the one mail that a round sends, what stands in brackets, and what follows.
fn mail(site: &Site, server: &Server) -> (String, String, String) {
    let output = site.verb(&["upkeep"]).env("TZ", TZ).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let [mail] = server.take().try_into().unwrap();
    let flat = mail.replace("=\r\n", "").replace("=3D", "=");
    let between = |from, to| {
        let (_, rest) = flat.split_once(from).unwrap();
        rest.split_once(to).unwrap().0.to_owned()
    };
    let after = between("]\r\n", ".");
    (between("\nSubject: ", "\r\n"), between("\n[", "]"), after)
}

/// When an address of that family last changed.
fn last(site: &Site, family: &str) -> i64 {
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let last = "SELECT max(at) FROM history WHERE family = ?1";
    db.query_row(last, [family], |row| row.get(0)).unwrap()
}

/// Lets that much time go by for what the registry remembers.
fn pass(site: &Site, seconds: i64) {
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let then = Timestamp::now().seconds() - seconds;
    db.execute("UPDATE history SET at = at - ?1", [seconds])
        .unwrap();
    let set = "UPDATE host SET last_seen = ?1, last_change = ?1, wish_at = ?1,
               heard_ipv4 = heard_ipv4 - ?2, heard_ipv6 = heard_ipv6 - ?2";
    db.execute(set, [then, seconds]).unwrap();
}

#[test]
fn every_variable_from_the_first_address_to_expiry() {
    let server = Server::start(&[]);
    let templates = tempfile::tempdir().unwrap();
    for (event, text) in [("change", CHANGE), ("expiry", EXPIRY)] {
        let file = format!("{event}_notification.j2");
        fs::write(templates.path().join(file), text).unwrap();
    }
    let more = format!(
        "to = \"root@example.org\"\ntemplates = \"{}\"",
        templates.path().display()
    );
    let site = site(&server.table("smtp", &more));
    let settings = || Settings {
        expire: Some(Span::from_days(2)),
        ..Settings::default()
    };
    let home = site.add_with("home", settings());
    let fqdn = "home.dyn.example.org";

    // Both addresses are new.
    let both = home.at("?myip=203.0.113.7&myip6=2001:db8::7");
    assert_eq!(site.visit(&both).status, 200);
    let (subject, values, after) = mail(&site, &server);
    assert_eq!(subject, "home in dyn.example.org");
    let (four, six) = (local(last(&site, "ipv4")), local(last(&site, "ipv6")));
    assert!(four.ends_with(" XST"), "{four}");
    assert_eq!(
        values,
        format!("{fqdn}|True|203.0.113.7|{four}|True|2001:db8::7|{six}|172800")
    );
    assert_eq!(after, "foursix");

    // A day later only one of them is: the other one's time stays.
    pass(&site, 86_400);
    let (four, before) = (local(last(&site, "ipv4")), last(&site, "ipv6"));
    let one = home.at("?myip=203.0.113.7&myip6=2001:db8::8");
    assert_eq!(site.visit(&one).status, 200);
    let (_, values, after) = mail(&site, &server);
    assert!(last(&site, "ipv6") >= before + 86_400);
    let six = local(last(&site, "ipv6"));
    assert_eq!(
        values,
        format!("{fqdn}|False|203.0.113.7|{four}|True|2001:db8::8|{six}|172800")
    );
    assert_eq!(after, "six");

    // And a day after that the other one.
    pass(&site, 86_400);
    let six = local(last(&site, "ipv6"));
    let other = home.at("?myip=203.0.113.8&myip6=2001:db8::8");
    assert_eq!(site.visit(&other).status, 200);
    let (_, values, after) = mail(&site, &server);
    let four = local(last(&site, "ipv4"));
    assert_eq!(
        values,
        format!("{fqdn}|True|203.0.113.8|{four}|False|2001:db8::8|{six}|172800")
    );
    assert_eq!(after, "four");

    // Then it is silent for longer than it may be.
    pass(&site, 3 * 86_400);
    steady_for(&site, Span::from_days(30));
    let (four, six) = (local(last(&site, "ipv4")), local(last(&site, "ipv6")));
    let (subject, values, after) = mail(&site, &server);
    assert_eq!(subject, "home of dyn.example.org");
    assert_eq!(
        values,
        format!("{fqdn}|True|203.0.113.8|{four}|True|2001:db8::8|{six}|172800")
    );
    assert_eq!(after, "foursix");
    assert_eq!(site.dns("home"), "");

    // It comes back with one address only, and that one expires.
    assert_eq!(site.visit(&home.with("2001:db8::9")).status, 200);
    let (_, values, after) = mail(&site, &server);
    assert!(
        values.starts_with(&format!("{fqdn}|False|None|")),
        "{values}"
    );
    assert_eq!(after, "six");
    pass(&site, 3 * 86_400);
    let six = local(last(&site, "ipv6"));
    let (_, values, after) = mail(&site, &server);
    assert!(
        values.starts_with(&format!("{fqdn}|False|None|")),
        "{values}"
    );
    assert!(
        values.ends_with(&format!("|True|2001:db8::9|{six}|172800")),
        "{values}"
    );
    assert_eq!(after, "six");

    // Both again, and then it is heard with one of them alone.
    let both = home.at("?myip=203.0.113.9&myip6=2001:db8::9");
    assert_eq!(site.visit(&both).status, 200);
    mail(&site, &server);
    pass(&site, 3 * 86_400);
    let (four, six) = (local(last(&site, "ipv4")), local(last(&site, "ipv6")));
    assert_eq!(
        site.visit(&home.with("2001:db8::9")).said(),
        "200 nochg 2001:db8::9"
    );
    let (_, values, after) = mail(&site, &server);
    assert_eq!(
        values,
        format!("{fqdn}|True|203.0.113.9|{four}|False|2001:db8::9|{six}|172800")
    );
    assert_eq!(after, "four");
    assert_eq!(site.dns("home"), "2001:db8::9");
}

#[test]
fn a_visit_asks_for_its_mail() {
    let server = Server::start(&[]);
    let endpoint = "[[endpoint]]\npath = \"/mine\"\ncredential = \"query\"\n\
        params = { hostname = [\"hostname\"], password = [\"password\"], ipv4 = [\"myip\"], \
        notify_change = [\"tell\"] }\n";
    let mail = server.table("smtp", "to = \"root@example.org\"\nevents = [\"expired\"]");
    let site = site(&(endpoint.to_owned() + &mail));
    let home = site.add("home");
    for (n, path, more, mails) in [
        (1, "/update", "", 0),
        (2, "/update", "&notify_change=1", 1),
        (3, "/update", "&notify_change=0", 0),
        (4, "/mine", "&tell=1", 1),
        (5, "/mine", "&notify_change=1", 0),
    ] {
        let visit = format!(
            "{path}?hostname=home.dyn.example.org&myip=203.0.113.{n}\
             &username=anybody&password={}{more}",
            home.token.secret()
        );
        let answer = site.visit(&visit);
        assert_eq!(answer.said(), format!("200 good 203.0.113.{n}"), "{more}");
        // What is the same as before is told to nobody, whoever asks.
        assert_eq!(site.visit(&visit).status, 200);
        assert_eq!(upkeep(&site), [mails, 0, 0], "{path} {more}");
        assert_eq!(server.take().len() as u64, mails, "{path} {more}");
    }
}
