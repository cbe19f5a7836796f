//! Accounts of acme-dns: who may register, and what comes of it.

use std::process::Command;

use super::place::{Place, basic, value};
use super::support::knot::ZONE;
use super::support::visit::Response;

#[test]
fn nobody_registers_unless_that_is_switched_on() {
    let place = Place::new();
    let https = |body: &str| place.post("/register", body).set("HTTPS", "on");
    assert_eq!(https("").run().said(), "404 badauth");
    let zone = "acme = true\n\n[acme]\nregister = ";
    std::fs::write(place.path("invitation"), "come-in-come-in-come-in\n").unwrap();
    place.configure(
        "https://update.example.org",
        &format!("{zone}\"file:invitation\"\n"),
    );
    for (secret, expected) in [
        ("", "401 forbidden"),
        ("0123456789abcdefghijklmn", "401 forbidden"),
        ("come-in-come-in-come-in", "201 -"),
    ] {
        let mut visit = https("");
        if !secret.is_empty() {
            visit = visit.set("HTTP_AUTHORIZATION", basic(secret));
        }
        assert_eq!(registered(&visit.run()), expected, "{secret}");
    }
    place.configure("https://update.example.org", &format!("{zone}\"open\"\n"));
    for (body, expected) in [
        ("", "201 -"),
        ("null", "201 -"),
        ("{}", "201 -"),
        (r#"{"allowfrom":[]}"#, "201 -"),
        (r#"{"allowfrom":["192.0.2.0/24"]}"#, "201 -"),
        (
            r#"{"allowfrom":["192.0.2.0/33"]}"#,
            "400 invalid_allowfrom_cidr",
        ),
        ("[1]", "400 malformed_json_payload"),
        ("x=1", "400 malformed_json_payload"),
    ] {
        assert_eq!(registered(&https(body).run()), expected, "{body}");
    }
    let plain = place.post("/register", "").run();
    assert_eq!(registered(&plain), "401 forbidden", "plain HTTP");
    assert_eq!(https("").method("GET").run().status, 405);

    // The account is good for its own challenges, and stands in no file of ours.
    let account = https("").run();
    let account: serde_json::Value = serde_json::from_str(&account.body).unwrap();
    let text = |key: &str| account[key].as_str().unwrap().to_owned();
    assert_eq!(
        text("fulldomain"),
        format!("_acme-challenge.{}", text("subdomain"))
    );
    let body = format!(
        r#"{{"subdomain":"{}","txt":"{}"}}"#,
        text("subdomain"),
        value('a')
    );
    let update = place
        .post("/update", &body)
        .set("HTTPS", "on")
        .set("HTTP_X_API_USER", text("username"))
        .set("HTTP_X_API_KEY", text("password"));
    assert_eq!(update.run().status, 200);
    let name = text("subdomain");
    let name = name.strip_suffix(&format!(".{ZONE}")).unwrap();
    assert_eq!(place.shown(name), [value('a')]);
    assert!(!place.log().contains(&text("password")));
    let db = std::fs::read(place.registry_file()).unwrap();
    let mut windows = db.windows(24);
    assert!(!windows.any(|window| window == text("password").as_bytes()));
    let host = place.registry().host_by_name(
        &bowline::name::HostName::new(name, &ZONE.parse().unwrap()).unwrap(),
        bowline::time::Timestamp::now(),
    );
    let host = host.unwrap().unwrap();
    assert_eq!(
        host.settings.note.as_deref(),
        Some("acme-dns, 198.51.100.4")
    );
    place
        .registry()
        .remove(host.id, bowline::time::Timestamp::now())
        .unwrap();
    place.upkeep();

    // One source registers ten a day; others are not troubled by that.
    let mut said = String::new();
    for _ in 0..10 {
        said = registered(&https("").run());
    }
    assert_eq!(said, "429 forbidden");
    assert_eq!(registered(&https("").from("203.0.113.9").run()), "201 -");
    let log = place.log();
    let line = log.lines().find(|line| line.contains("result=registered"));
    assert!(line.is_some_and(|line| line.contains("reason=")), "{log}");
}

#[test]
fn ten_a_day_from_what_one_customer_of_a_provider_has() {
    let place = Place::new();
    let zone = "acme = true\n\n[acme]\nregister = \"open\"\n";
    place.configure("http://update.example.org", zone);
    let from = |client: &str| place.post("/register", "").from(client).run();
    for n in 0..10 {
        let client = format!("2001:db8:1:{n:x}::{n}");
        assert_eq!(registered(&from(&client)), "201 -", "{client}");
    }
    let hosts = || {
        let db = rusqlite::Connection::open(place.registry_file()).unwrap();
        let sql = "SELECT count(*) FROM host";
        db.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap()
    };
    for client in ["2001:db8:1:ffff::1", "2001:db8:1::"] {
        let refused = from(client);
        assert_eq!(registered(&refused), "429 forbidden", "{client}");
        let wait: i64 = refused.headers["retry-after"].parse().unwrap();
        assert!((86_000..=86_400).contains(&wait), "{wait}");
        // It is no wrong secret, and fail2ban's filter looks for that word.
        let line = place.last_line();
        let parts = [
            "update result=too_many_accounts client=2001:db8:1:",
            " reason=\"more than 10/1d registrations from there\"",
        ];
        assert!(parts.iter().all(|part| line.contains(part)), "{line}");
        assert_eq!(hosts(), 10);
    }
    assert!(!place.log().contains("badauth"));
    for client in ["2001:db8:2::1", "198.51.100.5"] {
        assert_eq!(registered(&from(client)), "201 -", "{client}");
    }
}

#[test]
fn accounts_and_wrong_secrets_are_counted_apart() {
    let place = Place::new();
    let zone = "acme = true\n\n[acme]\nregister = \"open\"\n";
    let limits = "\n[limits]\nwrong_secrets = \"2/1h\"\n";
    place.configure("http://update.example.org", &format!("{zone}{limits}"));
    let register = || place.post("/register", "");
    for _ in 0..3 {
        assert_eq!(registered(&register().run()), "201 -");
    }
    let wrong = format!("/update?domains=home&token={}", "B".repeat(24));
    for said in ["401 KO", "401 KO", "429 KO"] {
        assert_eq!(place.visit(&wrong).said(), said);
    }
    assert_eq!(registered(&register().run()), "201 -");
    // Ten a day from those of whom nobody says where they are, too.
    for n in 0..=10 {
        let said = registered(&register().unset("HTTP_X_FORWARDED_FOR").run());
        let expected = if n < 10 { "201 -" } else { "429 forbidden" };
        assert_eq!(said, expected, "{n}");
    }
}

#[test]
fn wrong_invitations_are_wrong_secrets() {
    const RIGHT: &str = "come-in-come-in-come-in";
    let place = Place::new();
    std::fs::write(place.path("invitation"), RIGHT).unwrap();
    let zone = "acme = true\n\n[acme]\nregister = \"file:invitation\"\n";
    let limits = "\n[limits]\nwrong_secrets = \"2/1h\"\n";
    place.configure("http://update.example.org", &format!("{zone}{limits}"));
    let register = |secret: &str| {
        let visit = place.post("/register", "");
        registered(&visit.set("HTTP_AUTHORIZATION", basic(secret)).run())
    };
    for said in ["401 forbidden", "401 forbidden", "429 forbidden"] {
        assert_eq!(register(&"B".repeat(24)), said);
    }
    let line = place.last_line();
    assert!(line.contains(" result=badauth client="), "{line}");
    assert_eq!(register(RIGHT), "201 -");
}

#[test]
fn an_account_for_some_networks_only() {
    let place = Place::new();
    let zone = "acme = true\n\n[acme]\nregister = \"open\"\n";
    place.configure("http://update.example.org", zone);
    let asked = r#"{"allowfrom":["203.0.113.0/24","[2001:db8::]/32"]}"#;
    let account = place.post("/register", asked).run();
    assert_eq!(account.status, 201);
    let account: serde_json::Value = serde_json::from_str(&account.body).unwrap();
    assert_eq!(
        account["allowfrom"].to_string(),
        r#"["203.0.113.0/24","2001:db8::/32"]"#
    );
    let text = |key: &str| account[key].as_str().unwrap().to_owned();
    let name = text("subdomain");
    let body = format!(r#"{{"subdomain":"{name}","txt":"{}"}}"#, value('a'));
    let short = name.strip_suffix(&format!(".{ZONE}")).unwrap();
    for (client, expected) in [
        ("198.51.100.4", r#"401 {"error":"forbidden"}"#.to_owned()),
        ("2001:db9::1", r#"401 {"error":"forbidden"}"#.to_owned()),
        ("2001:db8::1", format!(r#"200 {{"txt":"{}"}}"#, value('a'))),
        ("203.0.113.9", format!(r#"200 {{"txt":"{}"}}"#, value('a'))),
        (
            "::ffff:203.0.113.9",
            format!(r#"200 {{"txt":"{}"}}"#, value('a')),
        ),
    ] {
        let update = place
            .post("/update", &body)
            .set("HTTP_X_API_USER", text("username"))
            .set("HTTP_X_API_KEY", text("password"))
            .from(client);
        assert_eq!(update.run().said(), expected, "{client}");
        let stands = usize::from(expected.starts_with("200"));
        assert_eq!(place.shown(short).len(), stands, "{client}");
    }
    assert!(
        place
            .log()
            .contains("reason=\"the account may be used from other networks only\"")
    );
    // By no other way either, and the next one with that name is nobody's account.
    let fqdn = super::place::httpreq(short, &value('b'));
    let present = place
        .post("/present", &fqdn)
        .set("HTTP_AUTHORIZATION", basic(&text("password")));
    assert_eq!(present.run().status, 403);
    addresses_from_there_only(&place, short, &text("password"));
    for verb in [
        &["host", "remove", short][..],
        &["host", "add", short, "--again"],
    ] {
        let output = super::between::bowline(&place, verb);
        assert!(output.status.success(), "{output:?}");
    }
    let db = rusqlite::Connection::open(place.registry_file()).unwrap();
    let left: u32 = db
        .query_row("SELECT count(networks) FROM host", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 0);
}

/// The account's password sets and removes addresses from its networks only, whatever it is
/// shown as.
fn addresses_from_there_only(place: &Place, name: &str, password: &str) {
    let bearer = format!("Bearer {password}");
    let secret = format!("/{password}?myip=192.0.2.66");
    let router = format!("/nic/update?hostname={name}.{ZONE}&myip=192.0.2.66");
    let duckdns = format!("/update?domains={name}&token={password}&ip=192.0.2.66");
    let visit = |path: &str, method: &str, client: &str| {
        let visit = place.get(path).method(method).from(client);
        visit.set("HTTP_AUTHORIZATION", &bearer).run()
    };
    let elsewhere = "198.51.100.4";
    let refused = |address: &str| {
        for (path, method, said) in [
            (&secret, "GET", "403 nohost"),
            (&secret, "POST", "403 nohost"),
            (&secret, "DELETE", "403 nohost"),
            (&router, "GET", "403 nohost"),
            (&router, "DELETE", "403 nohost"),
            (&duckdns, "GET", "403 KO"),
        ] {
            for client in [elsewhere, "2001:db9::1", "::ffff:198.51.100.4"] {
                let answer = visit(path, method, client);
                assert_eq!(answer.said(), said, "{method} from {client}");
                assert_eq!(place.dns(name), address, "{method} from {client}");
            }
        }
        // Nobody knows where that is.
        let unknown = place.get(&secret).unset("HTTP_X_FORWARDED_FOR").run();
        assert_eq!(unknown.said(), "403 nohost");
        assert_eq!(place.dns(name), address);
        let line = place.last_line();
        let reason = "reason=\"the account may be used from other networks only\"";
        assert!(line.contains(reason), "{line}");
    };
    refused("");
    // A browser elsewhere is told nothing of the host.
    let browser = place.get(&secret).from(elsewhere);
    let browser = browser.set("HTTP_SEC_FETCH_MODE", "navigate").run();
    assert_eq!(browser.said(), "403 nohost");
    let from_there = visit(&secret, "GET", "203.0.113.9");
    assert_eq!(from_there.said(), "200 good 192.0.2.66");
    assert_eq!(place.dns(name), "192.0.2.66");
    refused("192.0.2.66");
    let from_there = visit(&router, "DELETE", "2001:db8::1");
    assert_eq!(from_there.said(), "200 good");
    assert_eq!(place.dns(name), "");
}

/// Registers through a web server in every form that clients have, and reads the account as
/// acme.sh does, by sed.
pub(crate) fn as_clients_ask(url: &str) {
    for form in [
        &["-X", "POST"][..],
        &["-X", "POST", "-H", "Content-Length: 0"],
        &["-d", ""],
        &["-d", "null"],
        &["-d", "{}"],
        &[
            "-H",
            "Content-Type: application/json",
            "-d",
            r#"{"allowfrom":[]}"#,
        ],
    ] {
        let output = Command::new("curl")
            .args(["-sS", "-w", "%{http_code}\n"])
            .args(form)
            .arg(format!("{url}/register"))
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!((lines.len(), lines[1]), (2, "201"), "{form:?}: {said}");
        let sed = |key: &str| {
            let find = format!(r#"s/^{{.*"{key}":[ ]*"\([^"]*\)".*}}/\1/p"#);
            let script = "printf '%s\\n' \"$1\" | sed -n \"$2\"";
            let output = Command::new("sh")
                .args(["-c", script, "sh", lines[0], &find])
                .output()
                .unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        assert_eq!(sed("password").len(), 24, "{said}");
        assert_eq!(
            sed("fulldomain"),
            format!("_acme-challenge.{}", sed("subdomain"))
        );
        assert_eq!(sed("username"), sed("subdomain"));
    }
}

/// The status and the error of an answer, or that it is an account.
fn registered(said: &Response) -> String {
    let json: serde_json::Value = serde_json::from_str(&said.body).unwrap();
    let whole = [
        "username",
        "password",
        "fulldomain",
        "subdomain",
        "allowfrom",
    ]
    .iter()
    .all(|key| json.get(key).is_some());
    let error = json["error"]
        .as_str()
        .unwrap_or(if whole { "-" } else { "?" });
    format!("{} {error}", said.status)
}
