//! Who is behind whom: switched off, gone, of an owner, in another zone, and too many.

use std::sync::Arc;

use bowline::ip::{Addresses, Family};
use bowline::name::HostName;
use bowline::registry::{Accepted, Ask, Entry, NewHost, RegistryError, Settings};
use bowline::span::Span;
use bowline::time::Timestamp;
use bowline::ttl::Ttl;

use crate::lan::{Lan, URL, behind};
use crate::support::knot::Options;
use crate::support::site::{Home, Site, host_name, set};

const OFF: &str = "[limits]\nchanges = \"off\"\nwrong_secrets = \"off\"\n";
const NET: &str = "dyn.example.net";

#[test]
fn hosts_that_are_off_or_gone_are_left_alone() {
    let lan = Lan::new();
    assert_eq!(lan.visit("?prefix=2001:db8:1::").1, 1);
    let now = Timestamp::now();
    lan.site.registry().disable(lan.nas.id, now).unwrap();
    lan.site.publish(&lan.nas);
    assert_eq!(lan.visit("?prefix=2001:db8:2::").0, "200 good 2001:db8:2::");
    assert_eq!(lan.site.dns("nas"), "");
    assert_eq!(lan.site.dns("tv"), "2001:db8:2:0:211:32ff:feaa:bbcc");
    let mut registry = lan.site.registry();
    registry.enable(lan.nas.id, Ttl::DEFAULT, now).unwrap();
    registry.remove(lan.tv.id, now).unwrap();
    lan.site.publish(&lan.tv);
    assert_eq!(lan.visit("?prefix=2001:db8:3::").0, "200 good 2001:db8:3::");
    assert_eq!(lan.site.dns("nas"), "2001:db8:3:0:11:22:33:44");
    assert_eq!(lan.site.dns("tv"), "");
    // One that is put elsewhere follows the other one.
    let settings = behind("flat", "::11:22:33:44");
    set(&mut registry, lan.nas.id, &settings, None).unwrap();
    assert_eq!(
        lan.visit("?prefix=2001:db8:4::"),
        ("200 nochg 2001:db8:4::".into(), 0)
    );
    assert_eq!(lan.site.dns("nas"), "2001:db8:3:0:11:22:33:44");
    let said = lan.site.visit(&lan.flat.at("?prefix=2001:db8:5::"));
    assert_eq!(said.said(), "200 good 2001:db8:5::");
    assert_eq!(lan.site.dns("nas"), "2001:db8:5:0:11:22:33:44");
    // The site goes: its hosts keep what they have, and are behind nobody.
    registry.remove(lan.flat.id, now).unwrap();
    lan.site.publish(&lan.flat);
    assert_eq!(lan.site.dns("nas"), "2001:db8:5:0:11:22:33:44");
    assert_eq!(lan.site.host(&lan.nas).settings.behind, None);
    let said = lan.site.visit(&lan.nas.with("2001:db8::9"));
    assert_eq!(said.said(), "200 good 2001:db8::9");
}

