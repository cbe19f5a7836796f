//! Further zones, and `--apply` against servers of our own.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use bowline::config::Config;
use bowline::setup::change::Standing;
use bowline::setup::parent::{Ds, Parent, ds, parent};
use serde_json::Value;

use crate::support::skip::installed;
use crate::trial::{Trial, run, succeed, wait_until};

pub(crate) fn zone(trial: &Trial, arguments: &[&str]) -> Result<Value, String> {
    let arguments: Vec<String> = ["zone"]
        .iter()
        .chain(arguments)
        .map(|argument| (*argument).to_owned())
        .collect();
    Ok(serde_json::from_str(&trial.verb(&arguments)?).unwrap())
}

fn commands(report: &Value) -> Vec<&str> {
    report["next"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step.as_str().unwrap())
        .collect()
}

#[test]
fn commands_stand_in_order() {
    let trial = Trial::new();
    let report: Value = serde_json::from_str(&trial.init(&[]).unwrap()).unwrap();
    let next = commands(&report);
    let at = |part: &str| {
        next.iter()
            .position(|step| step.contains(part))
            .unwrap_or_else(|| panic!("{part} in {next:#?}"))
    };
    let order = [
        "conf-check",
        "knotd -d",
        "first-contents",
        "-k start",
        "# enter the records",
        "zone show",
    ]
    .map(at);
    assert!(order.is_sorted(), "{next:#?}");
    let first = &report["records"][0];
    assert_eq!(
        first.to_string(),
        r#"{"zone":"example.org","name":"ns1","ttl":3600,"type":"A","data":"192.0.2.53"}"#
    );
}

#[test]
fn a_zone_that_was_lost_from_the_configuration_comes_back_as_it_was() {
    let trial = Trial::new();
    trial.init(&["--no-dnssec"]).unwrap();
    let whole = trial.read("bowline.toml");
    let files = || trial.read("knot/bowline.d/50-dyn.example.org.conf");
    let before = files();
    fs::write(trial.config(), &whole[..whole.find("[[zone]]").unwrap()]).unwrap();
    zone(&trial, &["add", "dyn.example.org"]).unwrap();
    assert_eq!(files(), before);
    let config = Config::load(&trial.config()).unwrap();
    assert_eq!(config.zones.len(), 1);
}

#[test]
fn a_configuration_that_is_a_link_stays_one() {
    let trial = Trial::new();
    trial.init(&[]).unwrap();
    fs::create_dir(trial.path("kept")).unwrap();
    let kept = trial.path("kept/bowline.toml");
    fs::rename(trial.config(), &kept).unwrap();
    std::os::unix::fs::symlink("kept/bowline.toml", trial.config()).unwrap();
    for arguments in [
        &["set", "dyn.example.org", "--ttl=120"][..],
        &["add", "dyn2.example.org"],
        &["remove", "dyn2.example.org", "--apply"],
    ] {
        let before = fs::read_to_string(&kept).unwrap();
        let _ = zone(&trial, arguments);
        assert!(trial.config().is_symlink(), "{arguments:?}");
        let is_removal = arguments[0] == "remove";
        let after = fs::read_to_string(&kept).unwrap();
        assert!(after != before || is_removal, "{arguments:?}");
    }
    assert_eq!(fs::read_dir(trial.path("kept")).unwrap().count(), 1);
    assert!(trial.read("bowline.toml").contains("ttl = 120"));
}

#[test]
fn a_second_zone_keeps_every_comment_and_takes_the_name_servers_of_the_first() {
    let trial = Trial::new();
    trial.init(&["--nameserver=ns2.example.net"]).unwrap();
    let mine = trial.read("bowline.toml") + "# mine\n";
    fs::write(trial.config(), &mine).unwrap();
    let report = zone(
        &trial,
        &[
            "add",
            "two.example.org",
            "--no-dnssec",
            "--ttl=5m",
            "--expire=30d",
        ],
    )
    .unwrap();
    let ns = report["records"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|record| record["type"] == "NS")
        .count();
    assert_eq!(ns, 2);
    assert!(trial.read("bowline.toml").contains("# mine"));
    let config = Config::load(&trial.config()).unwrap();
    assert_eq!(config.zones.len(), 2);
    assert_eq!(
        (
            config.zones[1].ttl.seconds(),
            config.zones[1].expire.to_string()
        ),
        (300, "30d".to_owned())
    );
    let clause = trial.read("knot/bowline.d/50-two.example.org.conf");
    assert!(!clause.contains("dnssec"), "{clause}");
    let error = zone(&trial, &["add", "two.example.org"]).unwrap_err();
    assert!(error.contains("there already"), "{error}");
    let error = zone(
        &trial,
        &[
            "add",
            "three.example.org",
            "--nameserver=ns.three.example.org",
        ],
    )
    .unwrap_err();
    assert!(error.contains("inside the zone"), "{error}");
    if installed("knotc") {
        let conf = trial.path("knot/knot.conf");
        succeed("knotc", &["-c", conf.to_str().unwrap(), "conf-check"]);
    }
}

