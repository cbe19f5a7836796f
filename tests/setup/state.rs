//! Which directory can have the state.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::process::Command;

use crate::support::skip::{Privilege, may};
use crate::trial::Trial;

/// A directory that others use is not given away with all that is in it.
#[test]
fn a_directory_of_others_is_left_alone() {
    if !may(Privilege::Root) {
        return;
    }
    let trial = Trial::new();
    let theirs = trial.dir.path().join("theirs");
    fs::create_dir_all(theirs.join("other")).unwrap();
    let init = |directory: &std::path::Path| {
        let state = format!("--state-dir={}", directory.display());
        trial.init(&[&state, "--user=nobody"])
    };
    for _ in 0..2 {
        let said = init(&theirs).unwrap_err();
        assert_eq!(
            said,
            format!(
                "bowline: the state directory {0} has \"other\", which is not bowline's\n\
                 hint: a directory of its own can be given to nobody: --state-dir {0}/bowline\n",
                theirs.display()
            )
        );
    }
    assert_eq!(fs::metadata(theirs.join("other")).unwrap().uid(), 0);
    assert!(!trial.config().exists());
    // One that is empty, or new, is as good as any.
    fs::create_dir(theirs.join("empty")).unwrap();
    init(&theirs.join("empty")).unwrap();
    init(&theirs.join("empty")).unwrap();
}

/// No verb would follow it.
#[test]
fn a_link_is_no_state_directory() {
    let trial = Trial::new();
    let (link, real) = (trial.dir.path().join("link"), trial.dir.path().join("real"));
    fs::create_dir(&real).unwrap();
    symlink(&real, &link).unwrap();
    let state = format!("--state-dir={}", link.display());
    let said = trial.init(&[&state]).unwrap_err();
    assert!(
        said.starts_with(&format!(
            "bowline: the state directory {} is a link\n",
            link.display()
        )),
        "{said}"
    );
    assert_eq!(fs::read_dir(&real).unwrap().count(), 0);
}

/// Else the locks would be in one directory and the registry in another, and only one of them
/// would be handed over to another user.
#[test]
fn where_the_registry_is_it_stays() {
    let trial = Trial::new();
    let first = format!("--state-dir={}", trial.dir.path().join("state").display());
    trial.init(&[&first]).unwrap();
    let again = trial.init(&[]).unwrap();
    assert!(!again.contains("\"new\""), "{again}");
    assert!(!trial.path("state").exists());
    let other = trial.dir.path().join("other");
    let said = trial
        .init(&[&format!("--state-dir={}", other.display())])
        .unwrap_err();
    assert!(
        said.starts_with(&format!(
            "bowline: the state directory {} is not where {} has the registry\n\
             hint: without --state-dir it stays in {}; ",
            other.display(),
            trial.config().display(),
            trial.dir.path().join("state").display()
        )),
        "{said}"
    );
    assert!(!other.exists());
}

/// Root's umask says nothing of who runs bowline.
#[test]
fn the_way_to_it_is_open() {
    let trial = Trial::new();
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 077; exec \"$@\"", "sh"]);
    shell.arg(&trial.executable).arg("--config");
    shell.arg(trial.config()).args(trial.arguments());
    shell
        .arg("--state-dir")
        .arg(trial.dir.path().join("a/b/state"));
    let done = shell.output().unwrap();
    assert!(done.status.success(), "{done:?}");
    for (directory, mode) in [("a", 0o755), ("a/b", 0o755), ("a/b/state", 0o750)] {
        let is = fs::metadata(trial.dir.path().join(directory)).unwrap();
        assert_eq!(is.permissions().mode() & 0o7777, mode, "{directory}");
    }
}
