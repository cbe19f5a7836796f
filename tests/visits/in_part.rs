//! After a restore: a visit that speaks of a part of a host alone, before upkeep has compared.

use bowline::upkeep::{Compared, Word};

use crate::compare::compare;
use crate::lan::Lan;
use crate::restored::{later, restore, save};
use crate::support::site::Site;

#[test]
fn what_is_newer_of_the_other_family_stays() {
    let site = Site::new();
    let [home, nas, tv] = ["home", "nas", "tv"].map(|name| site.add(name));
    let all = [&home, &nas, &tv];
    for host in all {
        assert_eq!(site.visit(&host.with("203.0.113.1")).status, 200);
    }
    assert_eq!(site.visit(&home.with("2001:db8::1")).status, 200);
    let backup = save(&site);
    for host in all {
        let newer = host.with("203.0.113.2,2001:db8::2");
        assert_eq!(site.visit(&newer).status, 200);
    }
    restore(&site, &backup);
    let said = site.visit(&home.with("2001:db8::3")).said();
    assert_eq!(said, "200 good 2001:db8::3");
    // Of this one the backup has no such address.
    let said = site.visit(&nas.with("203.0.113.3")).said();
    assert_eq!(said, "200 good 203.0.113.3");
    // What it says now it had said before the registry was lost.
    let said = site.visit(&tv.with("203.0.113.2")).said();
    assert_eq!(said, "200 nochg 203.0.113.2");
    for round in [None, Some(Compared::default())] {
        if let Some(compared) = round {
            assert_eq!(compare(&site, Word::Registry), compared);
        }
        let expected = [
            (&home, "203.0.113.2,2001:db8::3"),
            (&nas, "203.0.113.3,2001:db8::2"),
            (&tv, "203.0.113.2,2001:db8::2"),
        ];
        for (host, addresses) in expected {
            assert_eq!(site.dns(&host.name), addresses, "{}", site.log());
            assert_eq!(site.wish(host), addresses);
            assert!(!site.host(host).is_pending());
        }
    }
}

#[test]
fn a_prefix_leaves_the_newer_address_of_a_host_behind_the_router() {
    let lan = Lan::new();
    assert_eq!(lan.site.visit(&lan.nas.with("203.0.113.1")).status, 200);
    let backup = save(&lan.site);
    assert_eq!(lan.site.visit(&lan.nas.with("203.0.113.2")).status, 200);
    restore(&lan.site, &backup);
    let (said, _) = lan.visit("?ip6lanprefix=2001:db8:1::/64");
    assert_eq!(said, "200 good 2001:db8:1::");
    let expected = "203.0.113.2,2001:db8:1:0:11:22:33:44";
    assert_eq!(lan.site.dns("nas"), expected);
    assert_eq!(lan.site.wish(&lan.nas), expected);
}

#[test]
fn of_a_zone_that_went_back_with_it_nothing_is_taken_over() {
    let mut site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    site.knot.keep_copy();
    later();
    assert_eq!(site.visit(&home.with("203.0.113.2")).status, 200);
    let backup = save(&site);
    site.knot.put_copy_back();
    restore(&site, &backup);
    assert_eq!(site.dns("home"), "203.0.113.1");
    let said = site.visit(&home.with("2001:db8::3")).said();
    assert_eq!(said, "200 good 2001:db8::3");
    assert_eq!(site.dns("home"), "203.0.113.2,2001:db8::3");
}

#[test]
fn that_a_zone_went_back_is_known_though_another_host_comes_first() {
    for told in ["203.0.113.9", "203.0.113.9,2001:db8::9"] {
        let mut site = Site::new();
        let (home, lamp) = (site.add("home"), site.add("lamp"));
        for host in [&home, &lamp] {
            assert_eq!(site.visit(&host.with("203.0.113.1")).status, 200);
        }
        site.knot.keep_copy();
        later();
        assert_eq!(site.visit(&home.with("203.0.113.2")).status, 200);
        let backup = save(&site);
        later();
        site.knot.put_copy_back();
        restore(&site, &backup);
        assert_eq!(site.dns("home"), "203.0.113.1");
        // Its UPDATE gives the older zone a serial that is newer than all before.
        assert_eq!(
            site.visit(&lamp.with(told)).said(),
            format!("200 good {told}")
        );
        let mended = Compared {
            mended: 1,
            ..Compared::default()
        };
        assert_eq!(compare(&site, Word::Registry), mended);
        assert_eq!(site.dns("home"), "203.0.113.2");
        assert_eq!(site.dns("lamp"), told);
    }
}

#[test]
fn one_that_was_off_is_off_again() {
    let site = Site::new();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    site.bowline(&["host", "disable", "home"]);
    let backup = save(&site);
    site.bowline(&["host", "enable", "home"]);
    assert_eq!(site.visit(&home.with("203.0.113.2")).status, 200);
    restore(&site, &backup);
    site.forget_log();
    let mended = Compared {
        mended: 1,
        ..Compared::default()
    };
    assert_eq!(compare(&site, Word::Registry), mended);
    assert_eq!(site.dns("home"), "");
    // Nobody is told to set what may not be set.
    assert!(!site.log().contains("911"), "{}", site.log());
    assert_eq!(site.visit(&home.with("203.0.113.3")).said(), "403 abuse");
}
