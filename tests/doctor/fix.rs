//! What `--fix` puts right, and what it leaves alone.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::process::Command;

use crate::parent::{DELEGATION, Parent};
use crate::patient::{doctor, healthy, options};
use crate::support::site::Site;
use crate::support::skip::skip;
use crate::user::theirs;

#[test]
fn modes_and_a_missing_directory() {
    let site = healthy(options());
    let parent = Parent::with(DELEGATION);
    let mode = |name: &str| fs::metadata(site.path(name)).unwrap().permissions().mode() & 0o7777;
    for (name, open) in [
        ("tsig.key", 0o666),
        ("lookup.key", 0o644),
        ("state", 0o777),
        ("state/bowline.db", 0o644),
    ] {
        fs::set_permissions(site.path(name), fs::Permissions::from_mode(open)).unwrap();
    }
    fs::remove_dir_all(site.path("state/locks")).unwrap();
    let said = doctor(&site, &parent, &["--fix"]);
    // Upkeep was forgotten with its lock.
    assert_eq!(said.problems(), ["upkeep", "url"], "{:#}", said.document);
    let fixed = said
        .checks()
        .iter()
        .filter(|check| check["fixed"] == true)
        .count();
    assert_eq!(fixed, 5, "{:#}", said.document);
    for (name, closed) in [
        ("tsig.key", 0o640),
        ("lookup.key", 0o640),
        ("state", 0o750),
        ("state/bowline.db", 0o640),
        ("state/locks", 0o750),
    ] {
        assert_eq!(mode(name), closed, "{name}");
    }
    // What was put right stays so, and there is nothing more to do.
    let again = doctor(&site, &parent, &["--fix"]);
    assert!(
        again.checks().iter().all(|check| check["fixed"] == false),
        "{:#}",
        again.document
    );
}

#[test]
fn what_its_owner_cannot_change() {
    let site = healthy(options());
    let parent = Parent::with(DELEGATION);
    let all = [
        ("state", 0o550, 0o750),
        ("state/bowline.db", 0o440, 0o640),
        ("state/locks", 0o550, 0o750),
    ];
    let mode = |name: &str| fs::metadata(site.path(name)).unwrap().permissions().mode() & 0o7777;
    for (name, closed, _) in all {
        fs::set_permissions(site.path(name), fs::Permissions::from_mode(closed)).unwrap();
    }
    let said = doctor(&site, &parent, &[]);
    let problems = said.problems();
    for name in ["state-directory", "registry-owner", "locks"] {
        assert!(problems.contains(&name), "{problems:?}");
    }
    let said = doctor(&site, &parent, &["--fix"]);
    assert_eq!(said.problems(), ["url"], "{:#}", said.document);
    for (name, _, open) in all {
        assert_eq!(mode(name), open, "{name}");
    }
}

#[test]
fn a_state_directory_that_is_closed_to_its_owner() {
    let Some((site, _, _)) = theirs() else {
        return;
    };
    let parent = Parent::with(DELEGATION);
    set(&site, "state", 0o000);
    let said = doctor(&site, &parent, &[]);
    assert!(said.problems().contains(&"state-directory"));
    let said = doctor(&site, &parent, &["--fix"]);
    assert_eq!(said.problems(), ["url"], "{:#}", said.document);
    let about = said.about("state-directory");
    assert!(about.contains("mode 0700 instead of 0000"), "{about}");
}

#[test]
fn the_name_servers_copy_of_the_key_stays_its_own() {
    let Some((site, _, _)) = theirs() else {
        return;
    };
    let Ok(knot) = Command::new("id").args(["-g", "knot"]).output() else {
        return;
    };
    let Ok(knot) = String::from_utf8_lossy(&knot.stdout).trim().parse::<u32>() else {
        return skip("there is no user knot");
    };
    let parent = Parent::with(DELEGATION);
    let copy = site.path("knot/bowline.d/00-key.conf");
    fs::create_dir(site.path("knot/bowline.d")).unwrap();
    fs::copy(site.path("tsig.key"), &copy).unwrap();
    // The directory was made before there was a user knot.
    for (group, mode, right) in [(knot, 0o640, true), (0, 0o644, false), (4, 0o640, false)] {
        chown(&copy, Some(0), Some(group)).unwrap();
        set(&site, "knot/bowline.d", 0o750);
        set(&site, "knot/bowline.d/00-key.conf", mode);
        let said = doctor(&site, &parent, &["--fix"]);
        let fixed = said.about("secrets").contains("00-key.conf");
        assert_eq!(fixed, !right, "{:#}", said.document);
        let is = fs::metadata(&copy).unwrap();
        assert_eq!(is.mode() & 0o7777, 0o640);
        let wanted = if group == 4 { knot } else { group };
        assert_eq!(is.gid(), wanted);
    }
}

#[test]
fn all_that_is_open_in_the_state_directory() {
    let site = healthy(options());
    let parent = Parent::with(DELEGATION);
    site.add("home");
    fs::write(site.path("state/changes.counters"), "").unwrap();
    let names = [
        "state",
        "state/bowline.db",
        "state/bowline.db-wal",
        "state/bowline.db-shm",
        "state/locks",
        "state/locks/upkeep",
        "state/changes.counters",
    ];
    for name in names {
        assert!(site.path(name).exists(), "{name}");
        set(&site, name, 0o777);
    }
    let said = doctor(&site, &parent, &[]);
    let problems = said.problems();
    for name in ["state-directory", "registry-owner", "locks", "counters"] {
        assert!(problems.contains(&name), "{name}: {problems:?}");
    }
    let said = doctor(&site, &parent, &["--fix"]);
    assert_eq!(said.problems(), ["url"], "{:#}", said.document);
    for name in names {
        let mode = fs::metadata(site.path(name)).unwrap().permissions().mode() & 0o7777;
        let closed = if site.path(name).is_dir() {
            0o750
        } else {
            0o640
        };
        assert_eq!(mode, closed, "{name}");
    }
}

