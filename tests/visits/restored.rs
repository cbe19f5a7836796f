//! A registry out of a backup: what the name server has since then is the newer.

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use bowline::upkeep::{Compared, Word};

use crate::compare::{by_hand, compare};
use crate::support::site::Site;

/// Runs a verb, which succeeds.
fn bowline(site: &Site, words: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_bowline"))
        .args(words)
        .env("BOWLINE_CONFIG", site.path("bowline.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// The registry is lost, and restored from that backup.
fn restore(site: &Site, backup: &str) {
    for name in ["bowline.db", "bowline.db-wal", "bowline.db-shm"] {
        let _ = fs::remove_file(site.path(&format!("state/{name}")));
    }
    bowline(site, &["restore", backup]);
}

#[test]
fn of_few_hosts_none_goes_back() {
    let mut site = Site::new();
    let homes = ["moved", "lost", "waits", "stands"].map(|name| site.add(name));
    for home in &homes {
        assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    }
    assert_eq!(compare(&site, Word::Registry), Compared::default());
    site.knot.stop();
    assert!(site.visit(&homes[2].with("203.0.113.2")).is_pending());
    let backup = site.path("backup.tar").display().to_string();
    bowline(&site, &["backup", &backup]);
    site.knot.restart();
    for (home, address) in [(&homes[0], "198.51.100.1"), (&homes[2], "198.51.100.3")] {
        assert_eq!(site.visit(&home.with(address)).status, 200);
    }
    // A second: serials go by it.
    sleep(Duration::from_millis(1100));
    by_hand(&site, &[&["zone-unset", "lost", "A"]]);
    restore(&site, &backup);

    let expected = Compared {
        adopted: 2,
        mended: 1,
        ..Compared::default()
    };
    assert_eq!(compare(&site, Word::Registry), expected);
    for (home, address) in
        homes
            .iter()
            .zip(["198.51.100.1", "203.0.113.1", "198.51.100.3", "203.0.113.1"])
    {
        assert_eq!(site.dns(&home.name), address, "{}", home.name);
        assert_eq!(site.wish(home), address, "{}", home.name);
    }
    // Once: from then on it is the registry that says what is right.
    by_hand(
        &site,
        &[
            &["zone-unset", "stands", "A"],
            &["zone-set", "stands", "60", "A", "198.51.100.99"],
        ],
    );
    assert_eq!(compare(&site, Word::Registry).mended, 1);
    assert_eq!(site.dns("stands"), "203.0.113.1");
}

#[test]
fn a_zone_that_went_back_with_it_is_the_older() {
    let mut site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    site.knot.keep_copy();
    sleep(Duration::from_millis(1100));
    assert_eq!(site.visit(&home.with("203.0.113.2")).status, 200);
    assert_eq!(compare(&site, Word::Registry), Compared::default());
    let backup = site.path("backup.tar").display().to_string();
    bowline(&site, &["backup", &backup]);
    site.knot.put_copy_back();
    assert_eq!(site.dns("home"), "203.0.113.1");
    restore(&site, &backup);
    assert_eq!(compare(&site, Word::Registry).mended, 1);
    assert_eq!(site.dns("home"), "203.0.113.2");
}
