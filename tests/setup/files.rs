//! What is written, whose it is, and what is left alone.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;

use bowline::registry::Registry;
use bowline::token::LookupKey;
use serde_json::Value;

use crate::support::skip::{Privilege, may};
use crate::trial::Trial;

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn states(report: &Value) -> Vec<&str> {
    report["files"]
        .as_object()
        .unwrap()
        .values()
        .map(|file| file["state"].as_str().unwrap())
        .collect()
}

#[test]
fn twice_changes_nothing() {
    for more in [
        &[][..],
        &["--acme", "--ttl=5m"],
        &["--no-dnssec", "--hostmaster=john.doe@example.org"],
    ] {
        twice(more);
    }
}

fn twice(more: &[&str]) {
    let trial = Trial::new();
    let first = parse(&trial.init(more).unwrap());
    assert!(
        states(&first).iter().all(|state| *state == "new"),
        "{first:#}"
    );
    let before = (
        trial.read("tsig.key"),
        trial.read("lookup.key"),
        trial.read("written.sha256"),
    );
    let second = parse(&trial.init(more).unwrap());
    assert!(
        states(&second).iter().all(|state| *state == "unchanged"),
        "{second:#}"
    );
    let after = (
        trial.read("tsig.key"),
        trial.read("lookup.key"),
        trial.read("written.sha256"),
    );
    assert_eq!(before, after);
    assert_eq!(before.0, trial.read("knot/bowline.d/00-key.conf"));
}

#[test]
fn several_at_once_make_one_set_up() {
    // How far each is when another begins to write is different every time.
    for _ in 0..12 {
        several_at_once();
    }
}

fn several_at_once() {
    let trial = Trial::new();
    let ended = std::thread::scope(|scope| {
        let running = [(); 4].map(|()| scope.spawn(|| trial.init(&[])));
        running.map(|one| one.join().unwrap())
    });
    assert!(ended.iter().any(Result::is_ok), "{ended:?}");
    assert_eq!(
        trial.read("tsig.key"),
        trial.read("knot/bowline.d/00-key.conf")
    );
    let again = parse(&trial.init(&[]).unwrap());
    assert!(
        states(&again).iter().all(|state| *state == "unchanged"),
        "{again:#}"
    );
    let registry = fs::metadata(trial.dir.path().join("etc/state/bowline.db")).unwrap();
    assert_ne!(registry.len(), 0);
    let key = LookupKey::load(&trial.path("lookup.key")).unwrap();
    Registry::open(&trial.path("state/bowline.db"), key).unwrap();
}

#[test]
fn dry_run_writes_nothing() {
    let trial = Trial::new();
    let report = parse(&trial.init(&["--dry-run"]).unwrap());
    assert!(!report["next"].as_array().unwrap().is_empty());
    assert_eq!(fs::read_dir(trial.dir.path()).unwrap().count(), 0);
}

#[test]
fn what_somebody_changed_stays_and_is_reported() {
    let trial = Trial::new();
    trial.init(&[]).unwrap();
    let zone = trial.path("knot/bowline.d/50-dyn.example.org.conf");
    let changed = fs::read_to_string(&zone).unwrap() + "    # mine\n";
    fs::write(&zone, &changed).unwrap();
    let report = parse(&trial.init(&["--no-dnssec"]).unwrap());
    let file = &report["files"][zone.to_str().unwrap()];
    assert_eq!(file["state"], "kept");
    assert_eq!(file["differs"][0], "-     dnssec-signing: on");
    assert_eq!(fs::read_to_string(&zone).unwrap(), changed);
    // One that nobody changed follows the options.
    let report = parse(&trial.init(&["--ttl", "5m"]).unwrap());
    assert_eq!(
        report["files"][trial.config().to_str().unwrap()]["state"],
        "updated"
    );
    assert!(trial.read("bowline.toml").contains("ttl = 300\n"));
}

