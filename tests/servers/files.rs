//! What is shipped and written for BIND and PowerDNS, read by BIND and PowerDNS; and
//! beside servers that serve something else.

use std::fs;
use std::path::Path;

use bowline::setup::bind::Bind;
use bowline::setup::files::{Content, State, Written};
use bowline::setup::nameserver::Program;
use bowline::setup::powerdns::PowerDns;
use bowline::setup::users::Owners;
use bowline::setup::zone::NameServer;
use bowline::setup::{NewZone, Place, Plan, Setup, SetupError};
use tempfile::TempDir;

use crate::instance::{Instance, Kind, shell, steps};

/// A shipped file with other paths.
fn shipped(name: &str, paths: &[(&str, &str)]) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let text = fs::read_to_string(file).unwrap();
    let changed = |text: String, (old, new): &(&str, &str)| {
        assert!(text.contains(old), "{name}: {old}");
        text.replace(old, new)
    };
    paths.iter().fold(text, changed)
}

#[test]
fn shipped_files_for_bind_are_valid_as_they_stand() {
    if !Kind::Bind.is_installed() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path().to_str().unwrap();
    for below in ["update.d", "public.d", "run", "keys"] {
        fs::create_dir(dir.path().join(below)).unwrap();
    }
    let write = |name: &str, text: String| fs::write(dir.path().join(name), text).unwrap();
    let paths = [("/etc/bind/bowline", here), ("/var/lib/bind/bowline", here)];
    let key = "key \"bowline\" { algorithm hmac-sha256; secret \"c2VjcmV0c2VjcmV0\"; };\n";
    write("named.conf", shipped("bind/named.conf", &paths));
    write("update.d/00-key.conf", key.to_owned());
    write("update.d/50-zone.conf", shipped("bind/zone.conf", &[]));
    write("public.d/50-zone.conf", shipped("bind/public.conf", &[]));
    let script = shipped("bind/first-contents", &[("/var/lib/bind/bowline", here)]);
    write("first-contents", script);
    for _ in 0..2 {
        let said = shell(&format!("sh {here}/first-contents"));
        assert!(said.contains("has its first records"), "{said}");
    }
    // With the zone's file, as BIND would load it.
    let said = shell(&format!("named-checkconf -z {here}/named.conf"));
    assert!(
        said.contains("zone dyn.example.org/IN: loaded serial"),
        "{said}"
    );
}

#[test]
fn shipped_files_for_powerdns_are_valid_as_they_stand() {
    if !Kind::PowerDns.is_installed() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path().to_str().unwrap();
    for below in ["pdns.d", "bowline", "run"] {
        fs::create_dir(dir.path().join(below)).unwrap();
    }
    let write = |name: &str, text: String| fs::write(dir.path().join(name), text).unwrap();
    write(
        "pdns.conf",
        shipped("pdns/pdns.conf", &[("/etc/powerdns", here)]),
    );
    let paths = [("/etc/powerdns", here), ("/var/lib/powerdns", here)];
    write("pdns.d/bowline.conf", shipped("pdns/bowline.conf", &paths));
    write("bowline/key.sql", shipped("pdns/key.sql", &[]));
    write("first-contents", shipped("pdns/first-contents", &paths));
    shell(&format!("pdns_server --config-dir={here} --config=check"));
    for _ in 0..2 {
        let said = shell(&format!("sh {here}/first-contents"));
        assert!(said.contains("has its first records"), "{said}");
    }
    let checked = shell(&format!(
        "pdnsutil --config-dir={here} check-zone dyn.example.org"
    ));
    assert!(checked.contains(" 0 errors"), "{checked}");
    // A setting that nobody knows is found.
    write("pdns.d/more.conf", "nonsense=1\n".to_owned());
    let bad = format!("! pdns_server --config-dir={here} --config=check");
    assert!(shell(&bad).contains("nonsense"));
}

#[test]
fn first_contents_of_powerdns_take_back_what_they_began() {
    if !Kind::PowerDns.is_installed() {
        return;
    }
    let server = Instance::write(Kind::PowerDns, &[]);
    let script = "pdns/bowline/first-contents-dyn.example.org";
    let good = server.read(script);
    server.replace(script, "control set-nsec3", "false && control set-nsec3");
    server.replace(script, "control rectify-zone", "false");
    let run = format!("sh {}", server.path(script).display());
    shell(&format!("! {run}"));
    let list = format!(
        "pdnsutil --config-dir={} list-all-zones",
        server.path("pdns").display()
    );
    assert!(!shell(&list).contains("dyn.example.org"));
    fs::write(server.path(script), good).unwrap();
    shell(&run);
    assert!(shell(&list).contains("dyn.example.org"));
}

#[test]
fn every_variant_is_valid() {
    for dns in [Kind::Bind, Kind::PowerDns]
        .into_iter()
        .filter(|dns| dns.is_installed())
    {
        for more in [
            &["--acme"][..],
            &["--no-dnssec", "--hostmaster=a.b@example.org"],
            &["--acme", "--no-dnssec", "--nameserver=ns2.example.net"],
            &["--dns-listen=::1@5300"],
        ] {
            let server = Instance::write(dns, more);
            let report = server.bowline(&["zone", "add", "two.example.org"]);
            let local = steps(&report).into_iter().filter(|step| {
                ["checkconf", "config=check", "first-contents"]
                    .iter()
                    .any(|part| step.contains(part))
            });
            assert_eq!(
                local.inspect(|step| drop(shell(step))).count(),
                2,
                "{dns:?} {more:?}"
            );
        }
    }
}

/// A set-up beside a server of the system.
fn beside(dir: &TempDir, dns: &'static dyn Program) -> Setup {
    let at = |name: &str| dir.path().join(name);
    let mut place = Place::new(&at("etc/bowline.toml"), None).unwrap();
    place.private = false;
    place.cron_dir = at("cron.d");
    place.bind_main = at("named.conf");
    let zone = "dyn.example.org".parse().unwrap();
    let server = NameServer::new("ns1.example.org").unwrap();
    Setup {
        place,
        zone: NewZone::new(zone, vec![server], None).unwrap(),
        url: "https://update.example.org".parse().unwrap(),
        dns,
        listeners: vec![
            "192.0.2.53@53".parse().unwrap(),
            "2001:db8::53@53".parse().unwrap(),
        ],
        public: vec!["192.0.2.53".parse().unwrap()],
        secondaries: Vec::new(),
        update: "127.0.0.1@5353".parse().unwrap(),
        apache: false,
        http: None,
        executable: "/usr/bin/bowline".into(),
        owners: Owners::new("www-data").unwrap(),
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
    setup.place.pdns_unit = Some(unit.clone());
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

#[test]
fn a_port_that_somebody_else_has_is_refused() {
    let held = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = held.local_addr().unwrap().port();
    for dns in Kind::ALL {
        let server = Instance::write(dns, &[]);
        let output = server.bowline_output(&[
            "init",
            "x.example.org",
            "--nameserver=ns1.example.org",
            "--url=http://update.example.org",
            "--web=none",
            &format!("--dns={}", dns.option()),
            &format!("--dns-listen=127.0.0.1@{port}"),
            &format!("--config-dir={}", server.path("other").display()),
        ]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(
            error.contains("is taken by") && error.contains("hint: "),
            "{error}"
        );
    }
}