/// With an owner's token both may be named, and a prefix moves what it should all the same.
#[test]
fn an_owner_names_the_site_and_what_is_behind_it() {
    let site = Site::new();
    let anna = site.token();
    let (mut registry, now) = (site.registry(), Timestamp::now());
    let owner: bowline::owner_name::OwnerName = "anna".parse().unwrap();
    registry
        .add_owner(&owner, None, &site.digest(&anna), now)
        .unwrap();
    let mut settings = behind("home", "::11:22:33:44");
    settings.owner = Some(owner.clone());
    let own = Settings {
        owner: Some(owner),
        ..Settings::default()
    };
    site.add_with("home", own);
    let nas_home = site.add_with("nas", settings.clone());
    settings.behind = behind("home", "::55").behind;
    site.add_with("tv", settings.clone());
    let visit = |query: &str| {
        let path = format!("/nic/update?password={}&{query}", anna.secret());
        site.visit(&path).said()
    };
    let dns = || ["home", "nas", "tv"].map(|name| site.dns(name));
    assert_eq!(visit("prefix=2001:db8:1::"), "400 notfqdn");
    assert_eq!(
        visit("hostname=home&prefix=2001:db8:1::"),
        "200 good 2001:db8:1::"
    );
    let (nas, tv) = ("2001:db8:1:0:11:22:33:44", "2001:db8:1::55");
    assert_eq!(dns(), ["", nas, tv]);
    // Named itself: moved once, answered on its own line.
    let serial = site.knot.serial();
    assert_eq!(
        visit("hostname=home,nas&prefix=2001:db8:2::"),
        "200 good 2001:db8:2::\ngood 2001:db8:2:0:11:22:33:44"
    );
    assert_eq!(site.knot.serial(), serial + 1);
    let (nas, tv) = ("2001:db8:2:0:11:22:33:44", "2001:db8:2::55");
    assert_eq!(dns(), ["", nas, tv]);
    assert_eq!(
        visit("hostname=nas,home&myip=203.0.113.7&prefix=2001:db8:3::"),
        "200 good 203.0.113.7,2001:db8:3:0:11:22:33:44\ngood 203.0.113.7"
    );
    let (nas, tv) = ("203.0.113.7,2001:db8:3:0:11:22:33:44", "2001:db8:3::55");
    assert_eq!(dns(), ["203.0.113.7", nas, tv]);
    // What is given outright stands before what the prefix says.
    assert_eq!(
        visit("hostname=nas,home&myipv6=2001:db8::7&prefix=2001:db8:4::"),
        "200 good 2001:db8::7\ngood 2001:db8::7"
    );
    let both = "203.0.113.7,2001:db8::7";
    assert_eq!(dns(), [both, both, "2001:db8:4::55"]);
    // One that the prefix has no room for is told so on its own line, and stays.
    settings.behind = behind("home", "::5:11:22:33:44").behind;
    set(&mut registry, nas_home.id, &settings, None).unwrap();
    assert_eq!(
        visit("hostname=home,nas&prefix=2001:db8:5::/64"),
        "200 good 2001:db8:5::\nbadip"
    );
    assert_eq!(dns(), [both, both, "2001:db8:5::55"]);
}

/// A host of another zone behind `home`.
fn in_other_zone(site: &Site) -> Home {
    let token = site.token();
    let mut settings = behind("home", "::11:22:33:44");
    settings.only = Some(Family::Ipv6);
    let new = NewHost {
        name: HostName::new("nas", &NET.parse().unwrap()).unwrap(),
        settings,
        token: Some(site.digest(&token)),
        addresses: Addresses::NONE,
        reuse: Span::ZERO,
        below: false,
    };
    let added = site.registry().add(&[new], Ttl::DEFAULT, Timestamp::now());
    Home {
        id: added.unwrap()[0],
        name: "nas".into(),
        token,
    }
}

fn with_zone(site: &Site, server: &str) {
    let zone =
        format!("[[zone]]\nname = \"{NET}\"\nserver = \"{server}\"\nkey_file = \"tsig.key\"\n");
    site.configure(URL, &format!("{OFF}{zone}"));
}

