//! Many hosts differ: upkeep knows whether the zone is the older one, or the registry.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use bowline::owner_name::OwnerName;
use bowline::registry::Settings;
use bowline::time::Timestamp;
use bowline::upkeep::{Compared, Word};

use crate::compare::{by_hand, check_all, compare, homes, mended, move_all};
use crate::support::knot::{Options, wait_until};
use crate::support::site::{Home, Site};

/// The same in one UPDATE: where serials are seconds, each one more is a second of waiting.
fn move_together(site: &Site, homes: &[Home], net: &str) {
    site.knot.freeze();
    for (n, home) in homes.iter().enumerate() {
        assert!(site.visit(&home.with(format!("{net}.{n}"))).is_pending());
    }
    site.knot.thaw();
    let round = site.round(Word::Registry);
    assert_eq!(round.settled.confirmed, homes.len());
    assert_eq!(compare(site, Word::Registry), Compared::default());
    check_all(site, homes, net);
}

/// Seventeen hosts of which eleven have moved since the copy of the zone that is put back; the
/// serial of the next UPDATE will be newer than all before. One more may wait for the name server.
fn eleven_moved_since_the_copy(pending: bool) -> (Site, Vec<Home>) {
    let mut site = Site::with(&Options {
        serials: "unixtime".into(),
        ..Options::default()
    });
    let homes: Vec<Home> = (0..17).map(|n| site.add(&format!("h{n}"))).collect();
    move_together(&site, &homes, "203.0.113");
    site.knot.keep_copy();
    // The history is exact to a second.
    sleep(Duration::from_millis(1100));
    move_together(&site, &homes[..11], "198.51.100");
    let serial = i64::from(site.knot.serial());
    if pending {
        site.knot.freeze();
        assert!(site.visit(&homes[16].with("192.0.2.16")).is_pending());
    }
    site.knot.put_copy_back();
    wait_until("a newer serial", || {
        bowline::time::Timestamp::now().seconds() > serial
    });
    check_all(&site, &homes, "203.0.113");
    (site, homes)
}

/// Keeps a copy of the registry.
fn keep_registry(site: &Site) {
    fs::write(site.path("old.db"), site.registry().copy().unwrap()).unwrap();
}

/// Puts that copy back.
fn put_registry_back(site: &Site) {
    for name in ["bowline.db", "bowline.db-wal", "bowline.db-shm"] {
        let _ = fs::remove_file(site.path(&format!("state/{name}")));
    }
    fs::copy(site.path("old.db"), site.registry_file()).unwrap();
}

#[test]
fn a_zone_replaced_by_an_old_copy_is_mended_whole() {
    let mut site = Site::new();
    let homes = homes(&site, 24, "203.0.113");
    assert_eq!(compare(&site, Word::Registry), Compared::default());
    site.knot.keep_copy();
    move_all(&site, &homes, "198.51.100");
    site.knot.put_copy_back();
    check_all(&site, &homes, "203.0.113");
    assert_eq!(compare(&site, Word::Registry), mended(24));
    check_all(&site, &homes, "198.51.100");
}

#[test]
fn a_zone_replaced_by_an_old_copy_stays_that_until_all_is_mended() {
    let mut site = Site::new();
    let homes = homes(&site, 24, "203.0.113");
    site.knot.keep_copy();
    move_all(&site, &homes, "198.51.100");
    site.knot.put_copy_back();
    site.knot.freeze();
    let left = Compared {
        left: 24,
        ..Compared::default()
    };
    assert_eq!(compare(&site, Word::Registry), left);
    assert!(!site.log().contains("--adopt"), "{}", site.log());
    site.knot.thaw();
    assert_eq!(compare(&site, Word::Registry), mended(24));
    check_all(&site, &homes, "198.51.100");
    // That is over: many that differ now are somebody's doing.
    let hand: Vec<String> = (0..24).map(|n| format!("h{n}")).collect();
    let steps = hand.iter().flat_map(|name| {
        let unset = vec!["zone-unset", name, "A"];
        [unset, vec!["zone-set", name, "60", "A", "192.0.2.66"]]
    });
    let steps: Vec<Vec<&str>> = steps.collect();
    let steps: Vec<&[&str]> = steps.iter().map(|step| &step[..]).collect();
    by_hand(&site, &steps);
    assert_eq!(compare(&site, Word::Registry), left);
    assert!(site.log().contains("--adopt"), "{}", site.log());
}

#[test]
fn a_visit_before_the_comparison_does_not_hide_that_the_zone_is_old() {
    let mut site = Site::new();
    let homes = homes(&site, 24, "203.0.113");
    site.knot.keep_copy();
    for _ in 0..2 {
        move_all(&site, &homes, "198.51.100");
        move_all(&site, &homes, "192.0.2");
    }
    site.knot.put_copy_back();
    // It heals its own host, and the serial goes on from there.
    assert_eq!(
        site.visit(&homes[3].with("192.0.2.3")).said(),
        "200 good 192.0.2.3"
    );
    let soa = "@ 3600 SOA ns1.example.net. hostmaster.example.net. 4000 3600 600 1209600 60";
    let mut args = vec!["zone-set"];
    args.extend(soa.splitn(4, ' '));
    by_hand(&site, &[&["zone-unset", "@", "SOA"], &args]);
    assert_eq!(compare(&site, Word::Registry), mended(23));
    check_all(&site, &homes, "192.0.2");
}

