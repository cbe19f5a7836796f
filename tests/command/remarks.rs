//! Warnings, notes and hints beside what a verb does.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};

use crate::place::{Place, Ran};
use crate::support::skip::{Privilege, may};

#[test]
fn a_weak_key_is_warned_of() {
    let it = Place::new();
    assert_eq!(it.run("config check").err, "");
    for (key, weakness) in [
        (
            "hmac-sha1:bowline:c2VjcmV0LXNlY3JldC1zZWNyZXQ=",
            "hmac-sha1 is obsolete; make a key with hmac-sha256",
        ),
        (
            "hmac-sha256:bowline:c2VjcmV0",
            "the secret is shorter than 16 octets",
        ),
    ] {
        it.write("etc/tsig.key", key);
        for verb in ["config check", "host list", "status", "zone list"] {
            let ran = it.run(verb);
            let file = it.file("etc/tsig.key");
            let warning = format!("warning: key {}: {weakness}\n", file.display());
            assert_eq!((ran.code, ran.err), (0, warning), "{verb}");
        }
    }
}

#[test]
fn a_short_name_with_a_dot_is_named_in_full() {
    let it = Place::new();
    for (verb, note) in [
        (
            "host add home.other.org",
            "note: its name in full is home.other.org.dyn.example.org\n",
        ),
        (
            "host add a.home",
            "note: its name in full is a.home.dyn.example.org\n",
        ),
        ("host add home", ""),
        ("host add b.home.dyn.example.org.", ""),
        (
            "host rename home tv.home",
            "note: its name in full is tv.home.dyn.example.org\n",
        ),
    ] {
        let ran = it.run(verb);
        assert_eq!((ran.code, ran.err.as_str()), (0, note), "{verb}");
    }
}

#[test]
fn a_token_that_dies_is_said_to() {
    let it = Place::new();
    it.done("host add home --ipv4 203.0.113.7");
    let note = "note: home.dyn.example.org is static now, and its token is dead\n";
    let ran = it.run("host set home --static");
    assert!(ran.err.contains(note), "{ran:?}");
    let ran = it.run("host set home --static");
    assert!(!ran.err.contains(note), "{ran:?}");
}

#[test]
fn a_name_that_makes_the_path_too_long_is_left_out() {
    let it = Place::new();
    let label = |letter: &str, length| letter.repeat(length);
    // The path is a slash, 24 characters, a slash, and 213 or 214 of the name.
    for (last, with_name) in [(30, true), (31, false)] {
        let name = [
            label("a", 60),
            label("b", 60),
            label("c", 60),
            label("d", last),
        ]
        .join(".");
        assert_eq!(1 + 24 + 1 + name.len() < 240, with_name);
        let added = it.json(&format!("host add {name}"));
        let token = added["token"].as_str().unwrap();
        let end = if with_name {
            format!("/{name}")
        } else {
            String::new()
        };
        let url = format!("https://update.example.org/{token}{end}");
        assert_eq!(added["url"], url, "{last}");
        let ran = it.run(&format!("host rename {name} {name}e"));
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(
            ran.out.contains("ends in its token, without a name"),
            "{ran:?}"
        );
    }
}

#[test]
fn a_host_of_a_zone_that_is_gone_can_be_removed() {
    let it = Place::with_zones(&["dyn.example.org", "dyn.example.net"]);
    it.done("host add quiet.dyn.example.net");
    it.done("host add home.dyn.example.net --ipv4 203.0.113.7");
    let config = it.read("etc/bowline.toml");
    let at = config.rfind("[[zone]]").unwrap();
    it.write("etc/bowline.toml", &config[..at]);
    let shown = it.json("host show home.dyn.example.net");
    assert_eq!(shown["zone"], "dyn.example.net");
    let ran = it.run("host set home.dyn.example.net --note x");
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (
            1,
            "bowline: the zone of home.dyn.example.net is not in the configuration\n\
             hint: run `bowline zone add dyn.example.net` first\n"
        )
    );
    assert_eq!(
        it.json("host remove quiet.dyn.example.net")["removed"],
        true
    );
    let ran = it.run("host remove Home.dyn.example.net.");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.err.contains("bowline zone add dyn.example.net"),
        "{ran:?}"
    );
    let shown = it.json("host show home.dyn.example.net");
    assert_eq!(shown["state"], "removing");
}

