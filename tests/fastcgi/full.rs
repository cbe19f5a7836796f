//! The responder while the disk of its registry is full, and when there is room again.

use std::fs;
use std::os::unix::net::UnixListener;
use std::thread;

use crate::peer::Peer;
use crate::signals::on_standard_input;
use crate::site::{Process, Site};
use crate::support::disk::Disk;
use crate::support::knot::wait_until;

/// What the responder says to a visit: status and body.
fn visit(site: &Site, address: &str) -> String {
    ask(site, &site.update(address))
}

fn health(site: &Site) -> String {
    ask(site, "/healthz")
}

fn ask(site: &Site, path: &str) -> String {
    let mut peer = Peer::connect(&site.path("bowline.sock"));
    let answered = peer.ask(path, false).expect("an answer");
    let status = answered.status().split(' ').next().unwrap_or_default();
    format!("{status} {}", answered.body().trim_end())
}

#[test]
fn it_writes_again_when_its_disk_can_be_written_again() {
    let site = Site::new();
    let Some(disk) = Disk::over(&site.path("registry")) else {
        return;
    };
    disk.remount("ro");
    let mut bowline = site.listen();
    thread::scope(|scope| {
        let visits = (1..=8).map(|n| {
            let site = &site;
            scope.spawn(move || visit(site, &format!("203.0.113.{n}")))
        });
        for said in visits.collect::<Vec<_>>() {
            assert_eq!(said.join().unwrap(), "503 911");
        }
    });
    assert_eq!(health(&site), "503 registry");
    disk.remount("rw");
    assert_eq!(visit(&site, "203.0.113.20"), "200 good 203.0.113.20");
    assert_eq!(site.address(), ["203.0.113.20"]);
    assert_eq!(health(&site), "200 ok");
    assert_eq!(bowline.ended(), None, "it lives on");
}

#[test]
fn it_follows_a_registry_that_was_put_in_place_while_it_had_another_open() {
    let site = Site::new();
    let mut bowline = site.listen();
    assert_eq!(visit(&site, "203.0.113.1"), "200 good 203.0.113.1");
    let registry = site.path("registry").join("bowline.db");
    let beside = |ending: &str| registry.with_file_name(format!("bowline.db{ending}"));
    upkeep(&site);
    let copy = fs::read(&registry).unwrap();
    assert_eq!(visit(&site, "203.0.113.2"), "200 good 203.0.113.2");
    // By hand, into the same file, and without its log.
    fs::write(&registry, copy).unwrap();
    for ending in ["-wal", "-shm"] {
        fs::remove_file(beside(ending)).unwrap();
    }
    assert_eq!(visit(&site, "203.0.113.3"), "200 good 203.0.113.3");
    assert_eq!(site.address(), ["203.0.113.3"]);
    assert_eq!(site.wish(), "203.0.113.3", "others read what it wrote");
    upkeep(&site);
    assert_eq!(site.address(), ["203.0.113.3"]);
    assert_eq!(bowline.ended(), None, "it lives on");
}

fn upkeep(site: &Site) {
    assert!(site.bowline().arg("upkeep").status().unwrap().success());
}

/// A registry on a small disk, and a responder that has it open; nothing where none may be
/// mounted.
fn start() -> Option<(Site, Disk, Process)> {
    let site = Site::new();
    let disk = Disk::over(&site.path("registry"))?;
    let bowline = site.listen();
    assert_eq!(visit(&site, "203.0.113.1"), "200 good 203.0.113.1");
    Some((site, disk, bowline))
}

#[test]
fn it_lives_on_without_room() {
    let Some((mut site, disk, mut bowline)) = start() else {
        return;
    };
    let mut refused = 0;
    let mut accepted = 0;
    for (n, pages) in (2..).zip([0, 1, 2, 4, 8, 16, 32, 60].repeat(2)) {
        let before = site.address();
        let ballast = disk.fill(pages * 4096);
        let wanted = format!("203.0.113.{n}");
        let said = visit(&site, &wanted);
        let dns = site.address();
        if said == "503 911" {
            refused += 1;
            assert!(site.log().contains("disk of the registry"), "{n}");
        } else {
            accepted += 1;
            assert_eq!(said, format!("200 good {wanted}"), "{n}");
            assert_eq!(dns, [wanted.as_str()], "{n}");
        }
        fs::remove_file(ballast).unwrap();
        // It is published only after it was accepted.
        assert!(dns == before || site.wish() == wanted, "{n}: {dns:?}");
        let again = visit(&site, &wanted);
        assert!(
            again == format!("200 good {wanted}") || again == format!("200 nochg {wanted}"),
            "{n}: {again}"
        );
        assert_eq!(site.address(), [wanted.as_str()], "{n}");
        // What is so already needs no room.
        let ballast = disk.fill(0);
        assert_eq!(visit(&site, &wanted), format!("200 nochg {wanted}"), "{n}");
        fs::remove_file(ballast).unwrap();
    }
    assert!(refused > 0 && accepted > 0, "{refused}, {accepted}");
    // Nor does it say more than it knows when the name server is gone too.
    let ballast = disk.fill(0);
    site.knot.stop();
    for address in ["203.0.113.99", "203.0.113.19"] {
        let said = visit(&site, address);
        assert!(said == "503 911" || said == "503 dnserr", "{said}");
    }
    fs::remove_file(ballast).unwrap();
    site.knot.restart();
    assert_eq!(visit(&site, "203.0.113.98"), "200 good 203.0.113.98");
    assert_eq!(site.address(), ["203.0.113.98"]);
    assert_eq!(bowline.ended(), None, "it lives on");
}

#[test]
fn it_lives_on_without_room_for_small_blocks() {
    let site = Site::new();
    let Some(disk) = Disk::of_small_blocks(&site.path("registry")) else {
        return;
    };
    let mut refused = 0;
    let mut last = "203.0.113.100".to_owned();
    let bowline = site.listen();
    assert_eq!(visit(&site, &last), format!("200 good {last}"));
    drop(bowline);
    for n in 1..24 {
        // The log is empty, and the responder makes its index anew: there is room then.
        upkeep(&site);
        let mut bowline = site.listen();
        assert!(visit(&site, &last).starts_with("200 "), "{n}");
        let ballast = disk.fill(n * 2048);
        let wanted = format!("203.0.113.{n}");
        let said = visit(&site, &wanted);
        if said == "503 911" {
            refused += 1;
            assert!(site.log().contains("disk of the registry"), "{n}");
        } else {
            assert_eq!(said, format!("200 good {wanted}"), "{n}");
        }
        fs::remove_file(ballast).unwrap();
        assert!(visit(&site, &wanted).starts_with("200 "), "{n}");
        assert_eq!(site.address(), [wanted.as_str()], "{n}");
        assert_eq!(bowline.ended(), None, "it lives on");
        last = wanted;
    }
    assert!(refused > 0, "the disk was full at least once");

    // Likewise one that finds no room from the beginning.
    let socket = UnixListener::bind(site.path("bowline.sock")).unwrap();
    let ballast = disk.fill(2048);
    let mut bowline = on_standard_input(&site, &socket);
    assert_eq!(visit(&site, "203.0.113.99"), "503 911");
    fs::remove_file(ballast).unwrap();
    wait_until("the visit", || {
        visit(&site, "203.0.113.99").starts_with("200 ")
    });
    assert_eq!(site.address(), ["203.0.113.99"]);
    assert_eq!(bowline.ended(), None, "it lives on");
}
