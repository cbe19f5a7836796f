//! Beside a Knot that serves other zones already.

use std::fs;

use bowline::hint::Hint as _;
use bowline::setup::files::{State, Written};
use bowline::setup::knot::Knot;
use bowline::setup::users::Owners;
use bowline::setup::zone::NameServer;
use bowline::setup::{Gateway, NewZone, Place, Setup};

use crate::support::skip::installed;
use crate::trial::{Trial, run, succeed};

/// The file of Debian's package, a listener at every address added by its owner.
const DEBIAN: &str = "server:
    rundir: \"/run/knot\"
    user: knot:knot
    automatic-acl: on
    listen: [ 0.0.0.0@53 ]

log:
  - target: syslog
    any: info

database:
    storage: \"/var/lib/knot\"

remote:

template:
  - id: default
    storage: \"/var/lib/knot\"
    file: \"%s.zone\"

zone:
#  - domain: example.com
";

#[test]
fn included_from_debians_file() {
    if !installed("knotc") {
        return;
    }
    let trial = Trial::new();
    let setup = beside(&trial, DEBIAN);
    let conf = setup.place.knot_conf();
    let mut written = Written::load(&setup.place.written()).unwrap();
    let plan = setup.plan(&written).unwrap();
    plan.write(&setup.place, &setup.owners, &mut written)
        .unwrap();
    let include = &plan.next[0].command;
    assert!(include.contains("include: "), "{include}");
    // Whatever is wrong with all of it together, knot.conf stays as it is.
    let key = trial.path("knot/bowline.d/00-key.conf");
    let good = fs::read_to_string(&key).unwrap();
    fs::write(&key, good.clone() + &good).unwrap();
    assert!(!run("sh", &["-c", include]).status.success());
    assert_eq!(fs::read_to_string(&conf).unwrap(), DEBIAN);
    fs::write(&key, good).unwrap();
    succeed("sh", &["-c", include]);
    assert!(!conf.with_file_name("knot.conf.bowline-new").exists());
    succeed("knotc", &["-c", conf.to_str().unwrap(), "conf-check"]);
    let ours = trial.read("knot/bowline.d/10-bowline.conf");
    // 0.0.0.0@53 is open already, and Knot could not open 192.0.2.53@53 beside it.
    assert!(ours.contains("    listen: [ 2001:db8::53@53 ]\n"), "{ours}");
    // The line is there once; the rest is still to be typed.
    let again = setup.plan(&written).unwrap();
    assert!(
        again.next[0].command.ends_with("conf-check"),
        "{:?}",
        again.next
    );
    assert!(
        again
            .files
            .iter()
            .all(|(_, state)| *state == State::Unchanged)
    );
}

/// A set-up beside a Knot that is there, with that `knot.conf`.
fn beside(trial: &Trial, knot_conf: &str) -> Setup {
    let mut place = Place::new(&trial.config(), None).unwrap();
    place.private = false;
    place.cron_dir = trial.path("cron.d");
    place.unit_dir = None;
    let conf = place.knot_conf();
    fs::create_dir_all(&place.knot_dir).unwrap();
    fs::write(&conf, knot_conf).unwrap();
    let server = NameServer::new("ns1.example.org").unwrap();
    let zone = "dyn.example.org".parse().unwrap();
    Setup {
        place,
        zone: NewZone::new(zone, vec![server], None).unwrap(),
        url: "https://update.example.org".parse().unwrap(),
        dns: &Knot,
        listeners: vec![
            "192.0.2.53@53".parse().unwrap(),
            "2001:db8::53@53".parse().unwrap(),
        ],
        public: vec!["192.0.2.53".parse().unwrap()],
        secondaries: Vec::new(),
        update: format!("127.0.0.1@{}", trial.update).parse().unwrap(),
        web: None,
        gateway: Gateway::Cgi,
        http: None,
        executable: "/usr/bin/bowline".into(),
        owners: Owners::new("www-data").unwrap(),
    }
}

#[test]
fn what_their_knot_has_already_is_refused() {
    for (theirs, cause) in [
        (
            "zone:\n  - domain: Dyn.example.org.\n",
            "zone \"dyn.example.org\"",
        ),
        ("key:\n  - id: bowline\n", "key \"bowline\""),
        ("acl:\n- id: bowline_update # x\n", "acl \"bowline_update\""),
        ("template:\n  - id: \"bowline\"\n", "template \"bowline\""),
        ("policy:\n  - id: bowline\n", "policy \"bowline\""),
        ("mod-rrl:\n  - id: bowline\n", "mod-rrl \"bowline\""),
        ("include: more.d/*.conf\n", "more.d/one.conf has the zone"),
        ("include: \"bowline.d/*.conf\"\n", ""),
        ("mod-rrl:\n  - id: default\n", ""),
    ] {
        let trial = Trial::new();
        let setup = beside(&trial, theirs);
        let more = trial.path("knot/more.d");
        fs::create_dir(&more).unwrap();
        fs::write(
            more.join("one.conf"),
            "zone:\n  - domain: dyn.example.org\n",
        )
        .unwrap();
        let written = Written::load(&setup.place.written()).unwrap();
        match setup.plan(&written) {
            Ok(_) => assert_eq!(cause, "", "{theirs}"),
            Err(error) => {
                assert!(
                    !cause.is_empty() && error.to_string().contains(cause),
                    "{error}"
                );
                assert!(error.hint().is_some());
            }
        }
    }
}

#[test]
fn upkeep_is_run_by_cron() {
    let trial = Trial::new();
    let setup = beside(&trial, "");
    let mut written = Written::load(&setup.place.written()).unwrap();
    let plan = setup.plan(&written).unwrap();
    let line = plan
        .next
        .iter()
        .find(|step| step.why.contains("crontab of"))
        .unwrap();
    assert!(
        line.command
            .starts_with("# * * * * * test -x /usr/bin/bowline && ")
    );
    assert!(
        line.command
            .contains(&format!("--config {} upkeep", trial.config().display()))
    );

    fs::create_dir_all(&setup.place.cron_dir).unwrap();
    let plan = setup.plan(&written).unwrap();
    assert!(
        plan.next
            .iter()
            .all(|step| !step.why.contains("crontab of"))
    );
    plan.write(&setup.place, &setup.owners, &mut written)
        .unwrap();
    let text = trial.read("cron.d/bowline");
    let user = &setup.owners.state.user;
    assert!(text.contains(&format!(
        "\n* * * * * {user} test ! -d /run/systemd/system && test -x /usr/bin/bowline && /usr/bin/bowline "
    )));
    assert!(
        text.ends_with(" upkeep 2>&1 >/dev/null | logger -t bowline\n"),
        "{text}"
    );
    // The shell that cron runs it with is content when the executable is gone.
    let command = text.trim_end().split_once(" && test ").unwrap().1;
    let gone = command.replace("/usr/bin/bowline", "/nowhere/bowline");
    let said = run("sh", &["-c", &format!("test {gone}")]);
    assert!(said.stdout.is_empty() && said.stderr.is_empty(), "{said:?}");
}
