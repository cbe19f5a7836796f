//! Who runs bowline, and who reads and changes its files: told where it is not as it should be.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::process::Command;

use crate::parent::{DELEGATION, Parent};
use crate::patient::{bowline, doctor, healthy, options};
use crate::support::site::Site;
use crate::support::skip::{Privilege, may, skip};

/// The web server's user on Debian.
const USER: &str = "www-data";

/// Its numbers, and a site that it runs; nothing where that cannot be had.
pub(crate) fn theirs() -> Option<(Site, u32, u32)> {
    if !may(Privilege::Root) {
        return None;
    }
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let Some(line) = passwd.lines().find(|line| line.starts_with("www-data:")) else {
        skip("there is no user www-data");
        return None;
    };
    let number = |at| line.split(':').nth(at).unwrap().parse().unwrap();
    let (uid, gid) = (number(2), number(3));
    let site = healthy(options());
    mode(&site.path(""), 0o755);
    for name in ["bowline.toml", "lookup.key", "tsig.key"] {
        chown(site.path(name), Some(0), Some(gid)).unwrap();
        mode(&site.path(name), 0o640);
    }
    give(&site, "www-data:www-data");
    fs::write(site.path("bowline.log"), "").unwrap();
    chown(site.path("bowline.log"), Some(uid), Some(gid)).unwrap();
    Some((site, uid, gid))
}

