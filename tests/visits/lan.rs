//! Hosts behind a router: the prefix in its visit moves all of them, and not itself.

use bowline::config::Config;
use bowline::ip::{Addresses, Family};
use bowline::log::Logger;
use bowline::name::HostName;
use bowline::registry::{Behind, Entry, NewHost, RegistryError, Settings};
use bowline::span::Span;
use bowline::time::Timestamp;
use bowline::ttl::Ttl;
use bowline::upkeep;

use crate::support::knot::Options;
use crate::support::site::{Home, Site, host_name};

const URL: &str = "http://update.example.org";
const OFF: &str = "[limits]\nchanges = \"off\"\nwrong_secrets = \"off\"\n";
const NET: &str = "dyn.example.net";

fn behind(site: &str, id: &str) -> Settings {
    Settings {
        behind: Some(Behind {
            site: host_name(site),
            id: id.parse().unwrap(),
        }),
        ..Settings::default()
    }
}

/// A router `home` with `nas` and `tv` behind it; `flat` has `pi` behind it, and `other`
/// is alone.
struct Lan {
    site: Site,
    home: Home,
    nas: Home,
    tv: Home,
    flat: Home,
    pi: Home,
    other: Home,
}

impl Lan {
    fn new() -> Self {
        let site = Site::new();
        let home = site.add("home");
        let flat = site.add("flat");
        Lan {
            nas: site.add_with("nas", behind("home", "::11:22:33:44")),
            tv: site.add_with("tv", behind("home", "00:11:32:aa:bb:cc")),
            pi: site.add_with("pi", behind("flat", "::11:22:33:44")),
            other: site.add("other"),
            home,
            flat,
            site,
        }
    }

    /// What the name server has of `home`, `nas`, `tv`, `flat`, `pi` and `other`.
    fn dns(&self) -> [String; 6] {
        let homes = [
            &self.home,
            &self.nas,
            &self.tv,
            &self.flat,
            &self.pi,
            &self.other,
        ];
        homes.map(|home| self.site.dns(&home.name))
    }

    /// A visit of `home`: its answer, and by how much the zone's serial grew.
    fn visit(&self, query: &str) -> (String, u32) {
        let before = self.site.knot.serial();
        let said = self.site.visit(&self.home.at(query)).said();
        (said, self.site.knot.serial() - before)
    }
}

