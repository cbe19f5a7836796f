//! What somebody is told to whom directories are closed.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::process::Command;

use crate::place::{Place, Ran};
use crate::support::skip::{Privilege, may};

/// A user without any rights here: `nobody` on Debian.
const USER: u32 = 65534;

/// The user who runs bowline, without the rights of root.
fn as_user(it: &Place, arguments: &str) -> Ran {
    let bowline = it.command(arguments);
    let mut command = Command::new("setpriv");
    command.args(["--reuid", &USER.to_string(), "--regid", &USER.to_string()]);
    command.arg("--clear-groups").arg(bowline.get_program());
    command
        .args(bowline.get_args())
        .current_dir(it.file("state"));
    command.env("BOWLINE_CONFIG", it.file("etc/bowline.toml"));
    command.output().unwrap().into()
}

#[test]
fn what_is_missing_as_it_cannot_be_read_is_said() {
    if !may(Privilege::Root) {
        return;
    }
    let it = Place::new();
    let knot = it.file("etc/knot");
    for directory in [knot.join("bowline.d"), knot.join("db/keys/keys")] {
        fs::create_dir_all(directory).unwrap();
    }
    let script = knot.join("bowline.d/first-contents-dyn.example.org");
    fs::write(&script, include_str!("../../knot/first-contents")).unwrap();
    fs::write(knot.join("db/keys/keys/one.pem"), "secret").unwrap();
    for closed in [knot.join("bowline.d"), knot.join("db")] {
        fs::set_permissions(closed, fs::Permissions::from_mode(0o700)).unwrap();
    }
    for theirs in ["", "state", "state/locks", "state/bowline.db"] {
        chown(it.file(theirs), Some(USER), Some(USER)).unwrap();
    }
    for read in ["etc/bowline.toml", "etc/lookup.key", "etc/tsig.key"] {
        chown(it.file(read), Some(0), Some(USER)).unwrap();
    }
    let shown = as_user(&it, "zone show");
    assert_eq!(shown.code, 0, "{shown:?}");
    let told = format!(
        "\nMind\n  the addresses of its name servers are in {}, which root may read\n",
        script.display()
    );
    assert!(shown.out.contains(&told), "{}", shown.out);
    let saved = as_user(&it, "backup saved.tar");
    assert_eq!(saved.code, 0, "{saved:?}");
    assert_eq!(
        saved.err,
        format!(
            "note: the backup has no DNSSEC keys: those of Knot in {} are not open to us\n\
             hint: one that root makes has them too\n",
            knot.join("db/keys").display()
        )
    );
    // Root misses nothing.
    assert!(!it.done("zone show").contains("which root may read"));
    let saved = it.run("backup whole.tar");
    assert_eq!((saved.code, saved.err.as_str()), (0, ""));
}