#[test]
fn hosts_of_a_zone_that_is_gone_are_told() {
    let it = Place::with_zones(&["dyn.example.org", "dyn.example.net"]);
    it.done("host add home.dyn.example.org");
    it.done("host add nas.dyn.example.net");
    it.done("host add tv.dyn.example.net");
    it.done("status");
    let config = it.read("etc/bowline.toml");
    it.write(
        "etc/bowline.toml",
        &config[..config.rfind("[[zone]]").unwrap()],
    );
    for verb in ["status", "config check"] {
        let ran = it.run(verb);
        let says = "bowline: 2 hosts in zone dyn.example.net, which is not configured\n\
                    hint: every visit to them fails: `bowline zone add dyn.example.net`";
        assert!(ran.code == 1 && ran.err.contains(says), "{verb}: {ran:?}");
    }
    assert!(it.run("status").out.contains("dyn.example.net: 2 hosts"));
    let doctor = it.run("doctor");
    let says =
        "the registry has hosts in dyn.example.net, 2 in all, and bowline.toml has no such zone";
    assert!(doctor.out.contains(says), "{doctor:?}");
    it.write("etc/bowline.toml", &config);
    it.done("status");
    assert!(
        it.run("doctor")
            .out
            .contains("the zone of every host is configured")
    );
}

#[test]
fn a_file_that_is_closed_to_us_says_to_whom() {
    if !may(Privilege::Root) {
        return;
    }
    let it = Place::new();
    chown(it.file("etc"), Some(0), Some(0)).unwrap();
    let open = fs::Permissions::from_mode(0o755);
    fs::set_permissions(it.file(""), open).unwrap();
    for (verb, file, closed, who) in [
        ("config check", "etc/bowline.toml", 0o600, "user root"),
        ("zone list", "etc/bowline.toml", 0o600, "user root"),
        (
            "config check",
            "etc/lookup.key",
            0o640,
            "user root and group root",
        ),
        (
            "config check",
            "etc/tsig.key",
            0o640,
            "user root and group root",
        ),
    ] {
        let mode = |mode| fs::set_permissions(it.file(file), fs::Permissions::from_mode(mode));
        for other in ["etc/bowline.toml", "etc/lookup.key", "etc/tsig.key"] {
            fs::set_permissions(it.file(other), fs::Permissions::from_mode(0o644)).unwrap();
        }
        for state in ["state", "state/locks", "state/bowline.db"] {
            chown(it.file(state), Some(65534), Some(65534)).unwrap();
        }
        mode(closed).unwrap();
        let ran = {
            use std::os::unix::process::CommandExt as _;
            let mut command = it.command(verb);
            command.uid(65534).gid(65534).output().unwrap()
        };
        let err = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(1), "{verb} {file}: {err}");
        let hint = format!("hint: only {who} may read it; run this as root, with sudo\n");
        assert!(err.ends_with(&hint), "{file}: {err}");
    }
    fs::remove_file(it.file("etc/lookup.key")).unwrap();
    let ran = it.run("host list");
    assert!(ran.err.contains("hint: put the lookup.key back"), "{ran:?}");
}

#[test]
fn commands_that_are_shown_have_the_configuration_that_was_named() {
    let it = Place::new();
    it.done("host add home --ipv4 203.0.113.7 --static");
    it.done("host add nas");
    for (named, with) in [
        ("", "`bowline ".to_owned()),
        (
            "--config etc/bowline.toml ",
            "`bowline --config etc/bowline.toml ".to_owned(),
        ),
    ] {
        let commands = |verb: &str| {
            let ran = it.run(&format!("{named}{verb}"));
            let said = ran.out + &ran.err;
            assert!(said.contains("`bowline "), "{verb}: {said}");
            assert_eq!(
                said.matches("`bowline ").count(),
                said.matches(&with).count(),
                "{verb}: {said}"
            );
            assert_eq!(said.matches("--config").count() > 0, !named.is_empty());
        };
        let owner = if named.is_empty() { "anna" } else { "berta" };
        commands(&format!("owner add {owner}"));
        commands("host show nas --for cron");
        commands("host show unknown");
        commands("host show home --for cron");
        fs::rename(it.file("state/locks"), it.file("state/away")).ok();
        let doctor = it.run(&format!("{named}doctor"));
        assert!(
            doctor.out.contains(&format!("{with}doctor --fix` ")),
            "{doctor:?}"
        );
        let json = it.run(&format!("{named}--json doctor"));
        assert!(
            json.out.contains(&format!("{with}doctor --fix` ")),
            "{json:?}"
        );
        fs::rename(it.file("state/away"), it.file("state/locks")).unwrap();
    }
    let ran = it.run("--config etc/bowline.toml host set home --no-static");
    assert!(ran.err.contains("note: home.dyn.example.org has no token yet; `bowline --config etc/bowline.toml host rotate"), "{ran:?}");
}