/// As `chown -R` of the state directory.
fn give(site: &Site, to: &str) {
    let mut chown = Command::new("chown");
    let done = chown.args(["-R", to]).arg(site.path("state")).status();
    assert!(done.unwrap().success());
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Whose a file is.
fn owner(site: &Site, name: &str) -> (u32, u32) {
    let is = fs::metadata(site.path(name)).unwrap();
    (is.uid(), is.gid())
}

/// What it says of its set-up as that user, which is what a visit would meet.
fn works(site: &Site) -> bool {
    let run = bowline(&site.path("bowline.toml"));
    let mut command = Command::new("setpriv");
    command.args(["--reuid", USER, "--regid", USER, "--clear-groups"]);
    command.arg(run.get_program()).args(run.get_args());
    let output = command.args(["config", "check"]).output().unwrap();
    output.status.success()
}

#[test]
fn a_state_directory_that_became_roots_is_given_back() {
    let Some((site, uid, gid)) = theirs() else {
        return;
    };
    let parent = Parent::with(DELEGATION);
    assert!(works(&site));
    // What a restored registry leaves behind.
    fs::create_dir(site.path("state/restored")).unwrap();
    give(&site, "root:root");
    assert!(!works(&site));
    let said = doctor(&site, &parent, &[]);
    assert_eq!(said.problems(), ["state-directory", "url"]);
    let about = said.about("state-directory");
    assert!(about.contains("belongs to root, and the keys are for group www-data"));
    assert_eq!(said.about("keys-readable"), "");
    // A link to somebody else's file, laid there while the directory was another's.
    let victim = site.path("victim");
    fs::write(&victim, "").unwrap();
    fs::hard_link(&victim, site.path("state/locks/host-00")).unwrap();
    let said = doctor(&site, &parent, &["--fix"]);
    assert!(said.problems().contains(&"state-directory"));
    assert!(said.about("state-directory").contains("another name too"));
    assert_eq!(owner(&site, "victim"), (0, 0));
    fs::remove_file(&victim).unwrap();
    // What others put there may be theirs to use.
    fs::write(site.path("state/cron.daily"), "").unwrap();
    let said = doctor(&site, &parent, &["--fix"]);
    assert!(said.about("state-directory").contains("\"cron.daily\\\""));
    assert_eq!(owner(&site, "state"), (0, 0));
    fs::remove_file(site.path("state/cron.daily")).unwrap();

    let said = doctor(&site, &parent, &["--fix"]);
    assert_eq!(said.problems(), ["url"], "{:#}", said.document);
    for name in [
        "state",
        "state/bowline.db",
        "state/locks",
        "state/locks/upkeep",
        "state/restored",
    ] {
        assert_eq!(owner(&site, name), (uid, gid), "{name}");
    }
    for name in ["lookup.key", "tsig.key", "bowline.toml"] {
        assert_eq!(owner(&site, name), (0, gid), "{name}");
    }
    assert!(works(&site));
}

#[test]
fn where_it_is_not_clear_nothing_is_given_away() {
    let Some((site, _, gid)) = theirs() else {
        return;
    };
    let parent = Parent::with(DELEGATION);
    give(&site, "daemon:daemon");
    let before = owner(&site, "state");
    for more in [&[][..], &["--fix"][..]] {
        let said = doctor(&site, &parent, more);
        assert_eq!(
            said.problems(),
            ["state-directory", "url"],
            "{:#}",
            said.document
        );
        assert!(said.about("state-directory").contains("belongs to daemon"));
        assert_eq!(owner(&site, "state"), before);
        for name in ["lookup.key", "tsig.key", "bowline.toml"] {
            assert_eq!(owner(&site, name), (0, gid), "{name}");
        }
    }
    // The hint does it.
    give(&site, "www-data:www-data");
    assert!(works(&site));
}

#[test]
fn files_that_are_closed_to_who_runs_bowline() {
    let Some((site, _, gid)) = theirs() else {
        return;
    };
    let parent = Parent::with(DELEGATION);
    for (name, closed) in [
        ("bowline.toml", 0o600),
        ("lookup.key", 0o600),
        ("tsig.key", 0o640),
    ] {
        chown(site.path(name), Some(0), Some(0)).unwrap();
        mode(&site.path(name), closed);
        let said = doctor(&site, &parent, &[]);
        assert!(said.problems().contains(&"keys-readable"), "{name}");
        let path = site.path(name);
        let about = said.about("keys-readable");
        let says = format!("www-data, who runs bowline, cannot read {}", path.display());
        assert!(about.contains(&says), "{about}");
        // The command line as root says it too, and what helps.
        let output = bowline(&site.path("bowline.toml"))
            .arg("config")
            .arg("check")
            .output();
        let err = String::from_utf8(output.unwrap().stderr).unwrap();
        let way = format!("`chgrp www-data {0} && chmod g+r {0}`", path.display());
        assert!(
            err.contains("runs as www-data") && err.contains(&way),
            "{err}"
        );
        let said = doctor(&site, &parent, &["--fix"]);
        assert_eq!(said.problems(), ["url"], "{name}: {:#}", said.document);
        assert_eq!(owner(&site, name), (0, gid), "{name}");
        assert!(works(&site), "{name}");
    }
    // What is closed to strangers stays open to bowline.
    chown(site.path("lookup.key"), Some(0), Some(0)).unwrap();
    mode(&site.path("lookup.key"), 0o644);
    let said = doctor(&site, &parent, &["--fix"]);
    assert_eq!(said.problems(), ["url"], "{:#}", said.document);
    assert!(works(&site));
}

#[test]
fn a_configuration_that_others_can_change() {
    let site = healthy(options());
    let parent = Parent::with(DELEGATION);
    for (name, open, closed) in [
        ("bowline.toml", 0o666, 0o644),
        ("bowline.toml", 0o646, 0o644),
        ("", 0o777, 0o755),
    ] {
        mode(&site.path(name), open);
        let said = doctor(&site, &parent, &[]);
        assert_eq!(
            said.problems(),
            ["configuration-owner", "url"],
            "{name} {open:o}"
        );
        let checked = bowline(&site.path("bowline.toml"))
            .args(["config", "check"])
            .output();
        let err = String::from_utf8(checked.unwrap().stderr).unwrap();
        assert!(
            err.contains("warning: everybody on this machine may change "),
            "{err}"
        );
        let said = doctor(&site, &parent, &["--fix"]);
        assert_eq!(said.problems(), ["url"], "{:#}", said.document);
        let is = fs::metadata(site.path(name)).unwrap().mode() & 0o7777;
        assert_eq!(is, closed, "{name} {open:o}");
    }
}

#[test]
fn a_log_that_cannot_be_written() {
    let Some((site, uid, _)) = theirs() else {
        return;
    };
    let parent = Parent::with(DELEGATION);
    let log = site.path("bowline.log");
    let status = || {
        let output = bowline(&site.path("bowline.toml")).arg("status").output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    assert!(status().contains(&format!("log            {}\n", log.display())));
    type Break = fn(&Path);
    let cases: [(Break, &str); 4] = [
        (|log| mode(log, 0o440), "Permission denied"),
        // It cannot be made in a directory that is root's.
        (|log| fs::remove_file(log).unwrap(), "Permission denied"),
        (|log| fs::create_dir(log).unwrap(), "it is a directory"),
        (
            |log| {
                fs::remove_dir(log).unwrap();
                let made = Command::new("mkfifo").arg(log).status();
                assert!(made.unwrap().success());
            },
            "it is a pipe",
        ),
    ];
    for (breaks, why) in cases {
        breaks(&log);
        let said = doctor(&site, &parent, &[]);
        assert_eq!(said.problems(), ["log-file", "url"], "{why}");
        let says = format!("www-data cannot append to {}: {why}", log.display());
        let about = said.about("log-file");
        assert!(about.contains(&says), "{about}");
        let says = format!(
            "standard error, as {} cannot be written: {why}",
            log.display()
        );
        assert!(status().contains(&says), "{}", status());
        // What is no file at all is refused.
        assert_eq!(works(&site), why == "Permission denied", "{why}");
    }
    fs::remove_file(&log).unwrap();
    fs::write(&log, "").unwrap();
    chown(&log, Some(uid), None).unwrap();
    let said = doctor(&site, &parent, &[]);
    assert_eq!(said.problems(), ["url"], "{:#}", said.document);

    // Syslog takes lines wherever there is one.
    let config = site.path("bowline.toml");
    let text = fs::read_to_string(&config).unwrap();
    let target = format!("\"file:{}\"", log.display());
    assert!(text.contains(&target), "{text}");
    fs::write(&config, text.replace(&target, "\"syslog\"")).unwrap();
    let (problems, says): (&[&str], _) = match Path::new("/dev/log").exists() {
        true => (&["url"], "syslog"),
        false => (
            &["log-file", "url"],
            "standard error, as syslog cannot be written: there is no /dev/log",
        ),
    };
    let line = format!("log            {says}\n");
    assert!(status().contains(&line), "{}", status());
    assert_eq!(doctor(&site, &parent, &[]).problems(), problems);
}

/// As a CGI program leaves them that was once run as root.
#[test]
fn locks_of_root_are_removed_unless_they_are_held() {
    let Some((site, uid, _)) = theirs() else {
        return;
    };
    let parent = Parent::with(DELEGATION);
    let victim = site.path("victim");
    fs::write(&victim, "").unwrap();
    let files = ["host-00", "host-01", "upkeep"].map(|name| format!("state/locks/{name}"));
    for file in &files {
        fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(site.path(file))
            .unwrap();
        mode(&site.path(file), 0o640);
        chown(site.path(file), Some(0), Some(0)).unwrap();
    }
    let said = doctor(&site, &parent, &[]);
    assert_eq!(said.problems(), ["locks", "url"], "{:#}", said.document);
    let says = "host-00 belongs to root, so nobody can take it";
    assert!(
        said.about("locks").contains(says),
        "{}",
        said.about("locks")
    );
    assert!(said.hint("locks").contains("doctor --fix` removes it"));

    let held = fs::File::open(site.path(&files[1])).unwrap();
    held.lock().unwrap();
    let said = doctor(&site, &parent, &["--fix"]);
    assert_eq!(said.problems(), ["locks", "url"], "{:#}", said.document);
    let exist = || files.clone().map(|file| site.path(&file).exists());
    assert_eq!(exist(), [false, true, false]);
    drop(held);
    let said = doctor(&site, &parent, &["--fix"]);
    let again = ["upkeep", "url"];
    assert_eq!(said.problems(), again, "{:#}", said.document);
    assert_eq!(exist(), [false; 3]);

    std::os::unix::fs::symlink(&victim, site.path(&files[0])).unwrap();
    let said = doctor(&site, &parent, &["--fix"]);
    assert!(said.about("locks").contains("host-00 is a link"));
    assert!(victim.exists());
    assert_eq!(owner(&site, "state/locks"), (uid, uid));
}

/// Neither root nor who runs bowline.
#[test]
fn what_belongs_to_a_third_user() {
    let Some((site, uid, gid)) = theirs() else {
        return;
    };
    let parent = Parent::with(DELEGATION);
    const THIRD: u32 = 1;
    let all = [
        "state/locks/host-00",
        "state/bowline.db-wal",
        "state/changes.counters",
    ];
    for name in all {
        fs::write(site.path(name), "").unwrap();
        mode(&site.path(name), 0o640);
        chown(site.path(name), Some(THIRD), Some(THIRD)).unwrap();
    }
    // Ours, and too open.
    let ours = "state/locks/upkeep";
    mode(&site.path(ours), 0o666);
    let said = doctor(&site, &parent, &["--fix"]);
    assert_eq!(
        said.problems(),
        ["registry-owner", "url"],
        "{:#}",
        said.document
    );
    let path = site.path(all[1]);
    let about = said.about("registry-owner");
    let says = format!("{} belongs to daemon, and www-data runs", path.display());
    assert!(about.contains(&says), "{about}");
    let hint = said.hint("registry-owner");
    let way = format!("`chown --no-dereference www-data: {}`", path.display());
    assert!(hint.contains(&way), "{hint}");
    assert_eq!(owner(&site, all[1]), (THIRD, THIRD));
    // What nobody misses is made anew, and what is ours is put right all the same.
    assert!(!site.path(all[0]).exists());
    assert!(!site.path(all[2]).exists());
    let is = fs::metadata(site.path(ours)).unwrap();
    assert_eq!((is.uid(), is.mode() & 0o7777), (uid, 0o640));
    chown(&path, Some(uid), Some(gid)).unwrap();
    let said = doctor(&site, &parent, &["--fix"]);
    assert_eq!(said.problems(), ["url"], "{:#}", said.document);

    // Keys are root's, whoever has got hold of them.
    for name in ["lookup.key", "tsig.key"] {
        chown(site.path(name), Some(THIRD), Some(gid)).unwrap();
    }
    let said = doctor(&site, &parent, &[]);
    assert!(said.about("secrets").contains("belongs to daemon"));
    let said = doctor(&site, &parent, &["--fix"]);
    assert_eq!(said.problems(), ["url"], "{:#}", said.document);
    for name in ["lookup.key", "tsig.key"] {
        assert_eq!(owner(&site, name), (0, gid), "{name}");
    }
    assert!(works(&site));
}