#[test]
fn all_behind_the_site_move_in_one_update_and_nobody_else_does() {
    let lan = Lan::new();
    for home in [&lan.home, &lan.flat, &lan.other] {
        assert_eq!(lan.site.visit(&home.with("2001:db8::7")).status, 200);
    }
    let own = "2001:db8::7";
    assert_eq!(lan.dns(), [own, "", "", own, "", own]);
    // An address of its own that is not of that family stays.
    assert_eq!(lan.site.visit(&lan.nas.with("203.0.113.9")).status, 200);

    let moved = lan.visit("?ip6lanprefix=2001:db8:1::/56");
    assert_eq!(moved, ("200 good 2001:db8:1::".into(), 1));
    let nas = "203.0.113.9,2001:db8:1:0:11:22:33:44";
    let tv = "2001:db8:1:0:211:32ff:feaa:bbcc";
    assert_eq!(lan.dns(), [own, nas, tv, own, "", own]);
    let log = lan.site.log();
    for line in [
        "host=nas.dyn.example.org ipv6=2001:db8:1:0:11:22:33:44 result=good client=198.51.100.4",
        "host=tv.dyn.example.org ipv6=2001:db8:1:0:211:32ff:feaa:bbcc result=good",
        "host=home.dyn.example.org prefix=2001:db8:1::/56 result=good",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
    let unchanged = lan.visit("?ip6lanprefix=2001:db8:1::/56");
    assert_eq!(unchanged, ("200 nochg 2001:db8:1::".into(), 0));
    assert_eq!(lan.dns(), [own, nas, tv, own, "", own]);

    let history = lan
        .site
        .registry()
        .history(None, Timestamp::from_seconds(0));
    let last: Vec<_> = history.unwrap().into_iter().rev().take(2).collect();
    for change in last {
        assert_eq!(change.dialect, "path");
        assert_eq!(change.family, Family::Ipv6);
        assert_eq!(change.source, Some("198.51.100.4".parse().unwrap()));
    }
    assert_eq!(lan.site.host(&lan.home).wish.number, 1);
}

/// The URL that FRITZ!OS documents, filled as the box fills it.
#[test]
fn a_fritzbox_moves_itself_and_what_is_behind_it() {
    let lan = Lan::new();
    let url = "?myip=203.0.113.7&myipv6=2001:db8:a::1&ip6lanprefix=2001:db8:b:c0::/64&dual=1";
    let said = lan.visit(url);
    assert_eq!(said, ("200 good 203.0.113.7,2001:db8:a::1".into(), 1));
    let own = "203.0.113.7,2001:db8:a::1";
    let (nas, tv) = (
        "2001:db8:b:c0:11:22:33:44",
        "2001:db8:b:c0:211:32ff:feaa:bbcc",
    );
    assert_eq!(lan.dns(), [own, nas, tv, "", "", ""]);
    // DS-Lite: no IPv4 at all, or the provider's own; then nothing filled in.
    for url in [
        "?myip=&myipv6=2001:db8:a::1&ip6lanprefix=2001:db8:b:c0::/64",
        "?myip=100.64.0.1&myipv6=2001:db8:a::1&ip6lanprefix=2001:db8:b:c0::/64",
        "?myip=203.0.113.7&myipv6=<ip6addr>&ip6lanprefix=<ip6lanprefix>",
        "?myip=203.0.113.7&myipv6=2001:db8:a::1&ip6lanprefix=",
    ] {
        let (said, steps) = lan.visit(url);
        assert!(
            said.starts_with("200 nochg ") && steps == 0,
            "{url}: {said}"
        );
    }
    let said = lan.visit("?myip=100.64.0.1&ip6lanprefix=2001:db8:b:c1::/64");
    assert_eq!(said, ("200 good 2001:db8:b:c1::".into(), 1));
    let (nas, tv) = (
        "2001:db8:b:c1:11:22:33:44",
        "2001:db8:b:c1:211:32ff:feaa:bbcc",
    );
    assert_eq!(lan.dns(), [own, nas, tv, "", "", ""]);
    assert!(lan.site.last_line().contains("dropped=100.64.0.1"));
    // The address before is not touched by one that cannot be published.
    let said = lan.visit("?myip=203.0.113.8&ip6lanprefix=fd00:1:2:3::/64");
    assert_eq!(said, ("200 good 203.0.113.8".into(), 1));
    assert_eq!(lan.dns()[1], nas);
}

#[test]
fn spellings() {
    let lan = Lan::new();
    let at = |network: &str| format!("{network}:11:22:33:44");
    for (query, said, nas) in [
        (
            "ip6lanprefix=2001:db8:1::/48",
            "good 2001:db8:1::",
            at("2001:db8:1:0"),
        ),
        (
            "ipv6prefix=2001:db8:2:ff00::/56",
            "good 2001:db8:2:ff00::",
            at("2001:db8:2:ff00"),
        ),
        (
            "prefix=2001:db8:3:4::/64",
            "good 2001:db8:3:4::",
            at("2001:db8:3:4"),
        ),
        (
            "prefix=2001:db8:5:6:7::/80",
            "good 2001:db8:5:6::",
            at("2001:db8:5:6"),
        ),
        (
            "prefix=2001:db8:5:6:7:8:9:a",
            "nochg 2001:db8:5:6::",
            at("2001:db8:5:6"),
        ),
        ("prefix=2001:db8:7", "good 2001:db8:7::", at("2001:db8:7:0")),
        (
            "prefix=2001:db8:8:9::",
            "good 2001:db8:8:9::",
            at("2001:db8:8:9"),
        ),
        (
            "prefix=2001%3Adb8%3A8%3Aa%3A%3A%2F64",
            "good 2001:db8:8:a::",
            at("2001:db8:8:a"),
        ),
    ] {
        let (found, _) = lan.visit(&format!("?{query}"));
        assert_eq!(found, format!("200 {said}"), "{query}");
        assert_eq!(lan.dns(), ["", &nas, &lan.dns()[2], "", "", ""], "{query}");
    }
    let before = lan.dns();
    for (query, said) in [
        ("prefix=home", "400 badip"),
        ("prefix=64", "400 badip"),
        ("prefix=203.0.113.0/24", "400 badip"),
        ("prefix=2001:db8:1::/129", "400 badip"),
        ("prefix=2001:db8:1::/64,2001:db8:2::/64", "400 badip"),
        ("prefix=2001:db8:1:&myip=203.0.113.7", "400 badip"),
        ("prefix=fe80::/64", "503 badip"),
        ("prefix=fd00:1:2:3::/64", "503 badip"),
        ("prefix=2002:c000:201::/48", "503 badip"),
    ] {
        assert_eq!(lan.visit(&format!("?{query}")), (said.into(), 0), "{query}");
        assert_eq!(lan.dns(), before, "{query}");
    }
    // JSON has the whole of it.
    let path = lan.home.at("?prefix=2001:db8:9::/56");
    let said = lan
        .site
        .get(&path)
        .set("HTTP_ACCEPT", "application/json")
        .run();
    assert_eq!(
        said.body,
        "{\"status\":\"good\",\"host\":\"home.dyn.example.org\",\"prefix\":\"2001:db8:9::/56\"}\n"
    );
    // What the name server lost comes back.
    lan.site.knot.knotc(&["zone-begin", "dyn.example.org"]);
    lan.site
        .knot
        .knotc(&["zone-unset", "dyn.example.org", "nas"]);
    lan.site.knot.knotc(&["zone-commit", "dyn.example.org"]);
    assert_eq!(
        lan.visit("?prefix=2001:db8:9::/56").0,
        "200 good 2001:db8:9::"
    );
    assert_eq!(lan.site.dns("nas"), at("2001:db8:9:0"));
    assert_eq!(lan.visit("?prefix=-"), ("200 good".into(), 1));
    assert_eq!(lan.dns(), ["", "", "", "", "", ""]);
}

#[test]
fn bits_inside_the_prefix_are_refused_for_that_host() {
    let lan = Lan::new();
    let deep = lan.site.add_with("deep", behind("home", "::5:11:22:33:44"));
    let (said, steps) = lan.visit("?prefix=2001:db8:1:ff00::/56");
    assert_eq!((said.as_str(), steps), ("200 good 2001:db8:1:ff00::", 1));
    assert_eq!(lan.site.dns(&deep.name), "2001:db8:1:ff05:11:22:33:44");
    let (said, steps) = lan.visit("?prefix=2001:db8:1:2::/64");
    assert_eq!((said.as_str(), steps), ("503 badip", 1));
    assert_eq!(lan.site.dns(&deep.name), "2001:db8:1:ff05:11:22:33:44");
    assert_eq!(lan.site.dns("nas"), "2001:db8:1:2:11:22:33:44");
    let line = lan.site.last_line();
    let reason = "reason=\"deep.dyn.example.org: its interface identifier ::5:11:22:33:44 has bits \
                  inside 2001:db8:1:2::/64\"";
    assert!(line.contains(reason), "{line}");
}

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
    registry
        .set(lan.nas.id, &settings, None, Ttl::DEFAULT, now)
        .unwrap();
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

#[test]
fn a_token_moves_what_is_behind_its_own_host_only() {
    let lan = Lan::new();
    let now = Timestamp::now();
    assert_eq!(lan.visit("?prefix=2001:db8:1::").1, 1);
    let before = lan.dns();
    for home in [&lan.nas, &lan.other] {
        let said = lan.site.visit(&home.at("?prefix=2001:db8:2::"));
        assert_eq!(said.said(), "200 nochg 2001:db8:2::");
        let said = lan.site.visit(&home.at("/home?prefix=2001:db8:2::"));
        assert_eq!(said.said(), "403 nohost");
    }
    let said = lan.site.visit(&lan.home.at("/nas?prefix=2001:db8:2::"));
    assert_eq!(said.said(), "403 nohost");
    let head = lan.site.get(&lan.home.at("?prefix=2001:db8:2::"));
    assert_eq!(head.method("HEAD").run().status, 405);
    assert_eq!(lan.dns(), before);
    // A renamed site is the same one.
    lan.site
        .registry()
        .rename(
            lan.home.id,
            &bowline::registry::Rename {
                to: host_name("villa"),
                keep: Span::ZERO,
                reuse: Span::ZERO,
                below: false,
            },
            Ttl::DEFAULT,
            now,
        )
        .unwrap();
    assert_eq!(lan.visit("?prefix=2001:db8:3::").0, "200 good 2001:db8:3::");
    assert_eq!(lan.site.dns("nas"), "2001:db8:3:0:11:22:33:44");
    let site = lan.site.host(&lan.nas).settings.behind.unwrap().site;
    assert_eq!(site, host_name("villa"));
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
    site.add_with("nas", settings.clone());
    settings.behind = behind("home", "::55").behind;
    site.add_with("tv", settings);
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
    let config = Config::load(&site.path("bowline.toml")).unwrap();
    let logger = Logger::new(&config.log);
    let word = upkeep::Word::Registry;
    let round = upkeep::round(&config, &mut site.registry(), &logger, word);
    assert_eq!(round.unwrap().unwrap().settled.confirmed, 1);
    assert_eq!(far_dns(), "2001:db8:2:0:11:22:33:44");
    let said = site.visit(&home.at("?myip=203.0.113.7&prefix=2001:db8:2::/56"));
    assert_eq!(said.said(), "200 nochg 203.0.113.7");
}

#[test]
fn each_move_counts_as_a_change_of_its_host() {
    let lan = Lan::new();
    lan.site.configure(URL, "[limits]\nchanges = \"2/1h\"\n");
    for n in 1..=2 {
        let said = lan.visit(&format!("?myip=203.0.113.{n}&prefix=2001:db8:{n}::"));
        assert_eq!(said.0, format!("200 good 203.0.113.{n}"));
    }
    let over = lan.visit("?prefix=2001:db8:3::");
    assert_eq!(over, ("503 911".into(), 0));
    assert_eq!(lan.site.dns("nas"), "2001:db8:2:0:11:22:33:44");
    assert_eq!(lan.site.wish(&lan.nas), "2001:db8:3:0:11:22:33:44");
    // Another site is not concerned.
    let said = lan.site.visit(&lan.flat.at("?prefix=2001:db8:3::"));
    assert_eq!(said.said(), "200 good 2001:db8:3::");
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
    let mut set = |home: &Home, settings: &Settings| {
        let set = registry.set(home.id, settings, None, Ttl::DEFAULT, now);
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
        let refused = set(home, settings).unwrap_err();
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
        )
        .unwrap();
    assert_eq!(lan.visit("?prefix=2001:db8:1::").0, "200 good 2001:db8:1::");
    assert_eq!(lan.site.dns("nas"), "2001:db8:1:0:11:22:33:44");
}