#[test]
fn modes_and_owners() {
    let trial = Trial::new();
    let report = parse(&trial.init(&[]).unwrap());
    let root = may(Privilege::Root);
    for (path, mode, owner, group) in [
        ("bowline.toml", 0o640, "root", "www-data"),
        ("lookup.key", 0o640, "root", "www-data"),
        ("tsig.key", 0o640, "root", "www-data"),
        ("knot/bowline.d/00-key.conf", 0o640, "root", "knot"),
        ("state", 0o750, "www-data", "www-data"),
        ("state/locks", 0o750, "www-data", "www-data"),
        ("state/bowline.db", 0o640, "www-data", "www-data"),
    ] {
        let path = trial.path(path);
        let is = fs::metadata(&path).unwrap();
        assert_eq!(is.permissions().mode() & 0o7777, mode, "{path:?}");
        let said = &report["files"][path.to_str().unwrap()];
        assert_eq!(said["mode"], format!("{mode:04o}"));
        if root {
            assert_eq!(
                (&said["owner"], &said["group"]),
                (&owner.into(), &group.into()),
                "{path:?}"
            );
            assert_eq!(
                bowline::setup::users::user_name(is.uid()),
                owner,
                "{path:?}"
            );
            assert_eq!(
                bowline::setup::users::group_name(is.gid()),
                group,
                "{path:?}"
            );
        }
    }
}

#[test]
fn open_secrets_are_closed_and_the_rest_is_told() {
    let trial = Trial::new();
    trial.init(&[]).unwrap();
    let root = may(Privilege::Root);
    let kept = trial.path("knot/bowline.d/50-dyn.example.org.conf");
    fs::write(&kept, "# mine\n").unwrap();
    for (path, mode, put_right) in [
        ("tsig.key", 0o644, true),
        ("lookup.key", 0o666, true),
        ("bowline.toml", 0o600, true),
        ("knot/bowline.d", 0o755, true),
        ("state", 0o700, false),
        ("knot/bowline.d/50-dyn.example.org.conf", 0o644, false),
        ("state/bowline.db", 0o644, false),
    ] {
        let path = trial.path(path);
        let wanted = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let report = parse(&trial.init(&[]).unwrap());
        let said = &report["files"][path.to_str().unwrap()];
        let is = fs::metadata(&path).unwrap();
        let real = is.permissions().mode() & 0o7777;
        assert_eq!(
            real,
            if put_right && root { wanted } else { mode },
            "{path:?}"
        );
        assert_eq!(said["mode"], format!("{real:04o}"), "{path:?}");
        assert_eq!(
            said["differs"][0],
            format!("mode {mode:04o} instead of {wanted:04o}")
        );
    }
    // As where a server was installed after the first init.
    let groups = [("tsig.key", "www-data"), ("knot/bowline.d", "knot")];
    for (path, group) in groups.into_iter().filter(|_| root) {
        let path = trial.path(path);
        let before = fs::metadata(&path).unwrap().gid();
        std::os::unix::fs::chown(&path, None, Some(0)).unwrap();
        let report = parse(&trial.init(&[]).unwrap());
        let said = &report["files"][path.to_str().unwrap()];
        assert_eq!(said["state"], "reset");
        let differs = format!("owner root:root instead of root:{group}");
        assert_eq!(said["differs"][0], differs);
        assert_eq!(fs::metadata(&path).unwrap().gid(), before);
    }
}

#[test]
fn the_registry_is_there_and_empty() {
    let trial = Trial::new();
    trial.init(&[]).unwrap();
    let left: Vec<_> = fs::read_dir(trial.path(""))
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert!(
        left.iter()
            .all(|name| !name.to_string_lossy().contains("-new")),
        "{left:?}"
    );
    let key = LookupKey::load(&trial.path("lookup.key")).unwrap();
    let registry = Registry::open(&trial.path("state/bowline.db"), key).unwrap();
    assert!(registry.pending().unwrap().is_empty());
}

#[test]
fn an_address_that_nobody_outside_reaches_is_told_of() {
    let notes = |public: &[&str]| {
        let trial = Trial::new();
        // The one address of every trial goes.
        let mut arguments = trial.arguments();
        let at = arguments
            .iter()
            .position(|known| known == "--public")
            .unwrap();
        arguments.drain(at..at + 2);
        arguments.extend(public.iter().map(|address| format!("--public={address}")));
        arguments.push("--dry-run".to_owned());
        let report: Value = serde_json::from_str(&trial.verb(&arguments).unwrap()).unwrap();
        let notes = report["notes"].as_array().unwrap().iter();
        let notes = notes.filter_map(Value::as_str).map(str::to_owned);
        notes
            .filter(|note| note.contains("nobody outside"))
            .collect::<Vec<_>>()
    };
    let rest = ", and nobody outside reaches the name server there: --public is what the parent tells the world";
    for (public, says) in [
        (&["10.0.0.1"][..], "10.0.0.1 is a private address"),
        (
            &["192.0.2.53", "127.0.0.1", "fd00::1"],
            "127.0.0.1 is a loopback address, fd00::1 is a unique local address",
        ),
    ] {
        assert_eq!(notes(public), [format!("{says}{rest}")]);
    }
    assert_eq!(notes(&["192.0.2.53", "2001:db8::53"]), [""; 0]);
}