#[test]
fn counters_that_cannot_be_used() {
    let Some((site, uid, _)) = theirs() else {
        return;
    };
    let parent = Parent::with(DELEGATION);
    let file = site.path("state/changes.counters");
    fs::write(&file, "").unwrap();
    set(&site, "state/changes.counters", 0o640);
    let said = doctor(&site, &parent, &[]);
    assert_eq!(said.problems(), ["counters", "url"], "{:#}", said.document);
    assert!(
        said.about("counters")
            .contains("belongs to root, so its limit is off")
    );
    let said = doctor(&site, &parent, &["--fix"]);
    assert_eq!(said.problems(), ["url"], "{:#}", said.document);
    assert!(!file.exists());
    fs::create_dir(&file).unwrap();
    chown(&file, Some(uid), None).unwrap();
    let said = doctor(&site, &parent, &["--fix"]);
    assert_eq!(said.problems(), ["counters", "url"], "{:#}", said.document);
    assert!(file.is_dir());
}

#[test]
fn a_registry_that_became_roots_is_given_back() {
    let Some((site, uid, gid)) = theirs() else {
        return;
    };
    let parent = Parent::with(DELEGATION);
    let names = ["state/bowline.db", "state/bowline.db-wal"];
    fs::write(site.path(names[1]), "").unwrap();
    let owner = |name: &str| {
        let is = fs::metadata(site.path(name)).unwrap();
        (is.uid(), is.gid())
    };
    for name in names {
        chown(site.path(name), Some(0), Some(0)).unwrap();
        set(&site, name, 0o640);
    }
    let said = doctor(&site, &parent, &[]);
    assert_eq!(
        said.problems(),
        ["registry-owner", "url"],
        "{:#}",
        said.document
    );
    // With another name it could be any of root's files.
    fs::hard_link(site.path(names[0]), site.path("other")).unwrap();
    let said = doctor(&site, &parent, &["--fix"]);
    assert!(
        said.about("registry-owner").contains("another name"),
        "{:#}",
        said.document
    );
    assert_eq!(owner(names[0]), (0, 0));
    fs::remove_file(site.path("other")).unwrap();
    let said = doctor(&site, &parent, &["--fix"]);
    assert_eq!(said.problems(), ["url"], "{:#}", said.document);
    assert_eq!(owner(names[0]), (uid, gid));
    // Nor is what a link leads to given away.
    fs::rename(site.path(names[0]), site.path("state/moved")).unwrap();
    fs::write(site.path("victim"), "").unwrap();
    symlink(site.path("victim"), site.path(names[0])).unwrap();
    doctor(&site, &parent, &["--fix"]);
    assert_eq!(owner("victim"), (0, 0));
}

fn set(site: &Site, name: &str, mode: u32) {
    fs::set_permissions(site.path(name), fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn links_are_not_followed() {
    let site = healthy(options());
    let parent = Parent::with(DELEGATION);
    let victim = site.path("victim");
    fs::rename(site.path("tsig.key"), &victim).unwrap();
    fs::set_permissions(&victim, fs::Permissions::from_mode(0o644)).unwrap();
    symlink(&victim, site.path("tsig.key")).unwrap();
    let said = doctor(&site, &parent, &["--fix"]);
    assert_eq!(said.problems(), ["secrets", "url"], "{:#}", said.document);
    assert_eq!(
        fs::metadata(&victim).unwrap().permissions().mode() & 0o777,
        0o644
    );
    // Nor a file with two names, which could be anybody's.
    fs::remove_file(site.path("tsig.key")).unwrap();
    fs::hard_link(&victim, site.path("tsig.key")).unwrap();
    let said = doctor(&site, &parent, &["--fix"]);
    assert_eq!(said.problems(), ["secrets", "url"], "{:#}", said.document);
    assert_eq!(
        fs::metadata(&victim).unwrap().permissions().mode() & 0o777,
        0o644
    );
    fs::remove_file(&victim).unwrap();
    // A link in the place of the state directory is told, and not entered.
    let state = site.path("state");
    fs::rename(&state, site.path("elsewhere")).unwrap();
    symlink(site.path("elsewhere"), &state).unwrap();
    let said = doctor(&site, &parent, &["--fix"]);
    assert!(
        said.about("state-directory").contains("is a link"),
        "{:#}",
        said.document
    );
    fs::remove_file(&state).unwrap();
    fs::rename(site.path("elsewhere"), &state).unwrap();
}

/// Who runs bowline is not known then, so nobody is shut out of the keys.
#[test]
fn without_a_state_directory_the_keys_keep_their_group() {
    let Some((site, _, gid)) = theirs() else {
        return;
    };
    let parent = Parent::with(DELEGATION);
    fs::rename(site.path("state"), site.path("elsewhere")).unwrap();
    let said = doctor(&site, &parent, &["--fix"]);
    assert!(
        said.about("secrets").starts_with("ok: "),
        "{:#}",
        said.document
    );
    assert!(said.problems().contains(&"state-directory"));
    for name in ["lookup.key", "tsig.key"] {
        assert_eq!(fs::metadata(site.path(name)).unwrap().gid(), gid, "{name}");
    }
    fs::rename(site.path("elsewhere"), site.path("state")).unwrap();
}