#[test]
fn hosts_in_two_zones_and_one_of_the_servers_down() {
    let site = Site::with(&Options {
        zones: vec![NET.to_owned()],
        ..Options::default()
    });
    with_zone(&site, &site.knot.addr().to_string());
    let home = site.add("home");
    site.add_with("tv", behind("home", "::55"));
    let far = in_other_zone(&site);
    let far_dns = || site.knot.kdig("nas.dyn.example.net", "AAAA").concat();
    let said = site.visit(&home.at("?prefix=2001:db8:1::/56"));
    assert_eq!(said.said(), "200 good 2001:db8:1::");
    assert_eq!(site.dns("tv"), "2001:db8:1::55");
    assert_eq!(far_dns(), "2001:db8:1:0:11:22:33:44");

    with_zone(&site, "127.0.0.1:9");
    let said = site.visit(&home.at("?myip=203.0.113.7&prefix=2001:db8:2::/56"));
    assert!(said.is_pending(), "{}", said.said());
    let line = site.last_line();
    assert!(
        line.contains("result=dnserr") && line.contains("reason=\"nas.dyn.example.net: "),
        "{line}"
    );
    assert_eq!(site.dns("home"), "203.0.113.7");
    assert_eq!(site.dns("tv"), "2001:db8:2::55");
    assert_eq!(far_dns(), "2001:db8:1:0:11:22:33:44");
    assert_eq!(site.wish(&far), "2001:db8:2:0:11:22:33:44");

    with_zone(&site, &site.knot.addr().to_string());
    let said = site.bowline(&["upkeep"]);
    assert!(said.contains("1 confirmed, 0 still pending"), "{said}");
    assert_eq!(far_dns(), "2001:db8:2:0:11:22:33:44");
    let said = site.visit(&home.at("?myip=203.0.113.7&prefix=2001:db8:2::/56"));
    assert_eq!(said.said(), "200 nochg 203.0.113.7");
}

#[test]
fn two_hundred_and_fifty_move_in_one_update_and_no_more_are_taken() {
    let site = Site::new();
    let home = site.add("home");
    let entry = |n: usize| NewHost {
        name: host_name(&format!("a-host-of-some-length-{n}")),
        settings: behind("home", &format!("::{n:x}:1")),
        token: None,
        addresses: Addresses::NONE,
        reuse: Span::ZERO,
        below: false,
    };
    let all: Vec<NewHost> = (1..=250).map(entry).collect();
    let now = Timestamp::now();
    let ids = site.registry().add(&all, Ttl::DEFAULT, now).unwrap();
    let one_more = site.registry().add(&[entry(251)], Ttl::DEFAULT, now);
    assert_eq!(
        one_more.unwrap_err().to_string(),
        "a-host-of-some-length-251.dyn.example.org cannot be behind home.dyn.example.org: \
         250 hosts are there already"
    );
    assert!(
        site.registry()
            .host_by_name(&host_name("a-host-of-some-length-251"), now)
            .unwrap()
            .is_none()
    );
    let serial = site.knot.serial();
    let said = site.visit(&home.at("?myip=203.0.113.7&prefix=2001:db8:1::"));
    assert_eq!(said.said(), "200 good 203.0.113.7");
    assert_eq!(site.knot.serial(), serial + 1);
    for n in [1, 99, 250] {
        let name = format!("a-host-of-some-length-{n}");
        assert_eq!(site.dns(&name), format!("2001:db8:1::{n:x}:1"));
    }
    let said = site.visit(&home.at("?prefix=2001:db8:1::"));
    assert_eq!(said.said(), "200 nochg 2001:db8:1::");
    let registry = site.registry();
    for id in ids {
        let host = registry.host_by_id(id).unwrap().unwrap();
        assert!(!host.is_pending(), "{}", host.name);
    }
}

