//! Beside a BIND or PowerDNS of the system: a fresh one, and one that serves something else.

use std::fs;

use bowline::hint::Hint as _;
use bowline::setup::bind::Bind;
use bowline::setup::files::{Content, State, Written};
use bowline::setup::nameserver::Program;
use bowline::setup::powerdns::PowerDns;
use bowline::setup::users::Owners;
use bowline::setup::zone::NameServer;
use bowline::setup::{Gateway, NewZone, Place, Plan, Setup, SetupError};
use tempfile::TempDir;

use crate::files::shipped;
use crate::instance::{Kind, shell};

/// A set-up beside a server of the system.
fn beside(dir: &TempDir, dns: &'static dyn Program) -> Setup {
    let at = |name: &str| dir.path().join(name);
    let mut place = Place::new(&at("etc/bowline.toml"), None).unwrap();
    place.private = false;
    place.cron_dir = at("cron.d");
    place.bind_main = at("named.conf");
    let zone = "dyn.example.org".parse().unwrap();
    let server: NameServer = "ns1.example.org".parse().unwrap();
    Setup {
        place,
        zone: NewZone::new(zone, vec![server], None).unwrap(),
        url: "https://update.example.org".parse().unwrap(),
        dns: Some(dns),
        listeners: vec![
            "192.0.2.53@53".parse().unwrap(),
            "2001:db8::53@53".parse().unwrap(),
        ],
        public: vec!["192.0.2.53".parse().unwrap()],
        secondaries: Vec::new(),
        update: "127.0.0.1@5353".parse().unwrap(),
        key: None,
        web: None,
        gateway: Gateway::Cgi,
        http: None,
        executable: "/usr/bin/bowline".into(),
        owners: Owners::new("www-data").unwrap(),
        typed: "init dyn.example.org".to_owned(),
    }
}

fn plan(setup: &Setup) -> Result<Plan, SetupError> {
    setup.plan(&Written::load(&setup.place.written()).unwrap())
}

/// Debian's main file, but for its comments.
const STOCK: &str = "options { directory \"/tmp\"; listen-on-v6 { any; }; };
zone \".\" { type hint; file \"/usr/share/dns/root.hints\"; };
zone \"localhost\" { type master; file \"/etc/bind/db.local\"; };
zone \"127.in-addr.arpa\" { type master; file \"/etc/bind/db.127\"; };
";

#[test]
fn a_fresh_bind_reads_one_line_and_keeps_what_it_had() {
    if !Kind::Bind.is_installed() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let setup = beside(&dir, &Bind);
    fs::write(&setup.place.bind_main, STOCK).unwrap();
    let mut written = Written::load(&setup.place.written()).unwrap();
    let first = setup.plan(&written).unwrap();
    first
        .write(&setup.place, &setup.owners, &mut written)
        .unwrap();
    let named = fs::read_to_string(setup.place.bind_conf()).unwrap();
    for line in [
        "    listen-on port 53 { 192.0.2.53; };\n",
        "    listen-on-v6 port 53 { 2001:db8::53; };\n",
        "    listen-on port 5353 { 127.0.0.1; };\n",
    ] {
        assert!(named.contains(line), "{named}");
    }
    assert!(
        !named.contains("controls"),
        "rndc works as the package sets it up"
    );
    let commands: Vec<&str> = first
        .next
        .iter()
        .map(|step| step.command.as_str())
        .collect();
    let at = |part: &str| {
        commands
            .iter()
            .position(|step| step.contains(part))
            .unwrap()
    };
    let order = [
        "first-contents",
        "named-checkconf",
        "before-bowline",
        "restart",
    ]
    .map(at);
    assert!(order.is_sorted(), "{commands:#?}");
    for step in &order[..3] {
        shell(commands[*step]);
    }
    let main = fs::read_to_string(&setup.place.bind_main).unwrap();
    assert_eq!(
        main,
        format!("include \"{}\";\n", setup.place.bind_conf().display())
    );
    let kept = dir.path().join("named.conf.before-bowline");
    assert_eq!(fs::read_to_string(kept).unwrap(), STOCK);
    shell(&format!(
        "named-checkconf {}",
        setup.place.bind_main.display()
    ));
    let again = setup.plan(&written).unwrap();
    assert!(
        again
            .files
            .iter()
            .all(|(_, state)| *state == State::Unchanged)
    );
    assert!(
        again
            .next
            .iter()
            .all(|step| !step.command.contains("before-bowline"))
    );
}

#[test]
fn what_their_bind_has_already_is_refused() {
    if !Kind::Bind.is_installed() {
        return;
    }
    for (more, cause) in [
        (
            "zone \"example.net\" { type primary; file \"x\"; };",
            "zone \"example.net\"",
        ),
        ("include \"more.conf\";", "zone \"example.com\""),
        ("", ""),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let setup = beside(&dir, &Bind);
        let included = dir.path().join("more.conf");
        fs::write(
            &included,
            "zone \"example.com\" { type primary; file \"x\"; };",
        )
        .unwrap();
        let more = more.replace("more.conf", included.to_str().unwrap());
        fs::write(&setup.place.bind_main, format!("{STOCK}{more}\n")).unwrap();
        refused(&setup, cause);
    }
    let dir = tempfile::tempdir().unwrap();
    let setup = beside(&dir, &Bind);
    fs::write(
        &setup.place.bind_main,
        "view \"inside\" { match-clients { any; }; };\n",
    )
    .unwrap();
    refused(&setup, "view \"inside\"");
}

#[test]
fn powerdns_does_not_start_without_its_script_where_systemd_starts_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut setup = beside(&dir, &PowerDns);
    let unit = dir.path().join("pdns.service.d/bowline.conf");
    setup.place.unit_dir = Some(dir.path().to_owned());
    let plan = plan(&setup).unwrap();
    let file = plan.files.iter().find(|(file, _)| file.path == unit);
    let Content::Text(text) = &file.expect("the file for systemd").0.content else {
        panic!("no text")
    };
    let start = "ExecStartPre=/usr/bin/test -r ";
    let tested = text.lines().find_map(|line| line.strip_prefix(start));
    let settings = shipped("pdns/bowline.conf", &[]);
    let named = settings
        .lines()
        .find_map(|line| line.strip_prefix("lua-dnsupdate-policy-script="));
    assert_eq!(tested, named);
    let restart = plan
        .next
        .iter()
        .find(|step| step.command.contains("restart"));
    let restart = &restart.expect("a restart").command;
    assert!(
        restart.starts_with("systemctl daemon-reload && "),
        "{restart}"
    );
}

#[test]
fn what_their_powerdns_has_already_is_refused() {
    for (file, text, cause) in [
        ("pdns.conf", "launch=bind\n", "launch"),
        ("pdns.conf", "local-address=192.0.2.1\n", "local-address"),
        ("pdns.d/gmysql.conf", "launch+=gmysql\n", "launch"),
        ("pdns.d/gmysql.conf", "# launch+=gmysql\nlaunch=\n", ""),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let setup = beside(&dir, &PowerDns);
        let path = setup.place.pdns_dir.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        refused(&setup, cause);
    }
}

/// The plan is refused for that cause, with a hint; with none it is made.
fn refused(setup: &Setup, cause: &str) {
    match plan(setup) {
        Ok(_) => assert_eq!(cause, ""),
        Err(error) => {
            assert!(
                !cause.is_empty() && error.to_string().contains(cause),
                "{error}"
            );
            assert!(error.hint().unwrap().contains("--config-dir"));
        }
    }
}