#[test]
fn a_port_that_the_world_does_not_ask_is_told_of() {
    let trial = Trial::new();
    let notes = |listen: &str| {
        let report = parse(&trial.init(&[listen, "--dry-run"]).unwrap());
        report["notes"].to_string()
    };
    let told = "at port 53 alone: something has to forward it to 192.0.2.53@5300";
    assert!(notes("--dns-listen=192.0.2.53@5300").contains(told));
    for usual in ["192.0.2.53@53", "127.0.0.1@5300", "::1@5300"] {
        let notes = notes(&format!("--dns-listen={usual}"));
        assert!(!notes.contains("port 53 alone"), "{usual}: {notes}");
    }
}

#[test]
fn refused_with_the_ways_out() {
    let trial = Trial::new();
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let taken = format!("--dns-listen={}", taken.local_addr().unwrap());
    let update = taken.replace("dns-listen", "update");
    for (more, cause, hint) in [
        (
            &["--nameserver=ns.dyn.example.org"][..],
            "inside the zone",
            "ns1.example.org",
        ),
        (
            &["--nameserver=dyn.example.org"],
            "inside the zone",
            "ns1.example.org",
        ),
        (&[&taken], "is taken by", "choose another port"),
        (&[&update], "is taken by", "choose another"),
        (&["--update=192.0.2.1@53"], "192.0.2.1", ""),
        (
            &["--dns=bind", "--secondary=198.51.100.53@53"],
            "--secondary with BIND is not in this version yet",
            "--dns knot",
        ),
        (&["--config-dir=/tmp/a b"], "has ' '", "choose a path"),
        (
            &["--url=https://dyn.example.org"],
            "inside the zone",
            "update.example.org",
        ),
        (
            &["--url=https://Up.Dyn.example.org./x"],
            "inside the zone",
            "update.example.org",
        ),
    ] {
        let error = trial.init(more).unwrap_err();
        assert!(
            error.starts_with("bowline: ") && error.contains(cause),
            "{more:?}: {error}"
        );
        assert!(error.contains(hint), "{more:?}: {error}");
    }
    assert_eq!(fs::read_dir(trial.dir.path()).unwrap().count(), 0);
}

#[test]
fn an_ordinary_user_is_told_to_be_root_or_to_try_elsewhere() {
    if !may(Privilege::Root) {
        return;
    }
    let trial = Trial::new();
    let executable = trial.dir.path().join("bowline");
    fs::copy(&trial.executable, &executable).unwrap();
    let others = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    others(&executable, 0o755);
    others(trial.dir.path(), 0o755);
    let init = || {
        let user = [
            "--reuid",
            "www-data",
            "--regid",
            "www-data",
            "--clear-groups",
        ];
        let output = Command::new("setpriv")
            .args(user)
            .args([&executable, Path::new("--config"), &trial.config()])
            .args(trial.arguments())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    // Where there is nothing yet, and what root set up.
    let new = init();
    trial.init(&[]).unwrap();
    let standing = init();
    others(&trial.path(""), 0o700);
    let closed = init();
    for said in [new, standing, closed] {
        assert!(said.contains("Permission denied"), "{said}");
        let hint = "\nhint: run this as root, with sudo; for a trial init takes --config-dir DIR\n";
        assert!(said.ends_with(hint), "{said}");
    }
}

#[test]
fn a_lookup_key_is_not_made_anew_under_a_registry() {
    let trial = Trial::new();
    trial.init(&[]).unwrap();
    fs::remove_file(trial.path("lookup.key")).unwrap();
    let error = trial.init(&[]).unwrap_err();
    assert!(error.contains("lookup.key is missing"), "{error}");
    assert!(!trial.path("lookup.key").exists());
}

#[test]
fn a_name_server_that_is_named_twice_is_one() {
    let trial = Trial::new();
    let named = |more: &[&str]| {
        let report = trial.init(&[&["--dry-run"], more].concat()).unwrap();
        serde_json::from_str::<Value>(&report).unwrap()["records"].clone()
    };
    let once = named(&["--nameserver=ns2.example.net"]);
    let twice = [
        "--nameserver=NS1.example.org.",
        "--nameserver=ns2.example.net",
        "--nameserver=ns1.example.org",
    ];
    assert_eq!(named(&twice), once);
}