#[test]
fn a_refused_zone_leaves_nothing_behind() {
    let trial = Trial::new();
    trial.init(&[]).unwrap();
    let before = (trial.read("bowline.toml"), trial.read("written.sha256"));
    for (refused, cause) in [
        (&["add", "two.example.org", "--expire=5m"][..], "expire"),
        (&["add", "example.org"], "inside the zone"),
        (&["add", "example.org", "--nameserver=ns.test"], "update."),
    ] {
        let error = zone(&trial, refused).unwrap_err();
        assert!(error.contains(cause), "{error}");
        let after = (trial.read("bowline.toml"), trial.read("written.sha256"));
        assert_eq!(before, after);
        assert_eq!(
            fs::read_dir(trial.path("knot/bowline.d")).unwrap().count(),
            4
        );
    }
    zone(&trial, &["add", "two.example.org", "--no-dnssec"]).unwrap();
    let clause = trial.read("knot/bowline.d/50-two.example.org.conf");
    assert!(!clause.contains("dnssec"), "{clause}");
}

#[test]
fn a_zone_with_hosts_is_not_removed() {
    let trial = Trial::new();
    fs::set_permissions(trial.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    trial.init(&["--no-dnssec"]).unwrap();
    zone(&trial, &["add", "two.example.org"]).unwrap();
    let host = ["host", "add", "nas", "--zone", "dyn.example.org"].map(str::to_owned);
    trial.verb(&host).unwrap();
    let way = zone(&trial, &["remove", "dyn.example.org"]).unwrap();
    let first = commands(&way)[0];
    assert!(
        first.ends_with("host list --zone dyn.example.org"),
        "{first}"
    );
    let before = trial.read("bowline.toml");
    let error = zone(&trial, &["remove", "dyn.example.org", "--apply"]).unwrap_err();
    assert!(error.contains("still has a host"), "{error}");
    assert!(error.contains("host remove NAME"), "{error}");
    assert_eq!(trial.read("bowline.toml"), before);
    assert!(
        trial
            .path("knot/bowline.d/50-dyn.example.org.conf")
            .exists()
    );
    let way = zone(&trial, &["remove", "two.example.org"]).unwrap();
    assert!(commands(&way)[0].contains("DS"), "{way}");
    assert!(!way.to_string().contains("crontab"), "{way}");
    if installed("knotc") {
        trial.unsign("two.example.org");
        zone(&trial, &["remove", "two.example.org", "--apply"]).unwrap();
        let way = zone(&trial, &["remove", "dyn.example.org"]).unwrap();
        assert!(way.to_string().contains("crontab"), "{way}");
    }
}

#[test]
fn a_weak_key_is_mentioned() {
    let trial = Trial::new();
    let key = "key:\n  - id: bowline\n    algorithm: hmac-sha1\n    secret: MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=\n";
    fs::create_dir_all(trial.path("")).unwrap();
    fs::write(trial.path("tsig.key"), key).unwrap();
    let report: Value = serde_json::from_str(&trial.init(&[]).unwrap()).unwrap();
    let shown = zone(&trial, &["show"]).unwrap();
    for notes in [&report["notes"], &shown[0]["notes"]] {
        assert!(
            notes.to_string().contains("hmac-sha1 is obsolete"),
            "{notes}"
        );
    }
}

#[test]
fn list_show_set_remove() {
    let trial = Trial::new();
    trial.init(&["--no-dnssec"]).unwrap();
    zone(&trial, &["add", "two.example.org"]).unwrap();
    let names: Vec<String> = zone(&trial, &["list"])
        .unwrap()
        .as_array()
        .unwrap()
        .iter()
        .map(|zone| zone["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["dyn.example.org", "two.example.org"]);
    let shown = zone(&trial, &["show", "two.example.org"]).unwrap();
    assert_eq!(shown[0]["records"][0]["data"], "192.0.2.53");
    assert_eq!(shown[0]["records"][1]["data"], "ns1.example.org.");
    assert!(
        shown[0]["ds"]
            .as_str()
            .unwrap()
            .starts_with("not yet: the name server"),
        "{shown}"
    );
    let set = zone(&trial, &["set", "two.example.org", "--ttl=90", "--acme"]).unwrap();
    assert!(set["notes"].to_string().contains("next address"), "{set}");
    assert_eq!(
        Config::load(&trial.config()).unwrap().zones[1]
            .ttl
            .seconds(),
        90
    );
    assert!(
        trial
            .read("knot/bowline.d/50-two.example.org.conf")
            .contains("bowline_acme")
    );
    let before = trial.read("bowline.toml");
    let way = zone(&trial, &["remove", "two.example.org"]).unwrap();
    let way = commands(&way);
    assert!(
        way[0].contains("DS") && way[1].contains("NS") && way[2].starts_with("rm -f"),
        "{way:#?}"
    );
    assert_eq!(trial.read("bowline.toml"), before);
    assert!(
        zone(&trial, &["remove", "six.example.org"])
            .unwrap_err()
            .contains("there is no zone")
    );
    if installed("knotc") {
        trial.unsign("two.example.org");
        zone(&trial, &["remove", "two.example.org", "--apply"]).unwrap();
        assert_eq!(Config::load(&trial.config()).unwrap().zones.len(), 1);
        assert!(
            !trial
                .path("knot/bowline.d/50-two.example.org.conf")
                .exists()
        );
    }
}

/// The whole way: `init --apply`, a second zone without a restart, DS when the parent is ready.
#[test]
fn applied_on_servers_of_our_own() {
    if !installed("knotd") || !installed("apache2") {
        return;
    }
    let trial = Trial::new();
    fs::set_permissions(trial.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let conf = trial.path("apache/apache2.conf");
    let report: Value = serde_json::from_str(&trial.init(&["--apply"]).unwrap()).unwrap();
    let left = commands(&report);
    assert!(
        left.iter()
            .all(|step| step.starts_with('#') || step.starts_with("bowline ")),
        "{left:#?}"
    );
    assert!(TcpStream::connect(("127.0.0.1", trial.http)).is_ok());
    assert_eq!(trial.dig(&["dyn.example.org", "NS"]), "ns1.example.org.\n");
    // Nothing is left to do the second time.
    let again: Value = serde_json::from_str(&trial.init(&["--apply"]).unwrap()).unwrap();
    assert_eq!(commands(&again), left);
    run("apache2", &["-f", conf.to_str().unwrap(), "-k", "stop"]);

    let report = zone(&trial, &["add", "two.example.org", "--no-dnssec"]).unwrap();
    let steps = commands(&report);
    assert!(
        steps.iter().any(|step| step.ends_with(" reload")),
        "{steps:#?}"
    );
    for step in steps
        .iter()
        .filter(|step| !step.starts_with('#') && !step.starts_with("bowline "))
    {
        succeed("sh", &["-c", step]);
    }
    assert_eq!(trial.dig(&["two.example.org", "NS"]), "ns1.example.org.\n");
    assert!(trial.dig(&["dyn.example.org", "SOA"]).starts_with("ns1."));

    wait_until(|| !trial.dig(&["dyn.example.org", "CDS"]).is_empty());
    let standing = Standing::load(&trial.config()).unwrap();
    let [signed, plain] = standing.config.zones.as_slice() else {
        panic!("two zones")
    };
    assert_eq!(ds(plain, false, None), Ds::Unsigned);
    assert!(matches!(ds(signed, true, None), Ds::NotYet(_)));
    let here = Some(([127, 0, 0, 1], trial.dns).into());
    assert_eq!(parent(&signed.name, here), Parent::Has("NS"));
    assert_eq!(
        parent(&"x.dyn.example.org".parse().unwrap(), here),
        Parent::Gone
    );
    let refused = parent(&"example.net".parse().unwrap(), here);
    assert!(matches!(refused, Parent::Unknown(_)), "{refused:?}");
    assert!(matches!(parent(&signed.name, None), Parent::Unknown(_)));
    // A resolver that does not know the zone, and one that does.
    let stranger = Trial::new();
    stranger
        .verb(
            &stranger
                .arguments()
                .iter()
                .map(|a| a.replace("dyn.example.org", "x.example.org"))
                .collect::<Vec<_>>(),
        )
        .unwrap();
    succeed(
        "knotd",
        &[
            "-d",
            "-c",
            stranger.path("knot/knot.conf").to_str().unwrap(),
        ],
    );
    wait_until(|| {
        run(
            "knotc",
            &[
                "-c",
                stranger.path("knot/knot.conf").to_str().unwrap(),
                "status",
            ],
        )
        .status
        .success()
    });
    let resolver = |trial: &Trial| Some(([127, 0, 0, 1], trial.dns).into());
    assert!(matches!(
        ds(signed, true, resolver(&stranger)),
        Ds::NotYet(_)
    ));
    let Ds::Enter(records) = ds(signed, true, resolver(&trial)) else {
        panic!("no DS")
    };
    let keymgr = succeed(
        "keymgr",
        &[
            "-c",
            trial.path("knot/knot.conf").to_str().unwrap(),
            "dyn.example.org",
            "ds",
        ],
    );
    let tag = records[0].data.split(' ').next().unwrap();
    assert!(
        keymgr.contains(&format!("DS {tag} 13 2 ")),
        "{keymgr} {records:?}"
    );
    std::thread::sleep(Duration::from_millis(100));
}