#[test]
fn an_update_before_the_comparison_does_not_hide_that_the_zone_is_old() {
    let (site, homes) = eleven_moved_since_the_copy(false);
    assert_eq!(
        site.visit(&homes[12].with("192.0.2.12")).said(),
        "200 good 192.0.2.12"
    );
    assert_eq!(compare(&site, Word::Registry), mended(11));
    check_all(&site, &homes[..11], "198.51.100");
    assert_eq!(site.dns("h12"), "192.0.2.12");
}

#[test]
fn what_is_pending_does_not_hide_that_the_zone_is_old() {
    let (site, homes) = eleven_moved_since_the_copy(true);
    let round = site.round(Word::Registry);
    assert_eq!(round.settled.confirmed, 1);
    assert_eq!(round.compared, mended(11));
    check_all(&site, &homes[..11], "198.51.100");
    assert_eq!(site.dns("h16"), "192.0.2.16");
}

/// Its serial tells it before the UPDATE of what waits gives it another one, and nothing else does.
#[test]
fn what_is_pending_does_not_hide_it_where_the_history_is_forgotten() {
    let (site, homes) = eleven_moved_since_the_copy(true);
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    db.execute("DELETE FROM history", []).unwrap();
    drop(db);
    let round = site.round(Word::Registry);
    assert_eq!(round.settled.confirmed, 1);
    assert_eq!(round.compared, mended(11));
    check_all(&site, &homes[..11], "198.51.100");
    assert_eq!(site.dns("h16"), "192.0.2.16");
}

#[test]
fn a_zone_that_was_made_anew_is_mended_whole() {
    let site = Site::new();
    let homes = homes(&site, 12, "203.0.113");
    assert_eq!(compare(&site, Word::Registry), Compared::default());
    let names: Vec<String> = (0..12).map(|n| format!("h{n}")).collect();
    let steps: Vec<[&str; 2]> = names.iter().map(|name| ["zone-unset", name]).collect();
    let steps: Vec<&[&str]> = steps.iter().map(|step| &step[..]).collect();
    by_hand(&site, &steps);
    assert_eq!(compare(&site, Word::Registry), mended(12));
    check_all(&site, &homes, "203.0.113");
    // The same when the beginning of the history is forgotten, or, where nobody has changed for so
    // long, all of it.
    move_all(&site, &homes, "198.51.100");
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    for forgotten in ["old IS NULL", "true"] {
        let sql = format!("DELETE FROM history WHERE {forgotten}");
        assert_ne!(db.execute(&sql, []).unwrap(), 0);
        by_hand(&site, &steps);
        assert_eq!(compare(&site, Word::Registry), mended(12), "{forgotten}");
        check_all(&site, &homes, "198.51.100");
    }
    drop(db);
    // Whose word counts, who says nothing says nothing.
    by_hand(&site, &steps);
    assert_eq!(compare(&site, Word::Zone), mended(12));
    check_all(&site, &homes, "198.51.100");
}

#[test]
fn a_registry_older_than_the_zone_mends_nothing_and_can_adopt() {
    let site = Site::new();
    let homes = homes(&site, 24, "203.0.113");
    let fixed = "192.0.2.50".parse().unwrap();
    let fixed = [fixed].into_iter().collect();
    let fixed = Settings {
        fixed: Some(fixed),
        ..Settings::default()
    };
    let fixed = site.add_with("fixed", fixed);
    assert_eq!(compare(&site, Word::Registry), Compared::default());
    keep_registry(&site);
    move_all(&site, &homes, "198.51.100");
    put_registry_back(&site);

    let left = Compared {
        left: 24,
        ..Compared::default()
    };
    assert_eq!(compare(&site, Word::Registry), left);
    check_all(&site, &homes, "198.51.100");
    let line = site.last_line();
    assert!(line.contains("24 of 24 hosts differ"), "{line}");
    assert!(line.contains("--adopt"), "{line}");

    let adopted = Compared {
        adopted: 24,
        ..Compared::default()
    };
    assert_eq!(compare(&site, Word::Zone), adopted);
    check_all(&site, &homes, "198.51.100");
    for (n, home) in homes.iter().enumerate() {
        let host = site.host(home);
        assert!(!host.is_pending());
        assert_eq!(host.fact.addresses.to_string(), format!("198.51.100.{n}"));
        let answer = site.visit(&home.with(format!("198.51.100.{n}")));
        assert_eq!(answer.said(), format!("200 nochg 198.51.100.{n}"));
    }
    assert_eq!(
        site.host(&fixed).settings.fixed.unwrap().to_string(),
        "192.0.2.50"
    );
    assert_eq!(compare(&site, Word::Registry), Compared::default());
}

