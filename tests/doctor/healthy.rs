//! A whole set-up by `init --apply`, with Knot and Apache, in which nothing is wrong.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::parent::Parent;
use crate::patient::{bowline, examine};
use crate::site::Site;
use crate::site::trial::{Trial, run, succeed, wait_until};
use crate::support::skip::installed;

#[test]
fn a_fresh_set_up_has_no_problem() {
    // The URL is that of the private Apache itself.
    let Some(site) = start() else {
        return;
    };
    let parent = Parent::with("dyn NS ns1\nns1 A 192.0.2.53\n");
    let config = site.trial.config();
    assert!(bowline(&config).arg("upkeep").status().unwrap().success());
    let serial = site.dig("", "SOA");
    let via = parent.address.to_string();
    let mut command = bowline(&config);
    let said = examine(command.args(["doctor", "--json", "--via", &via]));
    assert_eq!(said.problems(), [""; 0], "{:#}", said.document);
    assert_eq!(said.document["ok"], true);
    for (name, status) in [
        ("key-copy", "ok"),
        ("registry-integrity", "ok"),
        ("log-tokens", "ok"),
        ("log-format", "ok"),
        ("log-paths", "ok"),
        ("key-reach", "ok"),
        ("update-source", "ok"),
        ("zone-untouched", "ok"),
        ("durability", "ok"),
        ("delegation", "ok"),
        ("url", "ok"),
        // Signed, and nobody has entered the DS yet.
        ("ds", "ok"),
        // The parent alone resolves nothing, so nobody can say.
        ("own-user", "cannot tell"),
    ] {
        assert!(
            said.about(name).starts_with(status),
            "{name}: {}",
            said.about(name)
        );
    }
    // Looking has changed nothing.
    assert_eq!(site.dig("", "SOA"), serial);
    // The text for people: a line for each, and hints.
    let output = bowline(&config)
        .args(["doctor", "--via", &via])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{text}"
    );
    for line in text.lines() {
        let starts = ["ok ", "cannot tell ", "hint: "];
        assert!(starts.iter().any(|start| line.starts_with(start)), "{line}");
    }
    // The server's copy of the key is another one from now on.
    let copy = site.trial.path("knot/bowline.d/00-key.conf");
    let (_, other) = bowline::dns::Key::generate("bowline").unwrap();
    fs::write(&copy, other).unwrap();
    let said = examine(bowline(&config).args(["doctor", "--json", "--via", &via]));
    assert_eq!(said.problems(), ["key-copy"], "{:#}", said.document);
    // A site that logs paths is told, and so is the path that was just visited.
    let apache = site.trial.path("apache/bowline.conf");
    let text = fs::read_to_string(&apache).unwrap();
    fs::write(&apache, text.replace("%m %>s", "%U %>s")).unwrap();
    reload(&site);
    let said = examine(bowline(&config).args(["doctor", "--json", "--via", &via]));
    assert_eq!(
        said.problems(),
        ["key-copy", "log-format"],
        "{:#}",
        said.document
    );
    let paths = said.about("log-paths");
    assert!(
        paths.starts_with("cannot tell") && paths.contains("is in "),
        "{paths}"
    );
    // As root everything can be read; bowline's own user must be able to as well.
    let key = site.trial.path("tsig.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let said = examine(bowline(&config).args(["doctor", "--json", "--via", &via]));
    assert!(
        said.problems().contains(&"keys-readable"),
        "{:#}",
        said.document
    );
}

/// A site whose URL is that of its own Apache; `None` when a program is missing.
fn start() -> Option<Site> {
    if !installed("knotd") || !installed("apache2") || !installed("curl") {
        return None;
    }
    let mut trial = Trial::new();
    // Apache runs the executable as somebody else, who must reach it.
    fs::set_permissions(trial.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let executable = trial.dir.path().join("bowline");
    let me = env!("CARGO_BIN_EXE_bowline");
    succeed("install", &["-m755", me, executable.to_str().unwrap()]);
    trial.executable = executable;
    let url = format!("--url=http://127.0.0.1:{}", trial.http);
    trial.init(&[&url, "--apply"]).unwrap();
    let token = String::new();
    Some(Site { trial, token })
}

/// Has Apache read its configuration again, and waits for the answer.
fn reload(site: &Site) {
    let conf = site.trial.path("apache/apache2.conf");
    let conf = conf.to_str().unwrap();
    let pid = fs::read_to_string(site.trial.path("apache/run/apache2.pid")).unwrap();
    run("apache2", &["-f", conf, "-k", "stop"]);
    wait_until(|| !Path::new("/proc").join(pid.trim()).exists());
    succeed("apache2", &["-f", conf, "-k", "start"]);
    wait_until(|| std::net::TcpStream::connect(("127.0.0.1", site.trial.http)).is_ok());
}