#[test]
fn who_may_be_behind_whom() {
    let lan = Lan::new();
    let mut registry = lan.site.registry();
    let now = Timestamp::now();
    let mut give = |home: &Home, settings: &Settings| {
        let set = set(&mut registry, home.id, settings, None);
        set.map_err(|error| error.to_string())
    };
    let anna = "anna".parse().unwrap();
    let owned = Settings {
        owner: Some(anna),
        ..Settings::default()
    };
    let fixed = Settings {
        fixed: Some(["203.0.113.7".parse().unwrap()].into_iter().collect()),
        ..Settings::default()
    };
    let ipv4_only = Settings {
        only: Some(Family::Ipv4),
        ..behind("home", "::1")
    };
    let digest = lan.site.digest(&lan.site.token());
    lan.site
        .registry()
        .add_owner(owned.owner.as_ref().unwrap(), None, &digest, now)
        .unwrap();
    for (home, settings, why) in [
        (
            &lan.home,
            &behind("home", "::1"),
            "home.dyn.example.org cannot be behind home.dyn.example.org: they are the same host",
        ),
        (&lan.home, &behind("nas", "::1"), "chain"),
        (&lan.home, &behind("flat", "::1"), "chain"),
        (&lan.other, &behind("nas", "::1"), "chain"),
        (
            &lan.other,
            &behind("none", "::1"),
            "there is no host \"none.dyn.example.org\"",
        ),
        (&lan.other, &ipv4_only, "it has IPv4 only"),
        (
            &lan.home,
            &owned,
            "nas.dyn.example.org cannot be behind home.dyn.example.org: they have different owners",
        ),
        (
            &lan.home,
            &fixed,
            "nas.dyn.example.org cannot be behind home.dyn.example.org: one of them is static",
        ),
        (
            &lan.nas,
            &Settings {
                owner: owned.owner.clone(),
                ..behind("home", "::1")
            },
            "different owners",
        ),
    ] {
        let refused = give(home, settings).unwrap_err();
        assert!(refused.contains(why), "{refused}");
    }
    // A list is taken as a whole: the site and its hosts go to Anna together.
    let entries = ["nas", "tv", "home"].map(|name| Entry {
        name: host_name(name),
        ttl: Ttl::DEFAULT,
        reuse: Span::ZERO,
    });
    registry
        .import::<RegistryError>(
            &entries,
            now,
            |_, host| {
                let mut settings = host.unwrap().0.settings.clone();
                settings.owner = owned.owner.clone();
                Ok(bowline::registry::Edit {
                    settings,
                    ..bowline::registry::Edit::default()
                })
            },
            |_| Ok(true),
            |_, error| error,
        )
        .unwrap();
    assert_eq!(lan.visit("?prefix=2001:db8:1::").0, "200 good 2001:db8:1::");
    assert_eq!(lan.site.dns("nas"), "2001:db8:1:0:11:22:33:44");
}

/// What a visit has found is looked at again in the transaction that writes its wishes.
#[test]
fn whoever_leaves_the_site_during_a_visit_is_not_moved() {
    let lan = Lan::new();
    let mut registry = lan.site.registry();
    let now = Timestamp::now();
    let moved = ["2001:db8::1".parse().unwrap()].into_iter().collect();
    let ask = |home: &Home, site: Option<&Home>| Ask {
        host: home.id,
        token: lan.site.digest(&lan.home.token),
        site: site.map(|site| site.id),
        ttl: Ttl::DEFAULT,
        client: None,
        dialect: "path".to_owned(),
        now,
        notify: None,
        not_before: None,
        families: vec![Family::Ipv6],
        addresses: Arc::new(move |_| moved),
    };
    let mut accept = |ask| registry.accept(&[ask]).unwrap().remove(0);
    let is_gone = |accepted| matches!(accepted, Accepted::Gone);
    assert!(is_gone(accept(ask(&lan.nas, None))), "not its own token");
    assert!(is_gone(accept(ask(&lan.other, Some(&lan.home)))));
    assert!(is_gone(accept(ask(&lan.pi, Some(&lan.home)))));
    assert!(is_gone(accept(ask(&lan.pi, Some(&lan.flat)))));
    assert!(!is_gone(accept(ask(&lan.tv, Some(&lan.home)))));
    let mut operator = lan.site.registry();
    set(&mut operator, lan.tv.id, &Settings::default(), None).unwrap();
    assert!(is_gone(accept(ask(&lan.tv, Some(&lan.home)))));
    operator.disable(lan.home.id, now).unwrap();
    assert!(is_gone(accept(ask(&lan.nas, Some(&lan.home)))));
    assert_eq!(lan.site.wish(&lan.nas), "");
}
