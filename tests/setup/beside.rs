//! Beside a Knot that serves other zones already.

use std::fs;

use bowline::hint::Hint as _;
use bowline::setup::bind::Bind;
use bowline::setup::files::{State, Written};
use bowline::setup::knot::Knot;
use bowline::setup::nameserver::Program;
use bowline::setup::users::Owners;
use bowline::setup::zone::NameServer;
use bowline::setup::{Gateway, NewZone, Place, Setup};
use serde_json::Value;

use crate::support::skip::installed;
use crate::trial::{Trial, run, succeed, wait_until};

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
pub(crate) fn beside(trial: &Trial, knot_conf: &str) -> Setup {
    let mut place = Place::new(&trial.config(), None).unwrap();
    place.private = false;
    place.cron_dir = trial.path("cron.d");
    place.unit_dir = None;
    let conf = place.knot_conf();
    fs::create_dir_all(&place.knot_dir).unwrap();
    fs::write(&conf, knot_conf).unwrap();
    let server: NameServer = "ns1.example.org".parse().unwrap();
    let zone = "dyn.example.org".parse().unwrap();
    Setup {
        place,
        zone: NewZone::new(zone, vec![server], None).unwrap(),
        url: "https://update.example.org".parse().unwrap(),
        dns: Some(&Knot),
        listeners: vec![
            "192.0.2.53@53".parse().unwrap(),
            "2001:db8::53@53".parse().unwrap(),
        ],
        public: vec!["192.0.2.53".parse().unwrap()],
        secondaries: Vec::new(),
        update: format!("127.0.0.1@{}", trial.update).parse().unwrap(),
        key: None,
        web: None,
        gateway: Gateway::Cgi,
        http: None,
        executable: "/usr/bin/bowline".into(),
        owners: Owners::new("www-data").unwrap(),
        typed: "init dyn.example.org".to_owned(),
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
fn an_include_line_in_other_words_is_not_written_twice() {
    for (theirs, there) in [
        ("include: \"bowline.d/*.conf\" # dynamic\n", true),
        ("include: bowline.d\n", true),
        ("include: more.d/*.conf\n", true),
        ("include: bowline.d/00-*.conf\n", false),
        ("# include: \"bowline.d/*.conf\"\n", false),
        ("include: \"other.d/*.conf\"\n", false),
    ] {
        let trial = Trial::new();
        let setup = beside(&trial, theirs);
        let ours = setup.place.knot_include();
        let more = trial.path("knot/more.d");
        fs::create_dir(&more).unwrap();
        let text = format!("include: {}/*\n", ours.display());
        fs::write(more.join("one.conf"), text).unwrap();
        let plan = setup.plan(&Written::load(&setup.place.written()).unwrap());
        let steps = plan.unwrap().next;
        let adds = steps.iter().any(|step| step.why == "Knot reads our files");
        assert_eq!(adds, !there, "{theirs}");
    }
}

/// A `knot.conf` of theirs, with these zones.
fn with_zones(trial: &Trial, zones: &[&str]) -> String {
    let knot = trial.path("knot").display().to_string();
    let mut text = format!(
        "server:\n    rundir: {knot}/run\n    listen: 127.0.0.1@{}\ndatabase:\n    storage: {knot}/db\n\
         template:\n  - id: default\n    storage: {knot}\n    file: \"%s.theirs\"\n",
        trial.update
    );
    for zone in zones {
        text += &format!("zone:\n  - domain: {zone}\n");
    }
    text
}

/// Their Knot with that configuration, and a change in its journal.
fn their_knot(trial: &Trial, zone: &str) {
    for directory in ["knot/run", "knot/db"] {
        fs::create_dir_all(trial.path(directory)).unwrap();
    }
    let contents = format!("{zone}. 3600 SOA a. b. 1 2 3 4 5\n{zone}. 3600 NS a.\n");
    fs::write(trial.path(&format!("knot/{zone}.theirs")), contents).unwrap();
    let conf = trial.path("knot/knot.conf");
    let conf = conf.to_str().unwrap();
    if run("knotc", &["-c", conf, "status"]).status.success() {
        succeed("knotc", &["-c", conf, "-b", "reload"]);
    } else {
        succeed("knotd", &["-d", "-c", conf]);
    }
    let read = || run("knotc", &["-c", conf, "zone-read", zone]);
    wait_until(|| read().status.success());
    for words in [
        &["zone-begin", zone][..],
        &["zone-set", zone, "old", "60", "A", "192.0.2.1"],
        &["zone-commit", zone],
    ] {
        succeed("knotc", &[&["-c", conf], words].concat());
    }
}

/// Types what is to be typed here. Knot's service is the machine's own, so that step is done
/// by hand.
fn follow<'a>(trial: &Trial, steps: impl Iterator<Item = &'a str>) {
    let conf = trial.path("knot/knot.conf").display().to_string();
    for step in steps.filter(|step| !step.starts_with(['#', 'b'])) {
        let restart = format!("knotc -c {conf} stop; sleep 1; knotd -d -c {conf}");
        let is_restart = step.contains("restart knot") || step.starts_with("service knot");
        succeed("sh", &["-c", if is_restart { &restart } else { step }]);
    }
}

#[test]
fn a_zone_taken_out_of_knot_conf_gets_its_first_records_though_it_still_answers() {
    if !installed("knotd") {
        return;
    }
    let trial = Trial::new();
    let mut setup = beside(&trial, &with_zones(&trial, &["dyn.example.org"]));
    setup.listeners = vec![format!("127.0.0.1@{}", trial.dns).parse().unwrap()];
    their_knot(&trial, "dyn.example.org");
    let conf = setup.place.knot_conf();
    let mut written = Written::load(&setup.place.written()).unwrap();
    let hint = setup.plan(&written).unwrap_err().hint().unwrap();
    assert!(
        hint.ends_with("and run this again"),
        "the way on, as it is gone here: {hint}"
    );
    fs::write(&conf, with_zones(&trial, &[])).unwrap();
    let servers: [&'static dyn Program; 2] = [&Bind, &Knot];
    for dns in servers {
        setup.dns = Some(dns);
        let plan = setup.plan(&written).unwrap();
        let script = dns.first_contents(&setup.place, &setup.zone.name);
        let gives = format!("sh {}", script.display());
        assert!(
            plan.next.iter().any(|step| step.command == gives),
            "{:#?}",
            plan.next
        );
    }
    let plan = setup.plan(&written).unwrap();
    plan.write(&setup.place, &setup.owners, &mut written)
        .unwrap();
    let here = plan.next.iter().filter(|step| step.applied);
    follow(&trial, here.map(|step| step.command.as_str()));
    let soa = trial.dig(&["dyn.example.org", "SOA"]);
    assert!(soa.starts_with("ns1.example.org."), "{soa}");
}

#[test]
fn so_does_one_that_is_added_later() {
    if !installed("knotd") {
        return;
    }
    let trial = Trial::new();
    let report: Value = serde_json::from_str(&trial.init(&["--web=none"]).unwrap()).unwrap();
    follow(&trial, commands(&report));
    let conf = trial.path("knot/knot.conf");
    let ours = fs::read_to_string(&conf).unwrap();
    let zone = "two.example.org";
    let storage = trial.path("knot").display().to_string();
    let theirs = format!("zone:\n  - domain: {zone}\n    file: {storage}/{zone}.theirs\n");
    fs::write(&conf, ours.clone() + &theirs).unwrap();
    their_knot(&trial, zone);
    let add = ["zone", "add", zone].map(str::to_owned);
    let error = trial.verb(&add).unwrap_err();
    assert!(error.contains("and run this again"), "{error}");
    fs::write(&conf, ours).unwrap();
    let report: Value = serde_json::from_str(&trial.verb(&add).unwrap()).unwrap();
    let gives = |step: &str| step.starts_with("sh ") && step.ends_with(zone);
    assert!(commands(&report).any(gives), "{report:#}");
    follow(&trial, commands(&report));
    // A reload leaves the zone as it is; a restart must not empty it.
    for _ in 0..2 {
        follow(&trial, ["restart knot"].into_iter());
        wait_until(|| !trial.dig(&[zone, "SOA"]).is_empty());
    }
}

/// What is still to be typed.
fn commands(report: &Value) -> impl Iterator<Item = &str> {
    let next = report["next"].as_array().unwrap();
    next.iter().map(|step| step.as_str().unwrap())
}

/// Knot reads its configuration database where there is one.
#[test]
fn a_knot_that_reads_no_file_is_refused() {
    let trial = Trial::new();
    let setup = beside(&trial, DEBIAN);
    let database = trial.path("knot/db/confdb");
    let plan = || setup.plan(&Written::load(&setup.place.written()).unwrap());
    fs::create_dir_all(&database).unwrap();
    assert!(plan().is_ok(), "an empty directory is none");
    fs::write(database.join("data.mdb"), "").unwrap();
    let error = plan().unwrap_err();
    let hint = error.hint().unwrap();
    assert!(error.to_string().contains("confdb, and not "), "{error}");
    assert!(
        hint.contains("knotc conf-export") && hint.contains("confdb.before`"),
        "{hint}"
    );
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