#[test]
fn a_state_directory_that_is_closed_to_us_is_not_a_missing_registry() {
    if !may(Privilege::Root) {
        return;
    }
    let it = Place::new();
    let mode = |file: &str, mode| {
        fs::set_permissions(it.file(file), fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("", 0o755);
    mode("state", 0o750);
    for file in ["etc/bowline.toml", "etc/lookup.key", "etc/tsig.key"] {
        mode(file, 0o644);
    }
    let ran: Ran = {
        use std::os::unix::process::CommandExt as _;
        let mut command = it.command("host list");
        command.uid(65534).gid(65534).output().unwrap().into()
    };
    let says = format!(
        "bowline: registry {}: Permission denied (os error 13)\n\
         hint: run this as root, with sudo\n",
        it.file("state/bowline.db").display()
    );
    assert!(ran.err.ends_with(&says), "{ran:?}");
    // Root goes on as the one whose it is, and that one cannot enter it.
    chown(it.file("state"), Some(65534), Some(65534)).unwrap();
    mode("state", 0o000);
    let ran = it.run("host list");
    let way = format!("`chmod u+rwx {}`", it.file("state").display());
    assert!(ran.err.contains("hint: bowline runs as "), "{ran:?}");
    assert!(ran.err.contains(&way), "{ran:?}");
}

#[test]
fn what_is_no_registry_has_a_hint() {
    let it = Place::new();
    fs::write(it.file("state/bowline.db"), "").unwrap();
    let ran = it.run("host list");
    assert!(
        ran.err.contains("is no registry\nhint: restore a backup"),
        "{ran:?}"
    );
}

#[test]
fn a_log_that_cannot_be_written_is_told_of() {
    let it = Place::new();
    let config = it.read("etc/bowline.toml");
    let log = |target: &str| {
        it.write(
            "etc/bowline.toml",
            &format!("{config}[log]\ntarget = \"{target}\"\n"),
        );
        let ran = it.run("config check");
        assert_eq!((ran.code, ran.out.as_str()), (0, "ok\n"), "{ran:?}");
        let instead = it.done("status");
        let instead = instead
            .lines()
            .find(|line| line.starts_with("log  "))
            .unwrap();
        (ran.err, instead.to_owned())
    };
    let why = "cannot be written: No such file or directory (os error 2)";
    let gone = it.file("gone/x.log");
    let instead = format!("standard error, as {} {why}", gone.display());
    let (note, status) = log(&format!("file:{}", gone.display()));
    assert_eq!(note, format!("note: log lines go to {instead}\n"));
    // In the same words.
    assert_eq!(status, format!("log            {instead}"));
    let there = it.file("etc/x.log");
    assert_eq!(log(&format!("file:{}", there.display())).0, "");
    assert_eq!(log("auto").0, "");
    let (note, status) = log("syslog");
    assert_eq!(
        note.is_empty(),
        status == "log            syslog",
        "{note}{status}"
    );
}

#[test]
fn a_responder_that_runs_is_told_of_a_change() {
    let it = Place::new();
    let checked = || it.run("config check").err;
    assert!(!checked().contains("kill -HUP"), "{}", checked());
    // Its number, as `init` has it written where systemd does not start it.
    it.write("etc/bowline.pid", &std::process::id().to_string());
    let pid_file = it.file("etc/bowline.pid");
    // Nothing was changed: that is how to, and says of no change that it was made.
    let way = format!(
        "note: the responder that runs reads changes with `kill -HUP $(cat {})`\n",
        pid_file.display()
    );
    assert_eq!(checked(), way);
}