#[test]
fn a_registry_older_than_the_zone_is_noticed_though_hosts_have_what_they_had() {
    let site = Site::new();
    let homes = homes(&site, 24, "203.0.113");
    assert_eq!(compare(&site, Word::Registry), Compared::default());
    keep_registry(&site);
    // Those that were there first have no address again; the later ones keep theirs.
    for home in &homes[..10] {
        assert_eq!(site.visit(&home.at("?clear=true")).said(), "200 good");
    }
    put_registry_back(&site);
    let left = Compared {
        left: 10,
        ..Compared::default()
    };
    assert_eq!(compare(&site, Word::Registry), left);
    assert!(site.last_line().contains("--adopt"), "{}", site.last_line());
    for home in &homes[..10] {
        assert_eq!(site.dns(&home.name), "");
    }
}

/// Three hosts in a registry older than the zone, one of which is looked at again, since an UPDATE
/// of it was not answered.
fn three_newer_than_the_registry() -> (Site, Vec<Home>) {
    let site = Site::new();
    let homes = homes(&site, 3, "203.0.113");
    assert_eq!(compare(&site, Word::Registry), Compared::default());
    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let now = bowline::time::Timestamp::now().seconds();
    let unconfirmed = "UPDATE host SET unconfirmed = ?2 WHERE id = ?1";
    db.execute(unconfirmed, (homes[1].id.number(), now))
        .unwrap();
    drop(db);
    keep_registry(&site);
    move_all(&site, &homes, "198.51.100");
    put_registry_back(&site);
    site.forget_log();
    (site, homes)
}

#[test]
fn nothing_of_a_few_hosts_is_undone_without_a_line() {
    let (site, homes) = three_newer_than_the_registry();
    assert_eq!(compare(&site, Word::Registry), mended(3));
    check_all(&site, &homes, "203.0.113");
    let log = site.log();
    for n in 0..3 {
        let host = format!("host=h{n}.dyn.example.org ");
        let line = log.lines().find(|line| line.contains(&host)).unwrap();
        let had = format!("the name server had 198.51.100.{n}");
        assert!(
            line.contains("result=mended") && line.contains(&had),
            "{line}"
        );
    }
    let lines = log.lines().filter(|line| line.contains("mended"));
    assert_eq!(lines.count(), 3, "{log}");
}

#[test]
fn where_the_zone_has_the_word_nothing_is_undone_before_it_is_heard() {
    let (site, homes) = three_newer_than_the_registry();
    let adopted = Compared {
        adopted: 3,
        ..Compared::default()
    };
    assert_eq!(compare(&site, Word::Zone), adopted);
    check_all(&site, &homes, "198.51.100");
}

#[test]
fn what_waits_in_an_older_registry_does_not_undo_the_zones_word() {
    let mut site = Site::new();
    let homes = homes(&site, 3, "203.0.113");
    assert_eq!(compare(&site, Word::Registry), Compared::default());
    site.knot.stop();
    for home in &homes {
        assert!(site.visit(&home.with("192.0.2.1")).is_pending());
    }
    keep_registry(&site);
    site.knot.restart();
    // Since then the first has moved on, and the second has come back to where it was.
    assert_eq!(site.visit(&homes[0].with("198.51.100.7")).status, 200);
    assert_eq!(site.visit(&homes[1].with("192.0.2.1")).status, 200);
    assert_eq!(site.visit(&homes[1].with("203.0.113.1")).status, 200);
    put_registry_back(&site);
    assert_eq!(compare(&site, Word::Zone).adopted, 1);
    assert_eq!(site.dns("h0"), "198.51.100.7");
    assert_eq!(site.wish(&homes[0]), "198.51.100.7");
    // What the zone had before they waited is overtaken by what waits.
    assert_eq!(
        (site.dns("h1"), site.dns("h2")),
        ("192.0.2.1".into(), "192.0.2.1".into())
    );
    assert!(homes.iter().all(|home| !site.host(home).is_pending()));
}

#[test]
fn what_an_owner_has_who_is_off_is_not_adopted() {
    let site = Site::new();
    let anna: OwnerName = "anna".parse().unwrap();
    let digest = site.digest(&site.token());
    let now = Timestamp::now();
    let mut registry = site.registry();
    registry.add_owner(&anna, None, &digest, now).unwrap();
    let settings = Settings {
        owner: Some(anna.clone()),
        ..Settings::default()
    };
    let home = site.add_with("home", settings);
    assert_eq!(site.visit(&home.with("203.0.113.7")).status, 200);
    let owner = registry.owner(&anna).unwrap();
    registry.disable_owner(owner.id, now).unwrap();
    site.publish(&home);
    assert_eq!(site.dns("home"), "");
    by_hand(&site, &[&["zone-set", "home", "60", "A", "203.0.113.7"]]);
    let mended = Compared {
        mended: 1,
        ..Compared::default()
    };
    assert_eq!(compare(&site, Word::Zone), mended);
    assert_eq!((site.wish(&home), site.dns("home")), Default::default());
}
